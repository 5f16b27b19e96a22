/* src/alert/events: the life of an event. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "alert/events.h"

struct bench {
    struct alert_events events;
    int64_t mono_ns;
    int64_t ahead_ns;           /* of the wall clock */
    struct record_event *event; /* the anomaly's */
    struct alert_step step;
    int64_t opened;
};

static void bench_init(struct bench *b)
{
    struct alert_config config = alert_config_default();

    *b = (struct bench){.mono_ns = SECOND, .event = &b->events.anomaly.event};
    alert_events_init(&b->events, &config);
}

static enum record_event_change tick(struct bench *b, double surprise)
{
    double threshold = alert_budget_threshold(&b->events.budget);
    struct alert_input in = {.kind = RECORD_ANOMALY};

    b->mono_ns += SECOND;
    alert_events_tick(&b->events, surprise, b->mono_ns + b->ahead_ns, b->mono_ns);
    in.active = b->events.sustained >= threshold && !alert_events_adopting(&b->events);
    in.score = 1 - b->events.sustained / threshold;
    in.height = -in.score;
    in.severity = RECORD_HIGH;
    in.time_ns = b->mono_ns + b->ahead_ns;
    in.mono_ns = b->mono_ns;
    in.started_ns = b->events.onset_ns;
    in.started_mono_ns = b->events.onset_mono_ns;
    b->step = alert_course_update(&b->events.anomaly, &in, b->events.config.close_s);
    if (b->step.change == RECORD_EVENT_OPENED)
        b->event->id = ++b->opened;
    alert_events_learn(&b->events, false);
    return b->step.change;
}

static void one_odd_sample_is_no_event(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    for (int i = 0; i < 60; i++)
        assert_int_equal(tick(&b, i % 10 == 0 ? 40 : 0.2), RECORD_EVENT_NONE);
    assert_int_equal(b.opened, 0);
}

static void three_of_five_open_alert_and_end(void **state)
{
    struct bench b;
    int64_t first;

    (void)state;
    bench_init(&b);
    for (int i = 0; i < 20; i++)
        tick(&b, 0.2);
    first = b.mono_ns + SECOND;
    assert_int_equal(tick(&b, 12), RECORD_EVENT_NONE);
    assert_int_equal(tick(&b, 12), RECORD_EVENT_NONE);
    assert_int_equal(tick(&b, 12), RECORD_EVENT_OPENED);
    assert_true(b.event->start_ns == first);
    assert_true(alert_events_anomalous(&b.events));
    assert_int_equal(tick(&b, 20), RECORD_EVENT_UPDATED);
    for (int i = 0; i < 9; i++)
        tick(&b, 0.1);
    while (b.event->state == RECORD_EVENT_OPEN && b.mono_ns < 100 * SECOND)
        tick(&b, 0.1);
    assert_int_equal(b.event->state, RECORD_EVENT_CLOSED);
    assert_true(b.event->end_ns > b.event->start_ns);
    assert_int_equal(tick(&b, 0.1), RECORD_EVENT_NONE);
    assert_false(alert_events_anomalous(&b.events));
    assert_int_equal(b.opened, 1);
}

static void missing_verdicts_open_nothing(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    for (int i = 0; i < 30; i++)
        assert_int_equal(tick(&b, NAN), RECORD_EVENT_NONE);
}

static void a_lasting_level_is_adopted(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    for (int i = 0; i < 600; i++)
        tick(&b, 15);
    assert_true(alert_events_anomalous(&b.events));
    assert_false(alert_events_adopt(&b.events, 1e6, 0, b.mono_ns));
    for (int i = 0; i < 310; i++)
        tick(&b, 15);
    assert_true(alert_events_adopt(&b.events, 1e6, 0, b.mono_ns));
    assert_false(alert_events_anomalous(&b.events));
    for (int i = 0; i <= ALERT_ADOPT_S; i++)
        tick(&b, 15);
    assert_true(alert_events_anomalous(&b.events));
}

/* Whatever the pace: a level that stays odd for a while after it was adopted is not the
 * same event again, and one that is never learned begins anew after the adoption. */
