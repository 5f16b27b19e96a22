/* Counts, rates and threshold curves (Fawcett, "An introduction to ROC analysis", Pattern
 * Recognition Letters 2006; Davis and Goadrich, ICML 2006, for why precision-recall
 * points are not joined by straight lines). There are no confidence intervals.
 */
#include "vedette/evaluate.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"

struct vd_confusion vd_confusion_count(const uint8_t *label, const uint8_t *predicted,
                                       size_t n)
{
    struct vd_confusion c = {0};

    for (size_t i = 0; i < n; i++) {
        c.tp += label[i] && predicted[i];
        c.fp += !label[i] && predicted[i];
        c.tn += !label[i] && !predicted[i];
        c.fn += label[i] && !predicted[i];
    }
    return c;
}

/* Divides two counts; NaN = the rate does not exist. */
static double ratio(size_t part, size_t whole)
{
    return whole == 0 ? NAN : (double)part / (double)whole;
}

double vd_accuracy(const struct vd_confusion *c)
{
    return ratio(c->tp + c->tn, c->tp + c->tn + c->fp + c->fn);
}

double vd_precision(const struct vd_confusion *c)
{
    return c->tp + c->fp == 0 && c->fn > 0 ? 0 : ratio(c->tp, c->tp + c->fp);
}

double vd_recall(const struct vd_confusion *c)
{
    return ratio(c->tp, c->tp + c->fn);
}

double vd_specificity(const struct vd_confusion *c)
{
    return ratio(c->tn, c->tn + c->fp);
}

double vd_false_positive_rate(const struct vd_confusion *c)
{
    return ratio(c->fp, c->tn + c->fp);
}

double vd_false_negative_rate(const struct vd_confusion *c)
{
    return ratio(c->fn, c->tp + c->fn);
}

double vd_f1(const struct vd_confusion *c)
{
    return ratio(2 * c->tp, 2 * c->tp + c->fp + c->fn);
}

/* A row's score and label. */
struct scored {
    double score;
    uint8_t label;
};

static int by_falling_score(const void *left, const void *right)
{
    const struct scored *a = left, *b = right;

    return (a->score < b->score) - (a->score > b->score);
}

/* Makes the points of the curve from rows sorted by falling score: each row that is
 * called an anomaly moves from the negatives to the positives. */
static void walk(struct vd_curve *curve, const struct scored *row, size_t n,
                 size_t positives)
{
    struct vd_confusion c = {.tn = n - positives, .fn = positives};

    curve->at[0] = (struct vd_curve_point){INFINITY, c};
    curve->n = 1;
    for (size_t i = 0; i < n; i++) {
        c.tp += row[i].label;
        c.fn -= row[i].label;
        c.fp += !row[i].label;
        c.tn -= !row[i].label;
        if (i + 1 == n || row[i + 1].score != row[i].score)
            curve->at[curve->n++] = (struct vd_curve_point){row[i].score, c};
    }
    assert(curve->n <= n + 1 && c.fn == 0 && c.tn == 0);
}

enum vd_status vd_curve_init(struct vd_curve *curve, const uint8_t *label,
                             const double *score, size_t n, struct vd_error *err)
{
    struct scored *row = vd__alloc(n, sizeof *row);
    size_t kept = 0, positives = 0;
    enum vd_status status = VD_OK;

    *curve = (struct vd_curve){0};
    curve->at = n == SIZE_MAX ? NULL : vd__alloc(n + 1, sizeof *curve->at);
    if (row == NULL || curve->at == NULL) {
        status = vd_error_set(err, VD_ERR_MEMORY, NULL,
                              "no memory for the curve of %zu rows", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        if (isnan(score[i]))
            continue;
        row[kept++] = (struct scored){score[i], label[i] != 0};
        positives += label[i] != 0;
    }
    if (positives == 0 || positives == kept) {
        status = vd_error_set(err, VD_ERR_DATA, "use rows of both classes",
                              "%zu of %zu scored rows are anomalies: no curve", positives,
                              kept);
        goto out;
    }
    qsort(row, kept, sizeof *row, by_falling_score);
    walk(curve, row, kept, positives);
out:
    vd__free(row);
    if (status != VD_OK)
        vd_curve_release(curve);
    return status;
}

void vd_curve_release(struct vd_curve *curve)
{
    if (curve == NULL)
        return;
    vd__free(curve->at);
    *curve = (struct vd_curve){0};
}

double vd_curve_roc_auc(const struct vd_curve *curve)
{
    double area = 0;

    for (size_t i = 1; i < curve->n; i++) {
        const struct vd_confusion *a = &curve->at[i - 1].confusion;
        const struct vd_confusion *b = &curve->at[i].confusion;

        area += (vd_false_positive_rate(b) - vd_false_positive_rate(a)) *
                (vd_recall(a) + vd_recall(b)) / 2;
    }
    return curve->n == 0 ? NAN : area;
}

double vd_curve_pr_auc(const struct vd_curve *curve)
{
    double area = 0;

    for (size_t i = 1; i < curve->n; i++) {
        const struct vd_confusion *a = &curve->at[i - 1].confusion;
        const struct vd_confusion *b = &curve->at[i].confusion;

        area += (vd_recall(b) - vd_recall(a)) * vd_precision(b);
    }
    return curve->n == 0 ? NAN : area;
}

const struct vd_curve_point *vd_curve_best_f1(const struct vd_curve *curve)
{
    const struct vd_curve_point *best = NULL;

    for (size_t i = 0; i < curve->n; i++)
        if (best == NULL || vd_f1(&curve->at[i].confusion) > vd_f1(&best->confusion))
            best = &curve->at[i];
    return best;
}

enum vd_status vd_areas(const uint8_t *label, const double *score, size_t n,
                        double *roc_auc, double *pr_auc, struct vd_error *err)
{
    struct vd_curve curve;
    enum vd_status status = vd_curve_init(&curve, label, score, n, err);

    if (roc_auc != NULL)
        *roc_auc = vd_curve_roc_auc(&curve);
    if (pr_auc != NULL)
        *pr_auc = vd_curve_pr_auc(&curve);
    vd_curve_release(&curve);
    return status;
}
