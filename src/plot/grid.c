/* The data of a grid of metrics; how it looks is in templates/grid.gp. */
#include "plot/grid.h"

#include <assert.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "os/utf8.h"
#include "plot/gnuplot.h"

/* Sets how many bytes of a name stand above a chart. */
enum { TITLE_MAX = 56 };

static bool ends_in(const char *path, const char *end)
{
    size_t length = strlen(path), tail = strlen(end);

    return length > tail && strcasecmp(path + length - tail, end) == 0;
}

enum vd_status plot_grid_check(const char *path, struct vd_error *err)
{
    if (ends_in(path, ".png") || ends_in(path, ".svg"))
        return VD_OK;
    return vd_error_set(err, VD_ERR_ARGUMENT, "name it so that it ends in .png or .svg",
                        "%s: it is not said what picture is wanted", path);
}

/* Returns the step between two labels of a time axis, in seconds: four or so on it. */
static double time_step(double span)
{
    static const double steps[] = {1,     2,     5,     10,    15,     30,    60,
                                   120,   300,   600,   900,   1800,   3600,  7200,
                                   10800, 21600, 43200, 86400, 172800, 604800};
    size_t n = sizeof steps / sizeof *steps;

    for (size_t i = 0; i < n; i++)
        if (span / steps[i] <= 5)
            return steps[i];
    return ceil(span / 5 / 604800) * 604800;
}

/* Writes a number as gnuplot reads it. */
static void put_number(FILE *in, double value)
{
    if (isfinite(value))
        fprintf(in, " %.9g", value);
    else
        fputs(" NaN", in);
}

/* Writes a point: x, low, high, and where the red dot is. */
static void put_point(FILE *in, const struct plot_grid *g,
                      const struct plot_grid_metric *m, size_t i)
{
    double low = (double)m->low[i], high = (double)m->high[i], dot = NAN;

    if (g->odd[i] > 0)
        dot = !(high - m->expected < m->expected - low) ? high : low;
    fprintf(in, "%.6f", g->x[i]);
    put_number(in, low);
    put_number(in, high);
    put_number(in, dot);
    fputc('\n', in);
}

/* Writes what the axis of a chart is chosen by. */
static void put_range(FILE *in, const struct plot_grid *g, size_t k)
{
    const struct plot_grid_metric *m = &g->metric[k];
    float least = INFINITY, most = -INFINITY;

    for (size_t i = 0; i < g->points; i++) {
        least = fminf(least, m->low[i]);
        most = fmaxf(most, m->high[i]);
    }
    fprintf(in, "from_zero[%zu] = %d\nmost[%zu] = ", k + 1,
            least >= 0 && least < 0.5F * most, k + 1);
    put_number(in, fmax(fabs((double)least), fabs((double)most)));
    fputc('\n', in);
}

static void put_data(FILE *in, const struct plot_grid *g, bool is_svg)
{
    double span = g->points > 0 ? g->x[g->points - 1] - g->x[0] : 0;
    char title[TITLE_MAX];

    fprintf(in, "is_svg = %d\nn = %zu\ntimed = %d\nsingle = %d\nstep = %.9g\n", is_svg,
            g->n, g->timed, g->single, time_step(span));
    fputs("array title[n]\narray unit[n]\narray from_zero[n]\narray most[n]\n", in);
    for (size_t k = 0; k < g->n; k++) {
        os_utf8_visible(g->metric[k].name, title, sizeof title);
        fprintf(in, "title[%zu] = ", k + 1);
        plot_gnuplot_text(in, title);
        fprintf(in, "\nunit[%zu] = ", k + 1);
        plot_gnuplot_text(in, g->metric[k].unit);
        fputc('\n', in);
        put_range(in, g, k);
    }
    fputs("$metrics << EOD\n", in);
    for (size_t k = 0; k < g->n; k++) {
        for (size_t i = 0; i < g->points; i++) {
            /* An empty line ends a line of the picture, but not the metric. */
            if (i > 0 && g->x[i] - g->x[i - 1] > g->gap)
                fputc('\n', in);
            put_point(in, g, &g->metric[k], i);
        }
        fputs("\n\n", in);
    }
    fputs("EOD\n", in);
}

enum vd_status plot_grid_draw(const struct plot_grid *g, const char *path,
                              struct vd_error *err)
{
    struct plot_gnuplot plot;
    enum vd_status status = plot_grid_check(path, err);

    assert(g->n <= PLOT_GRID_MAX);
    if (status == VD_OK && (g->n == 0 || g->points == 0))
        status =
            vd_error_set(err, VD_ERR_DATA, NULL, "%s: there is nothing to draw", path);
    if (status == VD_OK)
        status = plot_gnuplot_start(&plot, path, err);
    if (status != VD_OK)
        return status;
    put_data(plot.in, g, ends_in(path, ".svg"));
    return plot_gnuplot_end(&plot, "grid.gp", err);
}
