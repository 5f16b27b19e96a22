/* One table says of each column what prmon calls it, who of its monitors fills it in, and
 * what an average of it is. */
#include "format/prmon.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* How a column becomes an average. */
enum average {
    NO_AVERAGE,
    MEAN,         /* of the samples */
    PER_AGE,      /* a counter since the processes began, by their age */
    PER_RECORDED, /* a counter since the recording began */
};

static const struct column {
    const char *name, *monitor, *unit, *average_unit;
    enum average average;
    int decimals;
} columns[FORMAT_PRMON_COLUMNS] = {
    [FORMAT_PRMON_TIME] = {"Time", "wallmon", "", "", NO_AVERAGE, 0},
    [FORMAT_PRMON_WTIME] = {"wtime", "wallmon", "s", "", NO_AVERAGE, 0},
    [FORMAT_PRMON_GPU_MEMORY] = {"gpufbmem", "nvidiamon", "kB", "kB", MEAN, 0},
    [FORMAT_PRMON_GPU_MEMORY_PERCENT] = {"gpumempct", "nvidiamon", "%", "%", MEAN, 0},
    [FORMAT_PRMON_GPU_PERCENT] = {"gpusmpct", "nvidiamon", "%", "%", MEAN, 0},
    [FORMAT_PRMON_GPUS] = {"ngpus", "nvidiamon", "1", "1", MEAN, 0},
    [FORMAT_PRMON_PSS] = {"pss", "memmon", "kB", "kB", MEAN, 0},
    [FORMAT_PRMON_RSS] = {"rss", "memmon", "kB", "kB", MEAN, 0},
    [FORMAT_PRMON_SWAP] = {"swap", "memmon", "kB", "kB", MEAN, 0},
    [FORMAT_PRMON_VMEM] = {"vmem", "memmon", "kB", "kB", MEAN, 0},
    [FORMAT_PRMON_RCHAR] = {"rchar", "iomon", "B", "B/s", PER_AGE, 0},
    [FORMAT_PRMON_READ_BYTES] = {"read_bytes", "iomon", "B", "B/s", PER_AGE, 0},
    [FORMAT_PRMON_WCHAR] = {"wchar", "iomon", "B", "B/s", PER_AGE, 0},
    [FORMAT_PRMON_WRITE_BYTES] = {"write_bytes", "iomon", "B", "B/s", PER_AGE, 0},
    [FORMAT_PRMON_RX_BYTES] = {"rx_bytes", "netmon", "B", "B/s", PER_RECORDED, 0},
    [FORMAT_PRMON_RX_PACKETS] = {"rx_packets", "netmon", "1", "1/s", PER_RECORDED, 0},
    [FORMAT_PRMON_TX_BYTES] = {"tx_bytes", "netmon", "B", "B/s", PER_RECORDED, 0},
    [FORMAT_PRMON_TX_PACKETS] = {"tx_packets", "netmon", "1", "1/s", PER_RECORDED, 0},
    [FORMAT_PRMON_STIME] = {"stime", "cpumon", "s", "", NO_AVERAGE, 2},
    [FORMAT_PRMON_UTIME] = {"utime", "cpumon", "s", "", NO_AVERAGE, 2},
    [FORMAT_PRMON_NPROCS] = {"nprocs", "countmon", "1", "1", MEAN, 0},
    [FORMAT_PRMON_NTHREADS] = {"nthreads", "countmon", "1", "1", MEAN, 0},
    [FORMAT_PRMON_ELAPSED] = {"elapsed_s", "wallmon", "s", "", NO_AVERAGE, 3},
};

const char *const *format_prmon_monitors(void)
{
    static const char *const names[] = {"countmon", "cpumon",    "iomon",   "memmon",
                                        "netmon",   "nvidiamon", "wallmon", NULL};

    return names;
}

bool format_prmon_disable(struct format_prmon *prmon, const char *monitor)
{
    bool found = false;

    if (strcmp(monitor, "wallmon") == 0)
        return false;
    for (int i = 0; i < FORMAT_PRMON_COLUMNS; i++) {
        bool named =
            strcmp(columns[i].monitor, "wallmon") != 0 &&
            (strcmp(monitor, "all") == 0 || strcmp(columns[i].monitor, monitor) == 0);

        prmon->shown[i] = prmon->shown[i] && !named;
        found |= named;
    }
    return found;
}

const char *format_prmon_name(enum format_prmon_column column)
{
    return columns[column].name;
}

bool format_prmon_is_counter(enum format_prmon_column column)
{
    return columns[column].average == PER_AGE ||
           columns[column].average == PER_RECORDED || column == FORMAT_PRMON_STIME ||
           column == FORMAT_PRMON_UTIME;
}

/* ---- lines ---- */

size_t format_prmon_head(const struct format_prmon *prmon,
                         char text[FORMAT_PRMON_LINE_MAX])
{
    size_t used = 0;

    for (int i = 0; i < FORMAT_PRMON_COLUMNS; i++)
        if (prmon->shown[i])
            used += (size_t)snprintf(text + used, FORMAT_PRMON_LINE_MAX - used, "%s%s",
                                     used > 0 ? "\t" : "", columns[i].name);
    used += (size_t)snprintf(text + used, FORMAT_PRMON_LINE_MAX - used, "%s\n",
                             prmon->has_phase ? "\tphase" : "");
    assert(used < FORMAT_PRMON_LINE_MAX);
    return used;
}

