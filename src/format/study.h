/* What all values of a column have in common, seen one after the other. */
#ifndef VD_FORMAT_STUDY_H
#define VD_FORMAT_STUDY_H

#include "format/decimal.h"
#include "format/number.h"
#include "format/time.h"

/* Zero-initialise. */
struct format_tally {
    size_t missing, texts; /* texts: neither a number nor a value that is missing */
    size_t numbers;        /* whatever the decimal sign is */
    size_t point, comma;   /* numbers only with that decimal sign */
    size_t unclear;        /* "1,234": numbers with either, but not the same ones */
    size_t point_line, comma_line, text_line; /* the first of each */
    char text[32];                            /* the first text */
    /* Of the numbers: */
    double least, most, first, last;
    size_t rises, falls;
    bool is_whole, is_consecutive; /* 7, 8, 9 ... */
    /* Of the texts: */
    size_t stamps, dated, clocked, zoned, halves, open;
    int most_first, most_second; /* of the open ones */
    char mark;
    int64_t low_ns[2], high_ns[2]; /* of dates: month first, day first */
    size_t labels;                 /* values that may be a label */
};

/* Counts a field, whatever it holds. */
void format_tally_add(struct format_tally *tally, struct format_csv_field field,
                      size_t line);

/* Counts a field that is a plain number, to the same effect. */
void format_tally_plain(struct format_tally *tally, const struct format_plain *plain,
                        size_t line);

/* Counts n plain numbers of rows on end, the first of them in `line`, to the same effect:
 * their values and shapes as of grid.h, none of another shape. */
void format_tally_numbers(struct format_tally *tally, const double *value,
                          const uint8_t *shape, size_t n, size_t line);

/* Counts a time of format_stamp_of_day, to the same effect as the field. */
void format_tally_time(struct format_tally *tally, struct format_csv_field field,
                       int64_t ns, size_t line);

/* Adds what was counted of the rows behind. */
void format_tally_merge(struct format_tally *tally, const struct format_tally *later);

/* 0 normal, 1 anomaly, or -1; false when the field is no label. Words count as well:
 * "normal", "anomaly", "True". */
bool format_label(struct format_csv_field field, int *label);

/* Whether its numbers are points in time: Unix time of this age, or ones that only go one
 * way. */
bool format_tally_is_epoch(const struct format_tally *tally);
bool format_tally_is_one_way(const struct format_tally *tally);

/* Whether its numbers are dates without marks: 20260310, 20260310080000. */
bool format_tally_is_compact_date(const struct format_tally *tally);

/* 'd' day first, 'm' month first, '?' when both fit, '!' when neither does. */
char format_tally_date_order(const struct format_tally *tally);

#endif
