/* Made-up tables: which there are, their columns, and their rows one after the other. */
#include "vedette/simulate.h"

#include <assert.h>
#include <math.h>

#include "base/alloc.h"
#include "evaluate/simulate.h"

/* The year 2090 in ns since 1970, which readers of tables know. */
static const int64_t LATEST_NS = INT64_C(3786912000) * 1000000000;

static const struct vd_simulate_column HOST[] = {
    [VD__CPU] = {"cpu_percent", 2},       [VD__FREQUENCY] = {"cpu_frequency", 0},
    [VD__MEMORY] = {"memory_percent", 2}, [VD__AVAILABLE] = {"memory_available_gb", 2},
    [VD__READ] = {"disk_read_mb", 3},     [VD__WRITE] = {"disk_write_mb", 3},
    [VD__SENT] = {"network_sent_mb", 3},  [VD__RECEIVED] = {"network_recv_mb", 3},
    [VD__TEMPERATURE] = {"cpu_temp", 1},  [VD__LOAD] = {"load_1", 2},
    [VD__PROCESSES] = {"processes", 0},
};

/* The first columns of a host, in the decimals of the sample. */
static const struct vd_simulate_column METRICS2K[] = {
    {"cpu_percent", 2},         {"cpu_frequency", 2},   {"memory_percent", 2},
    {"memory_available_gb", 2}, {"disk_read_mb", 2},    {"disk_write_mb", 2},
    {"network_sent_mb", 2},     {"network_recv_mb", 2},
};

/* Core metrics of a monitor: each is noise that has nothing to do with its name. */
static const struct vd_simulate_column NOISE[] = {
    {"cpu_percent", 3},     {"cpu_memory", 3},      {"cpu_temp", 3},
    {"gpu_percent", 3},     {"disk_read_mb", 3},    {"disk_write_mb", 3},
    {"network_sent_mb", 3}, {"network_recv_mb", 3},
};

enum {
    METRICS2K_COLUMNS = sizeof METRICS2K / sizeof *METRICS2K,
    NOISE_COLUMNS = sizeof NOISE / sizeof *NOISE
};

struct vd_simulate {
    struct vd_simulate_params params;
    const struct vd_simulate_column *column;
    size_t columns;
    uint64_t row;
    struct vd__host host;                 /* HOST */
    struct vd_rng rng;                    /* METRICS2K */
    struct vd_noise noise[NOISE_COLUMNS]; /* NOISE, as the next */
    const struct vd_noise_kind *kind[NOISE_COLUMNS];
};

const struct vd_simulate_column *vd_simulate_columns(enum vd_simulate_preset preset,
                                                     size_t *n)
{
    static const struct vd_simulate_column *const columns[] = {HOST, METRICS2K, NOISE};
    static const size_t counts[] = {VD__HOST_COLUMNS, METRICS2K_COLUMNS, NOISE_COLUMNS};

    assert((unsigned)preset <= VD_SIMULATE_NOISE);
    *n = counts[preset];
    return columns[preset];
}

struct vd_simulate_params vd_simulate_params_default(void)
{
    return (struct vd_simulate_params){
        .rows = 10080,
        .start_ns = INT64_C(1767225600) * 1000000000,
        .interval_ns = INT64_C(60) * 1000000000,
        .share = 0.05,
        .kinds = (1u << VD_HOST_FAULTS) - 1,
    };
}

/* Says what is wrong with the numbers, NULL when nothing is. */
static const char *find_fault(const struct vd_simulate_params *p)
{
    size_t kinds;

    vd_noise_kinds(&kinds);
    if ((unsigned)p->preset > VD_SIMULATE_NOISE || p->noise > kinds)
        return "there is no such table";
    if (p->rows < 1)
        return "a table has at least one row";
    if (p->interval_ns <= 0 || p->start_ns < 0 || p->start_ns > LATEST_NS ||
        p->rows - 1 > (uint64_t)((LATEST_NS - p->start_ns) / p->interval_ns))
        return "the rows are to be between the years 1970 and 2090";
    if (!(p->share >= 0 && p->share <= 0.5))
        return "the share of the faults is to be between 0 and 0.5";
    if (p->kinds >> VD_HOST_FAULTS != 0 || (p->share > 0 && p->kinds == 0))
        return "name the kinds of faults";
    return NULL;
}

/* Seeds each column by itself, so that a column keeps its noise whatever the others are.
 */
static void init_noise(vd_simulate *s)
{
    size_t n;
    const struct vd_noise_kind *kinds = vd_noise_kinds(&n);

    for (size_t c = 0; c < NOISE_COLUMNS; c++) {
        s->kind[c] = &kinds[s->params.noise < n ? s->params.noise : c % n];
        vd_rng_init_stream(&s->noise[c].rng, s->params.seed,
                           s->params.machine * NOISE_COLUMNS + c);
    }
}

enum vd_status vd_simulate_new(vd_simulate **simulate,
                               const struct vd_simulate_params *params,
                               struct vd_error *err)
{
    const char *fault = find_fault(params);
    vd_simulate *s;

