/* One detector, trained and measured on a test set. */
#ifndef VD_BATCH_BENCHMARK_H
#define VD_BATCH_BENCHMARK_H

#include "batch/dataset.h"
#include "plot/comparison.h"
#include "vedette/detector.h"

struct batch_benchmark {
    const struct vd_detector_info *info;
    const struct vd_matrix *x; /* what it learns from */
    const uint8_t *label;      /* NULL = it learns without */
    const struct vd_fit_params *params;
    const struct batch_dataset *test; /* labelled */
};

/* Fills all of *result but its settings; its curve is the caller's. What the test rows
 * cannot tell is NaN: all of the quality without anomalies, the areas with one class. */
enum vd_status batch_benchmark_run(struct plot_result *result,
                                   const struct batch_benchmark *b, struct vd_error *err);

#endif
