/* Rows that people labelled: the samples of events of which they said what they were.
 *
 * They outlive the raw rows of the store: a label is worth keeping. All rows of an event
 * come and go together, so that what is undone is gone.
 */
#ifndef VD_DETECT_LABELS_H
#define VD_DETECT_LABELS_H

#include "detect/multivariate_model.h"
#include "record.h"

enum detect_label {
    DETECT_LABEL_NORMAL,   /* out of quarantine: everything may learn it */
    DETECT_LABEL_EXPECTED, /* no anomaly, and no example of what is common either */
    DETECT_LABEL_ANOMALY,
};

enum {
    DETECT_LABELS_EVENT = 256, /* rows of one event; of a longer one every k-th */
    DETECT_LABELS_MAX = 4096,  /* rows of all; the first events leave */
};

/* What the samples of an event teach once something was said of it. Of silence and drift
 * there are none; of an anomaly those with a low `score` (NaN = none), since around them
 * it is open as well; of a limit all. */
bool detect_event_has_samples(const struct record_event *event);
bool detect_event_is_sample(const struct record_event *event, double score);

/* Returns the label of an event's samples, by its feedback. */
enum detect_label detect_event_label(const struct record_event *event);

struct detect_labelled {
    int64_t event_id;
    enum detect_label label;
    struct detect_multivariate_row row; /* nothing live in it */
};

/* Zero-initialise. */
struct detect_labels {
    struct detect_labelled *at; /* owned; in the order they came */
    size_t n, capacity;
};

void detect_labels_release(struct detect_labels *labels);

bool detect_labels_has(const struct detect_labels *labels, int64_t event_id);
size_t detect_labels_count(const struct detect_labels *labels, bool anomaly);

/* Copies the rows of normal events, at most `max`, evenly chosen; returns how many. */
size_t detect_labels_released(const struct detect_labels *labels,
                              struct detect_multivariate_row *out, size_t max);

/* Adds the rows of an event (n x DETECT_MULTIVARIATE_COLUMNS, thinned to
 * DETECT_LABELS_EVENT). */
enum vd_status detect_labels_add(struct detect_labels *labels, int64_t event_id,
                                 enum detect_label label, const float *rows, size_t n);

/* The rows of the event get another label; false when they had it already. */
bool detect_labels_change(struct detect_labels *labels, int64_t event_id,
                          enum detect_label label);

/* Forgets the event's rows; false when there were none. */
bool detect_labels_forget(struct detect_labels *labels, int64_t event_id);

/* With the names of the columns (config->column): rows of others are not loaded. */
void detect_labels_save(const struct detect_labels *labels,
                        const struct detect_multivariate_config *config,
                        struct vd_writer *w);
enum vd_status detect_labels_load(struct detect_labels *labels,
                                  const struct detect_multivariate_config *config,
                                  struct vd_reader *r, struct vd_error *err);

#endif
