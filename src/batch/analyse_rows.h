/* The rows of one or more tables as one sequence of numbers for the analysis: columns are
 * found by their names, counters become rates, and the numbers that prmon's users look at
 * are added to its tables. Internal to the analysis. */
#ifndef VD_BATCH_ANALYSE_ROWS_H
#define VD_BATCH_ANALYSE_ROWS_H

#include "batch/analyse.h"
#include "batch/spool.h"

enum {
    BATCH_LAG_MAX = 64,     /* rows over which a rate is taken, at most */
    BATCH_SAMPLED = 100000, /* rows that are drawn from a table, at most */
};

/* Name the columns that are added to a table of prmon. */
enum batch_derived {
    BATCH_AS_IT_IS,
    BATCH_PSS_RATE,
    BATCH_PSS_PER_PROCESS,
    BATCH_CPU_EFFICIENCY,
    BATCH_IO_RATE,
    BATCH_DERIVED
};

struct batch_rows_column {
    char name[FORMAT_NAME_MAX];
    char why[64], note[64];
    bool counts; /* its rate is the value */
    enum batch_derived derived;
};

/* Numbers of the last rows, from which rates are made. */
struct batch_rows_past {
    double *value; /* BATCH_LAG_MAX x columns, owned */
    int64_t time_ns[BATCH_LAG_MAX];
    size_t n; /* rows since the table began */
};

struct batch_rows {
    const struct batch_analyse_options *options;
    const char *const *file;
    struct batch_spool *spool;  /* owned: one for each table */
    struct format_table *table; /* owned */
    size_t n_tables;
    struct batch_rows_column *column; /* owned: those of all tables by name */
    size_t n_columns;
    size_t *place; /* owned: n_tables x n_columns, SIZE_MAX = the table has it not */
    size_t *used;  /* owned: the columns that are values */
    size_t d;      /* of them */
    uint64_t n;    /* rows of all tables */
    bool timed;    /* all tables have times */
    double pace_s; /* of the first */
    bool is_prmon;
    bool *doubles; /* owned: whether a table has rows twice */
    size_t
        *after; /* owned: of each table, the row after those of one time; 0 = the first */
    struct batch_rows_past past;
    double *now;          /* owned: the row as it stands, by column */
    size_t *phase, *task; /* owned: column of each table, SIZE_MAX = none */
    bool labelled; /* some table has labels, a phase, or is one of several phases */
    /* Where it stands. */
    size_t at;
    uint64_t row;
    /* The row. */
    int64_t time_ns;
    int label;          /* 0 normal, 1 anomaly, -1 = not known */
    char task_text[40]; /* a task that failed, as written; "" = none did */
};

/* Finds a column by its name; SIZE_MAX when there is none. */
size_t batch_rows_find(const struct batch_rows *rows, const char *name);

/* Whether the name of a phase says that nothing is wrong in it. */
bool batch_phase_is_quiet(const char *text, size_t size);

/* Opens the tables and says what was found. To be closed after a failure, too. */
enum vd_status batch_rows_open(struct batch_rows *rows,
                               const struct batch_analyse_options *options,
                               const char *const *file, size_t n_files,
                               struct vd_error *err);

/* Chooses the values: the columns that --columns names, or all that hold numbers. */
enum vd_status batch_rows_choose(struct batch_rows *rows, struct vd_error *err);

/* Makes the columns of these names the values, in this order. VD_ERR_SCHEMA names one
 * that is not there. */
enum vd_status batch_rows_use(struct batch_rows *rows, const char *const *name, size_t n,
                              struct vd_error *err);

/* Gives `rows` the values of `like`, in its order, in the same way. */
enum vd_status batch_rows_align(struct batch_rows *rows, const struct batch_rows *like,
                                struct vd_error *err);

/* Leaves out the value number k. */
void batch_rows_leave_out(struct batch_rows *rows, size_t k, const char *why);

/* Goes to the next row and writes its d values; NaN = none. *more = false at the end. */
enum vd_status batch_rows_next(struct batch_rows *rows, double *value, bool *more,
                               struct vd_error *err);

/* What a label of the table means: 1 = an anomaly. */
int batch_rows_label(const struct batch_rows *rows, int label);

/* Passes over a row, whose values nobody wants. */
enum vd_status batch_rows_skip(struct batch_rows *rows, bool *more, struct vd_error *err);

/* The table that the row is of. */
const struct format_table *batch_rows_table(const struct batch_rows *rows);

/* What the file of the row is called. */
const char *batch_rows_title(const struct batch_rows *rows, size_t table);

/* Before the first row again. */
void batch_rows_rewind(struct batch_rows *rows);

void batch_rows_close(struct batch_rows *rows);

#endif
