/* Events of hard limits: each metric under each rule has a course of its own. A course is
 * allocated when its limit is exceeded for the first time and is used again later, by
 * others when it has been over for an hour. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain/describe.h"
#include "host/state.h"
#include "os/log.h"

/* Sets after how many seconds a course that is over may be another limit's, and the span
 * in which alerts are counted. */
static const double HOUR_S = 3600;

/* Tells whether the course is of this rule and metric. An index may have become another
 * metric's, so the serial number counts as well. */
static bool is_of(const host *h, const struct host_limit *limit, size_t rule,
                  size_t metric)
{
    return limit->rule == rule && limit->metric == metric &&
           limit->serial == h->schema->metric[metric].serial;
}

/* Tells whether the course is of an earlier run's event about this rule and metric, which
 * is known by its texts alone. */
static bool is_named(const host *h, const struct host_limit *limit, size_t rule,
                     size_t metric)
{
    char text[RECORD_RULE_MAX];

    return limit->metric == SIZE_MAX &&
           record_metric_is_named(&h->schema->metric[metric],
                                  limit->course.event.top[0].name) &&
           strcmp(limit->course.event.limit.rule,
                  detect_rule_text(&h->config.rules->rule[rule], text, sizeof text)) == 0;
}

/* Tells whether nothing of the course is needed any more. */
static bool is_free(const host *h, const struct host_limit *limit)
{
    return !limit->course.open &&
           alert_course_quiet_s(&limit->course, h->record.mono_ns) >= HOUR_S;
}

/* Makes the course that of the rule and metric. */
static struct host_limit *bind_limit(host *h, struct host_limit *limit, size_t rule,
                                     size_t metric)
{
    limit->rule = rule;
    limit->metric = metric;
    limit->serial = h->schema->metric[metric].serial;
    return limit;
}

/* Finds a course that is free, or makes one; NULL at the bound or without memory. Until
 * it is bound its metric is SIZE_MAX. */
struct host_limit *host_limit_add(host *h)
{
    struct host_limit *limit;

    for (size_t i = 0; i < h->n_limits; i++)
        if (is_free(h, h->limit[i])) {
            *h->limit[i] = (struct host_limit){.metric = SIZE_MAX};
            return h->limit[i];
        }
    if (h->n_limits == HOST_LIMITS)
        return NULL;
    limit = calloc(1, sizeof *limit);
    if (limit == NULL)
        return NULL;
    limit->metric = SIZE_MAX;
    h->limit[h->n_limits++] = limit;
    return limit;
}

/* Finds the course of this metric under this rule. It is made when it is new and `make`
 * is set; NULL when there is none. */
static struct host_limit *limit_of(host *h, size_t rule, size_t metric, bool make)
{
    struct host_limit *limit;

    for (size_t i = 0; i < h->n_limits; i++)
        if (is_of(h, h->limit[i], rule, metric))
            return h->limit[i];
    for (size_t i = 0; i < h->n_limits; i++)
        if (is_named(h, h->limit[i], rule, metric))
            return bind_limit(h, h->limit[i], rule, metric);
    limit = make ? host_limit_add(h) : NULL;
    return limit == NULL ? NULL : bind_limit(h, limit, rule, metric);
}

/* ---- whether it alerts ---- */

/* Counts the alerts of this limit within the last hour. */
static unsigned alerts_in_hour(const host *h, const struct host_limit *limit)
{
    unsigned n = 0;

    for (size_t i = 0; i < HOST_TOLD; i++)
        n += limit->told_ns[i] != 0 &&
             (double)(h->record.mono_ns - limit->told_ns[i]) * 1e-9 < HOUR_S;
    return n;
}

/* Finds the open anomaly when its alert names this metric and is as severe; 0 when it
 * does not. */
static int64_t told_by(const host *h, const struct record_event *event)
{
    const struct alert_course *anomaly = &h->events.anomaly;

    if (!anomaly->open || !anomaly->event.alerted ||
        anomaly->event.severity < event->severity)
        return 0;
    for (size_t i = 0; i < anomaly->event.n_top; i++)
        if (strcmp(anomaly->event.top[i].name, event->top[0].name) == 0)
            return anomaly->event.id;
    return 0;
}

