/* The main path is pipeline_tick; around it stand what happens beside a tick (training,
 * saving), start and stop. What the dashboard asks is answered in pipeline_show.c. */
#include "pipeline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain/explain.h"
#include "feature/rates.h"
#include "os/clock.h"
#include "os/log.h"
#include "pipeline_state.h"
#include "vedette/calibration.h"

static const char *const stage_name[PIPELINE_STAGES] = {
    "collect", "feature", "detect", "explain and alert", "store", "show"};

/* An event's explanation is made anew at each new peak and every so often. */
static const double EXPLAIN_EVERY_S = 5;

struct pipeline_config pipeline_config_default(void)
{
    return (struct pipeline_config){
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

/* The sample with most to tell explains the run: on the tick on which the event opens, or
 * ends, the machine may look normal again, and a leak is small at its beginning. */
static void remember_why(pipeline *p, const struct explain_input *in)
{
    struct record_event now;
    double told;

    if (p->events.onset_ns == 0 && p->events.event[RECORD_ANOMALY].id == 0) {
        p->why_told = -1;
        return;
    }
    told = explain_event(in, &now);
    if (told > p->why_told) {
        explain_copy(&p->why, &now);
        p->why_told = told;
    }
}

/* The proportional set size costs a walk over the page tables, milliseconds for a large
 * process: it is read anew only when the process has grown or shrunk by a tenth. */
static void fill_pss(const pipeline *p, struct record_event *event,
                     const struct record_suspect *before, size_t n_before)
{
    for (size_t i = 0; i < event->n_suspects; i++) {
        struct record_process *process = &event->suspect[i].process;
        const struct record_process *known = NULL;

        for (size_t k = 0; k < n_before && known == NULL; k++)
            if (before[k].process.pid == process->pid &&
                before[k].process.start_ticks == process->start_ticks)
                known = &before[k].process;
        if (known != NULL &&
            fabs(process->rss_bytes - known->rss_bytes) <= 0.1 * known->rss_bytes)
            process->pss_bytes = known->pss_bytes;
        else
            process->pss_bytes = collect_process_pss(&p->config.collect, process->pid);
    }
}

static void explain_who(const pipeline *p, enum record_event_kind kind,
                        struct record_event *event)
{
    struct record_suspect before[RECORD_SUSPECTS];
    size_t n_before = event->n_suspects;

    memcpy(before, event->suspect, sizeof before);
    explain_suspects(p->recorder, p->events.began_ns[kind], event);
    fill_pss(p, event, before, n_before);
}

/* Fills in why, and who. Done at the opening, at new peaks and every few seconds: walking
 * the recorder on each tick of a long event would be waste. */
static void explain(pipeline *p, enum record_event_kind kind, struct record_event *event,
                    const struct explain_input *in, bool opened, bool new_peak)
{
    struct pipeline_event *state = &p->event[kind];
    double seconds = (double)(p->record.mono_ns - p->events.began_ns[kind]) * 1e-9;

    if (opened) {
        explain_course_start(&state->course);
        state->explained_ns = 0;
    }
    if (new_peak || state->explained_ns == 0 ||
        (double)(p->record.mono_ns - state->explained_ns) * 1e-9 >= EXPLAIN_EVERY_S) {
        if (kind == RECORD_ANOMALY)
            explain_copy(event, &p->why);
        if (kind == RECORD_ANOMALY || kind == RECORD_RULE)
            explain_who(p, kind, event);
        state->explained_ns = p->record.mono_ns;
    }
    explain_course_add(&state->course, in, event);
    snprintf(event->pattern, sizeof event->pattern, "%s",
             explain_pattern(&state->course, in, event, seconds));
}

/* Events leave through a short queue: a record carries one, and two may change on the
 * same tick. An update that finds the queue full is left out; the next one tells more. */
static void enqueue(pipeline *p, const struct record_event *event,
                    enum record_event_change change)
{
    struct pipeline_change *slot;

    if (p->n_changes == PIPELINE_CHANGES)
        return;
    slot = &p->change[(p->first_change + p->n_changes++) % PIPELINE_CHANGES];
    slot->event = *event;
    slot->change = change;
}

/* Whether it alerts now. */
static bool update_event(pipeline *p, const struct alert_input *input,
                         const struct explain_input *in,
                         void (*describe)(pipeline *p, struct record_event *event))
{
    struct pipeline_event *state = &p->event[input->kind];
    struct record_event *event;
    enum record_event_change change;
    bool alert_now, new_peak, opened;

    change = alert_events_update(&p->events, input, &event, &alert_now, &new_peak);
    if (change == RECORD_EVENT_NONE)
        return false;
    event->alerts_now = alert_now;
    opened = change == RECORD_EVENT_OPENED;
    if (opened) {
        if (p->store != NULL)
            event->id = store_set_next_event_id(p->store);
        state->recorder_due_ns = input->mono_ns + (int64_t)RECORDER_AFTER_S * 1000000000;
        if (input->severity != RECORD_NORMAL)
            p->anomalies++;
    }
    if (change != RECORD_EVENT_ENDED) {
        if (describe != NULL && (opened || new_peak || alert_now))
            describe(p, event);
        explain(p, input->kind, event, in, opened, new_peak);
    }
    if (opened || change == RECORD_EVENT_ENDED)
        os_log_record(OS_LOG_INFO, "event %lld %s: %s, %s: %s", (long long)event->id,
                      opened ? "began" : "ended", record_event_kind_name(event->kind),
                      record_severity_name(event->severity), event->reason);
    if (change == RECORD_EVENT_ENDED)
        pipeline_feedback_event_ended(p, event);
    if (change == RECORD_EVENT_ENDED && input->kind == RECORD_ANOMALY)
        alert_habits_add(&p->habits, event);
    if (alert_now || (event->alerted && change == RECORD_EVENT_ENDED))
        alert_channels_send(p->channels, event,
                            alert_now ? RECORD_EVENT_OPENED : RECORD_EVENT_ENDED);
    if (change == RECORD_EVENT_UPDATED && !alert_now && !new_peak &&
        state->explained_ns != p->record.mono_ns)
        return false;
    enqueue(p, event, change);
    return alert_now;
}

static double score_of_severity(enum record_severity severity)
{
    static const double score[] = {0, -0.2, -0.4, -0.6, -0.9};

    return score[severity];
}

static void describe_rules(pipeline *p, struct record_event *event)
{
    event->reason[0] = '\0';
    event->n_top = 0;
    for (size_t i = 0; i < p->n_hits; i++) {
        const struct detect_rule_hit *hit = &p->hit[i];
        struct record_deviation d = {
            .metric = hit->metric,
            .value = hit->value,
            .expected = detect_set_expected(p->detect)[hit->metric],
            .z = detect_set_z(p->detect)[hit->metric],
        };
        char text[384];
        size_t length = strlen(event->reason);

        record_deviation_name(&d, &p->schema.metric[hit->metric]);
        snprintf(event->reason + length, sizeof event->reason - length, "%s%s",
                 length == 0 ? "" : " | ",
                 detect_rule_hit_text(hit, &p->schema, text, sizeof text));
        if (event->n_top < RECORD_TOP) {
            explain_deviation_text(&p->schema, &d, event->explanation[event->n_top],
                                   sizeof event->explanation[0]);
            event->top[event->n_top++] = d;
        }
    }
}

static void describe_silence(pipeline *p, struct record_event *event)
{
    const struct detect_silence_hit *hit = &p->silence_hit;
    char name[RECORD_NAME_MAX + RECORD_LABEL_MAX] = "";

    if (hit->metric != SIZE_MAX)
        record_metric_label(&p->schema.metric[hit->metric], name, sizeof name);
    switch (hit->kind) {
    case DETECT_SILENCE_GAP:
        snprintf(event->reason, sizeof event->reason,
                 "No samples for %.0f s: the machine slept or was starved", hit->seconds);
        break;
    case DETECT_SILENCE_GONE:
        snprintf(event->reason, sizeof event->reason, "%s has not reported for %.0f s",
                 name, hit->seconds);
        break;
    case DETECT_SILENCE_FROZEN:
        snprintf(event->reason, sizeof event->reason, "%s has not moved for %.0f s", name,
                 hit->seconds);
        break;
    }
}

static void describe_drift(pipeline *p, struct record_event *event)
{
    (void)p;
    snprintf(event->reason, sizeof event->reason,
             "The scores have drifted: what is normal has changed, a retraining follows");
}

/* What has been seen for some minutes only has no known tail. Until then an anomaly is
 * noted, and alerts when one of the core metrics is far out by itself, and has deviated
 * for longer than a large program takes to start. */
static const double CONFIDENT = 0.75, STAYS_S = 8;

/* 5 % of CPU where there has been none is without precedent, and nothing: what is rare
 * has to matter as well, by so many floors of sigma. */
static const double MATTERS = 5;

/* NULL = none is. */
static const struct record_event *open_anomaly(const pipeline *p)
{
    const struct record_event *event = &p->events.event[RECORD_ANOMALY];

    return event->id != 0 && event->state == RECORD_EVENT_OPEN ? event : NULL;
}

/* A leak deviates for long before it is far out, or an event. In the course of an event a
 * better moment starts nothing anew. */
static void note_deviation(pipeline *p)
{
    bool deviates = p->record.verdict.deviates;

    if (!deviates && open_anomaly(p) == NULL)
        p->deviates_ns = 0;
    else if (deviates && p->deviates_ns == 0)
        p->deviates_ns = p->record.mono_ns;
}

static bool stays(const pipeline *p)
{
    return p->deviates_ns != 0 &&
           (double)(p->record.mono_ns - p->deviates_ns) * 1e-9 >= STAYS_S;
}

/* What is over the threshold now, as the event that it is or would be. */
static void describe_onset(const pipeline *p, struct record_event *now)
{
    *now = p->why;
    now->start_ns = p->events.onset_ns;
    explain_suspects(p->recorder, p->events.onset_mono_ns, now);
}

/* Whether this week's alerts are out, and this would be one of them again. */
static bool is_one_too_many(const pipeline *p)
{
    const struct record_event *open = open_anomaly(p);
    struct record_event now;

    if (!alert_budget_is_spent(&p->events.budget) || p->habits.n == 0)
        return false;
    if (open != NULL)
        return !open->alerted &&
               alert_habits_repeats(&p->habits, open, p->believed.time_ns);
    if (p->events.onset_ns == 0 || p->why_told < 0)
        return false;
    describe_onset(p, &now);
    return alert_habits_repeats(&p->habits, &now, p->believed.time_ns);
}

static bool deserves_alert(const pipeline *p, enum alert_word said, bool drop)
{
    if (said != ALERT_UNSAID)
        return !alert_word_silences(said);
    if (p->record.verdict.confidence < CONFIDENT)
        return p->record.verdict.far_out && !drop && stays(p);
    return detect_set_weight(p->detect, &p->schema, p->record.value) >= MATTERS &&
           !is_one_too_many(p);
}

/* When a load ends there is much less of everything than was expected. It may be a
 * service that died, so it is told, but never as more than low. */
static const double SCORE_OF_DROP = -0.29;

/* Whether what begins here is known to come and go. Said once, to the log. */
static bool is_habit(pipeline *p, enum alert_word said)
{
    bool before = p->habitual;
    struct record_event now;

    p->habitual = false;
    if (p->events.event[RECORD_ANOMALY].id != 0 || p->events.onset_ns == 0 ||
        p->why_told < 0 || said == ALERT_REAL || p->habits.n == 0)
        return false;
    describe_onset(p, &now);
    p->habitual = alert_habits_know(&p->habits, &now, p->believed.time_ns);
    if (p->habitual && !before)
        os_log_record(OS_LOG_INFO, "no event, a habit: %s", now.reason);
    return p->habitual;
}

static void update_anomaly(pipeline *p, const struct explain_input *in)
{
    enum alert_word said = pipeline_feedback_match(p, in);
    double threshold = alert_word_bar(said, alert_budget_threshold(&p->events.budget));
    bool drop = explain_is_drop(&p->why);
    double surprised = vd_score_of_surprise(p->events.sustained, threshold);
    double score = drop ? fmax(surprised, SCORE_OF_DROP) : surprised;
    struct alert_input input = {
        .kind = RECORD_ANOMALY,
        .active = p->events.sustained >= threshold,
        .score = score,
        .severity = record_severity_of(score),
        .confidence = p->record.verdict.confidence,
        .time_ns = p->record.time_ns,
        .mono_ns = p->record.mono_ns,
    };

    if (input.severity == RECORD_NORMAL)
        input.severity = RECORD_LOW;
    if (is_habit(p, said))
        input.active = false;
    input.unknown = isnan(p->events.sustained) && pipeline_may_still_tell(p);
    note_deviation(p);
    input.worth_alert = input.active && deserves_alert(p, said, drop);
    /* A level that has held for long is the new normal: the event ends, and the models
     * learn it. Not what was said to be real. */
    if (alert_word_of(p->events.event[RECORD_ANOMALY].feedback) != ALERT_REAL &&
        alert_events_adopt(&p->events,
                           (double)detect_set_rows(p->detect) * p->config.interval_s,
                           p->record.mono_ns))
        detect_set_retrain(p->detect, p->record.mono_ns, ALERT_ADOPT_S / 2);
    if (alert_events_adopting(&p->events))
        input.active = false;
    update_event(p, &input, in, NULL);
}

/* Samples until a name that no metric has is spoken of. */
enum { IDLE_TICKS = 10 };

/* A mistyped metric in a rule or a feature would stay silent for ever. Said once, when
 * the slow sources have had time to come; hardware that is plugged in later still counts.
 */
static void name_the_absent(const pipeline *p)
{
    static const char hint[] =
        "waits for a metric that is not here; 'vedette probe' shows "
        "those that are";
    const struct detect_multivariate_config *host = &p->config.detect.multivariate;
    const struct detect_rules *rules = &p->config.rules;
    size_t i = 0;

    while ((i = detect_rules_unknown(rules, &p->schema, i)) < rules->n)
        os_log_warning("the rule on \"%s\" %s", rules->rule[i++].metric, hint);
    for (size_t c = 0; c < host->n_asked; c++)
        if (record_schema_find(&p->schema, host->column[c]) == SIZE_MAX)
            os_log_warning("the feature \"%s\" %s", host->column[c], hint);
}

static void update_rules(pipeline *p, const struct explain_input *in)
{
    enum record_severity worst = RECORD_NORMAL;
    struct alert_input input = {.kind = RECORD_RULE, .confidence = 1};

    p->n_hits = detect_rules_check(&p->config.rules, &p->schema, p->record.value,
                                   p->record.mono_ns, p->hit);
    pipeline_recall_told(p);
    for (size_t i = 0; i < p->n_hits; i++)
        if (p->hit[i].rule->severity > worst)
            worst = p->hit[i].rule->severity;
    input.active = p->n_hits > 0;
    input.unknown = detect_rules_pending(&p->config.rules);
    input.worth_alert =
        detect_rules_news(&p->config.rules, p->hit, p->n_hits, p->record.mono_ns);
    if (input.worth_alert && p->feedback.n > 0) {
        struct record_event now = {.kind = RECORD_RULE};

        describe_rules(p, &now);
        input.worth_alert = !alert_word_silences(
            alert_feedback_match(&p->feedback, &now, p->record.time_ns));
    }
    input.severity = worst;
    input.score = score_of_severity(worst);
    input.time_ns = p->record.time_ns;
    input.mono_ns = p->record.mono_ns;
    if (update_event(p, &input, in, describe_rules))
        detect_rules_told(&p->config.rules, p->hit, p->n_hits, p->record.mono_ns);
}

/* What was flagged is kept out; before there is a model to flag it, what is far out by
 * its own baseline: one burst in the first minute would be normal for good. */
static bool is_to_learn(const pipeline *p)
{
    if (p->record.verdict.n == 0 && p->record.verdict.far_out)
        return false;
    return !alert_events_anomalous(&p->events);
}

static void update_silence_and_drift(pipeline *p, const struct explain_input *in)
{
    struct alert_input input = {
        .kind = RECORD_SILENCE,
        .active = detect_silence_check(&p->silence, &p->schema, p->record.value,
                                       p->record.mono_ns, &p->silence_hit),
        .confidence = 1,
        .score = score_of_severity(RECORD_LOW),
        .severity = RECORD_LOW,
        .time_ns = p->record.time_ns,
        .mono_ns = p->record.mono_ns,
    };

    /* A gap is told in the log of events; only something that should be heard and is not
     * is worth an alert. */
    input.worth_alert = input.active && p->silence_hit.kind != DETECT_SILENCE_GAP;
    update_event(p, &input, in, describe_silence);
    /* While something is wrong, low scores say nothing of what is normal. */
    input.kind = RECORD_DRIFT;
    input.active = p->record.verdict.drift && is_to_learn(p);
    input.worth_alert = false;
    update_event(p, &input, in, describe_drift);
}

static void stop_watch(pipeline *p, enum pipeline_stage stage)
{
    int64_t now = os_clock_mono_ns();

    p->stage_us[stage] = (double)(now - p->watch_ns) * 1e-3;
    p->watch_ns = now;
}

static void take_change(pipeline *p)
{
    p->record.event = NULL;
    p->record.change = RECORD_EVENT_NONE;
    if (p->n_changes == 0)
        return;
    p->record.event = &p->change[p->first_change].event;
    p->record.change = p->change[p->first_change].change;
    p->first_change = (p->first_change + 1) % PIPELINE_CHANGES;
    p->n_changes--;
}

void pipeline_tick(pipeline *p, int64_t time_ns, int64_t mono_ns, int64_t jitter_ns)
{
    struct explain_input in = {.schema = &p->schema};

    p->watch_ns = os_clock_mono_ns();

    p->sample.time_ns = time_ns;
    p->sample.mono_ns = mono_ns;
    p->sample.jitter_ns = jitter_ns;
    collect_set_read(p->collect, &p->sample);
    pipeline_tell_troubles(p);
    stop_watch(p, PIPELINE_COLLECT);
    if (collect_set_course(p->collect).ended)
        return;

    p->record.tick = p->ticks++;
    p->record.time_ns = p->sample.time_ns;
    p->record.mono_ns = p->sample.mono_ns;
    p->record.jitter_ns = p->sample.jitter_ns;
    os_believed_at(&p->believed, p->record.time_ns, p->record.mono_ns);
    p->record.processes = p->sample.processes;
    p->record.value = feature_rates_update(p->rates, &p->sample);
    stop_watch(p, PIPELINE_FEATURE);

    detect_set_read(p->detect, &p->schema, p->record.value, p->record.time_ns,
                    p->record.mono_ns, alert_budget_threshold(&p->events.budget),
                    &p->record.verdict);
    pipeline_count_latency(p);
    stop_watch(p, PIPELINE_DETECT);

    in.value = p->record.value;
    in.expected = detect_set_expected(p->detect);
    in.z = detect_set_z(p->detect);
    explain_recorder_add(p->recorder, p->record.time_ns, p->record.mono_ns,
                         p->record.processes);
    alert_events_tick(&p->events, p->record.verdict.surprise, p->record.time_ns,
                      p->record.mono_ns);
    if (p->ticks == IDLE_TICKS)
        name_the_absent(p);
    remember_why(p, &in);
    update_anomaly(p, &in);
    alert_events_learn(&p->events, p->habitual);
    update_rules(p, &in);
    update_silence_and_drift(p, &in);
    if (is_to_learn(p))
        detect_set_learn(p->detect, p->record.value);
    else
        p->quarantined++;
    take_change(p);
    stop_watch(p, PIPELINE_EXPLAIN);

    if (p->store != NULL)
        store_set_push(p->store, &p->record);
    pipeline_keep_moments(p);
    stop_watch(p, PIPELINE_STORE);
    if (p->show != NULL)
        show_server_publish(p->show, &p->record);
    stop_watch(p, PIPELINE_SHOW);

    pipeline_train_when_due(p);
    pipeline_train_supervised_when_due(p);
    pipeline_save_when_due(p);
}

const char *pipeline_stage_name(enum pipeline_stage stage)
{
    return stage_name[stage];
}

bool pipeline_ended(const pipeline *p, double *done)
{
    struct collect_course course = collect_set_course(p->collect);

    *done = course.done;
    return course.ended;
}

int pipeline_port(const pipeline *p)
{
    return p->show == NULL ? 0 : show_server_port(p->show);
}

void pipeline_summary(const pipeline *p, struct pipeline_summary *out)
{
    struct store_counters counters[16];
    size_t n = p->store == NULL ? 0 : store_set_counters(p->store, counters, 16);

    *out = (struct pipeline_summary){
        .ticks = p->ticks,
        .events = p->anomalies,
        .alerts = p->events.alerts,
        .budget_per_week = p->events.budget.per_week,
        .achieved_per_week = alert_budget_achieved(&p->events.budget),
        .threshold = alert_budget_threshold(&p->events.budget),
        .confidence = detect_set_confidence(p->detect),
    };
    for (size_t i = 0; i < n; i++)
        out->lost += counters[i].lost;
}
