/* A made-up host. One demand, of people who work by day and less at weekends, drives
 * processor, network and disk together; memory, heat and load follow it later; a nightly
 * job and an hourly one come on top. Each row draws its noise first, in one order, so
 * that no expression depends on which of its operands a compiler computes first.
 */
#include <assert.h>
#include <math.h>

#include "base/real.h"
#include "evaluate/simulate.h"

enum { DAY_S = 86400, HOUR_S = 3600, HOURS = 24 };

/* How many sources of noise a row has. */
enum { DRAWS = 13 };

/* Demand at each full hour, of a working day and of a day at the weekend. */
static const double WORKDAY[HOURS] = {
    0.10, 0.08, 0.07, 0.06, 0.07, 0.10, 0.18, 0.35, 0.62, 0.85, 0.95, 1.00,
    0.86, 0.88, 0.97, 0.98, 0.92, 0.80, 0.62, 0.50, 0.42, 0.33, 0.22, 0.14,
};
static const double WEEKEND[HOURS] = {
    0.12, 0.10, 0.08, 0.07, 0.06, 0.07, 0.09, 0.13, 0.20, 0.27, 0.32, 0.36,
    0.36, 0.34, 0.33, 0.33, 0.34, 0.36, 0.38, 0.40, 0.38, 0.31, 0.23, 0.16,
};

/* Returns the demand at an hour since 1970, which began on a Thursday. */
static double at_hour(int64_t hour)
{
    int64_t day = (hour / HOURS + 4) % 7;

    assert(hour >= 0);
    return (day == 0 || day == 6 ? WEEKEND : WORKDAY)[hour % HOURS];
}

/* Returns the demand at a second since 1970, smooth between the hours. */
static double season(double t)
{
    int64_t hour = (int64_t)(t / HOUR_S);
    double x = t / HOUR_S - (double)hour;
    double smooth = x * x * (3 - 2 * x);

    return at_hour(hour) * (1 - smooth) + at_hour(hour + 1) * smooth;
}

/* Draws what is peculiar to the host: one number after the other. */
static void draw_host(struct vd__host *h, struct vd_rng *rng)
{
    h->cores = (double)(UINT64_C(4) << vd_rng_below(rng, 4));
    h->memory_gb = 4 * h->cores;
    h->frequency = 3200 + 100 * (double)vd_rng_below(rng, 9);
    h->idle_cpu = 3 + 4 * vd_rng_uniform(rng);
    h->busy_cpu = 25 + 20 * vd_rng_uniform(rng);
    h->memory = 32 + 16 * vd_rng_uniform(rng);
    h->disk = vd__exp(0.4 * vd_rng_normal(rng));
    h->network = vd__exp(0.4 * vd_rng_normal(rng));
    h->warmth = 33 + 7 * vd_rng_uniform(rng);
    h->processes = 160 + (double)vd_rng_below(rng, 200);
    h->job_at_s = HOUR_S + 10800 * vd_rng_uniform(rng);
    h->job_s = 900 + 900 * vd_rng_uniform(rng);
    h->late_s = HOUR_S * (vd_rng_uniform(rng) - 0.5);
    h->hourly_s = floor(HOUR_S * vd_rng_uniform(rng));
}

/* Returns what is left after one row of a disturbance that falls to 1/e in `tau_s`. */
static double kept(const struct vd__host *h, double tau_s)
{
    return vd__exp(-h->interval_s / tau_s);
}

void vd__host_init(struct vd__host *h, const struct vd_simulate_params *params)
{
    struct vd_rng rng;
    double value[VD__HOST_COLUMNS];

    *h = (struct vd__host){.start_ns = params->start_ns,
                           .interval_ns = params->interval_ns,
                           .interval_s = (double)params->interval_ns / 1e9};
    vd_rng_init_stream(&rng, params->seed, 3 * params->machine);
    draw_host(h, &rng);
    h->keep_demand = kept(h, 1200);
    h->keep_flutter = kept(h, 20);
    h->keep_drift = kept(h, 7200);
    h->keep_crowd = kept(h, 900);
    h->follow_filled = 1 - kept(h, 600);
    h->follow_heat = 1 - kept(h, 90);
    h->follow_load = 1 - kept(h, 60);
    vd_rng_init_stream(&h->rng, params->seed, 3 * params->machine + 1);
    vd_rng_init_stream(&rng, params->seed, 3 * params->machine + 2);
    /* Turns the first moment until what follows has caught up, and begins there. */
    h->faults.kind = VD_HOST_NORMAL;
    h->faults.first = UINT64_MAX;
    for (int i = 0; i < 200; i++, h->row = 0)
        vd__host_next(h, value);
    vd__faults_init(&h->faults, params, h->job_at_s, h->job_s, rng);
}

/* Moves a noise of sigma 1 on by one row. */
static void wander(double *level, double keep, double draw)
{
    *level = keep * *level + sqrt(1 - keep * keep) * draw;
}

