/* Makes the summary anew each time from what was added up. */
#include "recording/report.h"

#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "collect/hardware.h"
#include "os/log.h"

static double own_cpu_s(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

/* ---- the hardware ---- */

static void set_known(json_t *object, const char *key, int value)
{
    if (value > 0)
        json_object_set_new(object, key, json_integer(value));
}

/* As prmon takes it from lscpu; what is not known is left out. */
static json_t *hardware_json(void)
{
    struct collect_hardware hardware;
    json_t *cpu = json_object(), *memory = json_object();

    collect_hardware_read(&hardware, NULL);
    set_known(cpu, "CPUs", hardware.cpus);
    set_known(cpu, "CoresPerSocket", hardware.cores_per_socket);
    set_known(cpu, "Sockets", hardware.sockets);
    set_known(cpu, "ThreadsPerCore", hardware.threads_per_core);
    if (*hardware.model != '\0')
        json_object_set_new(cpu, "ModelName", json_string(hardware.model));
    if (!isnan(hardware.memory_kib))
        json_object_set_new(memory, "MemTotal",
                            json_integer((json_int_t)hardware.memory_kib));
    return json_pack("{s:o, s:o}", "cpu", cpu, "mem", memory);
}

/* ---- rows ---- */

void recording_report_open(struct recording_report *report,
                           const struct recording_plan *plan,
                           const struct format_prmon *prmon)
{
    report->plan = plan;
    report->prmon = prmon;
    if (!plan->suppress_hardware)
        report->hardware = hardware_json();
    report->cost_s = own_cpu_s();
}

void recording_report_add(struct recording_report *report,
                          const double value[FORMAT_PRMON_COLUMNS], bool measured)
{
    format_prmon_add(&report->sums, value, measured);
    memcpy(report->last, value, sizeof report->last);
    report->age_s = value[FORMAT_PRMON_WTIME];
    report->recorded_s = value[FORMAT_PRMON_ELAPSED];
    report->rows++;
}

void recording_report_close(struct recording_report *report)
{
    json_decref(report->hardware);
    report->hardware = NULL;
}

const char *recording_report_accounting(bool is_child)
{
    return is_child
               ? "wait4: what ended is counted when it is waited for, by its parent "
                 "or by this program, however short it lived"
               : "/proc: what ended is counted when its parent waits for it; of what "
                 "left the tree, as it was seen last";
}

void recording_report_begin(const struct recording_report *report,
                            const struct recording_sampler *sampler, bool is_child,
                            struct recording_notes *notes)
{
    bool apart = collect_tree_network_is_apart(&sampler->network);

    recording_note(notes, OS_LOG_INFO, "recording to %s; accounting: %s; network: %s",
                   report->plan->filename, is_child ? "wait4" : "/proc",
                   !report->prmon->shown[FORMAT_PRMON_RX_BYTES] ? "none"
                   : apart ? "of the processes' own namespace"
                           : "of the devices, whoever uses them");
    if (report->plan->interval < 1 && !report->plan->fine_time)
        recording_note(notes, OS_LOG_INFO,
                       "Time and wtime are whole seconds, as in prmon, so several rows "
                       "have the same; --fine-time adds a column elapsed_s");
}

/* ---- the summary ---- */

static json_t *network_json(const struct recording_sampler *sampler)
{
    json_t *devices = json_array();

    for (size_t i = 0; i < sampler->network.n_links; i++)
        if (sampler->network.link[i].seen)
            json_array_append_new(devices, json_string(sampler->network.link[i].name));
    return json_pack("{s:s, s:o}", "of",
                     collect_tree_network_is_apart(&sampler->network) ? "namespace"
                                                                      : "device",
                     "devices", devices);
}

/* Rounds to a microsecond. */
static json_t *seconds_json(double seconds)
{
    return json_real(round(seconds * 1e6) / 1e6);
}

static json_t *end_json(const struct recording_child *child)
{
    if (!child->ended)
        return json_null();
    return json_integer(recording_child_exit_code(child));
}

/* What is ours. */
static json_t *own_json(const struct recording_report *report,
                        const struct recording_sampler *sampler,
                        const struct recording_child *child,
                        const struct recording_notes *notes,
                        const recording_verdict *verdict)
{
    double cost_s = own_cpu_s() - report->cost_s;
    json_t *own =
        json_pack("{s:s, s:s, s:i, s:f, s:s, s:o, s:O}", "version", VEDETTE_VERSION,
                  "accounting", recording_report_accounting(child->pid > 0), "rows",
                  (int)report->rows, "interval_s", report->plan->interval, "average",
                  "counters per second; prmon since 3.0.0 writes a hundred times that",
                  "network", network_json(sampler), "notes", notes->list);

    json_object_set_new(own, "cpu_s_of_recorder", seconds_json(cost_s));
    json_object_set_new(
        own, "cpu_ms_per_row",
        json_real(round(cost_s / fmax((double)report->rows, 1) * 1e6) / 1e3));
    if (child->pid > 0) {
        json_object_set_new(own, "exit_code", end_json(child));
        json_object_set_new(own, "max_rss_of_a_process",
                            json_integer((json_int_t)child->max_rss_kib));
    }
    if (verdict != NULL)
        json_object_set(own, "anomalies", recording_verdict_list(verdict));
    return own;
}

json_t *recording_report_json(const struct recording_report *report,
                              const struct recording_sampler *sampler,
                              const struct recording_child *child,
                              const struct recording_notes *notes,
                              const recording_verdict *verdict)
{
    json_t *root = format_prmon_summary(report->prmon, &report->sums, report->age_s,
                                        report->recorded_s, report->plan->units);

    if (report->hardware != NULL)
        json_object_set(root, "HW", report->hardware);
    json_object_set_new(root, "vedette",
                        own_json(report, sampler, child, notes, verdict));
    return root;
}

void recording_report_say(const struct recording_report *report,
                          const struct recording_child *child)
{
    double cost_s = own_cpu_s() - report->cost_s;
    const double *last = report->last;

    if (child->ended && WIFSIGNALED(child->status))
        os_log_info("the command was ended by signal %d (%s)", WTERMSIG(child->status),
                    strsignal(WTERMSIG(child->status)));
    else if (child->pid > 0 && !child->ended)
        os_log_info("the command, process %d, goes on unrecorded", (int)child->pid);
    os_log_info("%s: %zu rows in %.1f s; user %.2f s, system %.2f s, PSS up to %.0f MB; "
                "recording took %.1f ms of CPU a row",
                report->plan->filename, report->rows, report->recorded_s,
                last[FORMAT_PRMON_UTIME], last[FORMAT_PRMON_STIME],
                report->sums.most[FORMAT_PRMON_PSS] / 1024,
                1e3 * cost_s / fmax((double)report->rows, 1));
}
