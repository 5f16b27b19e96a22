/* One loop on one thread: it waits for the next sample, the next phase or a signal. */
#include "recording/recording.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"
#include "recording/child.h"
#include "recording/files.h"
#include "recording/live.h"
#include "recording/notes.h"
#include "recording/phases.h"
#include "recording/report.h"
#include "recording/sampler.h"
#include "recording/signals.h"
#include "recording/verdict.h"

static const int64_t LOOK_NS = 200000000;

struct recording {
    const struct recording_plan *plan;
    struct format_prmon prmon;
    struct recording_signals signals;
    struct recording_child child;
    struct recording_phases phases;
    struct recording_sampler sampler;
    struct recording_table table;
    struct recording_summary summary;
    struct recording_notes notes;
    struct recording_shown live;
    struct recording_report report;
    recording_verdict *verdict;                 /* NULL = not wanted */
    int pidfd;                                  /* of --pid; -1 = none */
    int64_t interval_ns, due_ns, linger_end_ns; /* monotonic; the last 0 = not yet */
    bool stopped;                               /* by a signal */
};

/* ---- samples ---- */

static const char *label(const struct recording *r)
{
    if (r->phases.n > 0)
        return recording_phases_label(&r->phases);
    return r->plan->phase != NULL ? r->plan->phase : "";
}

/* Says once that something may not be read, and what stands for it. */
static void note_refusals(struct recording *r)
{
    const struct collect_tree_use *use = &r->sampler.use;

    if (use->memory_refused > 0 && !r->report.told_memory)
        recording_note(&r->notes, OS_LOG_WARNING,
                       "the PSS of %zu process%s belongs to someone else and may not be "
                       "read: %s",
                       use->memory_refused, use->memory_refused == 1 ? "" : "es",
                       isnan(use->pss) ? "its fields are empty" : "RSS stands for it");
    if (use->io_refused > 0 && !r->report.told_io)
        recording_note(&r->notes, OS_LOG_WARNING,
                       "the I/O of %zu process%s belongs to someone else and may not be "
                       "read: it counts when somebody waited for them",
                       use->io_refused, use->io_refused == 1 ? "" : "es");
    if (r->sampler.nvml != NULL && isnan(r->sampler.gpu.percent) && !r->report.told_gpu)
        recording_note(&r->notes, OS_LOG_WARNING,
                       "the driver does not say what these processes use of the GPU%s: "
                       "its fields are empty",
                       r->sampler.numbers_differ
                           ? " (it knows them by other numbers than "
                             "this container)"
                           : "");
    r->report.told_memory |= use->memory_refused > 0;
    r->report.told_io |= use->io_refused > 0;
    r->report.told_gpu |= r->sampler.nvml != NULL && isnan(r->sampler.gpu.percent);
}

static void judge(struct recording *r, const double value[FORMAT_PRMON_COLUMNS],
                  int64_t now_ns)
{
    switch (recording_verdict_read(r->verdict, value, os_clock_wall_ns(), now_ns)) {
    case RECORDING_ODD_BEGAN:
        recording_note(&r->notes, OS_LOG_WARNING, "%.1f s: %s",
                       value[FORMAT_PRMON_ELAPSED], recording_verdict_text(r->verdict));
        break;
    case RECORDING_ODD_ENDED:
        recording_note(&r->notes, OS_LOG_INFO, "%.1f s: normal again",
                       value[FORMAT_PRMON_ELAPSED]);
        break;
    case RECORDING_SAME:
        break;
    }
    snprintf(r->live.verdict, sizeof r->live.verdict, "%s",
             recording_verdict_text(r->verdict));
}

/* Takes a sample and writes it: into the table at once, into the snapshot of the summary
 * at most once a second. */
static void take_sample(struct recording *r, bool last)
{
    double value[FORMAT_PRMON_COLUMNS];
    char line[FORMAT_PRMON_LINE_MAX];
    bool measured = recording_sampler_read(&r->sampler, value);
    int64_t now_ns = os_clock_mono_ns();
    size_t size = format_prmon_row(&r->prmon, value, label(r), line);

    recording_table_write(&r->table, line, size);
    recording_report_add(&r->report, value, measured);
    note_refusals(r);
    if (r->verdict != NULL && measured)
        judge(r, value, now_ns);
    recording_live_show(&r->live, value, label(r), now_ns);
    if (!last && recording_summary_is_due(&r->summary, now_ns)) {
        json_t *root = recording_report_json(&r->report, &r->sampler, &r->child,
                                             &r->notes, r->verdict);

        recording_summary_snapshot(&r->summary, root, now_ns);
        json_decref(root);
    }
}

/* The schedule is absolute, so that a late sample does not move those after it; samples
 * that were missed altogether are not made up for. */
static void schedule(struct recording *r)
{
    int64_t now_ns = os_clock_mono_ns();

    r->due_ns += r->interval_ns;
    if (r->due_ns <= now_ns)
        r->due_ns +=
            (now_ns - r->due_ns) / r->interval_ns * r->interval_ns + r->interval_ns;
}

