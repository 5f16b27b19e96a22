/* The parts of a made-up host: what happens on it, and what goes wrong. */
#ifndef VD_EVALUATE_SIMULATE_H
#define VD_EVALUATE_SIMULATE_H

#include "vedette/simulate.h"

/* The columns of a host, in their order. */
enum {
    VD__CPU,
    VD__FREQUENCY,
    VD__MEMORY,
    VD__AVAILABLE,
    VD__READ,
    VD__WRITE,
    VD__SENT,
    VD__RECEIVED,
    VD__TEMPERATURE,
    VD__LOAD,
    VD__PROCESSES,
    VD__HOST_COLUMNS
};

/* What a host does at one moment, in the units of its columns, before anything measures
 * it. */
struct vd__activity {
    double cpu, memory, read, write, sent, received, processes;
    double runnable; /* tasks that wait beside those that run, per core */
    double job;      /* how much of the nightly job runs, 0 .. 1 */
};

/* The fault that is next or going on, and what is needed to draw those after it. */
struct vd__faults {
    struct vd_rng rng;
    double share, block; /* first row of the part of the table that is not planned yet */
    double start_s, interval_s, job_at_s, job_s; /* when the job is no fault */
    uint64_t rows, longest;
    enum vd_host_fault bag[VD_HOST_FAULTS]; /* kinds of this round, the last come first */
    unsigned kinds;
    size_t left;             /* in the bag */
    enum vd_host_fault kind; /* VD_HOST_NORMAL = no more */
    uint64_t first, length;  /* its rows */
    double height;           /* about 1 */
    unsigned which;          /* draws one of the metrics it may hit */
};

/* Plans the first fault. `rng` is theirs alone, so that faults change no noise; the job
 * runs by itself for `job_s` from `job_at_s` of each day on. */
void vd__faults_init(struct vd__faults *f, const struct vd_simulate_params *params,
                     double job_at_s, double job_s, struct vd_rng rng);

/* Goes to a row, to which all before it have been gone; returns its fault. */
enum vd_host_fault vd__faults_at(struct vd__faults *f, uint64_t row);

/* Adds what the fault that is going on does in `row`. */
void vd__faults_disturb(const struct vd__faults *f, uint64_t row,
                        struct vd__activity *activity);

/* Returns the column that stands still; VD__HOST_COLUMNS = none. */
size_t vd__faults_frozen(const struct vd__faults *f);

/* What is peculiar to one host, and where it stands. */
struct vd__host {
    struct vd_rng rng;
    struct vd__faults faults;
    int64_t start_ns, interval_ns;
    uint64_t row;
    double interval_s;
    double cores, memory_gb, frequency;                       /* what it is made of */
    double idle_cpu, busy_cpu, memory, disk, network, warmth; /* its usual levels */
    double processes, job_at_s, job_s, late_s, hourly_s;
    double demand, flutter, drift, crowd; /* slow and fast noise, sigma 1 */
    double keep_demand, keep_flutter, keep_drift,
        keep_crowd;                                 /* what a row leaves of it */
    double filled, heat, load;                      /* what follows the activity later */
    double follow_filled, follow_heat, follow_load; /* how much of it in a row */
    double burst, burst_left_s;
    double before[VD__HOST_COLUMNS]; /* the row before */
};

/* Makes a host, warmed up to its first row. */
void vd__host_init(struct vd__host *host, const struct vd_simulate_params *params);

/* Makes the next row, not rounded yet; returns its fault. */
enum vd_host_fault vd__host_next(struct vd__host *host, double *value);

#endif
