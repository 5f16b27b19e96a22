/* What `vedette monitor` is going to do: the settings, checked together, as the monitor
 * wants them. */
#ifndef VD_CMD_MONITOR_PLAN_H
#define VD_CMD_MONITOR_PLAN_H

#include "cmd/commands.h"
#include "cmd/monitor_options.h"
#include "monitor/monitor.h"
#include "os/data_dir.h"

enum { MONITOR_PATH_MAX = 4096 };

/* The configuration borrows from the settings and points into the plan. */
struct monitor_plan {
    struct monitor_config config;
    struct format_options table; /* how the recording is read */
    char data_dir[MONITOR_PATH_MAX];
    struct os_data_dir folder; /* the same, opened once; closed = nothing is kept. The
                                  caller's: no plan opens or closes it */
    char sandbox[256];         /* what was given up, as a line */
    const char *detector[RECORD_DETECTORS_MAX];
    const char *feature[DETECT_MULTIVARIATE_COLUMNS];
    vd_model *model; /* owned; NULL = none */
};

/* Fills the plan, which must not be moved afterwards and be released in any case. On
 * failure `fault` says which option is meant, `err` what is wrong with it. */
enum vd_status monitor_plan_make(struct monitor_plan *plan,
                                 const struct monitor_settings *s,
                                 struct cmd_fault *fault, struct vd_error *err);
void monitor_plan_release(struct monitor_plan *plan);

/* The check of the command: makes a plan and drops it. */
enum vd_status monitor_check(const void *settings, struct cmd_fault *fault,
                             struct vd_error *err);

/* Does the same for one that is not going to start: what starting would find out is tried
 * as well, short of taking a port or writing anything. A recording is opened, and the
 * metrics of a model are looked for. */
enum vd_status monitor_rehearse(const void *settings, struct cmd_fault *fault,
                                struct vd_error *err);

#endif
