/* One generation of the multivariate layer's model, immutable once made. Internal to the
 * layer.
 */
#ifndef VD_DETECT_MULTIVARIATE_MODEL_H
#define VD_DETECT_MULTIVARIATE_MODEL_H

#include <stdatomic.h>

#include "detect/multivariate.h"
#include "vedette/calibration.h"
#include "vedette/detector.h"

enum {
    DETECT_MULTIVARIATE_TICKS = 10 /* rows side by side that windowed PCA looks at */
};

/* A row as the window keeps it: floats, NaN = absent. */
struct detect_multivariate_row {
    float x[DETECT_MULTIVARIATE_COLUMNS];
    float live[DETECT_LIVE];
    bool follows; /* in time, the row before it */
};

struct detect_multivariate_member {
    const char *name;      /* static: the library's or ours */
    vd_detector *detector; /* owned; NULL = live member number `live` */
    size_t live;
    size_t ticks; /* rows side by side that the detector looks at */
    struct vd_calibration calibration;
    double trust; /* 0 .. 1: how far the tail's slope is to be believed */
};

struct detect_multivariate_model {
    size_t column[DETECT_MULTIVARIATE_COLUMNS]; /* which of the row's columns are used */
    size_t n_columns;
    double center[DETECT_MULTIVARIATE_COLUMNS]; /* median, mean and sigma of the used
                                                   columns */
    double mean[DETECT_MULTIVARIATE_COLUMNS];
    double sigma[DETECT_MULTIVARIATE_COLUMNS];
    struct detect_multivariate_member member[RECORD_DETECTORS_MAX];
    size_t n_members;
    double confidence;
    size_t rows;
};

/* How a training takes its time: detect_multivariate_train_calmly. */
struct detect_multivariate_pace {
    double share;
    atomic_bool hurry;
};

/* `floor`: the sigma of each column, as a row has it, that nobody would call a deviation.
 * NULL on failure, with the reason in err. Members that cannot be fitted are left out. */
struct detect_multivariate_model *
detect_multivariate_model_fit(const struct detect_multivariate_config *config,
                              const struct detect_multivariate_row *row, size_t n,
                              const double floor[DETECT_MULTIVARIATE_COLUMNS],
                              const struct detect_multivariate_pace *pace,
                              struct vd_error *err);
void detect_multivariate_model_free(struct detect_multivariate_model *model);

/* What members look at: the used columns of the last rows, scaled. */
struct detect_multivariate_view {
    const struct detect_multivariate_row *row; /* the last one */
    size_t ticks; /* rows that follow each other, 1 .. DETECT_MULTIVARIATE_TICKS */
    size_t d;     /* columns of one */
    double x[DETECT_MULTIVARIATE_TICKS *
             DETECT_MULTIVARIATE_COLUMNS]; /* ticks x d, oldest first */
};

/* Of `ticks` rows of which `row` is the last. A value that is absent is the column's
 * median: it says nothing. */
void detect_multivariate_view_make(struct detect_multivariate_view *view,
                                   const struct detect_multivariate_model *model,
                                   const struct detect_multivariate_row *row,
                                   size_t ticks);

/* NaN = no verdict, with fewer ticks than it needs, too. */
double detect_multivariate_member_raw(const struct detect_multivariate_member *member,
                                      const struct detect_multivariate_view *view);
double
detect_multivariate_member_surprise(const struct detect_multivariate_member *member,
                                    double raw);

void detect_multivariate_model_save(const struct detect_multivariate_model *model,
                                    struct vd_writer *w);
struct detect_multivariate_model *detect_multivariate_model_load(struct vd_reader *r,
                                                                 struct vd_error *err);

#endif
