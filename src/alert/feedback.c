/* What was said is kept as a list of judged events, each reduced to its features; an
 * event is looked up by likeness, which is a few hundred small products and needs no
 * index. The whole list is replaced when anything was said: there is no way to change a
 * part of it wrongly. */
#include "alert/feedback.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"

/* Sets how far "at this hour" reaches to both sides, in seconds. */
static const double HOUR_S = 3600, DAY_S = 86400;

/* How much lower the bar is for what is like a real one, and the most it is lowered. */
static const double LOWER = 0.2, LOWER_MAX = 1;

enum record_feedback alert_feedback_of(const char *text)
{
    enum record_feedback said;

    record_feedback_of(text, &said);
    return said;
}

void alert_feedback_init(struct alert_feedback *f, alert_group_of *group)
{
    *f = (struct alert_feedback){.group = group};
}

/* Frees all that was said and keeps the function that groups metrics. */
void alert_feedback_release(struct alert_feedback *f)
{
    free(f->judged);
    free(f->confirmed);
    *f = (struct alert_feedback){.group = f->group};
}

/* ---- who hears what ---- */

void alert_judge(struct alert_judged *judged, const struct record_event *event,
                 alert_group_of *group)
{
    *judged = (struct alert_judged){
        .event_id = event->id,
        .start_ns = event->start_ns,
        .word = alert_feedback_of(event->feedback),
        .alerted = event->alerted,
    };
    alert_features_of(&judged->features, event, group);
}

/* Tells whether two moments have the same local time of day, within an hour, also around
 * midnight. */
static bool is_same_hour(int64_t a_ns, int64_t b_ns)
{
    double apart =
        fmod(fabs((double)(os_clock_local_s(a_ns) - os_clock_local_s(b_ns))), DAY_S);

    return fmin(apart, DAY_S - apart) <= HOUR_S;
}

/* Tells whether what was said of an event holds for this one. A silence does not hold for
 * what is clearly larger; a warning always does. */
static bool applies(const struct alert_judged *said, const struct alert_judged *now,
                    int64_t time_ns)
{
    switch (said->word) {
    case RECORD_SAID_REAL:
        return true;
    case RECORD_SAID_EXPECTED:
        return is_same_hour(said->start_ns, time_ns) &&
               !alert_is_clearly_larger(&now->features, &said->features);
    case RECORD_SAID_NORMAL:
        return !alert_is_clearly_larger(&now->features, &said->features);
    default:
        return false;
    }
}

/* Finds what was said of the event that is most alike. `instead` replaces what was said
 * of one event, for a preview; it may be NULL. Of two that are equally alike the later
 * word counts. */
struct alert_said alert_feedback_find(const struct alert_feedback *f,
                                      const struct alert_judged *now, int64_t time_ns,
                                      const struct alert_judged *instead)
{
    struct alert_said found = {.word = RECORD_UNSAID};
    double best = ALERT_ALIKE;

    for (size_t i = 0; i <= f->n; i++) {
        const struct alert_judged *s = i < f->n ? &f->judged[i] : instead;
        double alike;

        if (s == NULL || s->word == RECORD_UNSAID ||
            (i < f->n && instead != NULL && s->event_id == instead->event_id))
            continue;
        alike = alert_likeness(&s->features, &now->features);
        if (alike < best || !applies(s, now, time_ns))
            continue;
        best = alike;
        found = (struct alert_said){s->word, s->event_id};
    }
    return found;
}

struct alert_said alert_feedback_match(const struct alert_feedback *f,
                                       const struct record_event *event, int64_t time_ns)
{
    struct alert_judged now;

    if (f->n == 0)
        return (struct alert_said){.word = RECORD_UNSAID};
    alert_judge(&now, event, f->group);
    return alert_feedback_find(f, &now, time_ns, NULL);
}

enum record_feedback alert_feedback_said(const struct alert_feedback *f, int64_t event_id)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->judged[i].event_id == event_id)
            return f->judged[i].word;
    return RECORD_UNSAID;
}

bool alert_feedback_silences(enum record_feedback word)
{
    return word == RECORD_SAID_NORMAL || word == RECORD_SAID_EXPECTED;
}

/* Gives the threshold under a word: what is like a real event alerts from a lower bar. */
double alert_feedback_bar(enum record_feedback word, double threshold)
{
    return word == RECORD_SAID_REAL ? threshold - fmin(LOWER * threshold, LOWER_MAX)
                                    : threshold;
}

/* ---- what was said ---- */

/* Sorts by the time at which it was said. */
static int by_time_said(const void *a, const void *b)
{
    const struct record_event *const *x = a, *const *y = b;
    int64_t left = (*x)->feedback_ns, right = (*y)->feedback_ns;

    return left < right ? -1 : left > right;
}