/* Asks the policy. What was told stays told when the anomaly ends and the limit is
 * exceeded on. */
static struct alert_answer ask(const host *h, struct host_limit *limit)
{
    const struct record_event *event = &limit->course.event;
    struct alert_said said = alert_feedback_match(&h->feedback, event, h->record.time_ns);

    /* What was told stays told when the anomaly ends and the limit is exceeded on. */
    if (limit->told_by == 0)
        limit->told_by = told_by(h, event);
    return alert_policy_limit(&(struct alert_limit_evidence){
        .alerted = event->alerted,
        .builtin = h->config.rules->rule[limit->rule].builtin,
        .said = said.word,
        .said_of = said.event_id,
        .in_hour = alerts_in_hour(h, limit),
        .told_by = limit->told_by,
    });
}

/* Notes the time of an alert in front of the older ones, the last of which is
 * forgotten. */
static void note_told(const host *h, struct host_limit *limit)
{
    memmove(limit->told_ns + 1, limit->told_ns, (HOST_TOLD - 1) * sizeof *limit->told_ns);
    limit->told_ns[0] = h->record.mono_ns;
}

/* ---- one tick ---- */

/* Fills in the limit of an event. `since_ns` is monotonic and becomes wall clock time. */
static void set_limit(const host *h, const struct detect_rule *rule, int64_t since_ns,
                      struct record_limit *limit)
{
    *limit = (struct record_limit){
        .above = rule->above,
        .value = rule->value,
        .for_s = rule->for_s,
        .since_ns = h->record.time_ns - (h->record.mono_ns - since_ns),
    };
    detect_rule_text(rule, limit->rule, sizeof limit->rule);
}

/* Sets how long before a kill the suspects are looked for: whatever is killed grew before
 * that. */
static const int64_t BEFORE_KILL_NS = INT64_C(10) * 1000000000;

/* Adds names of killed processes, as many as there is room for. */
static void add_killed(struct host_kills *kills, const struct record_killed *killed,
                       size_t n)
{
    for (size_t i = 0; i < n && kills->n < RECORD_KILLED_MAX; i++)
        kills->killed[kills->n++] = killed[i];
}

/* Takes the names of this tick from the kernel's log. They may come a tick before or
 * after the count that opens an event; names that no event followed are dropped. */
static void hear_of_killed(host *h)
{
    struct host_kills *kills = &h->kills;

    if (!kills->open && kills->n > 0 && h->record.tick > kills->tick + 1)
        *kills = (struct host_kills){0};
    if (h->sample->n_killed == 0)
        return;
    kills->tick = h->record.tick;
    add_killed(kills, h->sample->killed, h->sample->n_killed);
}

/* Counts those that were killed on this tick. Without the kernel's log the largest that
 * have left the table of processes are named. */
static void count_killed(host *h, double per_second)
{
    struct host_kills *kills = &h->kills;
    struct record_killed gone[RECORD_KILLED_MAX];
    size_t unnamed;

    kills->open = true;
    kills->count += per_second * h->events.passed_s;
    kills->sure = h->sample->killed_known;
    unnamed = (size_t)fmax(round(kills->count) - (double)kills->n, 0);
    if (!kills->sure)
        add_killed(kills, gone,
                   explain_recorder_gone(
                       h->recorder, h->sample->processes, gone,
                       unnamed < RECORD_KILLED_MAX ? unnamed : RECORD_KILLED_MAX));
}

/* Writes what the event says: the worst value, and for how long it has been exceeded. */
static void describe(const host *h, const struct host_limit *limit, int64_t until_ns,
                     struct record_event *event)
{
    const struct detect_rule *rule = &h->config.rules->rule[limit->rule];
    struct explain_limit now = {
        .metric = limit->metric,
        .value = rule->above ? rule->value + limit->course.height
                             : rule->value - limit->course.height,
        .above_s = (double)(until_ns - limit->since_ns) * 1e-9,
        .words = rule->words,
    };

    explain_limit(h->schema, &now, event);
    if (rule->kills)
        explain_killed(h->kills.count, h->kills.killed, h->kills.n, h->kills.sure, event);
}

/* Acts on the step of a limit's course: it notes the limit at the beginning, explains the
 * event while it lasts and once more at its end, and asks the policy. */
