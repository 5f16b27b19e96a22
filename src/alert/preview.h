/* What saying something of an event would have changed in the past week. */
#ifndef VD_ALERT_PREVIEW_H
#define VD_ALERT_PREVIEW_H

#include "alert/feedback.h"
#include "history.h"
#include "record.h"

enum { ALERT_PREVIEW_DAYS = 7 };

/* The same on events at hand: `n` events with what was said of them; `candidate`: the one
 * in question (it need not be among them); `word`: what would be said, RECORD_UNSAID =
 * what was said would be undone. VD_ERR_MEMORY. */
enum vd_status alert_preview_of(const struct record_event *event, size_t n,
                                const struct record_event *candidate,
                                enum record_feedback word, alert_group_of *group,
                                struct record_preview *out);

/* Reads the events from the history. VD_ERR_DATA when there is no such event, or nothing
 * to undo. Any thread. */
enum vd_status alert_preview(const struct history_reader *history, int64_t event_id,
                             enum record_feedback word, int64_t now_ns,
                             alert_group_of *group, struct record_preview *out,
                             struct vd_error *err);

#endif
