/* The detectors that learn from labels: random forest, XGBoost, the agent, the ensemble.
 *
 * They come out of a bundle that was trained elsewhere (`vedette train`), or are fitted
 * here when people have said of events what they were: rows of real ones are anomalies,
 * those of normal and expected ones and the quiet rows of the window are not. Either way
 * they are calibrated on this host's quiet rows, each on those it was not fitted on, so
 * that their surprise means what everybody else's does. The agent goes on learning: what
 * is said since is added to it, row by row.
 *
 * A detector that says "normal" by its own threshold is at most as surprised as by one
 * quiet row in twenty, and n quiet rows do not tell of anything rarer than one in ten n:
 * classes that are easy to part give scores without a tail.
 *
 * A generation is immutable; it is made on a worker thread and swapped in between ticks.
 */
#ifndef VD_DETECT_SUPERVISED_H
#define VD_DETECT_SUPERVISED_H

#include "detect/labels.h"
#include "vedette/model.h"

typedef struct detect_supervised detect_supervised;

/* `bundle` is borrowed and may be NULL. Its columns must be among config's:
 * VD_ERR_SCHEMA names those that are not; VD_ERR_ARGUMENT when nothing in it learned from
 * labels. */
enum vd_status detect_supervised_new(detect_supervised **out,
                                     const struct detect_multivariate_config *config,
                                     const vd_model *bundle, struct vd_error *err);
void detect_supervised_free(detect_supervised *supervised);

/* The names of these detectors, 0, 1, ...; NULL behind the last. */
const char *detect_supervised_at(size_t index);

/* The verdicts on a row; `is_log` says which columns hold log(1 + x). Writes over the
 * verdict of the same name, and appends the others; those that are not ready, too, once
 * there is a bundle or a label. */
void detect_supervised_read(const detect_supervised *supervised,
                            const struct detect_multivariate_row *row,
                            const bool is_log[DETECT_MULTIVARIATE_COLUMNS],
                            struct record_verdict *verdict);

/* The labels changed: a new generation is due at once. `undone` = not only more. */
void detect_supervised_changed(detect_supervised *supervised, bool undone);

/* Whether a new generation is due: after a change, with twice the quiet rows, and every
 * hour. */
bool detect_supervised_due(const detect_supervised *supervised,
                           const struct detect_labels *labels, size_t quiet_rows,
                           int64_t mono_ns);

/* A generation in three steps. `begin` takes the quiet rows (malloc'ed, oldest first) and
 * copies the labels; NULL when there is no memory. `run` on any thread. */
typedef struct detect_supervised_job detect_supervised_job;

detect_supervised_job *
detect_supervised_begin(detect_supervised *supervised,
                        struct detect_multivariate_row *quiet, size_t n,
                        const bool is_log[DETECT_MULTIVARIATE_COLUMNS],
                        const struct detect_labels *labels, int64_t mono_ns);
void detect_supervised_run(detect_supervised_job *job);
/* From another thread while it runs: it ends after the fit that is under way, without a
 * generation. */
void detect_supervised_stop(detect_supervised_job *job);
void detect_supervised_end(detect_supervised *supervised, detect_supervised_job *job);

/* How many of its detectors have verdicts. */
size_t detect_supervised_ready(const detect_supervised *supervised);

#endif
