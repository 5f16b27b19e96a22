/* src/alert/budget: the threshold that a budget of alerts asks for. */
#include "unit.h"

#include <string.h>

#include "alert/budget.h"
#include "vedette/rng.h"

static void first_threshold_is_that_of_an_exact_surprise(void **state)
{
    struct alert_budget b;

    (void)state;
    alert_budget_init(&b, 1, 1);
    /* One in 604,800 samples: -log10 of that. */
    assert_double_equal(alert_budget_threshold(&b), log10(604800), 1e-9);
    alert_budget_init(&b, 10, 1);
    assert_double_equal(alert_budget_threshold(&b), log10(60480), 1e-9);
    assert_true(isnan(alert_budget_achieved(&b)));
}

/* Alerts of independent exponential surprises over `weeks`, the threshold learnt as it
 * goes: what a quiet host does. `scale` stretches the tail beyond the exact one. */
static double simulate(double per_week, double scale, int weeks, uint64_t seed)
{
    struct alert_budget b;
    struct vd_rng rng;
    double alerts = 0, quiet = 0;

    vd_rng_init(&rng, seed);
    alert_budget_init(&b, per_week, 10);
    for (long i = 0; i < weeks * 60480L; i++) {
        double s = -scale * log10(1 - vd_rng_uniform(&rng));

        if (s >= alert_budget_threshold(&b) && quiet <= 0) {
            alerts += 1;
            quiet = 30;
        }
        quiet -= 10;
        alert_budget_add(&b, s, 10);
    }
    return alerts / weeks;
}

static void threshold_learns_the_tail_of_the_host(void **state)
{
    (void)state;
    /* Exact, and with a tail twice as long: both end near the budget. */
    assert_in_range((int)(10 * simulate(5, 1, 40, 1)), 25, 100);
    assert_in_range((int)(10 * simulate(5, 2, 40, 2)), 25, 100);
}

static void alerts_raise_the_threshold_and_confirming_lowers_it(void **state)
{
    struct alert_budget b;
    double before, raised;

    (void)state;
    alert_budget_init(&b, 1, 1);
    before = alert_budget_threshold(&b);
    alert_budget_alerted(&b);
    raised = alert_budget_threshold(&b);
    assert_true(raised > before);
    alert_budget_confirmed(&b, NULL);
    assert_double_equal(alert_budget_threshold(&b), before, 1e-12);
    for (int i = 0; i < 100; i++)
        alert_budget_alerted(&b);
    assert_true(alert_budget_threshold(&b) <= before + 2.001);
}

static void achieved_rate_counts_alerts_per_week(void **state)
{
    struct alert_budget b;

    (void)state;
    alert_budget_init(&b, 1, 1);
    for (int i = 0; i < 86400; i++)
        alert_budget_add(&b, 0, 1);
    alert_budget_alerted(&b);
    assert_double_equal(alert_budget_achieved(&b), 7, 1e-9);
}

static void bad_times_and_missing_surprises_change_nothing(void **state)
{
    struct alert_budget b;
    double before;

    (void)state;
    alert_budget_init(&b, 1, 1);
    before = alert_budget_threshold(&b);
    alert_budget_add(&b, 50, -3);
    alert_budget_add(&b, 50, NAN);
    alert_budget_add(&b, NAN, 1);
    assert_double_equal(alert_budget_threshold(&b), before, 0.01);
}

static void budget_comes_back_from_its_bytes_or_not_at_all(void **state)
{
    struct alert_budget b, c;
    struct vd_writer w = {0};
    struct vd_reader r;

    (void)state;
    alert_budget_init(&b, 1, 1);
    alert_budget_init(&c, 3, 1);
    for (int i = 0; i < 1000; i++)
        alert_budget_add(&b, i % 50 == 0 ? 4 : 0, 1);
    alert_budget_alerted(&b);
    alert_budget_save(&b, &w);
    vd_reader_init(&r, w.at, w.size);
    assert_int_equal(alert_budget_load(&c, &r, NULL), VD_OK);
    assert_double_equal(c.alerts, 1, 0);
    assert_double_equal(c.per_week, 3, 0);
    c.per_week = 1;
    assert_double_equal(alert_budget_threshold(&c), alert_budget_threshold(&b), 1e-12);
    memset(w.at, 0xff, w.size);
    vd_reader_init(&r, w.at, w.size);
    assert_int_equal(alert_budget_load(&c, &r, NULL), VD_ERR_FORMAT);
    assert_double_equal(alert_budget_threshold(&c), alert_budget_threshold(&b), 1e-12);
    vd_writer_release(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_threshold_is_that_of_an_exact_surprise),
        cmocka_unit_test(threshold_learns_the_tail_of_the_host),
        cmocka_unit_test(alerts_raise_the_threshold_and_confirming_lowers_it),
        cmocka_unit_test(achieved_rate_counts_alerts_per_week),
        cmocka_unit_test(bad_times_and_missing_surprises_change_nothing),
        cmocka_unit_test(budget_comes_back_from_its_bytes_or_not_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
