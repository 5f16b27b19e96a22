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

/* Counts a row that was read; VD_ERR_BUSY when the caller wants no more. */
enum vd_status batch_analysis_step(struct analysis *a, struct vd_error *err);

/* Chooses the detectors and says why. */
enum vd_status batch_analysis_choose(struct analysis *a, struct vd_error *err);

/* Reads the rows to learn from, leaves out columns that say nothing, and learns. */
enum vd_status batch_analysis_learn(struct analysis *a, struct vd_error *err);

#endif
