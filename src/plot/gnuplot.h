/* gnuplot on a pipe. Its templates are in the files that use it. */
#ifndef VD_PLOT_GNUPLOT_H
#define VD_PLOT_GNUPLOT_H

#include <stdbool.h>
#include <stdio.h>

#include "vedette/status.h"

/* Line styles 1 to PLOT_STYLES differ in colour and dashes, for print and the
 * colour-blind. */
enum { PLOT_STYLES = 9 };

struct plot_gnuplot {
    FILE *in; /* write commands here */
    int pid;
};

/* Starts gnuplot with a PNG of width x height pixels going to `path`, and the colours of
 * Okabe and Ito (distinct for the colour-blind and in print) as line styles, and one
 * more. VD_ERR_UNAVAILABLE when gnuplot is not installed. */
enum vd_status plot_gnuplot_start(struct plot_gnuplot *plot, const char *path, int width,
                                  int height, struct vd_error *err);

/* Ends it and waits. VD_ERR_IO when it failed. */
enum vd_status plot_gnuplot_end(struct plot_gnuplot *plot, struct vd_error *err);

#endif