/* ---- the loop ---- */

/* Handles the signals that wait. */
static void take_signals(struct recording *r)
{
    struct recording_signal signal;

    while (recording_signals_next(&r->signals, &signal.number, &signal.code)) {
        signal.has_command = r->child.pid > 0 && !r->child.ended;
        signal.caught = signal.number == SIGUSR1 && signal.has_command &&
                        recording_child_catches(&r->child, SIGUSR1);
        switch (recording_signal_act(&signal)) {
        case RECORDING_REAP:
            recording_child_reap(&r->child);
            break;
        case RECORDING_FORWARD:
            kill(r->child.pid, signal.number);
            break;
        case RECORDING_STOP:
            r->stopped = true;
            break;
        case RECORDING_IGNORE:
            break;
        }
    }
}

/* Says that the command has ended and others go on; they are given some time. */
static void begin_lingering(struct recording *r)
{
    r->linger_end_ns = os_clock_mono_ns() + (int64_t)(r->plan->linger * 1e9);
    if (r->plan->linger > 0)
        recording_note(&r->notes, OS_LOG_INFO,
                       "the command has ended, and left processes behind: they are "
                       "recorded for up to %g s (--linger)",
                       r->plan->linger);
}

/* Tells whether the process of --pid has ended. */
static bool has_ended(const struct recording *r)
{
    struct pollfd end = {r->pidfd, POLLIN, 0};

    return r->pidfd >= 0 ? poll(&end, 1, 0) > 0 : kill((pid_t)r->plan->pid, 0) != 0;
}

/* Tells whether the recording is over. */
static bool is_over(struct recording *r)
{
    if (r->stopped)
        return true;
    if (r->child.pid == 0)
        return !r->sampler.use.has_root || has_ended(r);
    if (!r->child.ended)
        return false;
    if (r->child.all_ended)
        return true;
    if (r->linger_end_ns == 0)
        begin_lingering(r);
    return os_clock_mono_ns() >= r->linger_end_ns;
}

/* Waits until the monotonic time `until_ns`, a signal, or the end of the process. */
static void wait_until(struct recording *r, int64_t until_ns)
{
    struct pollfd fds[] = {{r->signals.fd, POLLIN, 0}, {r->pidfd, POLLIN, 0}};
    int64_t left = until_ns - os_clock_mono_ns();
    struct timespec timeout = os_clock_timespec(left > 0 ? left : 0);

    ppoll(fds, 2, &timeout, NULL);
}

/* The next time at which there is something to do. */
static int64_t next_time(const struct recording *r)
{
    int64_t next = r->due_ns;

    if (r->phases.n > 0 && r->phases.end_ns < next)
        next = r->phases.end_ns;
    if (r->linger_end_ns != 0 && r->linger_end_ns < next)
        next = r->linger_end_ns;
    /* Kernels before 5.3 do not tell of the end of a process that is no child. */
    if (r->child.pid == 0 && r->pidfd < 0 && next > os_clock_mono_ns() + LOOK_NS)
        next = os_clock_mono_ns() + LOOK_NS;
    return next;
}

/* Goes on to the next phase when it is time; after the last one the process that made the
 * loads ends, and with it the recording. */
static void lead_phases(struct recording *r)
{
    if (r->phases.n > 0 && r->phases.control >= 0 &&
        !recording_phases_go(&r->phases, os_clock_mono_ns())) {
        recording_phases_close(&r->phases);
        r->phases.end_ns = INT64_MAX;
    }
}

static void record(struct recording *r)
{
    lead_phases(r);
    r->due_ns = os_clock_mono_ns();
    while (!is_over(r)) {
        if (os_clock_mono_ns() >= r->due_ns) {
            take_sample(r, false);
            schedule(r);
        }
        wait_until(r, next_time(r));
        take_signals(r);
        lead_phases(r);
    }
    if (!r->sampler.has_before)
        take_sample(r, false);
    take_sample(r, true);
}

/* ---- start ---- */

/* Takes out the columns that are switched off, by option and by prmon's variable. */
static void disable(struct recording *r, const char *monitor)
{
    if (*monitor != '\0' && !format_prmon_disable(&r->prmon, monitor))
        recording_note(&r->notes, OS_LOG_WARNING,
                       strcmp(monitor, "wallmon") == 0
                           ? "the monitor %s cannot be disabled"
                           : "there is no monitor %s to disable",
                       monitor);
}

static void choose_columns(struct recording *r)
{
    char *copy = getenv("PRMON_DISABLE_MONITOR"), *rest = NULL;

    for (int i = 0; i < FORMAT_PRMON_COLUMNS; i++)
        r->prmon.shown[i] = i != FORMAT_PRMON_ELAPSED || r->plan->fine_time;
    r->prmon.has_phase = r->plan->phase != NULL || r->plan->phases != NULL;
    r->prmon.whole_seconds = r->plan->whole_seconds;
    for (size_t i = 0; i < r->plan->disable.n; i++)
        disable(r, r->plan->disable.at[i]);
    copy = copy == NULL ? NULL : strdup(copy);
    for (char *word = copy == NULL ? NULL : strtok_r(copy, ",", &rest); word != NULL;
         word = strtok_r(NULL, ",", &rest))
        disable(r, word);
    free(copy);
}

