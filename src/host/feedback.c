/* Learning from people: what they said of events acts on those to come. After each change
 * everything is taken over again: a few milliseconds, and nothing that has to be undone
 * by itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/labels.h"
#include "host/state.h"

/* Brings the labels up to date: what was undone is forgotten, what changed is relabelled,
 * what is new is learned. */
static void take_rows(host *h, const struct record_event *event,
                      const struct host_rows *rows, size_t n)
{
    int64_t *said = malloc((n + 1) * sizeof *said);

    if (said == NULL)
        return;
    for (size_t i = 0; i < n; i++)
        said[i] = event[i].id;
    detect_set_keep_labels(h->detect, said, n);
    free(said);
    /* Oldest first: the order in which labels came is the one they leave in. */
    for (size_t i = n; i-- > 0;) {
        enum detect_label label = detect_event_label(&event[i]);

        if (detect_set_has_labels(h->detect, event[i].id))
            detect_set_relabel(h->detect, event[i].id, label);
        else if (rows != NULL && rows[i].n > 0)
            detect_set_label(h->detect, h->schema, event[i].id, label, rows[i].value,
                             rows[i].n);
    }
}

/* Acts first on the rules for events to come, then on the budget, then on the labels. */
enum vd_status host_judge(host *h, const struct record_event *event,
                          const struct host_rows *rows, size_t n)
{
    enum vd_status status = alert_feedback_replace(&h->feedback, event, n);

    if (status == VD_OK)
        status = alert_feedback_settle(&h->feedback, &h->events.budget);
    if (status == VD_OK)
        take_rows(h, event, rows, n);
    return status;
}

bool host_has_labels(const host *h, int64_t event_id)
{
    return detect_set_has_labels(h->detect, event_id);
}

int64_t host_judged_at(const host *h, size_t i)
{
    return i < h->feedback.n ? h->feedback.judged[i].event_id : 0;
}

void host_hear(host *h, int64_t event_id, const char *text)
{
    struct alert_course *course = host_course_of(h, event_id);

    if (course != NULL)
        snprintf(course->event.feedback, sizeof course->event.feedback, "%s", text);
}

/* Forgets the samples of an event that ends: while it was open, only a part of them was
 * there. They are learned again when it is judged again. */
void host_feedback_event_ended(host *h, const struct record_event *event)
{
    if (event->feedback[0] == '\0')
        return;
    detect_set_forget_labels(h->detect, event->id);
    h->output.judged_ended = true;
}

/* Finds what was said of events like this one. Below the lowest bar nothing can become an
 * event, so nothing is looked for. */
struct alert_said host_feedback_match(host *h, const struct explain_input *in)
{
    double least =
        alert_feedback_bar(RECORD_SAID_REAL, alert_budget_threshold(&h->events.budget));

    if (h->feedback.n == 0 || !(h->events.sustained >= least))
        return (struct alert_said){.word = RECORD_UNSAID};
    /* Below the threshold nothing has been explained yet. */
    if (h->why_told < 0)
        explain_event(in, &h->why);
    return alert_feedback_match(&h->feedback, &h->why, h->record.time_ns);
}
