/* Counters are judged by their rates. A row is odd when some column is far from its
 * baseline, or its streaming detector is as surprised as happens once a week; in either
 * case the difference has to matter (floors of sigma). Three odd rows of five begin an
 * anomaly, five without end it. One that lasts becomes the new baseline.
 */
#include "recording/verdict.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/collectors.h"
#include "detect/baseline.h"
#include "detect/univariate.h"
#include "feature/rates.h"
#include "metrics.h"
#include "os/clock.h"
#include "vedette/calibration.h"

static const double FAR_SIGMAS = 8, MATTERS = 5, WEEK_S = 7 * 86400.0;
enum { RECENT = 5, NEEDED = 3, ADOPTED_AFTER = 120, ANOMALIES_MAX = 1000 };

/* Differences below a few of these are no news of a job, in the units of the file, or of
 * its rates: 2 MiB, 200 kB a second, a fiftieth of a core. */
static const double floors[FORMAT_PRMON_COLUMNS] = {
    [FORMAT_PRMON_GPU_MEMORY] = 16384, [FORMAT_PRMON_GPU_MEMORY_PERCENT] = 2,
    [FORMAT_PRMON_GPU_PERCENT] = 2,    [FORMAT_PRMON_GPUS] = 0.1,
    [FORMAT_PRMON_PSS] = 2048,         [FORMAT_PRMON_RSS] = 2048,
    [FORMAT_PRMON_SWAP] = 2048,        [FORMAT_PRMON_VMEM] = 16384,
    [FORMAT_PRMON_RCHAR] = 2e5,        [FORMAT_PRMON_READ_BYTES] = 2e5,
    [FORMAT_PRMON_WCHAR] = 2e5,        [FORMAT_PRMON_WRITE_BYTES] = 2e5,
    [FORMAT_PRMON_STIME] = 0.02,       [FORMAT_PRMON_UTIME] = 0.02,
    [FORMAT_PRMON_NPROCS] = 1,         [FORMAT_PRMON_NTHREADS] = 1,
};

struct recording_verdict {
    struct record_schema schema;
    struct record_sample sample;
    feature_rates *rates;
    struct detect_baseline baseline;
    detect_univariate *streams;
    int column[FORMAT_PRMON_COLUMNS]; /* of each metric */
    double threshold;                 /* surprise */
    bool recent[RECENT];              /* ring: odd or not */
    size_t rows, odd_rows;            /* the latter in the open anomaly */
    bool is_open;
    char text[128];
    json_t *list; /* owned */
};

/* Makes the metrics of the columns. Times are none, nor is the traffic of devices: it is
 * not of the processes alone. */
static enum vd_status make_schema(recording_verdict *verdict,
                                  const struct format_prmon *prmon)
{
    for (int i = FORMAT_PRMON_WTIME + 1; i < FORMAT_PRMON_ELAPSED; i++) {
        bool counts = format_prmon_is_counter(i);
        struct record_metric row = metrics_guess(format_prmon_name(i), counts);
        size_t at;

        if (!prmon->shown[i] ||
            (i >= FORMAT_PRMON_RX_BYTES && i <= FORMAT_PRMON_TX_PACKETS))
            continue;
        row.kind = counts ? RECORD_RATE : RECORD_GAUGE;
        row.scale = 1;
        row.sigma_floor = floors[i];
        at = record_schema_add_named(&verdict->schema, &row, format_prmon_name(i), NULL);
        if (at == SIZE_MAX)
            return VD_ERR_MEMORY;
        verdict->column[at] = i;
    }
    verdict->sample.schema = &verdict->schema;
    verdict->sample.raw = calloc(verdict->schema.capacity + 1, sizeof(double));
    verdict->sample.base = calloc(verdict->schema.capacity + 1, sizeof(double));
    return verdict->sample.raw == NULL || verdict->sample.base == NULL ? VD_ERR_MEMORY
                                                                       : VD_OK;
}

enum vd_status recording_verdict_new(recording_verdict **out,
                                     const struct format_prmon *prmon, double interval_s,
                                     struct vd_error *err)
{
    recording_verdict *verdict = calloc(1, sizeof *verdict);
    enum vd_status status = VD_ERR_MEMORY;

    *out = NULL;
    if (verdict != NULL) {
        verdict->list = json_array();
        verdict->threshold = vd_surprise_of_budget(1, WEEK_S, interval_s);
        status = make_schema(verdict, prmon);
    }
    if (status == VD_OK)
        status = feature_rates_new(&verdict->rates, err);
    if (status == VD_OK)
        status =
            detect_univariate_new(&verdict->streams, FORMAT_PRMON_COLUMNS, interval_s);
    if (status != VD_OK) {
        recording_verdict_free(verdict);
        return vd_error_set(err, status, NULL, "no memory for --detect");
    }
    *out = verdict;
    return VD_OK;
}