static void an_adopted_level_is_no_second_event(void **state)
{
    static const double pace_s[] = {0.2, 1, 10, 60, 300, 3600};

    (void)state;
    for (size_t i = 0; i < sizeof pace_s / sizeof pace_s[0]; i++) {
        int64_t step = (int64_t)(pace_s[i] * 1e9), adopted = 0, start;
        struct alert_config config = alert_config_default();
        double rare_s = fmax(ALERT_ADOPT_S, 120 * pace_s[i]);
        struct bench b;

        bench_init(&b);
        config.interval_s = pace_s[i];
        alert_events_init(&b.events, &config);
        while (adopted == 0) {
            b.mono_ns += step - SECOND;
            tick(&b, 15);
            if (alert_events_adopt(&b.events, 1e9, 0, b.mono_ns))
                adopted = b.mono_ns;
        }
        start = b.event->start_ns;
        while ((double)(b.mono_ns + step - adopted) * 1e-9 < rare_s) {
            b.mono_ns += step - SECOND;
            /* The monitor calls nothing active meanwhile. */
            alert_events_tick(&b.events, 15, b.mono_ns + SECOND, b.mono_ns + SECOND);
            b.mono_ns += SECOND;
            assert_true(alert_events_adopting(&b.events));
            assert_false(alert_events_anomalous(&b.events));
        }
        for (int k = 0; k < 3; k++) {
            b.mono_ns += step - SECOND;
            tick(&b, 15);
        }
        assert_false(alert_events_adopting(&b.events));
        assert_true(b.events.onset_ns > adopted && b.events.onset_ns != start);
    }
}

/* Where the level goes, or is learned, the adoption is over soon. */
static void an_adoption_ends_with_its_level(void **state)
{
    struct alert_config config = alert_config_default();
    struct bench b;

    (void)state;
    bench_init(&b);
    config.interval_s = 60;
    alert_events_init(&b.events, &config);
    while (!alert_events_adopt(&b.events, 1e9, 0, b.mono_ns)) {
        b.mono_ns += 59 * SECOND;
        tick(&b, 15);
    }
    for (int i = 0; i < 4; i++) {
        b.mono_ns += 59 * SECOND;
        tick(&b, 0.2);
    }
    assert_false(alert_events_adopting(&b.events));
}

/* An odd sample stretches an adoption by the time of two samples, and no further. */
static void an_odd_sample_stretches_an_adoption(void **state)
{
    struct alert_config config = alert_config_default();
    struct bench b;

    (void)state;
    bench_init(&b);
    config.interval_s = 60;
    alert_events_init(&b.events, &config);
    while (!alert_events_adopt(&b.events, 1e9, 0, b.mono_ns)) {
        b.mono_ns += 59 * SECOND;
        tick(&b, 15);
    }
    for (int i = 0; i < (int)b.events.width; i++)
        b.events.recent[i] = 0.2;
    for (int i = 0; i < 3; i++) {
        b.mono_ns += 59 * SECOND;
        tick(&b, i == 0 ? 15 : 0.2);
        assert_int_equal(alert_events_adopting(&b.events), i < 2);
    }
}

static void a_young_monitor_adopts_sooner(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    for (int i = 0; i < 50; i++)
        tick(&b, 15);
    assert_true(alert_events_adopt(&b.events, 60, 0, b.mono_ns));
}

/* An event that began at 100 s of an earlier run and was seen last at 160 s; this run
 * begins an hour later. */
static void bench_resume(struct bench *b)
{
    const struct record_event event = {.id = 7,
                                       .start_ns = 100 * SECOND,
                                       .peak_ns = 110 * SECOND,
                                       .severity = RECORD_HIGH,
                                       .score = -0.6,
                                       .alerted = true,
                                       .kind = RECORD_ANOMALY};

    bench_init(b);
    b->mono_ns = 3600 * SECOND;
    alert_course_resume(&b->events.anomaly, &event, 0.6, 160 * SECOND);
}

static void what_still_holds_goes_on_under_its_id(void **state)
{
    struct bench b;

    (void)state;
    bench_resume(&b);
    for (int i = 0; i < 5; i++)
        assert_int_equal(tick(&b, 0.2), RECORD_EVENT_NONE);
    for (int i = 0; i < 60; i++) {
        enum record_event_change change = tick(&b, 15);

        assert_true(change == RECORD_EVENT_NONE || change == RECORD_EVENT_UPDATED);
    }
    assert_int_equal(b.event->id, 7);
    assert_true(b.event->start_ns == 100 * SECOND);
    assert_int_equal(b.opened, 0);
    while (tick(&b, 0.1) != RECORD_EVENT_ENDED)
        assert_true(b.mono_ns < 3700 * SECOND);
    assert_true(b.event->end_ns == b.mono_ns);
}

