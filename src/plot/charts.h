/* The PNGs of a comparison. */
#ifndef VD_PLOT_CHARTS_H
#define VD_PLOT_CHARTS_H

#include <stdbool.h>

#include "plot/comparison.h"

/* In the order of the report. */
enum plot_chart { PLOT_BARS, PLOT_ROC, PLOT_PR, PLOT_CHARTS };

struct plot_chart_info {
    const char *file;  /* "roc_curves.png" */
    const char *title; /* "ROC curves" */
    const char *about; /* what is to be seen */
};

extern const struct plot_chart_info plot_charts[PLOT_CHARTS];

/* Draws one to `path`. VD_ERR_UNAVAILABLE without gnuplot. */
enum vd_status plot_chart_draw(enum plot_chart chart, const struct plot_comparison *c,
                               const char *path, struct vd_error *err);

#endif
