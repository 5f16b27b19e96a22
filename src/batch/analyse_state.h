/* One analysis under way, shared by analyse.c and analyse_lesson.c. Internal. */
#ifndef VD_BATCH_ANALYSE_STATE_H
#define VD_BATCH_ANALYSE_STATE_H

#include "batch/analyse_gather.h"
#include "batch/analyse_score.h"
#include "batch/scored.h"

struct analysis {
    const struct batch_analyse_options *options;
    struct batch_analysis *out;
    struct batch_rows rows, train;
    struct batch_words words;
    struct batch_scorer scorer;
    struct batch_lesson lesson;
    struct batch_gather gather;
    struct batch_scored scored;
    vd_model *model;
    bool held;            /* the lesson is all rows of the tables */
    bool ordered;         /* some member looks at rows in their order */
    uint64_t done, to_do; /* rows read, and to be read in all passes */
    int64_t told_ns;      /* when progress was told last */
};

/* Counts rows that were read; VD_ERR_BUSY when the caller wants no more. */
enum vd_status batch_analysis_step(struct analysis *a, struct vd_error *err);
enum vd_status batch_analysis_steps(struct analysis *a, uint64_t rows,
                                    struct vd_error *err);

/* Makes of a surprise what is said of the row, all but the reason; returns whether it is
 * odd. `task` is one that failed, "" = none did. */
bool batch_analysis_judge(const struct analysis *a, uint64_t number, int64_t time_ns,
                          double surprise, const char *task, struct batch_row *row);

/* Whether the rows may be gone through by blocks on several threads; and going through
 * them, scored, gathered and written. */
bool batch_analysis_streams(const struct analysis *a);
enum vd_status batch_analysis_stream(struct analysis *a, struct vd_error *err);

/* Which metric of the first table each value of a row is; owned by the caller, NULL
 * without memory. */
size_t *batch_analysis_metrics(const struct analysis *a);

/* Chooses the detectors and says why. */
enum vd_status batch_analysis_choose(struct analysis *a, struct vd_error *err);

/* Reads the rows to learn from, leaves out columns that say nothing, and learns. */
enum vd_status batch_analysis_learn(struct analysis *a, struct vd_error *err);

#endif
