/* src/detect/silence.h: what stopped, and what froze. */
#include "unit.h"

#include "detect/silence.h"
#include "schema_fixture.h"

static void silence_hears_what_stopped_and_what_froze(void **state)
{
    double value[METRICS] = {1, 1, 50, 1, 1, 1};
    struct detect_silence s = {.interval_s = 1};
    struct record_silence hit;
    struct record_schema schema;
    int64_t now = 0;

    (void)state;
    make_schema(&schema);
    for (int i = 0; i < 100; i++) {
        value[TEMP] = 50 + i % 3;
        assert_false(detect_silence_check(&s, &schema, value, now += SECOND, &hit));
    }
    /* An unplugged file system is no incident, a metric without a label is. */
    value[HOME] = NAN;
    for (int i = 0; i < 60; i++) {
        value[TEMP] = 50 + i % 3;
        assert_false(detect_silence_check(&s, &schema, value, now += SECOND, &hit));
    }
    value[CPU] = NAN;
    for (int i = 0; i < 10; i++) {
        value[TEMP] = 50 + i % 3;
        assert_false(detect_silence_check(&s, &schema, value, now += SECOND, &hit));
    }
    assert_true(detect_silence_check(&s, &schema, value, now += SECOND, &hit));
    assert_int_equal(hit.kind, RECORD_SILENCE_GONE);
    assert_int_equal(hit.metric, CPU);
    value[CPU] = 1;
    for (int i = 0; i < 598; i++)
        assert_false(detect_silence_check(&s, &schema, value, now += SECOND, &hit));
    while (!detect_silence_check(&s, &schema, value, now += SECOND, &hit))
        assert_true(now < 10000 * SECOND);
    assert_int_equal(hit.kind, RECORD_SILENCE_FROZEN);
    assert_int_equal(hit.metric, TEMP);
    value[TEMP] = 51;
    assert_true(detect_silence_check(&s, &schema, value, now += 300 * SECOND, &hit));
    assert_int_equal(hit.kind, RECORD_SILENCE_GAP);
    detect_silence_release(&s);
    record_schema_release(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_hears_what_stopped_and_what_froze),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
