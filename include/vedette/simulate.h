/* Made-up metrics: rows like those of a host, with seasons, correlation, noise and faults
 * of known place and kind, and stationary noise of several kinds, in which nothing
 * happens.
 *
 * For tests, benchmarks and trials of detections. Every draw is made of whole numbers and
 * of functions with the same bits everywhere, so a seed gives the same rows on any
 * machine, with any compiler. Times are UTC; a day begins at midnight there.
 */
#ifndef VD_SIMULATE_H
#define VD_SIMULATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/rng.h"
#include "vedette/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- noise of one metric ---- */

/* A series of stationary noise, a value a second. Zero it, seed `rng`, and draw. */
struct vd_noise {
    struct vd_rng rng;
    double level;  /* of the kinds that have a state: where they are, or on / off */
    double height; /* of the burst that is going on */
    int64_t left;  /* seconds until the state changes */
};

/* A kind of noise; `next` draws the value of the second `t` (since 1970). */
struct vd_noise_kind {
    const char *name; /* "gaussian" */
    const char *what; /* "normal law" */
    double (*next)(struct vd_noise *noise, int64_t t);
};

/* Returns the table of kinds, static, *n rows. Values are between 0 and 100, except for
 * rare ones of the laws without bounds. */
const struct vd_noise_kind *vd_noise_kinds(size_t *n);

/* ---- rows of a host ---- */

/* What can be made to go wrong. */
enum vd_host_fault {
    VD_HOST_SPIKE,         /* cpu, for some seconds */
    VD_HOST_STEP,          /* one metric moves to another level, and back at the end */
    VD_HOST_LEAK,          /* memory grows steadily and is freed at the end */
    VD_HOST_NETWORK_BURST, /* one direction of the network, far above its normal rate */
    VD_HOST_DISK_BURST,    /* reading or writing, far above its normal rate */
    VD_HOST_CONTENTION,    /* cpu, memory, disk and load at once */
    VD_HOST_CASCADE,      /* disk, then memory, then cpu, then the network falls silent */
    VD_HOST_FLAT_SENSOR,  /* one metric stands still to the last digit */
    VD_HOST_OFF_SCHEDULE, /* the nightly job, at another hour */
    VD_HOST_FAULTS,
    VD_HOST_NORMAL = VD_HOST_FAULTS, /* no fault */
};

/* Returns "spike", "network_burst", ...; static. NULL for VD_HOST_NORMAL and beyond. */
const char *vd_host_fault_name(enum vd_host_fault fault);

/* A column of the rows. */
struct vd_simulate_column {
    const char *name; /* static */
    int decimals;     /* values are whole multiples of 10^-decimals */
};

/* The tables that can be made. */
enum vd_simulate_preset {
    VD_SIMULATE_HOST,      /* a host with days, weeks, jobs and faults */
    VD_SIMULATE_METRICS2K, /* independent uniform values, 5 % of the rows odd, and faults
                              in the rows 25, 40 .. 45, 60 and 80 */
    VD_SIMULATE_NOISE,     /* noise of the kind `noise` in each column */
};

struct vd_simulate_params {
    enum vd_simulate_preset preset;
    uint64_t seed;
    uint64_t machine;    /* number of the host: another one has other levels and noise */
    uint64_t rows;       /* no fault reaches beyond; at least 1 */
    int64_t start_ns;    /* time of the first row, since 1970 */
    int64_t interval_ns; /* between two rows, above 0 */
    /* HOST only. */
    double share;   /* of the rows that are to be in faults, 0 .. 0.5; the first twentieth
                       of the table has none */
    unsigned kinds; /* 1u << VD_HOST_SPIKE | ...; 0 only with share 0 */
    /* METRICS2K only: memory_available_gb of the fixed faults is what it was before them.
     * It contradicts memory_percent there, as in the sample that the numbers are from. */
    bool stale_available;
    /* NOISE only: index into vd_noise_kinds; their number = one after the other. */
    size_t noise;
};

/* Fills in the defaults: preset HOST, seed 0, machine 0, a week of one row a minute from
 * the first Thursday of 2026 on, share 0.05, all kinds. */
struct vd_simulate_params vd_simulate_params_default(void);

/* A table being made. One thread at a time. */
typedef struct vd_simulate vd_simulate;

/* Makes a generator; free it with vd_simulate_free. VD_ERR_ARGUMENT when a number is out
 * of its bounds, or the last row would be after the year 2090; VD_ERR_MEMORY. */
enum vd_status vd_simulate_new(vd_simulate **simulate,
                               const struct vd_simulate_params *params,
                               struct vd_error *err);

/* Frees it; takes NULL. */
void vd_simulate_free(vd_simulate *simulate);

/* Returns the columns of a preset, static, *n of them. */
const struct vd_simulate_column *vd_simulate_columns(enum vd_simulate_preset preset,
                                                     size_t *n);

/* What is known of a row beside its values. */
struct vd_simulate_label {
    bool anomaly;
    enum vd_host_fault fault; /* VD_HOST_NORMAL also for the odd rows of METRICS2K */
};

/* Makes the next row into value[0 .. columns - 1] and returns its label. Values are
 * rounded to the column's decimals. May be called after the last row; then no fault
 * begins any more. Allocates nothing. */
struct vd_simulate_label vd_simulate_next(vd_simulate *simulate, double *value);

#ifdef __cplusplus
}
#endif

#endif