/* Opens the files first: a command must not run when its recording has no place. */
static enum vd_status open_files(struct recording *r, struct vd_error *err)
{
    enum vd_status status = recording_notes_open(&r->notes, r->plan->log_filename, err);

    if (status == VD_OK)
        status = recording_table_open(&r->table, r->plan->filename, err);
    if (status == VD_OK)
        status = recording_summary_open(&r->summary, r->plan->json_summary, err);
    return status;
}

static enum vd_status attach(struct recording *r, struct vd_error *err)
{
    if (r->plan->pid == getpid())
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "--pid: that is this program");
    if (kill((pid_t)r->plan->pid, 0) != 0 && errno == ESRCH)
        return vd_error_set(err, VD_ERR_DATA, NULL, "--pid: there is no process %ld",
                            r->plan->pid);
#ifdef SYS_pidfd_open
    r->pidfd = (int)syscall(SYS_pidfd_open, (pid_t)r->plan->pid, 0);
#endif
    return VD_OK;
}

/* Starts what is to be recorded. */
static enum vd_status begin(struct recording *r, int *code, struct vd_error *err)
{
    if (r->phases.n > 0)
        return recording_phases_start(&r->phases, &r->child, r->plan, &r->signals.before,
                                      err);
    if (r->plan->command != NULL)
        return recording_child_start(&r->child, r->plan->command, &r->signals.before,
                                     code, err);
    return attach(r, err);
}

static enum vd_status open_watch(struct recording *r, struct vd_error *err)
{
    int pid = r->child.pid > 0 ? (int)r->child.pid : (int)r->plan->pid;
    char line[FORMAT_PRMON_LINE_MAX];
    enum vd_status status = recording_sampler_open(&r->sampler, r->plan, pid,
                                                   r->child.pid > 0, &r->prmon, err);

    if (status == VD_OK && r->plan->detect)
        status = recording_verdict_new(&r->verdict, &r->prmon, r->plan->interval, err);
    if (status != VD_OK)
        return status;
    recording_report_open(&r->report, r->plan, &r->prmon);
    recording_live_open(&r->live, (enum recording_live)r->plan->live,
                        r->plan->command != NULL);
    recording_table_write(&r->table, line, format_prmon_head(&r->prmon, line));
    recording_report_begin(&r->report, &r->sampler, r->child.pid > 0, &r->notes);
    return VD_OK;
}

/* ---- end ---- */

static enum vd_status close_files(struct recording *r, struct vd_error *err)
{
    json_t *root =
        recording_report_json(&r->report, &r->sampler, &r->child, &r->notes, r->verdict);
    enum vd_status status = recording_summary_close(&r->summary, root, err);

    json_decref(root);
    if (r->table.lost > 0 && status == VD_OK)
        status = vd_error_set(err, VD_ERR_IO, NULL,
                              "%s: %s: %zu row%s could not be "
                              "written",
                              r->plan->filename, r->table.why, r->table.lost,
                              r->table.lost == 1 ? "" : "s");
    return status;
}

static void close_all(struct recording *r)
{
    recording_live_close(&r->live);
    recording_phases_close(&r->phases);
    recording_verdict_free(r->verdict);
    recording_sampler_close(&r->sampler);
    recording_report_close(&r->report);
    recording_notes_close(&r->notes);
    recording_table_close(&r->table);
    recording_signals_close(&r->signals);
    if (r->pidfd >= 0)
        close(r->pidfd);
}

enum vd_status recording_run(const struct recording_plan *plan, int *code,
                             struct vd_error *err)
{
    struct recording r = {.plan = plan,
                          .table.fd = -1,
                          .signals.fd = -1,
                          .pidfd = -1,
                          .phases.control = -1,
                          .interval_ns = (int64_t)(plan->interval * 1e9)};
    enum vd_status status = VD_OK;

    *code = 0;
    if (plan->phases != NULL)
        status = recording_phases_parse(&r.phases, plan->phases, err);
    if (status == VD_OK)
        status = open_files(&r, err);
    if (status == VD_OK)
        status = recording_signals_open(&r.signals, err);
    if (status == VD_OK) {
        choose_columns(&r);
        status = begin(&r, code, err);
    }
    if (status == VD_OK)
        status = open_watch(&r, err);
    if (status == VD_OK) {
        record(&r);
        *code = r.child.ended ? recording_child_exit_code(&r.child) : 0;
        recording_live_close(&r.live);
        recording_report_say(&r.report, &r.child);
        status = close_files(&r, err);
    }
    close_all(&r);
    return status;
}
