/* The inside of vedette/detector.h: what a detector hands to the table of detectors.
 *
 * A fitted detector is one block that begins with struct vd_detector; it is immutable, so
 * threads share it. A detector need not check what it gets, because detectors.c has: fit
 * gets at least two rows of numbers within VD_VALUE_MAX, valid labels, and settings
 * inside their bounds; score gets numbers within VD_VALUE_MAX.
 */
#ifndef VD_DETECT_CLASS_H
#define VD_DETECT_CLASS_H

#include "vedette/detector.h"
#include "vedette/rng.h"

/* The rows and settings of a fit; all is borrowed for the time of the call. */
struct vd__fit {
    const struct vd_matrix *x;      /* n x d */
    const uint8_t *labels;          /* n of 0 / 1, or NULL */
    const struct vd_matrix *normal; /* m x d rows known to be normal, or NULL */
    const double *param;            /* one value per row of info.params */
    double contamination;           /* 0 = the detector's own rule */
    uint64_t seed;
    unsigned threads;
    const char *xgboost_library;
    const struct vd_setting *settings; /* as given, for the members of the ensemble */
    size_t n_settings;
};

/* Most columns of rows that are scored side by side: they are kept on the stack. */
enum { VD__BLOCK_COLUMNS = 256 };

/* A row of the table: what the detector is called, and its functions. */
struct vd__detector_class {
    struct vd_detector_info info;
    uint32_t version; /* of what save writes; 0 counts as 1 */
    /* Learns from `fit`. On success the caller owns *out; on failure nothing is left. */
    enum vd_status (*fit)(vd_detector **out, const struct vd__fit *fit,
                          struct vd_error *err);
    /* Gives the raw score of a row of d numbers. Any thread, no allocation. */
    double (*score)(const vd_detector *self, const double *row);
    /* Scores n rows that lie one after another; NULL = row by row. */
    void (*score_block)(const vd_detector *self, const double *rows, size_t n,
                        double *scores);
    /* Writes each column's part of the raw score into share[d]; NULL = not available. */
    enum vd_status (*explain)(const vd_detector *self, const double *row, double *share);
    /* Appends what load reads, without the frame and the threshold. */
    void (*save)(const vd_detector *self, struct vd_writer *w);
    /* Reads what save wrote for rows of d columns, trusting nothing; the caller sets the
     * threshold. */
    enum vd_status (*load)(vd_detector **out, size_t d, struct vd_reader *r,
                           struct vd_error *err);
    /* Makes ready for scoring many rows; NULL = nothing can be made. */
    enum vd_status (*prepare)(vd_detector *self);
    /* Frees what is not in the block; NULL = nothing is. */
    void (*release)(vd_detector *self);
};

/* The beginning of every fitted detector. */
struct vd_detector {
    const struct vd__detector_class *class;
    size_t d;         /* columns */
    size_t size;      /* bytes of the model */
    double threshold; /* raw score above it = anomaly */
};

/* The rows of the table in detectors.c. */
extern const struct vd__detector_class vd__isolation_forest;
extern const struct vd__detector_class vd__one_class_svm;
extern const struct vd__detector_class vd__lof;
extern const struct vd__detector_class vd__pca;
extern const struct vd__detector_class vd__mahalanobis;
extern const struct vd__detector_class vd__random_forest;
extern const struct vd__detector_class vd__xgboost;
extern const struct vd__detector_class vd__agent;
extern const struct vd__detector_class vd__ensemble;

/* Allocates a block of `size` zero bytes that begins with struct vd_detector, filled in
 * but for the threshold. vd_detector_free frees it; NULL = no memory. */
vd_detector *vd__detector_new(const struct vd__detector_class *class, size_t d,
                              size_t size);

/* Finds the threshold that calls the share `contamination` (0 .. 1) of these scores
 * anomalous, as scikit-learn counts it (linear percentile). Reorders the scores. */
double vd__threshold_of(double *scores, size_t n, double contamination);

/* Says that the bytes are not what the save of `what` writes; returns VD_ERR_FORMAT. */
enum vd_status vd__load_failed(const struct vd_reader *r, const char *what,
                               struct vd_error *err);

/* Draws k distinct random numbers 0 .. n - 1 into chosen[k] in time O(k), all n when k is
 * larger (sample.c). `set` is scratch for vd__sample_set_size(k) numbers. */
size_t vd__sample_set_size(size_t k);
void vd__sample(struct vd_rng *rng, uint32_t *chosen, size_t n, size_t k, uint32_t *set);

#endif
