/* The pass through all rows of a table that tells what its columns are and whether its
 * rows stand in order of time. */
#ifndef VD_FORMAT_SURVEY_H
#define VD_FORMAT_SURVEY_H

#include "format/study.h"
#include "format/table_row.h"

/* What was found. */
struct format_survey {
    size_t n;                   /* rows, whether they have a time or not */
    struct format_tally *tally; /* owned; one for each column */
    /* By `reading`, the table with what it took for the time and the label: */
    size_t timed; /* rows that have a time; all where the table has none */
    int64_t first_ns, last_ns;
    bool steady; /* each time is after the one before and fits one moment */
    struct format_untimed untimed;
    struct format_labels labels;
    struct vd_error label_error; /* the first label that is none; status VD_OK = none */
};

/* Goes through all rows, on up to options.threads threads. Faults and the sample of rows
 * go to the table. Fails as format_table_open says of rows. Release the survey, also
 * after a failure. */
enum vd_status format_survey_rows(struct format_survey *survey,
                                  struct format_table *table,
                                  const struct format_table *reading,
                                  struct vd_error *err);

/* The tallies of the first rows alone, to guess by: at most `most` of them, on end. */
enum vd_status format_survey_head(struct format_survey *survey,
                                  struct format_table *table, size_t most,
                                  struct vd_error *err);

void format_survey_release(struct format_survey *survey);

#endif
