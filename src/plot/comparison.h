/* The results of `vedette compare` as files: a CSV, plots by gnuplot, an HTML report. */
#ifndef VD_PLOT_COMPARISON_H
#define VD_PLOT_COMPARISON_H

#include <stdbool.h>
#include <stddef.h>

#include "vedette/evaluate.h"

enum {
    PLOT_RESULTS_MAX = 16,
    PLOT_SETTINGS_MAX = 1024,
    PLOT_FACTS_MAX = 12,
    PLOT_FACT_MAX = 512
};

/* One detector's row. */
struct plot_result {
    const char *name, *title; /* static */
    double train_s, size_kb, memory_mb, latency_ms, throughput_ips;
    double f1, precision, recall, roc_auc, pr_auc; /* NaN = not defined */
    char settings[PLOT_SETTINGS_MAX]; /* "n_neighbors=20"; "" = the defaults */
    struct vd_curve curve;            /* may be empty */
};

struct plot_comparison {
    struct plot_result result[PLOT_RESULTS_MAX]; /* n of them, the best first */
    size_t n;
    double chance; /* share of anomalies in the test rows; 0 or 1: no curves */
    /* What the report says of the run: "Seed", "7". */
    struct plot_fact {
        const char *name;
        char text[PLOT_FACT_MAX];
    } fact[PLOT_FACTS_MAX];
    size_t n_facts;
};

/* Adds a fact, printf-like; one too many is left out. */
void plot_comparison_say(struct plot_comparison *c, const char *name, const char *format,
                         ...) __attribute__((format(printf, 3, 4)));

/* Frees the curves. */
void plot_comparison_release(struct plot_comparison *c);

/* Writes into the folder `dir`, each file whole or not at all. Plots that are not made
 * (not asked for, no gnuplot, no curves with one class) are not in the report, and those
 * of an earlier run are removed. Without gnuplot there is a warning in the log. */
enum vd_status plot_comparison_write(const struct plot_comparison *c, const char *dir,
                                     bool plots, struct vd_error *err);

#endif
