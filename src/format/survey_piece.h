/* What the survey finds in one piece of the file, on any thread. Internal to the survey.
 */
#ifndef VD_FORMAT_SURVEY_PIECE_H
#define VD_FORMAT_SURVEY_PIECE_H

#include "format/cut.h"
#include "format/grid.h"
#include "format/survey.h"

struct format_survey_piece {
    struct format_cut cut;
    struct format_rows rows;
    struct format_grid grid;
    struct format_survey found;
    struct format_faults faults;
    struct format_sampled *sampled; /* owned: rows that may be of the sample */
    size_t n_sampled, room;
    uint64_t limit; /* on the hash of such rows */
    enum vd_status status;
    struct vd_error error;
};

/* Goes through the rows of the piece, whose counts are 0. `reading` is the table with
 * what is taken for the time and the label. */
void format_survey_piece(const struct format_table *table,
                         const struct format_table *reading,
                         struct format_survey_piece *piece);

/* Counts what is in each field of the row. */
void format_survey_count(const struct format_table *table, const struct format_rows *rows,
                         struct format_tally *tally);

/* Draws rows by chance: those whose hash is below a bound. */
uint64_t format_survey_hash(const struct format_table *table, uint64_t offset);

#endif
