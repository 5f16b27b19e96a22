/* vedette monitor: watches this machine, or replays a recording through the same code. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "cmd/monitor_plan.h"
#include "monitor/monitor.h"
#include "os/clock.h"
#include "os/data_dir.h"
#include "os/log.h"
#include "os/peek.h"
#include "os/sandbox.h"
#include "os/terminal.h"

/* ---- the loop ---- */

/* Bounds system_monitor.log: it is rotated at this size in bytes, and LOG_FILES old ones
 * are kept, compressed. */
static const double LOG_BYTES = 5e6;
enum { LOG_FILES = 5 };

/* Holds what the timer and the signals share. All of them run on the loop's thread, so
 * nothing is locked. */
struct watch {
    monitor *monitor;
    uv_loop_t *loop;
    uv_timer_t timer;
    uv_signal_t on_int, on_term, on_hup;
    int64_t interval_ns;
    int64_t due_ns; /* monotonic: when the next tick is due */
    int64_t end_ns; /* monotonic; INT64_MAX = never */
    bool stopping;
};

static void schedule(struct watch *watch);

/* Samples when a tick is due, and sets the timer for the next one. A timer that fires too
 * early is only set again. */
static void on_tick(uv_timer_t *timer)
{
    struct watch *watch = timer->data;
    int64_t now = os_clock_mono_ns();

    if (now >= watch->due_ns) {
        monitor_tick(watch->monitor, os_clock_wall_ns(), now, now - watch->due_ns);
        /* The schedule is absolute: a late tick does not shift those after it, and ticks
         * that were missed altogether are not made up for. */
        watch->due_ns += watch->interval_ns;
        now = os_clock_mono_ns();
        if (watch->due_ns <= now)
            watch->due_ns +=
                (now - watch->due_ns) / watch->interval_ns * watch->interval_ns +
                watch->interval_ns;
        if (now >= watch->end_ns)
            watch->stopping = true;
    }
    if (watch->stopping)
        uv_stop(watch->loop);
    else
        schedule(watch);
}

/* Starts the timer for the next tick. */
static void schedule(struct watch *watch)
{
    int64_t wait = watch->due_ns - os_clock_mono_ns();

    /* libuv counts from the loop's cached time in whole milliseconds: refresh it, and
     * round up, so that the tick is late by less than one and never early. */
    uv_update_time(watch->loop);
    uv_timer_start(&watch->timer, on_tick,
                   wait <= 0 ? 0 : (uint64_t)((wait + 999999) / 1000000), 0);
}

/* Ends the loop, or on SIGHUP opens the files again, as logrotate expects after it has
 * moved them. libuv calls it on the loop and not within the signal, so it may do
 * anything. */
static void on_signal(uv_signal_t *signal, int number)
{
    struct watch *watch = signal->data;

    if (number == SIGHUP) {
        os_log_reopen();
        monitor_reopen_files(watch->monitor);
        return;
    }
    watch->stopping = true;
    uv_stop(watch->loop);
}

/* Lets libuv deliver the signal on the loop. */
static void start_signal(struct watch *watch, uv_signal_t *signal, int number)
{
    uv_signal_init(watch->loop, signal);
    signal->data = watch;
    uv_signal_start(signal, on_signal, number);
}

/* Asks the loop to close the handles. They are closed when it has run once more. */
static void close_handles(struct watch *watch)
{
    uv_close((uv_handle_t *)&watch->timer, NULL);
    uv_close((uv_handle_t *)&watch->on_int, NULL);
    uv_close((uv_handle_t *)&watch->on_term, NULL);
    uv_close((uv_handle_t *)&watch->on_hup, NULL);
}

/* Says at the end what was seen. Lost records are named only when there are some. */
static void print_summary(const monitor *p)
{
    struct monitor_summary s;

    monitor_summary(p, &s);
    printf("%llu sample%s, %llu event%s, %llu alert%s. Budget %g a week, so far ",
           (unsigned long long)s.host.ticks, s.host.ticks == 1 ? "" : "s",
           (unsigned long long)s.host.events, s.host.events == 1 ? "" : "s",
           (unsigned long long)s.host.alerts, s.host.alerts == 1 ? "" : "s",
           s.host.budget_per_week);
    if (isnan(s.host.achieved_per_week))
        printf("too early to say");
    else
        printf("%.2g a week", s.host.achieved_per_week);
    printf(" (threshold: surprise %.2f).\n", s.host.threshold);
    if (s.lost > 0)
        printf("%llu records could not be kept; the log says why.\n",
               (unsigned long long)s.lost);
}

