/* src/alert/likeness: when two events are of one kind, and when one is clearly larger. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "alert/likeness.h"

/* Metrics of one first letter are about the same thing; those that begin with "x" are
 * about nothing that is known. */
static int first_letter(const char *metric)
{
    return metric[0] == 'x' ? -1 : metric[0] - 'c';
}

struct part {
    const char *name;
    double z, away;
};

static struct alert_features features_of(const struct part *part, size_t n)
{
    static struct record_event event;
    struct alert_features features;

    memset(&event, 0, sizeof event);
    event.kind = RECORD_ANOMALY;
    event.n_top = n;
    for (size_t i = 0; i < n; i++) {
        snprintf(event.top[i].name, sizeof event.top[i].name, "%s", part[i].name);
        event.top[i].z = part[i].z;
        event.top[i].expected = 10;
        event.top[i].value = 10 + copysign(part[i].away, part[i].z);
    }
    alert_features_of(&features, &event, first_letter);
    return features;
}

static void likeness_is_the_cosine_of_the_deviations(void **state)
{
    static const struct {
        struct part a[2], b[2];
        double cosine;
    } known[] = {
        {{{"cpu", 5, 1}}, {{"cpu", 9, 1}}, 1},
        {{{"cpu", 5, 1}}, {{"cpu", -9, 1}}, -1},
        {{{"cpu", 5, 1}}, {{"memory", 5, 1}}, 0},
        {{{"cpu", 5, 1}}, {{"core", 5, 1}}, 0.5},
        {{{"cpu", 5, 1}}, {{"core", -5, 1}}, -0.5},
        {{{"xa", 5, 1}}, {{"xb", 5, 1}}, 0},
        /* One of two in common, and both of them, of equal weight. */
        {{{"cpu", 5, 1}, {"net", 5, 1}}, {{"cpu", 5, 1}, {"disk", 5, 1}}, 0.5},
        {{{"cpu", 5, 1}, {"net", 5, 1}}, {{"net", 5, 1}, {"cpu", 5, 1}}, 1},
        {{{"cpu", 5, 1}, {"net", 5, 1}}, {{"cpu", 5, 1}}, 0.70710678118654757},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct alert_features a =
            features_of(known[i].a, 1 + (known[i].a[1].name != NULL));
        struct alert_features b =
            features_of(known[i].b, 1 + (known[i].b[1].name != NULL));

        assert_double_equal(alert_likeness(&a, &b), known[i].cosine, 1e-12);
        assert_double_equal(alert_likeness(&b, &a), known[i].cosine, 1e-12);
        b.kind = RECORD_ANOMALY + 1;
        assert_double_equal(alert_likeness(&a, &b), 0, 0);
    }
}

static void weights_are_logarithms_and_unknown_ones_are_left_out(void **state)
{
    static const struct part parts[] = {
        {"cpu", NAN, 1}, {"net", -6, NAN}, {"disk", -6, 2}};
    struct alert_features f = features_of(parts, 3), none = features_of(parts, 2);

    (void)state;
    assert_int_equal(f.n, 1);
    assert_double_equal(f.part[0].weight, -log(7), 1e-12);
    assert_double_equal(f.part[0].away, 2, 1e-12);
    assert_int_equal(f.part[0].group, 1);
    assert_int_equal(none.n, 0);
    assert_double_equal(alert_likeness(&none, &none), 0, 0); /* nothing is like it */
}

static void larger_is_half_as_far_again(void **state)
{
    static const struct {
        struct part now[2], then[2];
        bool larger;
    } known[] = {
        {{{"cpu", 5, 15}}, {{"cpu", 5, 10}}, false},
        {{{"cpu", 5, 15.1}}, {{"cpu", 9, 10}}, true},
        {{{"cpu", 5, 15.1}}, {{"net", 5, 90}, {"cpu", 5, 10}}, true},
        {{{"cpu", 5, 15}, {"net", 50, 900}}, {{"net", 5, 9}, {"cpu", 5, 10}}, false},
        /* It was not named then: by z. */
        {{{"cpu", 1, 15}, {"net", 7.4, 1}}, {{"disk", -5, 1}, {"net", 1, 1}}, false},
        {{{"cpu", 1, 15}, {"net", 7.6, 1}}, {{"disk", -5, 1}, {"net", 1, 1}}, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct alert_features now =
            features_of(known[i].now, 1 + (known[i].now[1].name != NULL));
        struct alert_features then =
            features_of(known[i].then, 1 + (known[i].then[1].name != NULL));

        assert_int_equal(alert_is_clearly_larger(&now, &then), known[i].larger);
    }
}

static struct alert_features limit_of(const char *rule, const char *metric, double value)
{
    static struct record_event event;
    struct alert_features features;

    memset(&event, 0, sizeof event);
    event.kind = RECORD_ANOMALY;
    snprintf(event.limit.rule, sizeof event.limit.rule, "%s", rule);
    event.limit.value = 90;
    event.n_top = 1;
    snprintf(event.top[0].name, sizeof event.top[0].name, "%s", metric);
    event.top[0].value = value;
    event.top[0].z = NAN;
    alert_features_of(&features, &event, first_letter);
    return features;
}

static void a_limit_is_like_itself_alone(void **state)
{
    struct alert_features first = limit_of("full", "disk /", 94);
    struct alert_features again = limit_of("full", "disk /", 88);
    struct alert_features metric = limit_of("full", "disk /home", 94);
    struct alert_features rule = limit_of("filling", "disk /", 94);
    struct alert_features worse = limit_of("full", "disk /", 96.1);

    (void)state;
    assert_double_equal(alert_likeness(&first, &again), 1, 1e-12);
    assert_double_equal(alert_likeness(&first, &metric), 0, 0);
    assert_double_equal(alert_likeness(&first, &rule), 0, 0);
    assert_false(alert_is_clearly_larger(&again, &worse));
    assert_true(alert_is_clearly_larger(&worse, &first)); /* 6.1 beyond it, not 4 */
    assert_false(alert_is_clearly_larger(&first, &worse));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(likeness_is_the_cosine_of_the_deviations),
        cmocka_unit_test(weights_are_logarithms_and_unknown_ones_are_left_out),
        cmocka_unit_test(larger_is_half_as_far_again),
        cmocka_unit_test(a_limit_is_like_itself_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