static void what_does_not_hold_ended_when_it_was_seen_last(void **state)
{
    struct bench b;
    int64_t begun;

    (void)state;
    bench_resume(&b);
    begun = b.mono_ns + SECOND;
    while (tick(&b, 0.2) != RECORD_EVENT_ENDED)
        assert_true(b.mono_ns < 3700 * SECOND);
    assert_true(b.mono_ns - begun == 10 * SECOND);
    assert_int_equal(b.event->id, 7);
    assert_true(b.event->end_ns == 160 * SECOND);
    /* The next one is another. */
    for (int i = 0; i < 8; i++)
        tick(&b, 15);
    assert_int_equal(b.opened, 1);
    assert_true(b.event->start_ns > 3600 * SECOND);
}

/* Down for a day is not held for a day: what was seen counts, here 60 s. */
static void what_was_not_seen_is_not_adopted(void **state)
{
    struct bench b;

    (void)state;
    bench_resume(&b);
    assert_false(alert_events_adopt(&b.events, 1e6, 0, b.mono_ns));
    for (int i = 0; i < 835; i++) {
        tick(&b, 15);
        assert_false(alert_events_adopt(&b.events, 1e6, 0, b.mono_ns));
    }
    for (int i = 0; i < 10; i++)
        tick(&b, 15);
    assert_true(alert_events_adopt(&b.events, 1e6, 0, b.mono_ns));
}

static void an_unknown_condition_is_waited_for(void **state)
{
    struct alert_input in = {.kind = RECORD_ANOMALY, .unknown = true};
    struct bench b;

    (void)state;
    bench_resume(&b);
    for (int i = 0; i < 60; i++) {
        in.mono_ns = in.time_ns = b.mono_ns += SECOND;
        assert_int_equal(
            alert_course_update(&b.events.anomaly, &in, b.events.config.close_s).change,
            RECORD_EVENT_NONE);
    }
    while (tick(&b, 0.2) != RECORD_EVENT_ENDED)
        assert_true(b.mono_ns < 3800 * SECOND);
    assert_true(b.event->end_ns == 160 * SECOND);
}

static void a_week_of_alerts_spends_the_budget(void **state)
{
    struct alert_budget b, larger;

    (void)state;
    alert_budget_init(&b, 1, 10);
    alert_budget_init(&larger, 5, 10);
    for (int i = 0; i < 3; i++) {
        assert_false(alert_budget_is_spent(&b));
        alert_budget_alerted(&b);
        alert_budget_alerted(&larger);
    }
    assert_true(alert_budget_is_spent(&b));
    assert_false(alert_budget_is_spent(&larger));
    for (int i = 0; i < 8640; i++)
        alert_budget_add(&b, 0, 10);
    assert_false(alert_budget_is_spent(&b));
}

/* The wall clock is set while an event is open: it lasts as long as it lasts. */
static void clock_that_is_set_changes_no_duration(void **state)
{
    static const int64_t step_s[] = {-31536000, -3600, -30, 0, 30, 3600, 94608000};

    (void)state;
    for (size_t k = 0; k < sizeof step_s / sizeof *step_s; k++) {
        struct bench b;
        struct record_event event;

        bench_init(&b);
        b.ahead_ns = 2000000000 * SECOND;
        for (int i = 0; i < 60; i++)
            tick(&b, 0.2);
        for (int i = 0; i < 20; i++) {
            if (i == 10)
                b.ahead_ns += step_s[k] * SECOND;
            tick(&b, 30 + i);
        }
        while (tick(&b, 0.2) != RECORD_EVENT_ENDED)
            assert_true(b.mono_ns < 200 * SECOND);
        event = *b.event;
        assert_int_equal(event.start_ns, (2000000000 + 62) * SECOND);
        assert_int_equal(event.end_ns - event.start_ns, b.mono_ns - 62 * SECOND);
        assert_int_equal(event.peak_ns - event.start_ns, 21 * SECOND);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_odd_sample_is_no_event),
        cmocka_unit_test(three_of_five_open_alert_and_end),
        cmocka_unit_test(clock_that_is_set_changes_no_duration),
        cmocka_unit_test(missing_verdicts_open_nothing),
        cmocka_unit_test(a_lasting_level_is_adopted),
        cmocka_unit_test(an_adopted_level_is_no_second_event),
        cmocka_unit_test(an_adoption_ends_with_its_level),
        cmocka_unit_test(an_odd_sample_stretches_an_adoption),
        cmocka_unit_test(a_young_monitor_adopts_sooner),
        cmocka_unit_test(what_still_holds_goes_on_under_its_id),
        cmocka_unit_test(what_does_not_hold_ended_when_it_was_seen_last),
        cmocka_unit_test(what_was_not_seen_is_not_adopted),
        cmocka_unit_test(an_unknown_condition_is_waited_for),
        cmocka_unit_test(a_week_of_alerts_spends_the_budget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