/* Says when the first verdicts come. With the models of the last run there is nothing to
 * wait for. */
static void print_state(const monitor *p, double warm_up_s)
{
    struct monitor_summary s;

    monitor_summary(p, &s);
    if (s.host.confidence > 0)
        puts("Watching this machine with the models of the last run. Ctrl-C stops.");
    else
        printf("Watching this machine; the first verdicts come after %.0f s. Ctrl-C "
               "stops.\n",
               warm_up_s);
}

/* Opens the general log, which lies beside the data. Without it the console is enough, so
 * a failure is a warning. */
static void open_log(const struct monitor_plan *plan)
{
    struct vd_error err = {0};

    if (plan->config.store_on && os_log_open(&plan->folder, "system_monitor.log",
                                             LOG_BYTES, LOG_FILES, &err) != VD_OK)
        os_log_warning("no log file: %s", err.text);
}

/* Opens the folder before the rights are given up: afterwards it could not be made. */
static enum vd_status open_data_dir(struct monitor_plan *plan, struct vd_error *err)
{
    enum vd_status status;

    if (!plan->config.store_on)
        return VD_OK;
    status = os_data_dir_open(&plan->folder, plan->data_dir, OS_DATA_DIR_WRITE, err);
    plan->config.store.folder = &plan->folder;
    return status;
}

/* Switches the sandbox off in a build with a sanitizer: what finds leaks traces its own
 * process, which the sandbox forbids. */
enum { CANNOT_GIVE_UP = VD_SANITIZED };

/* Enters the sandbox. It must be called before the first thread and the first socket,
 * since a thread keeps the rights that it had. The kernel log and the helper that reads
 * the I/O of processes are opened before, as both need rights that are given up. A replay
 * needs neither; the helper is only for this machine's own processes, so another root
 * does without it. */
static void give_up_rights(const struct monitor_settings *s, struct monitor_plan *plan)
{
    bool is_input = s->replay != NULL && strcmp(s->replay, "-") == 0;
    const char *const read[] = {s->root, is_input ? "/dev/stdin" : s->replay, s->nvml};
    const struct os_sandbox sandbox = {
        .data_dir = plan->folder.fd,
        .read = read,
        .n_read = sizeof read / sizeof read[0],
        .low_port = plan->config.show_on && s->port > 0 && s->port < 1024,
    };
    struct vd_error err = {0};

    snprintf(plan->sandbox, sizeof plan->sandbox, "off");
    if (!s->sandbox || CANNOT_GIVE_UP)
        return;
    if (s->replay == NULL && s->root == NULL &&
        os_peek_start(&plan->config.collect.peek, &err) != VD_OK)
        os_log_warning("the I/O of processes is not known: %s", err.text);
    if (s->replay == NULL)
        plan->config.collect.kernel_log = collect_kernel_log_open(s->root);
    os_sandbox_enter(&sandbox, plan->sandbox, sizeof plan->sandbox);
}

/* Runs the monitor until it is stopped. Handles are closed by the loop, so it runs once
 * more after they were told to close; only then can it be freed. */
static int watch_machine(const struct monitor_settings *s, struct monitor_plan *plan,
                         struct vd_error *err)
{
    uv_loop_t loop;
    struct watch watch = {.loop = &loop, .interval_ns = (int64_t)(s->interval * 1e9)};
    enum vd_status status;

