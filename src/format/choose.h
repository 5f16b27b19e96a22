/* What the columns of a table are, by their names and by all of their values. */
#ifndef VD_FORMAT_CHOOSE_H
#define VD_FORMAT_CHOOSE_H

#include "format/study.h"
#include "format/table.h"

/* Sets roles, decimal signs, time and label of the table from the tallies of its
 * columns. Fails as format_table_open says. */
enum vd_status format_choose(struct format_table *table, const struct format_tally *tally,
                             struct vd_error *err);

#endif
