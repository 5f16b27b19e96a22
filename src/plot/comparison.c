#include "plot/comparison.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "os/log.h"
#include "plot/gnuplot.h"

static const char csv_head[] =
    "model,train_time_s,model_size_kb,runtime_mem_mb,latency_ms,"
    "throughput_ips,f1_score,precision,recall,roc_auc\n";

static enum vd_status close_file(FILE *file, const char *path, struct vd_error *err)
{
    bool failed = ferror(file) != 0;

    if (fclose(file) != 0 || failed)
        return vd_error_set(err, VD_ERR_IO, NULL, "%s: %s", path, strerror(errno));
    return VD_OK;
}

static FILE *open_file(const char *path, struct vd_error *err)
{
    FILE *file = fopen(path, "w");

    if (file == NULL)
        vd_error_set(err, VD_ERR_IO, NULL, "%s: %s", path, strerror(errno));
    return file;
}

static enum vd_status write_csv(const struct plot_result *r, size_t n, const char *path,
                                struct vd_error *err)
{
    FILE *file = open_file(path, err);

    if (file == NULL)
        return VD_ERR_IO;
    fputs(csv_head, file);
    for (size_t i = 0; i < n; i++, r++)
        fprintf(file, "%s,%.6f,%.3f,%.3f,%.6f,%.1f,%.4f,%.4f,%.4f,%.4f\n", r->name,
                r->train_s, r->size_kb, r->memory_mb, r->latency_ms, r->throughput_ips,
                r->f1, r->precision, r->recall, r->roc_auc);
    return close_file(file, path, err);
}

/* ---- plots ---- */

/* What a chart of bars shows. */
struct chart {
    const char *title;
    size_t offset; /* of a double in struct plot_result */
    double unit;   /* values are shown times this */
    bool log_scale;
};

static const struct chart charts[] = {
    {"F1", offsetof(struct plot_result, f1), 1, false},
    {"ROC AUC", offsetof(struct plot_result, roc_auc), 1, false},
    {"Training, ms (log)", offsetof(struct plot_result, train_s), 1e3, true},
    {"One row, µs (log)", offsetof(struct plot_result, latency_ms), 1e3, true},
    {"Throughput, million rows a second (log)",
     offsetof(struct plot_result, throughput_ips), 1e-6, true},
    {"Model, kB (log)", offsetof(struct plot_result, size_kb), 1, true},
};

/* Bars with their values on top. */
static void bars(FILE *in, const struct chart *chart, const struct plot_result *r,
                 size_t n)
{
    fputs("$bars << EOD\n", in);
    for (size_t i = 0; i < n; i++) {
        double value;

        memcpy(&value, (const char *)&r[i] + chart->offset, sizeof value);
        value = isnan(value) ? 0 : value * chart->unit;
        fprintf(in, value >= 100 ? "\"%s\" %.9g %.0f\n" : "\"%s\" %.9g %.3g\n", r[i].name,
                value, value);
    }
    fprintf(in,
            "EOD\nset title '%s'\n%s\nset yrange [%s]\n"
            "plot $bars using 0:2:xtic(1) with boxes ls 1 notitle, "
            "$bars using 0:2:3 with labels offset 0,0.7 font ',9' notitle\n",
            chart->title, chart->log_scale ? "set logscale y" : "unset logscale y",
            chart->log_scale ? "*:*" : "0:1.09");
}

static enum vd_status plot_bars(const struct plot_result *r, size_t n, const char *path,
                                struct vd_error *err)
{
    struct plot_gnuplot plot;
    enum vd_status status = plot_gnuplot_start(&plot, path, 1400, 900, err);

    if (status != VD_OK)
        return status;
    fputs("set multiplot layout 2,3 margins 0.06,0.98,0.16,0.94 spacing 0.07,0.2\n"
          "set style fill solid 0.85 noborder\nset boxwidth 0.7\n"
          "set xtics rotate by -40 font ',9'\nset format y '%g'\n"
          "set offsets graph 0, graph 0, graph 0.06, graph 0\n",
          plot.in);
    for (size_t i = 0; i < sizeof charts / sizeof *charts; i++)
        bars(plot.in, &charts[i], r, n);
    fputs("unset multiplot\n", plot.in);
    return plot_gnuplot_end(&plot, err);
}

static void curve_point(FILE *in, const struct vd_confusion *c, bool roc)
{
    if (roc)
        fprintf(in, "%.6g %.6g\n", vd_false_positive_rate(c), vd_recall(c));
    else if (c->tp + c->fp > 0)
        fprintf(in, "%.6g %.6g\n", vd_recall(c), vd_precision(c));
}

