/* A plain array, oldest event first. Rows keep no live scores: those would be of another
 * time. */
#include "detect/labels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Samples up to this score belong to the event. Around them it is open as well: it waits
 * whether what is over comes back, and ends some seconds later. */
static const double OF_EVENT = 0.2;

bool detect_event_has_samples(const struct record_event *event)
{
    return event->kind == RECORD_ANOMALY || event->kind == RECORD_RULE;
}

/* Tells whether a sample of the event's time belongs to it. A limit has no score, so all
 * of its samples do. */
bool detect_event_is_sample(const struct record_event *event, double score)
{
    return event->kind == RECORD_RULE || score <= OF_EVENT;
}

enum detect_label detect_event_label(const struct record_event *event)
{
    enum record_feedback said;

    record_feedback_of(event->feedback, &said);
    switch (said) {
    case RECORD_SAID_REAL:
        return DETECT_LABEL_ANOMALY;
    case RECORD_SAID_EXPECTED:
        return DETECT_LABEL_EXPECTED;
    default:
        return DETECT_LABEL_NORMAL;
    }
}

void detect_labels_release(struct detect_labels *labels)
{
    free(labels->at);
    *labels = (struct detect_labels){0};
}

bool detect_labels_has(const struct detect_labels *labels, int64_t event_id)
{
    for (size_t i = 0; i < labels->n; i++)
        if (labels->at[i].event_id == event_id)
            return true;
    return false;
}

size_t detect_labels_count(const struct detect_labels *labels, bool anomaly)
{
    size_t n = 0;

    for (size_t i = 0; i < labels->n; i++)
        n += (labels->at[i].label == DETECT_LABEL_ANOMALY) == anomaly;
    return n;
}

/* Takes at most `max` of the rows that were said to be normal, evenly over all of them:
 * the n-th of `max` stands at n / max of the way. */
size_t detect_labels_released(const struct detect_labels *labels,
                              struct detect_multivariate_row *out, size_t max)
{
    size_t all = 0, seen = 0, n = 0;

    for (size_t i = 0; i < labels->n; i++)
        all += labels->at[i].label == DETECT_LABEL_NORMAL;
    for (size_t i = 0; i < labels->n; i++) {
        if (labels->at[i].label != DETECT_LABEL_NORMAL)
            continue;
        /* The n-th of `max` stands at n / max of the way. */
        if (n < max && seen * max >= n * all)
            out[n++] = labels->at[i].row;
        seen++;
    }
    return n;
}

/* Makes room for n labelled rows. */
static enum vd_status reserve(struct detect_labels *labels, size_t n)
{
    struct detect_labelled *grown;

    if (n <= labels->capacity)
        return VD_OK;
    grown = realloc(labels->at, n * sizeof *grown);
    if (grown == NULL)
        return VD_ERR_MEMORY;
    labels->at = grown;
    labels->capacity = n;
    return VD_OK;
}

/* Adds the rows of an event, at most DETECT_LABELS_EVENT of them, evenly. When there are
 * too many in all, the oldest event is forgotten as a whole. */
enum vd_status detect_labels_add(struct detect_labels *labels, int64_t event_id,
                                 enum detect_label label, const float *rows, size_t n)
{
    size_t step = (n + DETECT_LABELS_EVENT - 1) / DETECT_LABELS_EVENT;
    size_t add = n == 0 ? 0 : (n + step - 1) / step;

    while (labels->n > 0 && labels->n + add > DETECT_LABELS_MAX)
        detect_labels_forget(labels, labels->at[0].event_id);
    if (reserve(labels, labels->n + add) != VD_OK)
        return VD_ERR_MEMORY;
    for (size_t i = 0; i < n; i += step) {
        struct detect_labelled *to = &labels->at[labels->n++];

        *to = (struct detect_labelled){.event_id = event_id, .label = label};
        memcpy(to->row.x, rows + i * DETECT_MULTIVARIATE_COLUMNS, sizeof to->row.x);
        for (size_t k = 0; k < DETECT_LIVE; k++)
            to->row.live[k] = NAN;
    }
    return VD_OK;
}

bool detect_labels_change(struct detect_labels *labels, int64_t event_id,
                          enum detect_label label)
{
    bool changed = false;

    for (size_t i = 0; i < labels->n; i++) {
        if (labels->at[i].event_id != event_id || labels->at[i].label == label)
            continue;
        labels->at[i].label = label;
        changed = true;
    }
    return changed;
}

/* Removes the rows of an event and keeps the order of the others. */
bool detect_labels_forget(struct detect_labels *labels, int64_t event_id)
{
    size_t kept = 0, before = labels->n;

    for (size_t i = 0; i < labels->n; i++)
        if (labels->at[i].event_id != event_id)
            labels->at[kept++] = labels->at[i];
    labels->n = kept;
    return kept < before;
}

/* ---- saved form ---- */

void detect_labels_save(const struct detect_labels *labels,
                        const struct detect_multivariate_config *config,
                        struct vd_writer *w)
{
    detect_multivariate_save_columns(config, w);
    vd_write_u64(w, labels->n);
    for (size_t i = 0; i < labels->n; i++) {
        vd_write_u64(w, (uint64_t)labels->at[i].event_id);
        vd_write_u8(w, (uint8_t)labels->at[i].label);
        for (size_t c = 0; c < DETECT_MULTIVARIATE_COLUMNS; c++)
            vd_write_f32(w, labels->at[i].row.x[c]);
    }
}

/* Loads the labels whole or not at all. Labels of other columns are refused, since their
 * numbers would be taken for other metrics'. */
enum vd_status detect_labels_load(struct detect_labels *labels,
                                  const struct detect_multivariate_config *config,
                                  struct vd_reader *r, struct vd_error *err)
{
    const size_t row_size = 8 + 1 + DETECT_MULTIVARIATE_COLUMNS * sizeof(float);
    struct detect_labels read = {0};
    bool good = true;
    size_t n;

    if (!detect_multivariate_same_columns(config, r))
        return vd_error_set(err, VD_ERR_SCHEMA, "the store's rows are taken instead",
                            "the saved labels are of other metrics");
    n = vd_read_count(r, row_size);
    if (r->failed || n > DETECT_LABELS_MAX || reserve(&read, n) != VD_OK)
        good = false;
    for (size_t i = 0; good && i < n; i++) {
        struct detect_labelled *to = &read.at[read.n++];

        *to = (struct detect_labelled){.event_id = (int64_t)vd_read_u64(r)};
        to->label = (enum detect_label)vd_read_u8(r);
        good = to->label <= DETECT_LABEL_ANOMALY;
        for (size_t c = 0; c < DETECT_MULTIVARIATE_COLUMNS; c++)
            to->row.x[c] = vd_read_f32(r);
        for (size_t k = 0; k < DETECT_LIVE; k++)
            to->row.live[k] = NAN;
    }
    if (!good || r->failed) {
        detect_labels_release(&read);
        return vd_error_set(err, VD_ERR_FORMAT, "the store's rows are taken instead",
                            "the saved labels are damaged");
    }
    detect_labels_release(labels);
    *labels = read;
    return VD_OK;
}
