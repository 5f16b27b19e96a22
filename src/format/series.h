/* Tables with a row for each series and time (Flux, Grafana, Zabbix): one column of
 * values that belong to many things, which nothing can be learned from. */
#ifndef VD_FORMAT_SERIES_H
#define VD_FORMAT_SERIES_H

#include "format/table.h"

enum { FORMAT_SERIES_COLUMNS = 4 };

struct format_series {
    struct {
        size_t column;
        char before[64];
        size_t changes; /* rows that say another name than the one before, without time
                           going on */
        size_t line;    /* the first of them */
    } of[FORMAT_SERIES_COLUMNS];
    size_t n;
    size_t rows, stops; /* rows at which time did not go on */
    int64_t before_ns;
};

/* Chooses the columns that may say which series a row is of. */
void format_series_begin(struct format_series *series, const struct format_table *table);

void format_series_see(struct format_series *series, const struct format_rows *rows,
                       int64_t time_ns);

/* VD_ERR_DATA, with the line, when a column names series. */
enum vd_status format_series_check(const struct format_series *series,
                                   const struct format_table *table,
                                   struct vd_error *err);

#endif
