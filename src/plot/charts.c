/* The charts' data; how they look is in the templates. */
#include "plot/charts.h"

#include <math.h>

#include "plot/gnuplot.h"

/* Lists the charts with the name of their file, their title, and what they show. */
const struct plot_chart_info plot_charts[PLOT_CHARTS] = {
    [PLOT_BARS] = {"comparison_plots.png", "Quality and cost",
                   "F1, ROC AUC, training time, latency, throughput and size as bars"},
    [PLOT_ROC] = {"roc_curves.png", "ROC curves",
                  "Recall over the false positive rate, and the area below. Each "
                  "detector stands out from all others; the dashed line is a guess"},
    [PLOT_PR] = {"pr_curves.png", "Precision and recall",
                 "Precision over recall, and the area below. Each detector stands out "
                 "from all others; the dashed line is a guess"},
};

/* Writes -1 for a value that is not defined, as the templates expect. */
static double or_minus_one(double value)
{
    return isnan(value) ? -1 : value;
}

/* Writes one line per detector in the units of the picture: milliseconds, microseconds,
 * millions of rows a second, kilobytes. */
static void put_detectors(FILE *in, const struct plot_comparison *c)
{
    fprintf(in, "n = %zu\n$detectors << EOD\n", c->n);
    for (size_t i = 0; i < c->n; i++) {
        const struct plot_result *r = &c->result[i];

        fprintf(in, "\"%s\" %.9g %.9g %.9g %.9g %.9g %.9g\n", r->name,
                or_minus_one(r->f1), or_minus_one(r->roc_auc), r->train_s * 1e3,
                r->latency_ms * 1e3, r->throughput_ips * 1e-6, r->size_kb);
    }
    fputs("EOD\n", in);
}

/* Writes one curve. The precision of the highest scores holds back to the axis: there is
 * no point before them where anything is called. */
static void put_curve(FILE *in, const struct vd_curve *curve, bool is_roc)
{
    bool begun = false;

    for (size_t i = 0; i < curve->n; i++) {
        const struct vd_confusion *at = &curve->at[i].confusion;

        if (is_roc) {
            fprintf(in, "%.6g %.6g\n", vd_false_positive_rate(at), vd_recall(at));
        } else if (at->tp + at->fp > 0) {
            if (!begun)
                fprintf(in, "0 %.6g\n", vd_precision(at));
            begun = true;
            fprintf(in, "%.6g %.6g\n", vd_recall(at), vd_precision(at));
        }
    }
    fputs("\n\n", in);
}

/* Writes the titles and then the curves, each ended by two empty lines, by which gnuplot
 * tells them apart. */
static void put_curves(FILE *in, const struct plot_comparison *c, bool is_roc)
{
    fprintf(in, "n = %zu\nis_roc = %d\nchance = %.9g\n$titles << EOD\n", c->n, is_roc,
            c->chance);
    for (size_t i = 0; i < c->n; i++)
        fprintf(in, "\"%s\" %.9g\n", c->result[i].title,
                is_roc ? c->result[i].roc_auc : c->result[i].pr_auc);
    fputs("EOD\n$curves << EOD\n", in);
    for (size_t i = 0; i < c->n; i++)
        put_curve(in, &c->result[i].curve, is_roc);
    fputs("EOD\n", in);
}

/* Draws one chart. The data come before the template, which uses them. */
enum vd_status plot_chart_draw(enum plot_chart chart, const struct plot_comparison *c,
                               const char *path, struct vd_error *err)
{
    struct plot_gnuplot plot;
    enum vd_status status = plot_gnuplot_start(&plot, path, err);

    if (status != VD_OK)
        return status;
    if (chart == PLOT_BARS)
        put_detectors(plot.in, c);
    else
        put_curves(plot.in, c, chart == PLOT_ROC);
    return plot_gnuplot_end(&plot, chart == PLOT_BARS ? "bars.gp" : "curves.gp", err);
}