static void go_on(host *h, struct host_limit *limit, const struct explain_input *in,
                  const struct alert_step *step)
{
    struct record_event *event = &limit->course.event;
    struct alert_answer answer = {.reason = ALERT_TOLD};
    bool kills = limit->metric != SIZE_MAX && h->config.rules->rule[limit->rule].kills;

    if (step->change == RECORD_EVENT_OPENED) {
        limit->told_by = 0;
        set_limit(h, &h->config.rules->rule[limit->rule], limit->since_ns, &event->limit);
    }
    if (step->change == RECORD_EVENT_ENDED) {
        if (limit->metric != SIZE_MAX) /* else it was over before this run began */
            describe(h, limit, limit->course.above_ns, event);
        if (kills)
            h->kills = (struct host_kills){0};
    } else {
        if (host_explains_now(h, &limit->story, step)) {
            describe(h, limit, h->record.mono_ns, event);
            host_explain_who(h, limit->since_ns - (kills ? BEFORE_KILL_NS : 0), event);
        }
        answer = ask(h, limit);
    }
    if (alert_is_due(answer))
        note_told(h, limit);
    host_settle(h, &limit->course, &limit->story, in, step, answer);
}

/* Leads the course of one limit through a tick. `hit` is NULL when the limit is kept. A
 * limit that is exceeded, but not for long enough yet, is neither active nor over. */
static void update_limit(host *h, struct host_limit *limit,
                         const struct detect_rule_hit *hit,
                         const struct explain_input *in)
{
    struct alert_input input = host_input(h, RECORD_RULE);
    struct alert_step step;

    if (hit != NULL) {
        const struct detect_rule *rule = &h->config.rules->rule[hit->rule];

        input.active = hit->fires;
        input.unknown = !hit->fires;
        input.height = record_beyond_limit(rule->above, rule->value, hit->value);
        input.severity = rule->severity;
        input.score = record_score_of(rule->severity);
        if (rule->kills) {
            count_killed(h, hit->value);
            limit->story.explained_ns = 0; /* there is more to tell */
        }
    }
    if (hit != NULL && !limit->course.open) {
        limit->since_ns = hit->since_ns;
        input.started_mono_ns = hit->since_ns;
        input.started_ns = h->record.time_ns - (h->record.mono_ns - hit->since_ns);
    }
    /* An event of an earlier run: its limit was exceeded before this run began. */
    if (hit != NULL && limit->course.open && limit->since_ns == 0)
        limit->since_ns =
            h->record.mono_ns - (h->record.time_ns - limit->course.event.limit.since_ns);
    step = host_step(h, &limit->course, &input);
    if (step.change != RECORD_EVENT_NONE)
        go_on(h, limit, in, &step);
}

/* Says once per time that more is exceeded than events are made of. */
static void tell_left_out(host *h, size_t left_out)
{
    if (left_out > 0 && h->limits_left_out == 0)
        os_log_record(
            OS_LOG_WARNING,
            "%zu more metrics exceed a limit than there are events for: at most "
            "%d of one rule and %d in all",
            left_out, DETECT_EACH_MAX, HOST_LIMITS);
    h->limits_left_out = left_out;
}

/* Leads all limits through one tick: those that are exceeded, and then the open ones that
 * were not among them. */
void host_update_limits(host *h, const struct explain_input *in)
{
    struct detect_rule_hit hit[DETECT_HITS_MAX];
    size_t n = detect_rules_check(h->config.rules, &h->rules, h->schema, h->record.value,
                                  h->record.mono_ns, hit);
    size_t left_out = h->rules.left_out;

    hear_of_killed(h);
    for (size_t i = 0; i < n; i++) {
        struct host_limit *limit = limit_of(h, hit[i].rule, hit[i].metric, hit[i].fires);

        left_out += limit == NULL && hit[i].fires;
        if (limit == NULL)
            continue;
        limit->tick = h->record.tick;
        update_limit(h, limit, &hit[i], in);
    }
    for (size_t i = 0; i < h->n_limits; i++)
        if (h->limit[i]->course.open && h->limit[i]->tick != h->record.tick)
            update_limit(h, h->limit[i], NULL, in);
    tell_left_out(h, left_out);
}
