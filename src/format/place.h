/* Places of rows that have to be put in order, or whose labels alone are wanted. */
#ifndef VD_FORMAT_PLACE_H
#define VD_FORMAT_PLACE_H

#include "format/table.h"

/* Goes through the table and holds where each row stands, 24 bytes for each, in order of
 * time where the table has one. table->n becomes the rows that have a place. Fails as
 * format_table_open says. */
enum vd_status format_place_rows(struct format_table *table, struct vd_error *err);

/* Names the first time that is none, where no row has one. */
enum vd_status format_place_no_times(const struct format_table *table,
                                     struct vd_error *err);

/* Takes over which labels were seen. */
void format_place_set_labels(struct format_table *table,
                             const struct format_labels *seen);

#endif
