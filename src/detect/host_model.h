/* One generation of the host layer's model, immutable once made. Internal to the layer.
 */
#ifndef VD_DETECT_HOST_MODEL_H
#define VD_DETECT_HOST_MODEL_H

#include <stdatomic.h>

#include "detect/host.h"
#include "vedette/calibration.h"
#include "vedette/detector.h"

enum { HOST_TICKS = 10 /* rows side by side that windowed PCA looks at */ };

/* A row as the window keeps it: floats, NaN = absent. */
struct host_row {
    float x[HOST_COLUMNS];
    float live[HOST_LIVE];
    bool follows; /* in time, the row before it */
};

struct host_member {
    const char *name;      /* static: the library's or ours */
    vd_detector *detector; /* owned; NULL = live member number `live` */
    size_t live;
    size_t ticks; /* rows side by side that the detector looks at */
    struct vd_calibration calibration;
    double trust; /* 0 .. 1: how far the tail's slope is to be believed */
};

struct host_model {
    size_t column[HOST_COLUMNS]; /* which of the row's columns are used */
    size_t n_columns;
    double center[HOST_COLUMNS]; /* median, mean and sigma of the used columns */
    double mean[HOST_COLUMNS];
    double sigma[HOST_COLUMNS];
    struct host_member member[RECORD_DETECTORS_MAX];
    size_t n_members;
    double confidence;
    size_t rows;
};

/* How a training takes its time: detect_host_train_calmly. */
struct host_pace {
    double share;
    atomic_bool hurry;
};

/* `floor`: the sigma of each column, as a row has it, that nobody would call a deviation.
 * NULL on failure, with the reason in err. Members that cannot be fitted are left out. */
struct host_model *host_model_fit(const struct host_config *config,
                                  const struct host_row *row, size_t n,
                                  const double floor[HOST_COLUMNS],
                                  const struct host_pace *pace, struct vd_error *err);
void host_model_free(struct host_model *model);

/* What members look at: the used columns of the last rows, scaled. */
struct host_view {
    const struct host_row *row; /* the last one */
    size_t ticks;               /* rows that follow each other, 1 .. HOST_TICKS */
    size_t d;                   /* columns of one */
    double x[HOST_TICKS * HOST_COLUMNS]; /* ticks x d, oldest first */
};

/* Of `ticks` rows of which `row` is the last. A value that is absent is the column's
 * median: it says nothing. */
void host_view_make(struct host_view *view, const struct host_model *model,
                    const struct host_row *row, size_t ticks);

/* NaN = no verdict, with fewer ticks than it needs, too. */
double host_member_raw(const struct host_member *member, const struct host_view *view);
double host_member_surprise(const struct host_member *member, double raw);

void host_model_save(const struct host_model *model, struct vd_writer *w);
struct host_model *host_model_load(struct vd_reader *r, struct vd_error *err);

#endif
