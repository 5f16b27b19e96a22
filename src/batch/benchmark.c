/* Time is measured for a tenth of a second each, once row by row as a monitor would, once
 * all rows at once. Memory is what the heap grew by: what a detector maps by other ways
 * is not seen. */
#include "batch/benchmark.h"

#include <malloc.h>
#include <math.h>
#include <stdlib.h>

#include "os/clock.h"
#include "vedette/evaluate.h"

/* Gives the seconds since a monotonic time. */
static double seconds_since(int64_t start_ns)
{
    return (double)(os_clock_mono_ns() - start_ns) * 1e-9;
}

/* Gives the bytes that the heap has given out, those of large blocks included. */
static double heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();

    return (double)(info.uordblks + info.hblkhd);
}

/* Scores the test rows one by one, then all at once, for a tenth of a second each. The
 * scores of both ways are the same, so they are kept once. */
static void measure_speed(const vd_detector *detector, const struct vd_matrix *x,
                          unsigned threads, double *score, struct plot_result *result)
{
    size_t rows = 0, rounds = 0;
    int64_t start = os_clock_mono_ns();

    do {
        for (size_t i = 0; i < x->n; i++)
            score[i] = vd_detector_score(detector, vd_matrix_row(x, i));
        rows += x->n;
    } while (seconds_since(start) < 0.1);
    result->latency_ms = seconds_since(start) * 1e3 / (double)rows;
    start = os_clock_mono_ns();
    do {
        vd_detector_score_many(detector, x, score, threads);
        rounds++;
    } while (seconds_since(start) < 0.1);
    result->throughput_ips = (double)(x->n * rounds) / seconds_since(start);
}

/* Fills in the quality. Without anomalies there is no F1, and of one class no curve:
 * those stay NaN or empty. */
static void measure_quality(const struct batch_dataset *test, const double *score,
                            double threshold, uint8_t *predicted,
                            struct plot_result *result)
{
    struct vd_confusion confusion;

    for (size_t i = 0; i < test->x.n; i++)
        predicted[i] = score[i] > threshold;
    confusion = vd_confusion_count(test->label, predicted, test->x.n);
    result->f1 = result->precision = result->recall = NAN;
    result->roc_auc = result->pr_auc = NAN;
    if (confusion.tp + confusion.fn > 0) {
        result->f1 = vd_f1(&confusion);
        result->precision = vd_precision(&confusion);
        result->recall = vd_recall(&confusion);
    }
    vd_areas(test->label, score, test->x.n, &result->roc_auc, &result->pr_auc, NULL);
    if (vd_curve_init(&result->curve, test->label, score, test->x.n, NULL) != VD_OK)
        result->curve = (struct vd_curve){0};
}

/* Fits one detector and measures it. The heap is read before the fit, so what the fit
 * leaves behind is the detector's. */
enum vd_status batch_benchmark_run(struct plot_result *result,
                                   const struct batch_benchmark *b, struct vd_error *err)
{
    size_t n = b->test->x.n;
    double *score = calloc(n, sizeof *score);
    uint8_t *predicted = calloc(n, 1);
    vd_detector *detector = NULL;
    double heap = heap_bytes();
    int64_t start = os_clock_mono_ns();
    enum vd_status status = VD_ERR_MEMORY;

    if (score != NULL && predicted != NULL)
        status =
            vd_detector_fit(&detector, b->info->name, b->x, b->label, b->params, err);
    if (status == VD_OK) {
        result->name = b->info->name;
        result->title = b->info->title;
        result->train_s = seconds_since(start);
        result->memory_mb = fmax(heap_bytes() - heap, 0) * 1e-6;
        result->size_kb = (double)vd_detector_size(detector) / 1024;
        measure_speed(detector, &b->test->x, b->params->threads, score, result);
        measure_quality(b->test, score, vd_detector_threshold(detector), predicted,
                        result);
    }
    vd_detector_free(detector);
    free(predicted);
    free(score);
    return status;
}
