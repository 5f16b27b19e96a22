/* What is saved of feedback beside the models: labelled rows and the budget's credits.
 * The first byte chooses which; a capital letter takes the rest as changes (place, new
 * value) to good bytes. What loads must be what is saved again, and do the budget no
 * harm. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alert/feedback.h"
#include "detect/labels.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int no_group(const char *metric)
{
    (void)metric;
    return 0;
}

static void try_labels(const uint8_t *data, size_t size)
{
    struct detect_multivariate_config config = detect_multivariate_config_default();
    struct detect_labels labels = {0};
    struct vd_writer again = {0};
    struct vd_error err = {0};
    struct vd_reader r;

    vd_reader_init(&r, data, size);
    if (detect_labels_load(&labels, &config, &r, &err) == VD_OK) {
        assert(labels.n <= DETECT_LABELS_MAX);
        detect_labels_save(&labels, &config, &again);
        assert(again.size == size - r.left);
    } else {
        assert(labels.n == 0 && err.text[0] != '\0');
    }
    vd_writer_release(&again);
    detect_labels_release(&labels);
}

static void try_credits(const uint8_t *data, size_t size)
{
    struct alert_feedback f;
    struct alert_budget budget;
    struct vd_reader r;

    alert_feedback_init(&f, no_group);
    alert_budget_init(&budget, 1, 1);
    vd_reader_init(&r, data, size);
    /* Nothing is said: every credit is taken back. */
    if (alert_feedback_load(&f, &r, NULL) == VD_OK)
        assert(alert_feedback_settle(&f, &budget) == VD_OK && f.n_confirmed == 0);
    assert(isfinite(alert_budget_threshold(&budget)) && budget.alerts >= 0);
    alert_feedback_release(&f);
}

static void save_good_labels(struct vd_writer *w)
{
    struct detect_multivariate_config config = detect_multivariate_config_default();
    struct detect_labels labels = {0};
    float rows[3 * DETECT_MULTIVARIATE_COLUMNS] = {1, NAN, 3};

    assert(detect_labels_add(&labels, 7, DETECT_LABEL_ANOMALY, rows, 3) == VD_OK);
    detect_labels_save(&labels, &config, w);
    detect_labels_release(&labels);
}

static void save_good_credits(struct vd_writer *w)
{
    struct record_event event = {.id = 7, .alerted = true, .feedback = "real"};
    struct alert_feedback f;
    struct alert_budget budget;

    alert_feedback_init(&f, no_group);
    alert_budget_init(&budget, 1, 1);
    alert_budget_alerted(&budget);
    assert(alert_feedback_replace(&f, &event, 1) == VD_OK);
    assert(alert_feedback_settle(&f, &budget) == VD_OK);
    alert_feedback_save(&f, w);
    alert_feedback_release(&f);
}

static void try_changed(void (*save)(struct vd_writer *w),
                        void (*load)(const uint8_t *data, size_t size),
                        const uint8_t *data, size_t size)
{
    struct vd_writer w = {0};

    save(&w);
    assert(w.status == VD_OK && w.size > 0);
    for (; size >= 3; data += 3, size -= 3)
        w.at[((size_t)data[0] << 8 | data[1]) % w.size] = data[2];
    load(w.at, w.size);
    vd_writer_release(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    switch (data[0]) {
    case 'l':
        try_labels(data + 1, size - 1);
        break;
    case 'L':
        try_changed(save_good_labels, try_labels, data + 1, size - 1);
        break;
    case 'C':
        try_changed(save_good_credits, try_credits, data + 1, size - 1);
        break;
    default:
        try_credits(data + 1, size - 1);
    }
    return 0;
}
