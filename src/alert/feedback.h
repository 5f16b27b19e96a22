/* What people said of events, and what follows from it for the events to come.
 *
 *     normal    events alike alert nobody, unless they are clearly larger
 *     expected  the same, within an hour of that time of day
 *     real      events alike alert from a lower bar, and while confidence is low, too
 *
 * Alike and clearly larger are those of likeness.h.
 *
 * When several things that were said apply, the event most alike decides, of equals the
 * later one. Everything here follows from the events as the store keeps them: to undo
 * is to leave one out.
 */
#ifndef VD_ALERT_FEEDBACK_H
#define VD_ALERT_FEEDBACK_H

#include "alert/budget.h"
#include "alert/likeness.h"
#include "record.h"

/* Returns what the word means; one that is unknown means RECORD_UNSAID. */
enum record_feedback alert_feedback_of(const char *text);

/* One event, and what was said of it. Plain data. */
struct alert_judged {
    int64_t event_id, start_ns;
    enum record_feedback word;
    bool alerted;
    struct alert_features features;
};

/* What the budget gave back for an alert that was confirmed. */
struct alert_confirmed {
    int64_t event_id;
    struct alert_credit credit;
};

struct alert_feedback {
    alert_group_of *group;
    struct alert_judged *judged; /* owned; the latest said last */
    size_t n, capacity;
    struct alert_confirmed *confirmed; /* owned */
    size_t n_confirmed;
};

void alert_feedback_init(struct alert_feedback *f, alert_group_of *group);
void alert_feedback_release(struct alert_feedback *f);

/* Replaces all that was said by what `n` events carry (event->feedback); those of which
 * nothing was said are passed over. VD_ERR_MEMORY leaves it as it was. */
enum vd_status alert_feedback_replace(struct alert_feedback *f,
                                      const struct record_event *event, size_t n);

/* What was said, and of which event. */
struct alert_said {
    enum record_feedback word;
    int64_t event_id; /* 0 = nothing was said */
};

/* Finds what was said of events like this one, at `time_ns`: RECORD_UNSAID when nothing
 * applies. Only kind, limit and deviations are looked at. Allocates nothing. */
struct alert_said alert_feedback_match(const struct alert_feedback *f,
                                       const struct record_event *event, int64_t time_ns);

/* Finds what was said of this very event. */
enum record_feedback alert_feedback_said(const struct alert_feedback *f,
                                         int64_t event_id);

/* Tells whether events of which this was said alert nobody. */
bool alert_feedback_silences(enum record_feedback word);

/* Returns the surprise from which an event alerts: lower for those that are like a real
 * one, by a fifth and never by more than one. */
double alert_feedback_bar(enum record_feedback word, double threshold);

/* Makes the budget agree with what was said: an alert that is confirmed as real is no
 * false alarm and gives its share back, once; one that is not confirmed any more takes
 * it again. */
enum vd_status alert_feedback_settle(struct alert_feedback *f,
                                     struct alert_budget *budget);

/* The credits that the saved budget contains. Load before the first settle. */
void alert_feedback_save(const struct alert_feedback *f, struct vd_writer *w);
enum vd_status alert_feedback_load(struct alert_feedback *f, struct vd_reader *r,
                                   struct vd_error *err);

/* ---- for those who ask what would be ---- */

/* Reduces an event to what is compared. */
void alert_judge(struct alert_judged *judged, const struct record_event *event,
                 alert_group_of *group);

/* Finds what was said of events like `now`; `instead` (may be NULL) stands in the place
 * of what was said of the same event. */
struct alert_said alert_feedback_find(const struct alert_feedback *f,
                                      const struct alert_judged *now, int64_t time_ns,
                                      const struct alert_judged *instead);

#endif
