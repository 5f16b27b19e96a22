/* The results of `vedette compare` as files: a CSV, plots by gnuplot, an HTML report. */
#ifndef VD_PLOT_COMPARISON_H
#define VD_PLOT_COMPARISON_H

#include <stdbool.h>
#include <stddef.h>

#include "vedette/evaluate.h"

/* One detector's row. */
struct plot_result {
    const char *name, *title; /* static */
    double train_s, size_kb, memory_mb, latency_ms, throughput_ips;
    double f1, precision, recall, roc_auc, pr_auc; /* NaN = not defined */
    struct vd_curve curve;                         /* owned by the caller; may be empty */
};

/* Writes into the folder `dir`, which is made when it is not there. Without gnuplot the
 * plots are left out, with a warning in the log. */
enum vd_status plot_comparison_write(const struct plot_result *result, size_t n,
                                     const char *dir, bool plots, struct vd_error *err);

#endif