    *simulate = NULL;
    if (fault != NULL)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "%s", fault);
    s = vd__alloc_zero(1, sizeof *s);
    if (s == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory to make rows");
    s->params = *params;
    s->column = vd_simulate_columns(params->preset, &s->columns);
    if (params->preset == VD_SIMULATE_HOST)
        vd__host_init(&s->host, params);
    else if (params->preset == VD_SIMULATE_NOISE)
        init_noise(s);
    else
        vd_rng_init_stream(&s->rng, params->seed, params->machine);
    *simulate = s;
    return VD_OK;
}

void vd_simulate_free(vd_simulate *simulate)
{
    vd__free(simulate);
}

/* ---- the sample of 2,000 rows ---- */

/* Bounds of the uniform laws: normal rows, and the odd ones, which are 5 %. */
static const struct {
    int column;
    double low, high, odd_low, odd_high;
} LAWS[] = {
    {VD__CPU, 5, 30, 70, 95},  {VD__MEMORY, 20, 50, 70, 90},
    {VD__READ, 0, 5, 50, 200}, {VD__WRITE, 0, 3, 20, 100},
    {VD__SENT, 0, 2, 50, 300}, {VD__RECEIVED, 0, 2, 10, 50},
};

/* Puts in the faults that every such table has, and returns which one the row is of. */
static enum vd_host_fault put_fixed(uint64_t row, double *value)
{
    switch (row) {
    case 25:
        value[VD__CPU] = 92.5;
        value[VD__MEMORY] = 85.2;
        value[VD__READ] = 156.7;
        value[VD__SENT] = 234.8;
        return VD_HOST_SPIKE;
    case 60:
        value[VD__SENT] = 287.3;
        value[VD__RECEIVED] = 45.6;
        value[VD__CPU] = 78.9;
        return VD_HOST_NETWORK_BURST;
    case 80:
        value[VD__READ] = 187.5;
        value[VD__WRITE] = 98.7;
        value[VD__CPU] = 82.1;
        return VD_HOST_DISK_BURST;
    default:
        if (row < 40 || row > 45)
            return VD_HOST_NORMAL;
        value[VD__MEMORY] = 65 + 5 * (double)(row - 40);
        value[VD__WRITE] = 45.2 + 8 * (double)(row - 40);
        return VD_HOST_LEAK;
    }
}

/* Computes what is available of 16 GB. */
static double available(double memory_percent)
{
    return 16 - 0.16 * memory_percent;
}

static struct vd_simulate_label next_metrics2k(vd_simulate *s, double *value)
{
    bool odd = vd_rng_uniform(&s->rng) < 0.05;
    enum vd_host_fault fault;

    for (size_t i = 0; i < sizeof LAWS / sizeof *LAWS; i++) {
        double low = odd ? LAWS[i].odd_low : LAWS[i].low;
        double high = odd ? LAWS[i].odd_high : LAWS[i].high;

        value[LAWS[i].column] = low + (high - low) * vd_rng_uniform(&s->rng);
    }
    value[VD__FREQUENCY] = 2400;
    value[VD__AVAILABLE] = available(value[VD__MEMORY]);
    fault = put_fixed(s->row, value);
    if (!s->params.stale_available)
        value[VD__AVAILABLE] = available(value[VD__MEMORY]);
    return (struct vd_simulate_label){odd || fault != VD_HOST_NORMAL, fault};
}

/* ---- rows ---- */

/* Cuts noise to values below the hard limits of a monitor: those would alert by
 * themselves, and rightly. */
static void next_noise(vd_simulate *s, double *value)
{
    int64_t ns = s->params.start_ns + (int64_t)s->row * s->params.interval_ns;

    for (size_t c = 0; c < NOISE_COLUMNS; c++) {
        double x = s->kind[c]->next(&s->noise[c], ns / 1000000000);

        value[c] = x < 0 ? 0 : x > 90 ? 90 : x;
    }
}

/* Rounds a value, none of which is negative. */
static double rounded(double x, int decimals)
{
    static const double power[] = {1, 10, 100, 1000};

    assert(x >= 0 && decimals >= 0 && decimals <= 3);
    return floor(x * power[decimals] + 0.5) / power[decimals];
}

struct vd_simulate_label vd_simulate_next(vd_simulate *s, double *value)
{
    struct vd_simulate_label label = {false, VD_HOST_NORMAL};

    switch (s->params.preset) {
    case VD_SIMULATE_METRICS2K:
        label = next_metrics2k(s, value);
        break;
    case VD_SIMULATE_NOISE:
        next_noise(s, value);
        break;
    default:
        label.fault = vd__host_next(&s->host, value);
        label.anomaly = label.fault != VD_HOST_NORMAL;
    }
    for (size_t c = 0; c < s->columns; c++)
        value[c] = rounded(value[c], s->column[c].decimals);
    s->row++;
    return label;
}
