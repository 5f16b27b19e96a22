/* The main path is monitor_tick; around it stand start and stop. What happens beside a
 * tick is in work.c, what the page asks is answered in status.c. */
#include "monitor/monitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor/state.h"
#include "os/clock.h"
#include "os/log.h"

/* Sets the share of a core for a training beside the ticks: at full speed it would be a
 * peak that every monitor on this machine sees. */
static const double TRAINING_SHARE = 0.05;

static const char *const stage_name[MONITOR_STAGES] = {
    "collect", "feature", "detect", "explain and alert", "store", "show"};

const char *monitor_stage_name(enum monitor_stage stage)
{
    return stage_name[stage];
}

/* Sets the defaults: a tick a second, an hour of the store to learn from, and saving
 * every five minutes. */
struct monitor_config monitor_config_default(void)
{
    return (struct monitor_config){
        .interval_s = 1,
        .collect = collect_config_default(),
        .detect = detect_config_default(),
        .alert = alert_config_default(),
        .channels = alert_channels_config_default(),
        .store_on = true,
        .store = store_config_default(),
        .show_on = true,
        .show = show_config_default(),
        .backfill_s = 3600,
        .save_s = 300,
    };
}

/* ---- one tick ---- */

/* Notes how long the stage took and starts the watch for the next. */
static void stop_watch(monitor *m, enum monitor_stage stage)
{
    int64_t now = os_clock_mono_ns();

    m->stage_us[stage] = (double)(now - m->watch_ns) * 1e-3;
    m->watch_ns = now;
}

/* Takes over how long the host's own stages took. */
static void take_times(monitor *m, const struct host_output *output)
{
    m->stage_us[MONITOR_FEATURE] = output->feature_us;
    m->stage_us[MONITOR_DETECT] = output->detect_us;
    m->stage_us[MONITOR_EXPLAIN] = output->explain_us;
    monitor_count_latency(m);
    m->watch_ns = os_clock_mono_ns();
}

/* Gives what the host says to receivers and store. */
static void hand_over(monitor *m, const struct host_output *output)
{
    struct host_copy copy;

    for (size_t i = 0; i < output->n_told; i++)
        alert_channels_send(m->channels, &output->told[i].event, output->told[i].change);
    if (m->store == NULL)
        return;
    if (output->judged_ended)
        monitor_feedback_reread(m);
    store_set_push(m->store, output->record);
    while (host_copy_next(m->host, &copy)) {
        store_set_moments(m->store, copy.event_id, copy.moment, copy.n);
        history_moments_free(copy.moment, copy.n);
    }
}

/* Does everything that one sample needs, on the loop's thread and in this order. Nothing
 * here waits for a disk or a network. */
void monitor_tick(monitor *m, int64_t time_ns, int64_t mono_ns, int64_t jitter_ns)
{
    const struct host_output *output;

    m->watch_ns = os_clock_mono_ns();
    m->sample.time_ns = time_ns;
    m->sample.mono_ns = mono_ns;
    m->sample.jitter_ns = jitter_ns;
    collect_set_read(m->collect, &m->sample);
    monitor_tell_troubles(m);
    monitor_keep_again(m);
    stop_watch(m, MONITOR_COLLECT);
    if (collect_set_course(m->collect).ended)
        return;

    output = host_tick(m->host, &m->sample);
    take_times(m, output);
    hand_over(m, output);
    stop_watch(m, MONITOR_STORE);
    if (m->show != NULL)
        show_server_publish(m->show, output->record);
    stop_watch(m, MONITOR_SHOW);

    monitor_train_when_due(m);
    monitor_save_when_due(m);
}

/* ---- start ---- */

/* Numbers an event: by the store where there is one, so that numbers go on over
 * restarts. */
static int64_t next_event_id(void *context)
{
    monitor *m = context;

    return m->store != NULL ? store_set_next_event_id(m->store) : ++m->last_event_id;
}

static double pss_of(void *context, int pid)
{
    const monitor *m = context;

    return collect_process_pss(&m->config.collect, pid);
}

/* Opens the store, and then the channels, whose notices it keeps. */
static enum vd_status open_sinks(monitor *m, struct vd_error *err)
{
    enum vd_status status = VD_OK;

    if (m->config.store_on)
        status = store_set_new(&m->store, &m->config.store, err);
    monitor_keep_alerts(m);
    if (status == VD_OK)
        status = alert_channels_new(&m->channels, &m->config.channels, err);
    return status;
}

/* Writes the dashboard's address into the store's lock, so that `vedette feedback` finds
 * who watches. */
static void announce(const monitor *m)
{
    const char *listens = m->config.show.address;
    bool bracket = strchr(listens, ':') != NULL;
    char address[96];

    snprintf(address, sizeof address, "%s%s%s:%d", bracket ? "[" : "", listens,
             bracket ? "]" : "", show_server_port(m->show));
    if (m->store != NULL)
        store_set_announce(m->store, address);
}

