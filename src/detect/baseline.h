/* What each metric normally is: a rolling window of normal samples per metric, its
 * median, its robust sigma, and how many sigmas the present value is away.
 *
 * Sigma has a floor by unit, so that z says how much a deviation matters, too: a CPU that
 * goes from 0.1 to 0.6 percent is many sigmas of a sleeping machine and no news.
 */
#ifndef VD_DETECT_BASELINE_H
#define VD_DETECT_BASELINE_H

#include "record.h"
#include "vedette/bytes.h"
#include "vedette/zscore.h"

struct detect_baseline {
    struct vd_rolling *rolling; /* one per metric */
    double *expected, *z;       /* one per metric; NaN = nothing to say yet */
    uint32_t *serial;           /* of the metrics in the schema */
    size_t n, capacity;
};

/* Zero-initialise before the first use. */
void detect_baseline_release(struct detect_baseline *b);

/* Sets expected and z for each of the schema's values; follows the schema. */
enum vd_status detect_baseline_read(struct detect_baseline *b,
                                    const struct record_schema *schema,
                                    const double *value);

/* How much the values matter, however rare they are: the largest deviation from what was
 * expected at the last read, in floors of sigma, or in sigmas of a number that nobody
 * knows. 0 = nothing is known yet. */
double detect_baseline_weight(const struct detect_baseline *b,
                              const struct record_schema *schema, const double *value);

/* Adds the values as normal samples. */
void detect_baseline_learn(struct detect_baseline *b, const double *value);

/* The windows by metric name. Load takes the metrics that this run has, too. */
void detect_baseline_save(const struct detect_baseline *b,
                          const struct record_schema *schema, struct vd_writer *w);
enum vd_status detect_baseline_load(struct detect_baseline *b,
                                    const struct record_schema *schema,
                                    struct vd_reader *r, struct vd_error *err);

/* The least sigma of a metric near `expected`, in its unit; 0 near 0 for a number that
 * nobody knows. */
double detect_sigma_floor(const struct record_metric *metric, double expected);

#endif
