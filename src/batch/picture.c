/* Chooses what is drawn of an analysis; src/plot/grid.c draws it. */
#include "batch/picture.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "batch/shown.h"
#include "os/clock.h"
#include "plot/grid.h"
#include "vedette/stats.h"

/* All columns of prmon's find room. */
enum { CHARTS = 24 };

/* Makes the name of the file, in a folder the usual one. */
static enum vd_status name_file(const char *path, char *name, struct vd_error *err)
{
    struct stat info;
    bool is_folder = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    int length = snprintf(name, PATH_MAX, "%s%s", path,
                          is_folder ? "/anomaly_visualization.png" : "");

    if (length < 0 || length >= PATH_MAX)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "the name is too long: %.40s...",
                            path);
    return plot_grid_check(name, err);
}

enum vd_status batch_picture_check(const char *path, struct vd_error *err)
{
    char name[PATH_MAX];

    return name_file(path, name, err);
}

/* Returns how far neighbours may be apart for a line to join them: six times the usual
 * way, as in the dashboard. */
static double find_gap(const double *x, size_t n)
{
    double way[BATCH_BUCKETS];

    for (size_t i = 1; i < n; i++)
        way[i - 1] = x[i] - x[i - 1];
    return n < 3 ? INFINITY : 6 * vd_median(way, n - 1);
}

/* Places the points along time where each has one, else along the rows. */
static bool place(const struct batch_analysis *a, double *x)
{
    bool timed = true;

    for (size_t b = 0; b < a->n_buckets; b++)
        timed &= a->bucket_ns[b] != 0;
    for (size_t b = 0; b < a->n_buckets; b++)
        x[b] = !timed ? (double)a->bucket_row[b]
                      : (double)os_clock_local_s(a->bucket_ns[b]) +
                            (double)(a->bucket_ns[b] % 1000000000) / 1e9;
    return timed;
}

enum vd_status batch_picture_write(const struct batch_analysis *a, const char *path,
                                   char *written, struct vd_error *err)
{
    struct plot_grid_metric metric[CHARTS];
    double *x = calloc(BATCH_BUCKETS, sizeof *x);
    size_t n, *shown = batch_shown(a, &n);
    struct plot_grid grid = {
        .metric = metric,
        .n = n < CHARTS ? n : CHARTS,
        .x = x,
        .points = a->n_buckets,
        .odd = a->bucket_anomalies,
        .single = a->rows == a->n_buckets,
    };
    enum vd_status status = name_file(path, written, err);

    if (status == VD_OK && (x == NULL || shown == NULL))
        status = vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the picture");
    if (status == VD_OK) {
        grid.timed = place(a, x);
        grid.gap = find_gap(x, grid.points);
        for (size_t i = 0; i < grid.n; i++) {
            const struct batch_column *column = &a->column[shown[i]];

            metric[i] = (struct plot_grid_metric){
                column->name, a->schema.metric[column->metric].unit, column->low,
                column->high, column->expected};
        }
        status = plot_grid_draw(&grid, written, err);
    }
    free(shown);
    free(x);
    return status;
}
