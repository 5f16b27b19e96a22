/* The analysis of recorded tables: rows in, scores, events and reasons out. `vedette
 * detect` and the upload of the page call the same function.
 *
 * A table is gone through twice: once to learn what is common in it (or in other tables,
 * or not at all with a model), once to score and write. Tables of up to BATCH_HELD_CELLS
 * numbers are held in memory; of larger ones a sample is, and all else is bounded by the
 * number of columns, so that the size of a table does not matter.
 *
 * There is no global state: any number of analyses may run, each on a thread of its own.
 */
#ifndef VD_BATCH_ANALYSE_H
#define VD_BATCH_ANALYSE_H

#include "format/table.h"
#include "record.h"

enum {
    BATCH_HELD_CELLS = 6000000,  /* numbers of a table that is held in memory */
    BATCH_ORDERED_ROWS = 500000, /* of more rows no single metric is followed */
    BATCH_BUCKETS = 1000,        /* of an envelope */
    BATCH_ENVELOPES = 256,       /* columns that have one: the first that are used */
    BATCH_WORST = 1000,          /* rows that are kept, the most anomalous first */
    BATCH_EVENTS_MAX = 10000,    /* events that are kept; later ones are counted */
    BATCH_FACTORS = 7,           /* severity factors of a row: four fixed, three ours */
};

/* How scored rows are written. */
enum batch_scored_format { BATCH_CSV, BATCH_JSON, BATCH_JSON_LINES };

/* How the counters of prmon's tables are taken. */
enum batch_counters { BATCH_COUNTERS_RATE, BATCH_COUNTERS_RAW };

struct batch_row;

/* Texts and arrays are borrowed until the analysis has ended. */
struct batch_analyse_options {
    const char *const *file; /* tables with the same columns, read one after the other */
    size_t n_files;
    const char *const *title; /* what a file is called in texts; NULL = its path */
    struct format_options table;
    const char *const *train;    /* tables of normal rows to learn from */
    size_t n_train;              /* 0 = the tables themselves */
    const char *model;           /* a bundle of `vedette train`; NULL = none */
    const char *const *detector; /* "ordered", or names of the library's detectors */
    size_t n_detectors;          /* 0 = chosen, and said why */
    const char *const *column;   /* the only columns to look at, by name */
    size_t n_columns;            /* 0 = all that can be used */
    double contamination; /* share of the rows to flag; NaN = by the calibrated tail */
    double budget;        /* false alarms a week; NaN = 0.05 for the whole table */
    uint64_t seed;
    unsigned trees; /* of the isolation forest; 0 = its default */
    size_t window;  /* rows side by side that the ordered way looks at; 0 = 10 */
    unsigned threads;
    enum batch_counters counters;
    int anomaly_label;  /* 1 or -1; 0 = the file says */
    const char *output; /* scored rows; "-" = standard output, NULL = none */
    enum batch_scored_format format;
    /* Nobody looks at the scores of rows that are not odd, not at bucket_score either:
     * they may be left at 1 where that saves time. */
    bool only_odd;
    /* Is told how much is done, 0 .. 1, and of how many rows, some times a second at
     * most. When it returns false the analysis ends with VD_ERR_BUSY and leaves
     * nothing. NULL = nobody asks. */
    bool (*progress)(void *context, double done, size_t rows);
    /* Is given each row in order with what was found. NULL = nobody wants that. */
    void (*take_row)(void *context, const struct batch_row *row);
    void *context;
};

struct batch_analyse_options batch_analyse_options_default(void);

/* A column of the tables. */
struct batch_column {
    char name[FORMAT_NAME_MAX];
    char why[64];  /* it is left out because: "text", "constant"; "" = it is used */
    char note[64]; /* "0 to 1: shown in percent", "rate of a counter"; "" */
    size_t metric; /* in the schema; SIZE_MAX = left out */
    double expected, sigma; /* of common rows: the median, and a robust sigma */
    float *low, *high;      /* BATCH_BUCKETS each, owned; NaN = no value. NULL = none */
};

/* Why a row is odd. */
struct batch_reason {
    char reason[384]; /* "High CPU usage detected | ..." */
    struct record_deviation top[RECORD_TOP];
    char explanation[RECORD_TOP]
                    [128]; /* "cpu_percent: 92.5 (high, expected ≈17.4 ...)" */
    size_t n_top;
    char factor[BATCH_FACTORS][64]; /* "CPU: 92.5%" */
    size_t n_factors;
};

/* A row that is kept. */
struct batch_row {
    uint64_t row;    /* from 0, in the order of time, over all files */
    int64_t time_ns; /* 0 = rows have no time */
    double score;    /* calibrated, -1 .. 1, negative = anomalous */
    double surprise;
    double told; /* how far its values are away, all in all */
    enum record_severity severity;
    struct batch_reason why;
};

/* Odd rows on end. */
struct batch_event {
    uint64_t first, last;
    int64_t first_ns, last_ns; /* 0 = rows have no time */
    uint64_t rows;             /* of them flagged */
    struct batch_row peak;
    const char *pattern; /* "spike", "leak" ...; static */
};

/* How the analysis compares with labels. NaN = cannot be said. */
struct batch_quality {
    bool known;
    char column[FORMAT_NAME_MAX]; /* of the labels; "file names" */
    uint64_t anomalies, normal;   /* rows by their label */
    uint64_t tp, fp, tn, fn;
    double precision, recall, f1, false_alarm_rate, miss_rate;
    double roc_auc, average_precision;
    uint64_t events,
        events_found; /* runs of labelled rows, and those with a flagged one */
};

struct batch_analysis {
    uint64_t rows, anomalies;
    size_t n_files;
    uint64_t skipped;            /* rows that could not be read */
    int64_t first_ns, last_ns;   /* 0 = no time */
    double pace_s;               /* between rows; NaN = not known */
    struct batch_column *column; /* owned */
    size_t n_columns, n_used;
    struct record_schema schema; /* of the columns that are used */
    const char *way;             /* "ordered", "ensemble", "isolation_forest" ... */
    char why[256];               /* why this way was taken */
    char threshold_text[160];    /* where the threshold comes from */
    double threshold;            /* surprise at which the score is 0 */
    uint64_t learned_rows;       /* that the detectors were fitted on */
    struct batch_event *event;   /* owned, in order */
    size_t n_events;
    uint64_t events_left_out;
    struct batch_row *worst; /* owned, the most anomalous first */
    size_t n_worst;
    /* Over the rows in BATCH_BUCKETS parts of equal length (fewer rows: one each). */
    size_t n_buckets;
    uint64_t bucket_row[BATCH_BUCKETS];       /* the first row of each */
    int64_t bucket_ns[BATCH_BUCKETS];         /* and its time; 0 = no time */
    float bucket_score[BATCH_BUCKETS];        /* the lowest score */
    uint32_t bucket_anomalies[BATCH_BUCKETS]; /* flagged rows */
    struct batch_quality quality;
    double read_s, fit_s, score_s, write_s, seconds; /* wall clock */
};

/* Runs the analysis. On success the caller releases *out; on failure it is empty and no
 * output is left behind. VD_ERR_BUSY: `progress` said to stop. */
enum vd_status batch_analyse(struct batch_analysis *out,
                             const struct batch_analyse_options *options,
                             struct vd_error *err);

void batch_analysis_release(struct batch_analysis *analysis);

#endif
