/* performance_log.csv: one row per tick, written ten at a time, and beside it
 * performance_log.summary.txt, rewritten each minute and at the end, about the rows of
 * this run. docs/formats/performance_log.md has the columns.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/file.h"
#include "store/row.h"
#include "store/text.h"
#include "vedette/stats.h"

/* 480 bins of 16 an octave reach over 30 octaves: from 0.1 us to more than a minute. */
enum { LATENCY_BINS = 480, BINS_PER_OCTAVE = 16, SUMMARY_SECONDS = 60 };

/* What is known of the rows of this run. */
struct summary {
    int64_t first_mono_ns, first_ns, last_ns;
    uint64_t rows, anomalies;
    struct vd_moments score;
    double latency_sum_ms, latency_max_ms;
    /* Latencies by size, 16 bins an octave from 0.1 us: the 99th percentile within 4.5 %
     * without keeping them. */
    uint32_t bin[LATENCY_BINS];
};

struct performance_log {
    struct store_file file;
    struct summary kept; /* of the rows in the file */
    struct summary now;  /* and of those on their way */
    int64_t summary_ns;  /* when it was last written */
};

static bool wanted(const struct store_config *config)
{
    return config->performance_log;
}

static const char header[] =
    "timestamp,elapsed_s,cpu_percent,cpu_freq,cpu_memory,cpu_temp,gpu_percent,gpu_memory,"
    "gpu_temp,anomaly,score,inference_latency_ms,jitter_ms,drift_detected\n";

static enum vd_status create(void **out, const struct store_place *place,
                             struct vd_error *err)
{
    struct performance_log *log = calloc(1, sizeof *log);
    enum vd_status status;

    if (log == NULL)
        return vd_error_set(err, VD_ERR_RETRY, NULL, "no memory");
    status = store_file_open(&log->file, place->config, "performance_log.csv", header,
                             NULL, err);
    if (status != VD_OK) {
        free(log);
        return status;
    }
    *out = log;
    return VD_OK;
}

/* Returns the bin of a latency: bins grow by a constant factor, so that a percentile is
 * as exact for microseconds as for seconds. */
static size_t bin_of(double latency_ms)
{
    double octaves = log2(latency_ms / 1e-4);

    if (!(octaves > 0))
        return 0;
    octaves *= BINS_PER_OCTAVE;
    return octaves >= LATENCY_BINS - 1 ? LATENCY_BINS - 1 : (size_t)octaves;
}

/* Adds a row to the summary of the run. */
static void count(struct summary *sum, const struct store_row *row)
{
    double latency_ms = row->latency_us / 1000;

    if (sum->rows++ == 0) {
        sum->first_mono_ns = row->mono_ns;
        sum->first_ns = row->time_ns;
    }
    sum->last_ns = row->time_ns;
    if (row->score < 0)
        sum->anomalies++;
    if (isfinite(row->score))
        vd_moments_add(&sum->score, row->score);
    if (!isfinite(latency_ms))
        latency_ms = 0;
    sum->latency_sum_ms += latency_ms;
    if (latency_ms > sum->latency_max_ms)
        sum->latency_max_ms = latency_ms;
    sum->bin[bin_of(latency_ms)]++;
}

/* Returns the upper edge, in ms, of the bin below which 99 % of the rows lie. */
static double latency_p99(const struct summary *sum)
{
    uint64_t goal = sum->rows - sum->rows / 100, seen = 0;
    size_t i = 0;

    while (i < LATENCY_BINS - 1 && (seen += sum->bin[i]) < goal)
        i++;
    return fmin(1e-4 * exp2((double)(i + 1) / BINS_PER_OCTAVE), sum->latency_max_ms);
}

/* Writes the summary of the rows that are in the file; none before there is a row. */
static void write_summary(struct performance_log *log)
{
    const struct summary *sum = &log->kept;
    struct vd_writer text = {0};

    if (sum->rows == 0)
        return;
    store_print(&text, "Summary of performance_log.csv, rows of the last run\nFrom: ");
    store_print_time(&text, sum->first_ns);
    store_print(&text, "\nTo: ");
    store_print_time(&text, sum->last_ns);
    store_print(&text, "\nRows: %llu\nAnomalies: %llu\nAnomaly rate: %.6f\n",
                (unsigned long long)sum->rows, (unsigned long long)sum->anomalies,
                (double)sum->anomalies / (double)sum->rows);
    store_print(&text,
                "Average latency (ms): %.6f\nP99 latency (ms): %.6f\n"
                "Max latency (ms): %.6f\n",
                sum->latency_sum_ms / (double)sum->rows, latency_p99(sum),
                sum->latency_max_ms);
    store_print(&text, "Mean score: %.6f\nStd score: %.6f\n",
                sum->score.n > 0 ? sum->score.mean : NAN,
                sqrt(vd_moments_variance(&sum->score)));
    /* What cannot be written now is written in a minute. */
    if (text.status == VD_OK)
        store_file_replace(log->file.config->folder, "performance_log.summary.txt",
                           text.at, text.size, NULL);
    vd_writer_release(&text);
}

/* Counts the row as one that is on its way. Elapsed time runs from the first row of the
 * run, by the monotonic clock. */
static enum store_result write_row(void *sink, const void *message, size_t size,
                                   struct vd_error *err)
{
    struct performance_log *log = sink;
    struct vd_writer *line = &log->file.pending;
    const struct store_row *row = message;

    (void)size;
    (void)err;
    count(&log->now, row);
    store_print_time(line, row->time_ns);
    store_print(line, ",%.3f", (double)(row->mono_ns - log->now.first_mono_ns) / 1e9);
    for (size_t i = 0; i < STORE_FEATURES; i++) {
        store_print(line, ",");
        store_print_number(line, row->value[i]);
    }
    store_print(line, ",%d,", row->score < 0 ? -1 : 1);
    store_print_number(line, row->score);
    store_print(line, ",");
    store_print_number(line, row->latency_us / 1000);
    store_print(line, ",%.3f,%s\n", (double)row->jitter_ns / 1e6,
                row->drift ? "True" : "False");
    return STORE_OK;
}

/* Writes the rows. Only what has been written is counted: after a failure they come once
 * more. */
static enum store_result flush(void *sink, struct vd_error *err)
{
    struct performance_log *log = sink;
    enum store_result result = store_file_flush(&log->file, err);

    if (result == STORE_OK)
        log->kept = log->now;
    else
        log->now = log->kept;
    return result;
}

/* Rewrites the summary once a minute. There is never more to do at once. */
static bool upkeep(void *sink, int64_t now_ns)
{
    struct performance_log *log = sink;

    if (now_ns - log->summary_ns >= SUMMARY_SECONDS * INT64_C(1000000000)) {
        log->summary_ns = now_ns;
        write_summary(log);
    }
    return false;
}

static void reopen(void *sink)
{
    store_file_reopen(&((struct performance_log *)sink)->file);
}

static void destroy(void *sink)
{
    struct performance_log *log = sink;

    write_summary(log);
    store_file_close(&log->file);
    free(log);
}

const struct store_sink store_sink_performance_log = {
    .name = "performance_log",
    .file = "performance_log.csv",
    .queue_bytes = 128 * 1024,
    .batch = 10,
    .columns = store_features,
    .n_columns = STORE_FEATURES,
    .wanted = wanted,
    .pack = store_pack_row,
    .create = create,
    .write = write_row,
    .flush = flush,
    .reopen = reopen,
    .upkeep = upkeep,
    .destroy = destroy,
};
