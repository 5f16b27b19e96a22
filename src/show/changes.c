/* Values are compared as they are written, with four digits: what moves less than that is
 * not told again. The name and the command of a process are told once. */
#include "show/changes.h"

#include <stdio.h>

#include "show/encode.h"

/* Writes the values that the page shows, keyed by the index of the metric. With `whole`
 * all of them are written; else those that moved, and those that were not there in the
 * tick before. */
static void encode_values(struct show_json *j, const struct show_snapshot *s,
                          const struct show_view *view, bool whole)
{
    char key[24];

    show_json_open(j, "v", '{');
    for (size_t i = 0; i < s->schema->metrics.n; i++) {
        if (!show_view_has(view, i))
            continue;
        if (!whole && i < s->n_previous_values &&
            show_is_coarsely_equal(s->value[i], s->previous_value[i]))
            continue;
        snprintf(key, sizeof key, "%zu", i);
        show_json_coarse(j, key, s->value[i]);
    }
    show_json_close(j, '}');
}

/* Remembers the process and tells whether the page needs its name and command. The memory
 * is a ring: what was told longest ago is overwritten and told again, which costs bytes
 * but is never wrong. */
static bool is_news(struct show_told *told, const struct record_process *p)
{
    for (size_t i = 0; i < SHOW_TOLD; i++)
        if (told->process[i].pid == p->pid &&
            told->process[i].start_ticks == p->start_ticks)
            return false;
    told->process[told->next].pid = p->pid;
    told->process[told->next].start_ticks = p->start_ticks;
    told->next = (told->next + 1) % SHOW_TOLD;
    return true;
}

/* Writes the processes that use most CPU time. The counts stay away where processes are
 * not read, since 0 would be a claim. */
static void encode_busiest(struct show_json *j, const struct show_snapshot *s,
                           struct show_told *told)
{
    size_t top[SHOW_TOP];
    size_t n = show_snapshot_top(s, SHOW_RANK_CPU, top);

    show_json_open(j, "top_cpu", '[');
    for (size_t i = 0; i < n; i++) {
        const struct record_process *p = &s->process[top[i]];

        show_json_open(j, NULL, '{');
        show_json_integer(j, "pid", p->pid);
        show_json_coarse(j, "cpu_percent", p->cpu_percent);
        if (is_news(told, p)) {
            show_json_string(j, "name", p->comm);
            show_json_string(j, "command", p->command);
        }
        show_json_close(j, '}');
    }
    show_json_close(j, ']');
    if (s->has_processes) {
        show_json_integer(j, "n_processes", (int64_t)s->n_processes);
        show_json_integer(j, "n_threads", (int64_t)s->n_threads);
    }
}

void show_encode_changes(struct show_json *j, const struct show_snapshot *s,
                         const struct show_view *view, struct show_told *told, bool whole)
{
    show_json_open(j, NULL, '{');
    show_json_string(j, "type", "changes");
    show_json_bool(j, "whole", whole);
    show_json_time(j, "t", s->time_ns);
    show_json_integer(j, "tick", (int64_t)s->tick);
    show_json_coarse(j, "score", s->verdict.score);
    show_json_coarse(j, "confidence", s->verdict.confidence);
    encode_values(j, s, view, whole);
    if (view->detectors) {
        show_json_number(j, "jitter_ms", (double)s->jitter_ns / 1e6);
        show_encode_detectors(j, &s->verdict);
    }
    if (view->top)
        encode_busiest(j, s, told);
    show_json_close(j, '}');
}
