/* The detect stage: two layers and one verdict.
 *
 * The univariate layer looks at every metric by itself (baseline.h: robust z;
 * univariate.h: the streaming detector), the multivariate layer at the core metrics
 * together (multivariate.h). The members' surprises are combined into one (Cauchy
 * combination). Training never happens on a tick: the host runs the job that
 * detect_set_training_begin gives on a worker thread.
 */
#ifndef VD_DETECT_DETECT_H
#define VD_DETECT_DETECT_H

#include "detect/multivariate.h"
#include "detect/supervised.h"
#include "record.h"
#include "vedette/bytes.h"

struct detect_config {
    struct detect_multivariate_config multivariate;
    double interval_s;
    double warm_up_s; /* first training; later ones at 2, 5 and every retrain_s */
    double retrain_s;
    double training_share;  /* of a core, for trainings that nobody waits for */
    const vd_model *bundle; /* detectors that were taught elsewhere; borrowed, NULL */
    size_t streams_max; /* metrics that get a streaming detector, unlabelled ones first */
};

struct detect_config detect_config_default(void);

typedef struct detect_set detect_set;

enum vd_status detect_set_new(detect_set **out, const struct detect_config *config,
                              struct vd_error *err);
void detect_set_free(detect_set *set);

/* Fills the verdict for one row of values. `threshold` is the surprise of the alert
 * budget: it scales the calibrated scores. */
void detect_set_read(detect_set *set, const struct record_schema *schema,
                     const double *value, int64_t time_ns, int64_t mono_ns,
                     double threshold, struct record_verdict *verdict);

/* Learns from the row read last, which was found normal. */
void detect_set_learn(detect_set *set, const double *value);

/* Learns from a row of the past (back-fill), which gives no verdict. With a minute's
 * worth of it the first training is due at once. */
void detect_set_learn_past(detect_set *set, const struct record_schema *schema,
                           const double *value, int64_t time_ns);

/* Return what is normal for each metric and how far away the row read last is, in sigmas;
 * schema->n each, valid until the next read. */
const double *detect_set_expected(const detect_set *set);
const double *detect_set_z(const detect_set *set);

/* Of each group the largest z of the multivariate layer's columns in the direction that
 * is worse; NaN where none has one. */
void detect_set_worst(const detect_set *set, const struct record_schema *schema,
                      double worst[RECORD_GROUPS]);

/* How much that matters, however rare it is: detect_baseline_weight of these values. */
double detect_set_weight(const detect_set *set, const struct record_schema *schema,
                         const double *value);

/* When the next training is due (monotonic ns). */
int64_t detect_set_training_due(const detect_set *set);

/* Brings the next training forward to `wait_s` from now, unless it is due sooner. */
void detect_set_retrain(detect_set *set, int64_t mono_ns, double wait_s);

/* The copy of what is to be learned from; NULL when there is too little. The next
 * training is scheduled either way. */
detect_multivariate_job *detect_set_training_begin(detect_set *set, int64_t mono_ns);
enum vd_status detect_set_training_end(detect_set *set, detect_multivariate_job *job,
                                       struct vd_error *err);

/* Adds the rows of an event that somebody labelled: `value` has n rows of the
 * multivariate layer's columns, as people see them. The detectors that need labels learn
 * them; normal ones come into the window's training as well, up to a tenth of it. */
enum vd_status detect_set_label(detect_set *set, const struct record_schema *schema,
                                int64_t event_id, enum detect_label label,
                                const double *value, size_t n);

/* Gives the rows of the event another label. */
void detect_set_relabel(detect_set *set, int64_t event_id, enum detect_label label);

/* Forgets the rows of the event. */
void detect_set_forget_labels(detect_set *set, int64_t event_id);

/* Tells whether rows of the event are known. */
bool detect_set_has_labels(const detect_set *set, int64_t event_id);

/* Forgets the rows of all events but the `n` named. */
void detect_set_keep_labels(detect_set *set, const int64_t *event_id, size_t n);

/* The training of those that learn from labels, in three steps as above. `begin` gives
 * NULL while none is due. */
detect_supervised_job *detect_set_supervised_begin(detect_set *set, int64_t mono_ns);
void detect_set_supervised_end(detect_set *set, detect_supervised_job *job);

/* How many detectors that learn from labels have verdicts. */
size_t detect_set_supervised(const detect_set *set);

/* The labelled rows as bytes, beside what detect_set_save writes. */
void detect_set_save_labels(const detect_set *set, struct vd_writer *w);
enum vd_status detect_set_load_labels(detect_set *set, struct vd_reader *r,
                                      struct vd_error *err);

size_t detect_set_rows(const detect_set *set);
double detect_set_confidence(const detect_set *set);

/* All that was learned, as bytes: layers, models, drift test. Load trusts nothing and
 * loads what it can: a part that does not fit is learnt anew and the first reason is in
 * err. `schema` is this run's: metrics are found by name. */
void detect_set_save(const detect_set *set, const struct record_schema *schema,
                     struct vd_writer *w);
enum vd_status detect_set_load(detect_set *set, const struct record_schema *schema,
                               struct vd_reader *r, struct vd_error *err);

#endif
