/* The times of a table's rows: from what clocks showed to points in time, in order. */
#ifndef VD_FORMAT_ORDER_H
#define VD_FORMAT_ORDER_H

#include "format/zone.h"

enum { FORMAT_SINCE_UNKNOWN = UINT16_MAX };

/* Where a row lies, and when it is from. */
struct format_place {
    int64_t time_ns; /* UTC, once format_order_make has made it so */
    uint64_t offset; /* in the input */
    uint32_t line;
    uint16_t since_s; /* since the row before it, by a clock that nobody sets */
    int8_t label;     /* 0, 1 or -1; 0 where there is none */
};

/* What was found, and done about it. */
struct format_order {
    size_t back;       /* steps back in time that were left; then the rows are sorted */
    size_t back_line;  /* the first of them */
    bool reversed;     /* the newest row came first */
    size_t hours_back; /* times that a clock was set back by an hour */
    size_t hour_line;  /* the first of them */
    size_t set_back;   /* times that a clock was set back by something else */
    size_t set_line;   /* the first of them, */
    double set_s;      /* and by how much */
    bool other_zone;   /* the times are not of the zone: read as UTC */
    size_t shared;     /* rows that had the time of another: spread evenly */
    double pace_s;     /* between rows; NaN = one row, or one time */
};

/* What the times are as they come. */
struct format_clock {
    const struct format_zone *zone; /* NULL = they are UTC */
    bool guessed;                   /* nobody said that it is this zone */
    bool of_day; /* without a date: midnight is crossed by going back */
};

enum { FORMAT_PACE_ROWS = 1000 }; /* rows that tell the pace */

/* The pace in seconds of rows in order of time; NaN = one row, or one time. */
double format_order_pace(const struct format_place *place, size_t n);

/* Makes time_ns of n places UTC, each not before the one before it. A local time that a
 * change of the zone lets come twice is told by the rows around it. When times step back
 * by an hour although the zone knows nothing of it, a clock was set back, and those after
 * it are an hour later. When they step back by less, and go on as they came through
 * times that there were already, a clock was set right: those before it are so much
 * earlier. since_s decides where it is known. Other steps back are sorted, stable. Rows
 * of one time are spread up to the next one. */
void format_order_make(struct format_place *place, size_t n,
                       const struct format_clock *clock, struct format_order *order);

#endif
