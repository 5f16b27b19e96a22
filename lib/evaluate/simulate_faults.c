/* What goes wrong on a made-up host: faults of drawn kinds, places, lengths and heights.
 *
 * After a quiet start each fault owns a block of the table, so long that the fault is the
 * share of it that was asked for. So the share is kept from the first block on, nothing
 * has to be planned ahead, and a table of any length takes the same memory.
 */
#include <assert.h>
#include <math.h>

#include "evaluate/simulate.h"

enum { DAY_S = 86400 };

/* The part of a table that comes before its first fault, so that there is something to
 * learn from. */
#define QUIET 0.05

/* Says how long a fault of each kind takes, in seconds, and the fewest rows in which it
 * can be seen for what it is. */
static const struct {
    const char *name;
    double shortest_s, longest_s;
    unsigned least;
} KINDS[VD_HOST_FAULTS] = {
    [VD_HOST_SPIKE] = {"spike", 3, 20, 1},
    [VD_HOST_STEP] = {"step", 600, 3600, 5},
    [VD_HOST_LEAK] = {"leak", 1200, 5400, 5},
    [VD_HOST_NETWORK_BURST] = {"network_burst", 60, 600, 3},
    [VD_HOST_DISK_BURST] = {"disk_burst", 60, 900, 3},
    [VD_HOST_CONTENTION] = {"contention", 120, 900, 3},
    [VD_HOST_CASCADE] = {"cascade", 300, 1200, 4},
    [VD_HOST_FLAT_SENSOR] = {"flat_sensor", 900, 3600, 5},
    [VD_HOST_OFF_SCHEDULE] = {"off_schedule", 900, 1800, 3},
};

const char *vd_host_fault_name(enum vd_host_fault fault)
{
    return (unsigned)fault < VD_HOST_FAULTS ? KINDS[fault].name : NULL;
}

/* Takes a kind out of the bag. An empty one is filled with each kind that is wanted, so
 * that every kind has its turn before one comes again. */
static enum vd_host_fault draw_kind(struct vd__faults *f)
{
    size_t order[VD_HOST_FAULTS], n = 0;
    enum vd_host_fault wanted[VD_HOST_FAULTS];

    if (f->left == 0) {
        for (unsigned k = 0; k < VD_HOST_FAULTS; k++)
            if (f->kinds >> k & 1)
                wanted[n++] = (enum vd_host_fault)k;
        vd_rng_sample(&f->rng, order, n, n);
        for (size_t i = 0; i < n; i++)
            f->bag[i] = wanted[order[i]];
        f->left = n;
    }
    assert(f->left > 0);
    return f->bag[--f->left];
}

/* Draws how many rows a fault takes: as long as its kind does, shorter in a short table,
 * where every kind is to have its turn. */
static uint64_t draw_length(struct vd__faults *f, enum vd_host_fault kind)
{
    double low = KINDS[kind].shortest_s, high = KINDS[kind].longest_s;
    double seconds = low + (high - low) * vd_rng_uniform(&f->rng);
    double rows = floor(seconds / f->interval_s + 0.5);

    if (rows > (double)f->longest)
        rows = (double)f->longest;
    return rows < KINDS[kind].least ? KINDS[kind].least : (uint64_t)rows;
}

/* Moves a job off its schedule away from the hours of the schedule, to an hour after the
 * nightly job at the earliest. */
static void leave_schedule(struct vd__faults *f)
{
    double length_s = (double)f->length * f->interval_s;
    double begin_s = f->start_s + (double)f->first * f->interval_s;
    double after_s = begin_s - f->job_at_s, free_s = f->job_s + 3600;

    /* Counts from the last job that begins before this one ends. */
    after_s -= DAY_S * floor((after_s + length_s) / DAY_S);
    if (after_s < free_s)
        f->first += (uint64_t)ceil((free_s - after_s) / f->interval_s);
    if (f->first + f->length > f->rows)
        f->kind = VD_HOST_NORMAL;
    if (f->block < (double)(f->first + f->length))
        f->block = (double)(f->first + f->length);
}

/* Plans the fault after this one. The table's last block is as long as there are rows,
 * and its fault in proportion; where that would be too short, there is none. */
