/* Writes the files of one comparison, each whole or not at all. Plots that cannot be
 * drawn are removed: a picture of an earlier run beside new numbers would be believed. */
#include "plot/comparison.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "os/log.h"
#include "os/output.h"
#include "plot/charts.h"
#include "plot/report.h"

/* Names the columns of the results file. Programs read them, so they stay. */
static const char csv_head[] =
    "model,train_time_s,model_size_kb,runtime_mem_mb,latency_ms,"
    "throughput_ips,f1_score,precision,recall,roc_auc\n";

/* Adds a fact to the report. What does not fit is left out; `name` must be static. */
void plot_comparison_say(struct plot_comparison *c, const char *name, const char *format,
                         ...)
{
    struct plot_fact *fact = &c->fact[c->n_facts];
    va_list args;

    if (c->n_facts == PLOT_FACTS_MAX)
        return;
    va_start(args, format);
    vsnprintf(fact->text, sizeof fact->text, format, args);
    va_end(args);
    fact->name = name;
    c->n_facts++;
}

void plot_comparison_release(struct plot_comparison *c)
{
    for (size_t i = 0; i < c->n; i++)
        vd_curve_release(&c->result[i].curve);
    *c = (struct plot_comparison){0};
}

/* Writes an empty field for a value that is not defined. */
static void put_quality(FILE *file, double value)
{
    if (isnan(value))
        fputc(',', file);
    else
        fprintf(file, ",%.4f", value);
}

/* Writes the results, whole or not at all. */
static enum vd_status write_csv(const struct plot_comparison *c, const char *path,
                                struct vd_error *err)
{
    struct os_output out;
    enum vd_status status = os_output_open(&out, path, err);

    if (status != VD_OK)
        return status;
    fputs(csv_head, out.file);
    for (size_t i = 0; i < c->n; i++) {
        const struct plot_result *r = &c->result[i];

        fprintf(out.file, "%s,%.6f,%.3f,%.3f,%.6f,%.1f", r->name, r->train_s, r->size_kb,
                r->memory_mb, r->latency_ms, r->throughput_ips);
        put_quality(out.file, r->f1);
        put_quality(out.file, r->precision);
        put_quality(out.file, r->recall);
        put_quality(out.file, r->roc_auc);
        fputc('\n', out.file);
    }
    return os_output_close(&out, err);
}

/* Draws the plots and notes which ones are there. After the first failure no more is
 * tried, and old pictures are removed. */
static void draw_all(const struct plot_comparison *c, const char *dir, bool wanted,
                     bool *is_drawn)
{
    bool curves = c->chance > 0 && c->chance < 1;
    struct vd_error err = {0};
    char path[PATH_MAX];

    for (int i = 0; i < PLOT_CHARTS; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, plot_charts[i].file);
        is_drawn[i] = wanted && (i == PLOT_BARS || curves) && err.status == VD_OK &&
                      plot_chart_draw((enum plot_chart)i, c, path, &err) == VD_OK;
        if (!is_drawn[i])
            unlink(path);
    }
    if (err.status != VD_OK)
        os_log_warning("%s: %s", is_drawn[PLOT_BARS] ? "not all plots" : "no plots",
                       err.text);
}

enum vd_status plot_comparison_write(const struct plot_comparison *c, const char *dir,
                                     bool plots, struct vd_error *err)
{
    bool is_drawn[PLOT_CHARTS];
    char path[PATH_MAX];
    enum vd_status status;

    snprintf(path, sizeof path, "%s/comparison_results.csv", dir);
    status = write_csv(c, path, err);
    if (status != VD_OK)
        return status;
    draw_all(c, dir, plots, is_drawn);
    snprintf(path, sizeof path, "%s/comparison_report.html", dir);
    return plot_report_write(c, is_drawn, path, err);
}
