/* The program around a watched host: samples come from the collectors and go through the
 * host, what it gives goes to store, receivers of alerts and page; its work runs on
 * worker threads. One tick reads top to bottom in monitor.c. Live, in replay and in tests
 * it is the same code; only who calls monitor_tick differs.
 */
#ifndef VD_MONITOR_H
#define VD_MONITOR_H

#include <uv.h>

#include "alert/channels.h"
#include "alert/events.h"
#include "collect/collectors.h"
#include "detect/detect.h"
#include "detect/rules.h"
#include "host/host.h"
#include "show/server.h"
#include "store/sinks.h"

struct monitor_config {
    double interval_s;
    struct collect_config collect;
    struct detect_config detect;
    struct detect_rules rules;
    struct alert_config alert;
    struct alert_channels_config channels;
    bool store_on; /* false: nothing is kept */
    struct store_config store;
    bool show_on; /* false: no dashboard */
    struct show_config show;
    double backfill_s; /* how much of the store's past is learned from at start */
    double save_s;     /* models are saved so often */
    uv_loop_t *loop;   /* trains and saves on its worker threads; NULL = on the tick */
};

struct monitor_config monitor_config_default(void);

/* The option of `vedette monitor`, and the item of a list, that names what is not here.
 */
struct monitor_fault {
    const char *option; /* static */
    size_t item;
};

/* Whether what the configuration names can be there: the metrics of rules and features,
 * here or at all on any machine; those of the model here. Says which cannot. */
enum vd_status monitor_check_names(const struct monitor_config *config,
                                   const struct record_schema *schema,
                                   struct monitor_fault *fault, struct vd_error *err);

typedef struct monitor monitor;

enum vd_status monitor_new(monitor **out, const struct monitor_config *config,
                           struct vd_error *err);

/* Runs one tick, begun at these times, `jitter_ns` after it was due. */
void monitor_tick(monitor *m, int64_t time_ns, int64_t mono_ns, int64_t jitter_ns);

/* The store's files are opened again by their names, after a logrotate. */
void monitor_reopen_files(monitor *m);

/* Whether a replay has come to its end, and how much of it is done (0 .. 1). */
bool monitor_ended(const monitor *m, double *done);

/* The dashboard's port, 0 when there is none. */
int monitor_port(const monitor *m);

struct monitor_summary {
    struct host_status host;
    uint64_t lost; /* records that a sink could not take */
};

void monitor_summary(const monitor *m, struct monitor_summary *out);

/* Returns what a metric is about, for those who compare events. */
int monitor_group_of(const char *metric);

/* Saves the models, flushes and closes everything. Waits for a training under way; the
 * loop has to run once more for the dashboard's connections. Takes NULL. */
void monitor_free(monitor *m);

#endif
