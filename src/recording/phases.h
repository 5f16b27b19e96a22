/* Labelled phases: a process that makes one load after the other while it is recorded. */
#ifndef VD_RECORDING_PHASES_H
#define VD_RECORDING_PHASES_H

#include <stdint.h>

#include "recording/child.h"
#include "recording/plan.h"

enum { RECORDING_PHASES_MAX = 64, RECORDING_PHASE_NAME_MAX = 64 };

/* Zero-initialise. */
struct recording_phases {
    char name[RECORDING_PHASES_MAX][RECORDING_PHASE_NAME_MAX];
    size_t n, at;      /* at == n: they are over */
    int64_t length_ns; /* of each */
    int64_t end_ns;    /* monotonic: of the one that runs */
    int control;       /* a pipe to the process; it ends when the pipe closes */
};

/* Takes "baseline,memory,recovery": VD_ERR_ARGUMENT names one that is none. */
enum vd_status recording_phases_parse(struct recording_phases *phases, const char *text,
                                      struct vd_error *err);

/* Starts the process, which does nothing yet. */
enum vd_status recording_phases_start(struct recording_phases *phases,
                                      struct recording_child *child,
                                      const struct recording_plan *plan,
                                      const sigset_t *mask, struct vd_error *err);

/* Begins the first phase at `now_ns`, or the next one when its time has come. False when
 * all are over. */
bool recording_phases_go(struct recording_phases *phases, int64_t now_ns);

/* The label of the phase that runs, or that ran last. */
const char *recording_phases_label(const struct recording_phases *phases);

/* Lets the process end. */
void recording_phases_close(struct recording_phases *phases);

#endif
