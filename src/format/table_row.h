/* One row of a table as every pass over it takes it: which lines are rows, when a row is
 * from, what its label is. For the readers of tables; the rows may be those of a piece.
 */
#ifndef VD_FORMAT_TABLE_ROW_H
#define VD_FORMAT_TABLE_ROW_H

#include "format/grid.h"
#include "format/table.h"

/* Goes to the next line that is a row and notes what was passed over; rows->n is 0 at the
 * end. `faults` NULL = nobody wants to know. VD_ERR_DATA for a row of another length
 * where such rows are refused. */
enum vd_status format_table_row(const struct format_table *table,
                                struct format_rows *rows, struct format_faults *faults,
                                struct vd_error *err);

/* Finds the fields of whole rows on end that would all be taken as they are. False where
 * some line is no row, or of another length, or has quotes; and without memory. */
bool format_table_grid(const struct format_table *table, struct format_grid *grid,
                       const char *text, size_t size);

/* Whether times are texts of one column that say day and clock, and no zone. */
bool format_table_is_by_day(const struct format_table *table);

/* The number of a column in the row, NaN when there is none. */
double format_table_number(const struct format_table *table,
                           const struct format_rows *rows, size_t column);

/* What the row's clock shows, or UTC when the row says its zone; false when it has no
 * time that can be read. */
bool format_table_time(const struct format_table *table, const struct format_rows *rows,
                       int64_t *ns);

/* The same as UTC. *sure is false where more than one moment, or none, would do. */
bool format_table_utc(const struct format_table *table, struct format_zone_memo *memo,
                      const struct format_rows *rows, int64_t *ns, bool *sure);

/* Notes a row without a time, and the text of the first, for a warning. */
void format_table_note_untimed(const struct format_table *table,
                               const struct format_rows *rows,
                               struct format_untimed *untimed);

/* Reads the label of a row, 0, 1 or -1, and notes which there are. VD_ERR_DATA when it is
 * none, and for labels of 0 and of -1 in one file, since it would not be known which of
 * them 1 is beside. */
enum vd_status format_table_label(const struct format_table *table,
                                  const struct format_rows *rows,
                                  struct format_labels *seen, int8_t *label,
                                  struct vd_error *err);

/* Fails for labels of 0 and of -1, of both of which the first lines are known. */
enum vd_status format_table_two_labels(const struct format_table *table,
                                       const struct format_labels *seen,
                                       struct vd_error *err);

/* Whether labels are read of this table. */
bool format_table_reads_labels(const struct format_table *table);

/* Adds one more of a kind, found in `line`; and those of a later part. */
void format_fault_note(struct format_fault *fault, size_t line);
void format_faults_add(struct format_faults *faults, const struct format_faults *later);

/* Frees what was kept of the rows that were passed over. */
void format_faults_release(struct format_faults *faults);

#endif