/* Finds the metric that is farthest from its baseline, in sigmas, of those whose
 * difference matters. SIZE_MAX = none. */
static size_t farthest(const recording_verdict *verdict, const double *value)
{
    size_t most = SIZE_MAX;

    for (size_t i = 0; i < verdict->baseline.n; i++) {
        double expected = verdict->baseline.expected[i], z = verdict->baseline.z[i];
        double floor = detect_sigma_floor(&verdict->schema.metric[i], expected);

        if (isnan(z) || fabs(value[i] - expected) < MATTERS * floor)
            continue;
        if (most == SIZE_MAX || fabs(z) > fabs(verdict->baseline.z[most]))
            most = i;
    }
    return most;
}

static void describe(recording_verdict *verdict, const double *value, size_t odd)
{
    bool rate = verdict->schema.metric[odd].kind == RECORD_RATE;

    snprintf(verdict->text, sizeof verdict->text, "unusual: %s%s %.4g (expected %.4g)",
             format_prmon_name(verdict->column[odd]), rate ? "/s" : "", value[odd],
             verdict->baseline.expected[odd]);
}

/* Judges the row and says whether it is odd; the text follows. */
static bool is_odd(recording_verdict *verdict, const double *value, int64_t time_ns)
{
    double surprise = detect_univariate_read(verdict->streams, &verdict->schema, value,
                                             verdict->baseline.z, time_ns);
    size_t odd = farthest(verdict, value);
    bool far = odd != SIZE_MAX && (fabs(verdict->baseline.z[odd]) >= FAR_SIGMAS ||
                                   surprise >= verdict->threshold);

    if (far)
        describe(verdict, value, odd);
    return far;
}

static void begin(recording_verdict *verdict, int64_t time_ns)
{
    char time[OS_CLOCK_TEXT];

    verdict->is_open = true;
    verdict->odd_rows = 0;
    if (json_array_size(verdict->list) < ANOMALIES_MAX)
        json_array_append_new(verdict->list, json_pack("{s:s, s:n, s:s}", "start",
                                                       os_clock_text(time_ns, time),
                                                       "end", "text", verdict->text));
}

static void end(recording_verdict *verdict, int64_t time_ns)
{
    size_t n = json_array_size(verdict->list);
    char time[OS_CLOCK_TEXT];

    verdict->is_open = false;
    if (n > 0 && n < ANOMALIES_MAX)
        json_object_set_new(json_array_get(verdict->list, n - 1), "end",
                            json_string(os_clock_text(time_ns, time)));
}

/* Counts the odd ones of the last rows, and begins or ends the anomaly. */
static enum recording_change decide(recording_verdict *verdict, bool odd, int64_t time_ns)
{
    size_t count = 0;

    verdict->recent[verdict->rows++ % RECENT] = odd;
    for (int i = 0; i < RECENT; i++)
        count += verdict->recent[i];
    verdict->odd_rows += verdict->is_open;
    if (!verdict->is_open && count >= NEEDED) {
        begin(verdict, time_ns);
        return RECORDING_ODD_BEGAN;
    }
    if (verdict->is_open && count == 0) {
        end(verdict, time_ns);
        return RECORDING_ODD_ENDED;
    }
    return RECORDING_SAME;
}

enum recording_change recording_verdict_read(recording_verdict *verdict,
                                             const double value[FORMAT_PRMON_COLUMNS],
                                             int64_t time_ns, int64_t mono_ns)
{
    enum recording_change change;
    const double *row;
    bool odd;

    for (size_t i = 0; i < verdict->schema.n; i++)
        verdict->sample.raw[i] = value[verdict->column[i]];
    verdict->sample.time_ns = time_ns;
    verdict->sample.mono_ns = mono_ns;
    row = feature_rates_update(verdict->rates, &verdict->sample);
    if (detect_baseline_read(&verdict->baseline, &verdict->schema, row) != VD_OK)
        return RECORDING_SAME;
    odd = is_odd(verdict, row, time_ns);
    change = decide(verdict, odd, time_ns);
    if (!odd || verdict->odd_rows > ADOPTED_AFTER)
        detect_baseline_learn(&verdict->baseline, row);
    if (!odd && !verdict->is_open)
        snprintf(verdict->text, sizeof verdict->text, "%s",
                 verdict->rows <= VD_ROLLING_MIN ? "learning" : "normal");
    return change;
}

const char *recording_verdict_text(const recording_verdict *verdict)
{
    return verdict->text;
}

json_t *recording_verdict_list(const recording_verdict *verdict)
{
    return verdict->list;
}

void recording_verdict_free(recording_verdict *verdict)
{
    if (verdict == NULL)
        return;
    detect_univariate_free(verdict->streams);
    detect_baseline_release(&verdict->baseline);
    feature_rates_free(verdict->rates);
    collect_sample_release(&verdict->sample);
    record_schema_release(&verdict->schema);
    json_decref(verdict->list);
    free(verdict);
}