/* Opens the dashboard. Without a loop nothing could answer, so a replay has none. */
static enum vd_status open_dashboard(monitor *m, struct vd_error *err)
{
    struct show_source source = monitor_show_source(m);
    enum vd_status status;

    if (!m->config.show_on || m->config.loop == NULL)
        return VD_OK;
    status = show_server_new(&m->show, m->config.loop, &m->config.show, &source, err);
    if (status == VD_OK)
        announce(m);
    return status;
}

/* Makes the source of the samples: the collectors of this machine, or a recording. */
static enum vd_status open_source(monitor *m, struct vd_error *err)
{
    m->sample.schema = &m->schema;
    m->sample.pss = pss_of;
    m->sample.pss_context = m;
    return collect_set_new(&m->collect, &m->config.collect, NULL, &m->schema, err);
}

/* Makes the host. A recording brings its own interval, and whatever counts in samples has
 * to know it. */
static enum vd_status open_host(monitor *m, struct vd_error *err)
{
    double interval_s = collect_set_course(m->collect).interval_s;
    struct host_config config = {
        .detect = m->config.detect,
        .rules = &m->config.rules,
        .alert = m->config.alert,
        .keeps_moments = m->store != NULL,
        .next_event_id = next_event_id,
        .group_of = monitor_group_of,
        .context = m,
    };

    if (interval_s > 0)
        m->config.interval_s = interval_s;
    config.interval_s = m->config.interval_s;
    if (m->config.loop != NULL)
        config.detect.training_share = TRAINING_SHARE;
    return host_new(&m->host, &config, &m->schema, err);
}

/* Makes the monitor in the order in which the parts need each other: the schema comes
 * with the source, and the host needs the schema. */
enum vd_status monitor_new(monitor **out, const struct monitor_config *config,
                           struct vd_error *err)
{
    monitor *m = calloc(1, sizeof *m);
    enum vd_status status = VD_ERR_MEMORY;
    struct monitor_fault fault;

    *out = NULL;
    if (m == NULL)
        goto out;
    m->config = *config;
    m->started_ns = os_clock_wall_ns();
    gethostname(m->host_name, sizeof m->host_name - 1);
    m->config.channels.host = m->host_name;
    status = open_sinks(m, err);
    if (status == VD_OK)
        status = open_source(m, err);
    if (status == VD_OK)
        status = open_host(m, err);
    if (status == VD_OK)
        status = monitor_check_names(&m->config, &m->schema, &fault, err);
    if (status == VD_OK)
        status = open_dashboard(m, err);
    if (status == VD_OK)
        monitor_restore(m);
out:
    if (status != VD_OK) {
        vd_error_set(err, status, NULL, "the monitor cannot start: %s",
                     vd_status_text(status));
        monitor_free(m);
        return status;
    }
    *out = m;
    return VD_OK;
}

void monitor_reopen_files(monitor *m)
{
    if (m->store != NULL)
        store_set_reopen(m->store);
}

/* Keeps what the end leaves: copies of the flight recorder that still wait, and the
 * models. */
static void keep_rest(monitor *m)
{
    struct host_copy copy;

    while (host_copy_rest(m->host, &copy)) {
        store_set_moments(m->store, copy.event_id, copy.moment, copy.n);
        history_moments_free(copy.moment, copy.n);
    }
    monitor_save(m);
}

/* Ends the monitor. Workers are waited for first, then the rest is saved on this thread,
 * and the channels go before the store, which keeps what they could not deliver. */
void monitor_free(monitor *m)
{
    if (m == NULL)
        return;
    if (m->job != NULL)
        host_work_stop(m->job);
    while (m->config.loop != NULL && monitor_is_busy(m))
        uv_run(m->config.loop, UV_RUN_ONCE);
    show_server_free(m->show);
    m->config.loop = NULL; /* what is still to be done is done here */
    if (m->store != NULL && m->host != NULL && host_record(m->host)->value != NULL)
        keep_rest(m);
    alert_channels_free(m->channels);
    store_set_close(m->store);
    host_free(m->host);
    collect_set_free(m->collect);
    collect_sample_release(&m->sample);
    record_schema_release(&m->schema);
    free(m);
}

/* ---- what is asked ---- */

bool monitor_ended(const monitor *m, double *done)
{
    struct collect_course course = collect_set_course(m->collect);

    *done = course.done;
    return course.ended;
}

int monitor_port(const monitor *m)
{
    return m->show == NULL ? 0 : show_server_port(m->show);
}

/* Sums up the run for its last line. */
void monitor_summary(const monitor *m, struct monitor_summary *out)
{
    struct store_counters counters[STORE_SINKS_MAX];
    size_t n =
        m->store == NULL ? 0 : store_set_counters(m->store, counters, STORE_SINKS_MAX);

    out->lost = 0;
    host_status(m->host, &out->host);
    for (size_t i = 0; i < n; i++)
        out->lost += counters[i].lost;
}
