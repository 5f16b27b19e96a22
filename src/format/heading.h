/* How a table begins: what stands before its line of names, the separator, the names. */
#ifndef VD_FORMAT_HEADING_H
#define VD_FORMAT_HEADING_H

#include "format/table.h"

/* Sets the separator, the columns' names, and where the first row is; begins the rows.
 * Fails as format_table_open says. */
enum vd_status format_heading_read(struct format_table *table, struct vd_error *err);

/* "2026-03-10 08:00:01" in a text that is parted by blanks are two fields: where the row
 * has one more than names, they become one again. */
void format_heading_join_clock(struct format_rows *rows, size_t n_columns);

/* Whether a row is none: a comment, or the line of names again. */
bool format_heading_is_skipped(const struct format_table *table, struct format_scan row);

#endif