static enum vd_status plot_curves(const struct plot_result *r, size_t n, const char *path,
                                  bool roc, struct vd_error *err)
{
    struct plot_gnuplot plot;
    enum vd_status status = plot_gnuplot_start(&plot, path, 900, 800, err);

    if (status != VD_OK)
        return status;
    fprintf(plot.in,
            "set xrange [0:1]\nset yrange [0:1.02]\nset size square\nset key %s\n"
            "set xlabel '%s'\nset ylabel '%s'\nplot %s",
            roc ? "bottom right" : "bottom left", roc ? "False positive rate" : "Recall",
            roc ? "True positive rate" : "Precision",
            roc ? "x with lines lc rgb '#bbbbbb' dt 2 notitle" : "");
    for (size_t i = 0; i < n; i++)
        fprintf(plot.in, "%s'-' with lines ls %zu title '%s (%.3f)'",
                i == 0 && !roc ? "" : ", ", 1 + i % PLOT_STYLES, r[i].title,
                roc ? r[i].roc_auc : r[i].pr_auc);
    fputc('\n', plot.in);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < r[i].curve.n; k++)
            curve_point(plot.in, &r[i].curve.at[k].confusion, roc);
        fputs("e\n", plot.in);
    }
    return plot_gnuplot_end(&plot, err);
}

/* ---- report ---- */

static enum vd_status write_report(const struct plot_result *r, size_t n, bool plots,
                                   const char *path, struct vd_error *err)
{
    static const char head[] =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<title>Comparison of detectors</title>\n<style>"
        "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;"
        "padding:0 1rem;color:#222;background:#fff}"
        "table{border-collapse:collapse;width:100%}"
        "th,td{padding:.35rem .6rem;text-align:right;border-bottom:1px solid #ddd;"
        "font-variant-numeric:tabular-nums}"
        "th:first-child,td:first-child{text-align:left}img{max-width:100%}"
        "@media(prefers-color-scheme:dark){body{color:#ddd;background:#16181c}"
        "th,td{border-color:#333}img{background:#fff}}"
        "</style></head>\n<body><h1>Comparison of detectors</h1>\n<table><thead><tr>"
        "<th>Detector<th>F1<th>Precision<th>Recall<th>ROC AUC<th>PR AUC<th>Training, s"
        "<th>One row, &micro;s<th>Rows/s<th>Model, kB</tr></thead><tbody>\n";
    FILE *file = open_file(path, err);

    if (file == NULL)
        return VD_ERR_IO;
    fputs(head, file);
    for (size_t i = 0; i < n; i++, r++)
        fprintf(file,
                "<tr><td>%s<td>%.3f<td>%.3f<td>%.3f<td>%.3f<td>%.3f<td>%.4f<td>%.2f"
                "<td>%.0f<td>%.1f</tr>\n",
                r->title, r->f1, r->precision, r->recall, r->roc_auc, r->pr_auc,
                r->train_s, r->latency_ms * 1e3, r->throughput_ips, r->size_kb);
    fputs("</tbody></table>\n", file);
    if (plots)
        fputs("<h2>Quality and cost</h2><img src=\"comparison_plots.png\" alt=\"bar "
              "charts of "
              "F1, ROC AUC, training time, latency, throughput and size\">\n"
              "<h2>ROC curves</h2><img src=\"roc_curves.png\" alt=\"ROC curves\">\n"
              "<h2>Precision and recall</h2><img src=\"pr_curves.png\" "
              "alt=\"precision-recall "
              "curves\">\n",
              file);
    fputs("</body></html>\n", file);
    return close_file(file, path, err);
}

static enum vd_status make_plots(const struct plot_result *r, size_t n, const char *dir,
                                 struct vd_error *err)
{
    char path[4096];
    enum vd_status status;

    snprintf(path, sizeof path, "%s/comparison_plots.png", dir);
    status = plot_bars(r, n, path, err);
    snprintf(path, sizeof path, "%s/roc_curves.png", dir);
    if (status == VD_OK)
        status = plot_curves(r, n, path, true, err);
    snprintf(path, sizeof path, "%s/pr_curves.png", dir);
    return status == VD_OK ? plot_curves(r, n, path, false, err) : status;
}

enum vd_status plot_comparison_write(const struct plot_result *r, size_t n,
                                     const char *dir, bool plots, struct vd_error *err)
{
    struct vd_error plot_err = {0};
    enum vd_status status;
    char path[4096];

    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return vd_error_set(err, VD_ERR_IO, NULL, "%s: %s", dir, strerror(errno));
    snprintf(path, sizeof path, "%s/comparison_results.csv", dir);
    status = write_csv(r, n, path, err);
    if (status == VD_OK && plots && make_plots(r, n, dir, &plot_err) != VD_OK) {
        os_log_warning("no plots: %s", plot_err.text);
        plots = false;
    }
    snprintf(path, sizeof path, "%s/comparison_report.html", dir);
    return status == VD_OK ? write_report(r, n, plots, path, err) : status;
}
