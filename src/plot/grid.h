/* A grid of metrics over time, three in a row: blue lines, what is odd in red. */
#ifndef VD_PLOT_GRID_H
#define VD_PLOT_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/status.h"

enum { PLOT_GRID_COLUMNS = 3, PLOT_GRID_MAX = 30 };

/* One chart. Everything is borrowed; the name may hold any byte. */
struct plot_grid_metric {
    const char *name;
    const char *unit;        /* "" = none */
    const float *low, *high; /* of each point; NaN = no value */
    double expected;         /* a red dot is at the side that is farther from it */
};

struct plot_grid {
    const struct plot_grid_metric *metric; /* n of them, at most PLOT_GRID_MAX */
    size_t n;
    const double *x; /* `points` of them: seconds of the local clock, or rows */
    size_t points;
    double gap;          /* no line goes over a longer way in x; INFINITY = over all */
    const uint32_t *odd; /* how many odd rows are in a point */
    bool timed;          /* x is a time */
    bool single;         /* low and high are the same */
};

/* VD_OK when the name ends in .png or .svg, in capitals or not. */
enum vd_status plot_grid_check(const char *path, struct vd_error *err);

/* Draws it to `path`. VD_ERR_UNAVAILABLE without gnuplot. */
enum vd_status plot_grid_draw(const struct plot_grid *grid, const char *path,
                              struct vd_error *err);

#endif
