/* The reader of text tables: what a file holds, and then its rows in order of time.
 *
 * All who read tables read them by this: replay, train, compare, split, detect. A table
 * is gone through twice, to study it and to read it: what a column is, which sign is
 * decimal, whether day or month comes first and which way time runs is decided by all of
 * its rows. A regular file stays where it is; held are some bytes a column. Only where
 * rows are not in order of time, or two have the same time, it is gone through once more
 * and 24 bytes a row are held.
 */
#ifndef VD_FORMAT_TABLE_H
#define VD_FORMAT_TABLE_H

#include <stdio.h>

#include "format/columns.h"
#include "format/order.h"
#include "format/rows.h"

enum {
    FORMAT_ROWS_MAX = 20000000, /* of a table whose rows have to be put in order */
    FORMAT_FAULT_LINES = 3,     /* that are told of a kind of fault */
};

/* What is made of a row that is longer or shorter than the line of names. */
enum format_ragged {
    FORMAT_LONG_REFUSED,   /* short ones are filled up with empty fields */
    FORMAT_LONG_SKIPPED,   /* the same, and long ones are left out and counted */
    FORMAT_RAGGED_REFUSED, /* neither is taken */
};

/* What the user says of a table; zero-initialised, everything is found out. Texts are
 * borrowed. */
struct format_options {
    const char *separator;   /* "," ";" "|" or "tab", "blank"; NULL = found */
    char decimal;            /* '.' or ','; 0 = found */
    const char *time_column; /* its name, its number from 1, or "none"; NULL = found */
    const char *time_format; /* "iso", "dmy", "mdy", "s", "ms", "us", "ns" or a pattern of
                                strptime; NULL = found */
    const char *time_zone;   /* of times without one, as format_zone_load takes it */
    const char *label;       /* name of the column with labels; NULL = found */
    const char *title;       /* what it is called in messages; NULL = its path */
    bool need_label;         /* labels are read, and have to be right */
    /* Labels are read, and nothing else: rows come in the order of the file, as bytes
     * without values. What is said of columns is that of the first thousand rows. */
    bool labels_only;
    enum format_ragged ragged;
    FILE *rejects;   /* gets the rows that are left out, as they stand; NULL = nobody */
    size_t sort_max; /* more rows than this stay in the order of the file where time steps
                        back; 0 = they are refused beyond FORMAT_ROWS_MAX */
    unsigned threads; /* at most so many; 0 or 1 = the caller's only */
    size_t sample;    /* so many rows at most for format_blocks_sample; 0 = none */
    uint64_t seed;    /* of the sample */
};

/* Lines of one kind that were passed over or mended. */
struct format_fault {
    size_t n, line[FORMAT_FAULT_LINES]; /* the first of them */
};

struct format_faults {
    size_t skipped; /* lines that are a comment or the names again */
    struct format_fault too_long, too_short;
    char *rejected; /* owned, while a piece of the table is studied */
    size_t rejected_size;
};

/* Rows without a time that can be read: they are left out. */
struct format_untimed {
    size_t n, line; /* the first of them */
    char text[32];  /* what it has */
};

/* Which labels there are. */
struct format_labels {
    size_t line[3]; /* the first 0, 1 and -1; 0 = there is none */
    bool words;     /* some are words, which say what they mean */
};

/* A row of the sample. */
struct format_sampled {
    uint64_t offset;
    size_t line;
};

struct format_column {
    char name[FORMAT_NAME_MAX]; /* as the file has it, cut; no byte steers a terminal */
    enum format_role role;
    const char *why; /* no metric: "text", "empty", "label" ... */
    char decimal;    /* the sign before its fractions */
    /* Of a metric: values that are no numbers, and the first of them. */
    size_t odd, odd_line;
    char odd_text[32];
};

struct format_table {
    const char *path;
    struct format_options options;
    struct format_input input;
    struct format_rows rows;
    char separator;
    struct format_column *column; /* owned */
    size_t n_columns, n_metrics;  /* metrics: counters are among them */
    bool nameless_first;          /* rows have one field more than the line of names */
    struct format_scan head;      /* owned: the line of names */
    size_t n;                     /* rows */
    size_t studied;               /* rows from which it is known what a column is */
    struct format_faults faults;
    uint64_t first_offset; /* where the first row is */
    size_t first_line;
    /* Time: columns or SIZE_MAX. */
    size_t time, clock; /* the clock is a second column, beside a date */
    size_t elapsed;     /* seconds by a clock that nobody sets, beside a local time */
    double per_s;       /* units of Unix time in a second; 0 = the times are texts */
    bool day_first, order_guessed;
    bool of_day; /* times of day, without a date */
    bool zoned;  /* the times say their zone */
    struct format_zone zone;
    bool zone_of_header;
    struct format_order order;
    int64_t first_ns, last_ns; /* of the first row and the last, in order */
    bool unsorted; /* time steps back, and the rows are as the file has them */
    struct format_untimed untimed;
    /* Labels: a column or SIZE_MAX. */
    size_t label;
    size_t label_line[3]; /* the first 0, 1 and -1; 0 = there is none */
    bool label_is_flag;   /* true and false, words, or a name like is_anomaly: 1 is one */
    bool own_labels;      /* this program's own: 1 is normal, -1 an anomaly */
    struct format_place *place; /* owned; NULL = rows are read as they stand */
    struct format_zone_memo memo;
    struct format_sampled *sampled; /* owned: rows drawn from all */
    size_t n_sampled;
    uint64_t sample_limit;
    size_t at; /* rows that were read */
    /* The row, after format_table_next. */
    int64_t time_ns;  /* of a table with time */
    int8_t row_label; /* as written: 0, 1 or -1; of a table whose labels are read */
};

/* Opens and studies a table. VD_ERR_IO when it cannot be read or is no file; VD_ERR_DATA,
 * with line and column, when it is no table that can be meant: no line of names, no rows,
 * no column of numbers (but with labels_only), two metrics of one name, a row longer than
 * the line of names, a quote that is not closed, two decimal signs, days that fit no
 * calendar, a label that is none, several series in one column. VD_ERR_ARGUMENT for
 * options that do not fit, VD_ERR_LIMIT for what is too large. To be closed after a
 * failure, too. */
enum vd_status format_table_open(struct format_table *table, const char *path,
                                 const struct format_options *options,
                                 struct vd_error *err);

/* Opens a text in memory, borrowed, in the same way. */
enum vd_status format_table_of(struct format_table *table, const char *text, size_t size,
                               const char *name, const struct format_options *options,
                               struct vd_error *err);

/* Goes to the next row; *more = false when there is none. */
enum vd_status format_table_next(struct format_table *table, bool *more,
                                 struct vd_error *err);

/* The number of a column in the row; NaN when there is none, and with labels_only. */
double format_table_value(const struct format_table *table, size_t column);

/* The row's bytes with the newline, if it has one. */
struct format_scan format_table_bytes(const struct format_table *table);

/* Before the first row again. */
void format_table_rewind(struct format_table *table);

bool format_table_has_time(const struct format_table *table);

/* Says in a few lines of the log what was read and what was not. */
void format_table_say(const struct format_table *table);

void format_table_close(struct format_table *table);

#endif
