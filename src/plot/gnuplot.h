/* gnuplot on a pipe, with templates from src/plot/templates. */
#ifndef VD_PLOT_GNUPLOT_H
#define VD_PLOT_GNUPLOT_H

#include <signal.h>
#include <stdio.h>

#include "os/output.h"

struct plot_gnuplot {
    FILE *in; /* write variables and data here */
    int pid;
    struct os_output output;
    struct sigaction before; /* what SIGPIPE did */
};

/* Starts gnuplot with the variable `output` set so that the picture becomes `path` once
 * it is whole. While it runs SIGPIPE is ignored: gnuplot may die of a bad command.
 * VD_ERR_UNAVAILABLE when gnuplot is not installed. */
enum vd_status plot_gnuplot_start(struct plot_gnuplot *plot, const char *path,
                                  struct vd_error *err);

/* Writes a text as gnuplot reads it. It holds no line break. */
void plot_gnuplot_text(FILE *in, const char *text);

/* Runs style.gp and the template of that name on what has been written, and waits.
 * VD_ERR_IO when gnuplot failed: then there is no new picture. */
enum vd_status plot_gnuplot_end(struct plot_gnuplot *plot, const char *name,
                                struct vd_error *err);

#endif