/* Lists the events of which something was said, in the order it was said. NULL means no
 * memory. The caller frees the list; the events stay. */
static const struct record_event **said_in_order(const struct record_event *event,
                                                 size_t n, size_t *n_said)
{
    const struct record_event **said = malloc((n + 1) * sizeof *said);

    *n_said = 0;
    if (said == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (alert_feedback_of(event[i].feedback) != RECORD_UNSAID)
            said[(*n_said)++] = &event[i];
    qsort(said, *n_said, sizeof *said, by_time_said);
    return said;
}

/* Replaces all that was said. After a failure the old state stays. */
enum vd_status alert_feedback_replace(struct alert_feedback *f,
                                      const struct record_event *event, size_t n)
{
    size_t n_said;
    const struct record_event **said = said_in_order(event, n, &n_said);

    if (said == NULL)
        return VD_ERR_MEMORY;
    if (n_said > f->capacity) {
        struct alert_judged *grown = realloc(f->judged, n_said * sizeof *grown);

        if (grown == NULL) {
            free(said);
            return VD_ERR_MEMORY;
        }
        f->judged = grown;
        f->capacity = n_said;
    }
    for (size_t i = 0; i < n_said; i++)
        alert_judge(&f->judged[i], said[i], f->group);
    f->n = n_said;
    free(said);
    return VD_OK;
}

/* ---- the budget ---- */

/* Tells whether the word gives a share of the budget back: the event alerted and was
 * real. */
static bool is_confirmed(const struct alert_judged *judged)
{
    return judged->word == RECORD_SAID_REAL && judged->alerted;
}

static bool has_credit(const struct alert_feedback *f, int64_t event_id)
{
    for (size_t i = 0; i < f->n_confirmed; i++)
        if (f->confirmed[i].event_id == event_id)
            return true;
    return false;
}

static bool deserves_credit(const struct alert_feedback *f, int64_t event_id)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->judged[i].event_id == event_id)
            return is_confirmed(&f->judged[i]);
    return false;
}

/* Settles with the budget: what is confirmed is given back once, and what is no longer
 * confirmed is taken again. */
enum vd_status alert_feedback_settle(struct alert_feedback *f,
                                     struct alert_budget *budget)
{
    struct alert_confirmed *room =
        realloc(f->confirmed, (f->n_confirmed + f->n + 1) * sizeof *room);
    size_t kept = 0;

    if (room == NULL)
        return VD_ERR_MEMORY;
    f->confirmed = room;
    for (size_t i = 0; i < f->n_confirmed; i++) {
        if (deserves_credit(f, room[i].event_id))
            room[kept++] = room[i];
        else
            alert_budget_unconfirmed(budget, &room[i].credit);
    }
    f->n_confirmed = kept;
    for (size_t i = 0; i < f->n; i++) {
        struct alert_confirmed *slot = &room[f->n_confirmed];

        if (!is_confirmed(&f->judged[i]) || has_credit(f, f->judged[i].event_id))
            continue;
        slot->event_id = f->judged[i].event_id;
        alert_budget_confirmed(budget, &slot->credit);
        f->n_confirmed++;
    }
    return VD_OK;
}

void alert_feedback_save(const struct alert_feedback *f, struct vd_writer *w)
{
    vd_write_u64(w, f->n_confirmed);
    for (size_t i = 0; i < f->n_confirmed; i++) {
        const struct alert_confirmed *c = &f->confirmed[i];

        vd_write_u64(w, (uint64_t)c->event_id);
        vd_write_f64(w, c->credit.alerts);
        vd_write_f64(w, c->credit.spent);
        vd_write_f64(w, c->credit.quiet_s);
    }
}

/* Loads the credits whole or not at all. */
enum vd_status alert_feedback_load(struct alert_feedback *f, struct vd_reader *r,
                                   struct vd_error *err)
{
    size_t n = vd_read_count(r, 4 * sizeof(uint64_t));
    struct alert_confirmed *c = malloc((n + 1) * sizeof *c);
    bool good = true;

    if (c == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the feedback");
    for (size_t i = 0; i < n; i++) {
        c[i].event_id = (int64_t)vd_read_u64(r);
        c[i].credit.alerts = vd_read_f64(r);
        c[i].credit.spent = vd_read_f64(r);
        c[i].credit.quiet_s = vd_read_f64(r);
        good = good && alert_credit_is_sane(&c[i].credit);
    }
    if (r->failed || !good) {
        free(c);
        return vd_error_set(err, VD_ERR_FORMAT, "it is counted anew",
                            "the saved share of confirmed alerts is damaged");
    }
    free(f->confirmed);
    f->confirmed = c;
    f->n_confirmed = n;
    return VD_OK;
}
