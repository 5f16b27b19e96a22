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
#ifndef VD_DETECT_TAUGHT_H
#define VD_DETECT_TAUGHT_H

#include "detect/labels.h"
#include "vedette/model.h"

typedef struct detect_taught detect_taught;

/* `bundle` is borrowed and may be NULL. Its columns must be among config's:
 * VD_ERR_SCHEMA names those that are not; VD_ERR_ARGUMENT when nothing in it learned from
 * labels. */
enum vd_status detect_taught_new(detect_taught **out, const struct host_config *config,
                                 const vd_model *bundle, struct vd_error *err);
void detect_taught_free(detect_taught *taught);

/* The verdicts on a row; `is_log` says which columns hold log(1 + x). Writes over the
 * verdict of the same name, and appends the others; those that are not ready, too, once
 * there is a bundle or a label. */
void detect_taught_read(const detect_taught *taught, const struct host_row *row,
                        const bool is_log[HOST_COLUMNS], struct record_verdict *verdict);

/* The labels changed: a new generation is due at once. `undone` = not only more. */
void detect_taught_changed(detect_taught *taught, bool undone);

/* Whether a new generation is due: after a change, with twice the quiet rows, and every
 * hour. */
bool detect_taught_due(const detect_taught *taught, const struct detect_labels *labels,
                       size_t quiet_rows, int64_t mono_ns);

/* A generation in three steps. `begin` takes the quiet rows (malloc'ed, oldest first) and
 * copies the labels; NULL when there is no memory. `run` on any thread. */
typedef struct taught_job taught_job;

taught_job *detect_taught_begin(detect_taught *taught, struct host_row *quiet, size_t n,
                                const bool is_log[HOST_COLUMNS],
                                const struct detect_labels *labels, int64_t mono_ns);
void detect_taught_run(taught_job *job);
/* From another thread while it runs: it ends after the fit that is under way, without a
 * generation. */
void detect_taught_stop(taught_job *job);
void detect_taught_end(detect_taught *taught, taught_job *job);

/* How many of its detectors have verdicts. */
size_t detect_taught_ready(const detect_taught *taught);

#endif