static void plan(struct vd__faults *f)
{
    double room = (double)f->rows - f->block, block;

    f->kind = VD_HOST_NORMAL;
    f->first = UINT64_MAX;
    if (!(f->share > 0))
        return;
    f->kind = draw_kind(f);
    f->length = draw_length(f, f->kind);
    f->height = 0.75 + 0.5 * vd_rng_uniform(&f->rng);
    f->which = (unsigned)vd_rng_below(&f->rng, 12);
    block = (double)f->length * (1 - QUIET) / f->share;
    if (block < (double)f->length + 1)
        block = (double)f->length + 1;
    if (block > room) {
        f->length = (uint64_t)(room * f->share / (1 - QUIET));
        block = room;
    }
    if (f->length < KINDS[f->kind].least || block < (double)f->length + 1) {
        f->kind = VD_HOST_NORMAL;
        return;
    }
    /* The first row of a block is normal: two faults never touch. */
    f->first = (uint64_t)(f->block + 1 +
                          vd_rng_uniform(&f->rng) * (block - (double)f->length - 1));
    f->block += block;
    if (f->kind == VD_HOST_OFF_SCHEDULE)
        leave_schedule(f);
}

void vd__faults_init(struct vd__faults *f, const struct vd_simulate_params *params,
                     double job_at_s, double job_s, struct vd_rng rng)
{
    unsigned kinds = 0;

    *f = (struct vd__faults){.rng = rng,
                             .share = params->share,
                             .block = QUIET * (double)params->rows,
                             .rows = params->rows,
                             .kinds = params->kinds,
                             .start_s = (double)params->start_ns / 1e9,
                             .interval_s = (double)params->interval_ns / 1e9,
                             .job_at_s = job_at_s,
                             .job_s = job_s};
    for (unsigned k = 0; k < VD_HOST_FAULTS; k++)
        kinds += params->kinds >> k & 1;
    if (kinds > 0)
        f->longest = (uint64_t)(1.5 * params->share * (double)params->rows / kinds);
    plan(f);
}

enum vd_host_fault vd__faults_at(struct vd__faults *f, uint64_t row)
{
    if (f->kind != VD_HOST_NORMAL && row >= f->first + f->length)
        plan(f);
    return row >= f->first ? f->kind : VD_HOST_NORMAL;
}

size_t vd__faults_frozen(const struct vd__faults *f)
{
    static const size_t sensors[] = {VD__TEMPERATURE, VD__CPU, VD__RECEIVED, VD__WRITE};

    return f->kind == VD_HOST_FLAT_SENSOR ? sensors[f->which % 4] : VD__HOST_COLUMNS;
}

/* Rises from 0 to 1 within the quarter of the fault that begins at `from`. */
static double rise(double position, double from)
{
    double x = (position - from) * 4;

    return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* Moves one metric to another level. */
static void step(const struct vd__faults *f, struct vd__activity *a)
{
    switch (f->which % 3) {
    case 0:
        a->cpu += 28 * f->height;
        break;
    case 1:
        a->memory += 18 * f->height;
        break;
    default:
        a->received += 25 * f->height;
    }
}

/* Lets a full disk queue fill the memory, that the processor, and those the network: each
 * a quarter later than the one before. */
static void cascade(const struct vd__faults *f, double position, struct vd__activity *a)
{
    double silent = 0.95 * rise(position, 0.7);

    a->write += 130 * f->height * rise(position, 0);
    a->runnable += f->height * rise(position, 0);
    a->memory += 28 * f->height * rise(position, 0.2);
    a->cpu += 45 * f->height * rise(position, 0.45);
    a->sent *= 1 - silent;
    a->received *= 1 - silent;
}

void vd__faults_disturb(const struct vd__faults *f, uint64_t row, struct vd__activity *a)
{
    double position = (double)(row - f->first + 1) / (double)f->length;

    switch (f->kind) {
    case VD_HOST_SPIKE:
        a->cpu += 55 * f->height;
        break;
    case VD_HOST_STEP:
        step(f, a);
        break;
    case VD_HOST_LEAK:
        a->memory += 35 * f->height * position;
        break;
    case VD_HOST_NETWORK_BURST:
        *(f->which % 2 == 0 ? &a->sent : &a->received) += 140 * f->height;
        a->cpu += 8 * f->height;
        break;
    case VD_HOST_DISK_BURST:
        *(f->which % 2 == 0 ? &a->read : &a->write) += 160 * f->height;
        a->runnable += 0.4 * f->height;
        break;
    case VD_HOST_CONTENTION:
        a->cpu += 50 * f->height;
        a->memory += 18 * f->height;
        a->read += 45 * f->height;
        a->write += 60 * f->height;
        a->runnable += 1.2 * f->height;
        a->processes += 60 * f->height;
        break;
    case VD_HOST_CASCADE:
        cascade(f, position, a);
        break;
    case VD_HOST_OFF_SCHEDULE:
        a->job = 1;
        break;
    default:
        break;
    }
}