/* Returns the value as the file has it: counts and sizes as whole numbers, rounded down
 * where they are seconds. */
static double as_written(const struct format_prmon *prmon, int column, double value)
{
    bool seconds = column == FORMAT_PRMON_TIME || column == FORMAT_PRMON_WTIME ||
                   (prmon->whole_seconds && columns[column].decimals == 2);

    return seconds ? floor(value) : value;
}

static int decimals_of(const struct format_prmon *prmon, int column)
{
    return prmon->whole_seconds && columns[column].decimals == 2
               ? 0
               : columns[column].decimals;
}

/* A double has at most 309 digits before its point; those of a kernel's counters are 20
 * at most, which is what the length of a line is for. */
static double bounded(double value)
{
    return fmin(fmax(value, 0), 1e19);
}

size_t format_prmon_row(const struct format_prmon *prmon,
                        const double value[FORMAT_PRMON_COLUMNS], const char *phase,
                        char text[FORMAT_PRMON_LINE_MAX])
{
    size_t used = 0;

    for (int i = 0; i < FORMAT_PRMON_COLUMNS; i++) {
        if (!prmon->shown[i])
            continue;
        if (used > 0)
            text[used++] = '\t';
        if (!isnan(value[i]))
            used += (size_t)snprintf(text + used, FORMAT_PRMON_LINE_MAX - used, "%.*f",
                                     decimals_of(prmon, i),
                                     bounded(as_written(prmon, i, value[i])));
    }
    used += (size_t)snprintf(text + used, FORMAT_PRMON_LINE_MAX - used, "%s%s\n",
                             prmon->has_phase ? "\t" : "", prmon->has_phase ? phase : "");
    assert(used < FORMAT_PRMON_LINE_MAX);
    return used;
}

/* ---- the summary ---- */

void format_prmon_add(struct format_prmon_sums *sums,
                      const double value[FORMAT_PRMON_COLUMNS], bool measured)
{
    for (int i = 0; i < FORMAT_PRMON_COLUMNS; i++) {
        if (isnan(value[i]))
            continue;
        sums->most[i] = fmax(sums->most[i], value[i]);
        if (!measured && sums->n[i] > 0)
            continue;
        sums->sum[i] += value[i];
        sums->n[i]++;
    }
}

static double average_of(const struct format_prmon_sums *sums, int column, double age_s,
                         double recorded_s)
{
    double seconds = columns[column].average == PER_AGE ? age_s : recorded_s;

    if (columns[column].average == MEAN)
        return sums->sum[column] / (double)sums->n[column];
    return seconds > 0 ? sums->most[column] / seconds : NAN;
}

/* Three decimals, as prmon has them. */
static json_t *rounded(double value)
{
    return isfinite(value) ? json_real(round(value * 1000) / 1000) : json_null();
}

static json_t *most_of(const struct format_prmon *prmon,
                       const struct format_prmon_sums *sums, int column)
{
    double most = as_written(prmon, column, sums->most[column]);

    if (sums->n[column] == 0)
        return json_null();
    if (decimals_of(prmon, column) > 0)
        return json_real(round(most * 100) / 100);
    return json_integer((json_int_t)round(bounded(most) < 9e18 ? bounded(most) : 9e18));
}

static json_t *units_of(const struct format_prmon *prmon)
{
    json_t *most = json_object(), *average = json_object();

    for (int i = FORMAT_PRMON_WTIME; i < FORMAT_PRMON_ELAPSED; i++) {
        if (!prmon->shown[i])
            continue;
        json_object_set_new(most, columns[i].name, json_string(columns[i].unit));
        if (columns[i].average != NO_AVERAGE)
            json_object_set_new(average, columns[i].name,
                                json_string(columns[i].average_unit));
    }
    return json_pack("{s:o, s:o}", "Max", most, "Avg", average);
}

json_t *format_prmon_summary(const struct format_prmon *prmon,
                             const struct format_prmon_sums *sums, double age_s,
                             double recorded_s, bool units)
{
    json_t *most = json_object(), *average = json_object(), *root;

    for (int i = FORMAT_PRMON_WTIME; i < FORMAT_PRMON_ELAPSED; i++) {
        if (!prmon->shown[i])
            continue;
        json_object_set_new(most, columns[i].name, most_of(prmon, sums, i));
        if (columns[i].average != NO_AVERAGE)
            json_object_set_new(average, columns[i].name,
                                sums->n[i] == 0
                                    ? json_null()
                                    : rounded(average_of(sums, i, age_s, recorded_s)));
    }
    root = json_pack("{s:o, s:o, s:{s:s}}", "Max", most, "Avg", average, "prmon",
                     "Version", "3.3.0");
    if (root != NULL && units)
        json_object_set_new(root, "Units", units_of(prmon));
    return root;
}