    if (uv_loop_init(&loop) != 0) {
        vd_error_set(err, VD_ERR_MEMORY, NULL, "no event loop");
        return CMD_FAILED;
    }
    plan->config.loop = &loop;
    status = monitor_new(&watch.monitor, &plan->config, err);
    if (status == VD_OK) {
        uv_timer_init(&loop, &watch.timer);
        watch.timer.data = &watch;
        start_signal(&watch, &watch.on_int, SIGINT);
        start_signal(&watch, &watch.on_term, SIGTERM);
        start_signal(&watch, &watch.on_hup, SIGHUP);
        open_log(plan);
        os_log_record(OS_LOG_INFO, "vedette " VEDETTE_VERSION " started, process %d",
                      (int)getpid());
        if (plan->config.show_on)
            printf("Dashboard: http://%s:%d/\n", s->address, monitor_port(watch.monitor));
        if (plan->config.store_on)
            printf("Data:      %s\n", plan->data_dir);
        printf("Sandbox:   %s\n", plan->sandbox);
        os_log_record(OS_LOG_INFO, "sandbox: %s", plan->sandbox);
        print_state(watch.monitor, s->warm_up);
        fflush(stdout);
        watch.due_ns = os_clock_mono_ns();
        watch.end_ns =
            s->duration > 0 ? watch.due_ns + (int64_t)(s->duration * 1e9) : INT64_MAX;
        schedule(&watch);
        uv_run(&loop, UV_RUN_DEFAULT);
        print_summary(watch.monitor);
        os_log_record(OS_LOG_INFO, "stopped");
        close_handles(&watch);
    }
    monitor_free(watch.monitor);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    os_log_close();
    return status == VD_OK ? CMD_OK : CMD_FAILED;
}

/* Plays a recording. There is no clock: the recording brings its own times, and each row
 * is a tick. */
static int replay(struct monitor_plan *plan, struct vd_error *err)
{
    int percent = 0;
    double done;
    monitor *p;

    if (monitor_new(&p, &plan->config, err) != VD_OK)
        return CMD_FAILED;
    while (!monitor_ended(p, &done)) {
        monitor_tick(p, 0, 0, 0);
        if ((int)(100 * done) > percent) {
            percent = (int)(100 * done);
            os_terminal_progress(done);
        }
    }
    os_terminal_progress(1);
    print_summary(p);
    monitor_free(p);
    return CMD_OK;
}

/* Runs the monitor or a replay. The data directory is opened before the sandbox, and
 * closed after all that writes to it. */
static int run(void *settings, int argc, char **argv)
{
    const struct monitor_settings *s = settings;
    struct monitor_plan plan;
    struct cmd_fault fault = {0};
    struct vd_error err = {0};
    int code;

    (void)argc;
    (void)argv;
    if (monitor_plan_make(&plan, s, &fault, &err) != VD_OK ||
        open_data_dir(&plan, &err) != VD_OK) {
        code = cmd_failed(&err);
    } else {
        give_up_rights(s, &plan);
        code = s->replay == NULL ? watch_machine(s, &plan, &err) : replay(&plan, &err);
        if (err.status != VD_OK)
            os_log_failure(&err);
    }
    os_peek_stop(plan.config.collect.peek);
    os_data_dir_close(&plan.folder);
    monitor_plan_release(&plan);
    return code;
}

const struct cmd_command cmd_monitor = {
    .name = "monitor",
    .summary = "Watch this machine and say when something is not normal",
    .about =
        "Samples this machine once a second, learns what is normal for it, and says "
        "within "
        "seconds when something is not: which metric, what was expected, and which "
        "process "
        "is behind it. The dashboard's address is printed at start.\n\n"
        "Nothing has to be configured. The first verdicts come after a minute, with a "
        "confidence that grows as more has been seen. What was flagged is kept out of "
        "training. The alert budget decides what goes out as an alert; everything else "
        "that "
        "was noticed is in the list of events.",
    .examples = "vedette monitor\n"
                "    Watch this machine, dashboard on http://127.0.0.1:5000/\n"
                "vedette monitor --budget 0.25 --webhook https://example.org/hook\n"
                "    At most one false alarm a month, sent to a webhook\n"
                "vedette monitor --rule \"memory_available_gb < 1 for 30s critical\"\n"
                "    A hard limit of your own\n"
                "vedette monitor --replay metrics_history.csv --no-store\n"
                "    Run a recording through the same detectors\n",
    .options = monitor_options,
    .list = monitor_list_rules,
    .list_title = "Built-in limits",
    .settings_size = sizeof(struct monitor_settings),
    .check = monitor_check,
    .rehearse = monitor_rehearse,
    .run = run,
};