/* Begins and ends the short work that users start at any time. */
static void burst(struct vd__host *h)
{
    double wait = -vd__log(1 - vd_rng_uniform(&h->rng));
    double height = 6 * vd__exp(0.6 * vd_rng_normal(&h->rng));

    h->burst_left_s -= h->interval_s;
    if (h->burst_left_s > 0)
        return;
    h->burst_left_s = wait * (h->burst > 0 ? 500 : 12);
    h->burst = h->burst > 0 ? 0 : height;
}

/* Tells whether a job that begins at `at_s` of each `period_s` runs at second t. */
static bool is_due(double t, double at_s, double length_s, double period_s)
{
    double x = t - at_s;

    return x - period_s * floor(x / period_s) < length_s;
}

/* Computes what happens at second t, and lets the slow noise wander. */
static struct vd__activity act(struct vd__host *h, double t, const double *z)
{
    double demand, hourly;

    wander(&h->demand, h->keep_demand, z[0]);
    wander(&h->flutter, h->keep_flutter, z[1]);
    wander(&h->drift, h->keep_drift, z[2]);
    wander(&h->crowd, h->keep_crowd, z[3]);
    burst(h);
    demand = season(t + h->late_s) * vd__exp(0.15 * h->demand + 0.08 * h->flutter);
    hourly = is_due(t, h->hourly_s, 40, HOUR_S) ? 1 : 0;
    return (struct vd__activity){
        .cpu = h->idle_cpu + h->busy_cpu * demand + h->burst + 9 * hourly +
               (1 + 0.03 * h->busy_cpu * demand) * z[4],
        .memory = h->memory + 1.2 * h->drift,
        .read = h->disk * (0.2 + 1.5 * demand) * vd__exp(0.5 * z[5]) + 0.3 * h->burst,
        .write = h->disk * (0.6 + 3 * demand) * vd__exp(0.35 * z[6]) + 3 * hourly,
        .sent = h->network * (0.05 + 3.5 * demand) * vd__exp(0.25 * z[7]),
        .received = h->network * (0.08 + 5 * demand) * vd__exp(0.2 * z[8]),
        .processes = h->processes + 25 * demand + 4 * h->crowd,
        .job = is_due(t, h->job_at_s, h->job_s, DAY_S) ? 1 : 0,
    };
}

/* Adds the backup: it reads, packs and sends. */
static void add_job(struct vd__activity *a, double draw)
{
    a->cpu += 18 * a->job;
    a->read += 42 * a->job * (1 + 0.08 * draw);
    a->sent += 30 * a->job * (1 + 0.08 * draw);
    a->runnable += 0.2 * a->job;
    a->processes += 6 * a->job;
}

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* Measures the activity: percent end at 100, the rest follows from them. */
static void measure(struct vd__host *h, const struct vd__activity *a, const double *z,
                    double *value)
{
    double cpu = clamp(a->cpu, 0.2, 100);

    h->filled += h->follow_filled * (0.25 * cpu - h->filled);
    h->heat += h->follow_heat * (0.42 * cpu - h->heat);
    h->load += h->follow_load * (h->cores * (cpu / 100 + a->runnable) - h->load);
    value[VD__CPU] = cpu;
    value[VD__FREQUENCY] =
        clamp(1200 + (h->frequency - 1200) * cpu / 55 + 30 * z[9], 800, h->frequency);
    value[VD__MEMORY] = clamp(a->memory + h->filled + 0.08 * z[10], 1, 99.5);
    value[VD__AVAILABLE] = h->memory_gb * (1 - value[VD__MEMORY] / 100);
    value[VD__READ] = a->read;
    value[VD__WRITE] = a->write;
    value[VD__SENT] = a->sent;
    value[VD__RECEIVED] = a->received;
    value[VD__TEMPERATURE] = h->warmth + h->heat + 0.25 * z[11];
    value[VD__LOAD] = clamp(h->load * (1 + 0.03 * z[12]), 0, 1e4);
    value[VD__PROCESSES] = a->processes;
}

enum vd_host_fault vd__host_next(struct vd__host *h, double *value)
{
    int64_t ns = h->start_ns + (int64_t)h->row * h->interval_ns;
    enum vd_host_fault fault = vd__faults_at(&h->faults, h->row);
    struct vd__activity activity;
    double z[DRAWS];
    size_t frozen;

    for (int i = 0; i < DRAWS; i++)
        z[i] = vd_rng_normal(&h->rng);
    activity = act(h, (double)ns / 1e9, z);
    if (fault != VD_HOST_NORMAL)
        vd__faults_disturb(&h->faults, h->row, &activity);
    add_job(&activity, z[5]);
    measure(h, &activity, z, value);
    frozen = fault == VD_HOST_NORMAL ? VD__HOST_COLUMNS : vd__faults_frozen(&h->faults);
    if (frozen < VD__HOST_COLUMNS)
        value[frozen] = h->before[frozen];
    for (int i = 0; i < VD__HOST_COLUMNS; i++)
        h->before[i] = value[i];
    h->row++;
    return fault;
}
