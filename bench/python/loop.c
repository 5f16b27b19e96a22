/* What vedette.py calls: loops in C, so that the time of one row is not the time of
 * a call from Python. Linked with the whole library into one shared object. */
#define _POSIX_C_SOURCE 200809L

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "vedette/detector.h"

int bench_fit(vd_detector **out, const char *name, const double *x, size_t n, size_t d,
              const uint8_t *labels, const double *normal, size_t n_normal,
              const char *const *setting, const double *value, size_t n_settings,
              double contamination, uint64_t seed, unsigned threads, const char *xgboost,
              struct vd_error *err);
void bench_score(const vd_detector *detector, const double *x, size_t n, double *scores,
                 unsigned threads);
void bench_latency(vd_detector *const *detector, size_t n_detectors, const double *x,
                   size_t n, size_t d, double *microseconds);

int bench_fit(vd_detector **out, const char *name, const double *x, size_t n, size_t d,
              const uint8_t *labels, const double *normal, size_t n_normal,
              const char *const *setting, const double *value, size_t n_settings,
              double contamination, uint64_t seed, unsigned threads, const char *xgboost,
              struct vd_error *err)
{
    struct vd_matrix m = {.n = n, .d = d, .at = (double *)(uintptr_t)x};
    struct vd_matrix more = {.n = n_normal, .d = d, .at = (double *)(uintptr_t)normal};
    struct vd_setting settings[32];
    struct vd_fit_params params = {.settings = settings,
                                   .n_settings = n_settings,
                                   .contamination = contamination,
                                   .seed = seed,
                                   .threads = threads,
                                   .normal = n_normal > 0 ? &more : NULL,
                                   .xgboost_library = xgboost};

    for (size_t i = 0; i < n_settings && i < 32; i++)
        settings[i] = (struct vd_setting){setting[i], value[i]};
    return vd_detector_fit(out, name, &m, labels, &params, err);
}

void bench_score(const vd_detector *detector, const double *x, size_t n, double *scores,
                 unsigned threads)
{
    struct vd_matrix m = {
        .n = n, .d = vd_detector_columns(detector), .at = (double *)(uintptr_t)x};

    vd_detector_score_many(detector, &m, scores, threads);
}

/* Each row through all detectors, one after another; the time of each row. */
void bench_latency(vd_detector *const *detector, size_t n_detectors, const double *x,
                   size_t n, size_t d, double *microseconds)
{
    volatile double sink;

    for (size_t i = 0; i < n; i++) {
        struct timespec a, b;

        clock_gettime(CLOCK_MONOTONIC, &a);
        for (size_t k = 0; k < n_detectors; k++)
            sink = vd_detector_score(detector[k], x + i * d);
        clock_gettime(CLOCK_MONOTONIC, &b);
        microseconds[i] =
            (double)(b.tv_sec - a.tv_sec) * 1e6 + (double)(b.tv_nsec - a.tv_nsec) / 1e3;
    }
    (void)sink;
}
