/* src/alert/policy.h: what alerts, as tables of evidence. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "alert/policy.h"

/* An anomaly that alerts: each case below takes one thing away. */
static struct alert_evidence clear_case(void)
{
    return (struct alert_evidence){
        .confidence = 1,
        .weight = 20,
        .quiet_s = INFINITY,
    };
}

enum changes {
    NOTHING,
    NO_CONFIDENCE,
    CLEAR_EARLY,
    TINY,
    SPENT,
    SPENT_AND_REPEATS,
    REPEATS_ONLY,
    SAID_NORMAL,
    SAID_EXPECTED,
    SAID_REAL_EARLY,
    SAID_REAL_REPEATS,
    COOLING,
    ALERTED,
    ALERTED_ROSE_AT_ONCE,
    ALERTED_ROSE,
    ALERTED_ROSE_NORMAL,
    ALERTED_WIDER,
    ALERTED_WIDER_COOLING,
    ALERTED_WIDER_NORMAL,
};

static struct alert_evidence changed(enum changes change)
{
    struct alert_evidence e = clear_case();

    switch (change) {
    case NOTHING:
        break;
    case NO_CONFIDENCE:
        e.confidence = 0.74;
        break;
    case CLEAR_EARLY:
        e.confidence = 0.1;
        e.clear = true;
        e.weight = 0; /* not asked for */
        break;
    case TINY:
        e.weight = 4.9;
        break;
    case SPENT:
        e.spent = true;
        break;
    case SPENT_AND_REPEATS:
        e.spent = true;
        e.repeats = 12;
        break;
    case REPEATS_ONLY:
        e.repeats = 12;
        break;
    case SAID_NORMAL:
    case SAID_EXPECTED:
        e.said = change == SAID_NORMAL ? RECORD_SAID_NORMAL : RECORD_SAID_EXPECTED;
        e.said_of = 9;
        break;
    case SAID_REAL_EARLY:
        e.said = RECORD_SAID_REAL;
        e.confidence = 0;
        e.weight = 0;
        break;
    case SAID_REAL_REPEATS:
        e.said = RECORD_SAID_REAL;
        e.spent = true;
        e.repeats = 12;
        break;
    case COOLING:
        e.quiet_s = 9.9;
        break;
    case ALERTED:
        e.alerted = true;
        e.quiet_s = 100;
        break;
    case ALERTED_ROSE_AT_ONCE:
    case ALERTED_ROSE:
    case ALERTED_ROSE_NORMAL:
        e.alerted = e.rose = true;
        e.quiet_s = change == ALERTED_ROSE_AT_ONCE ? 59 : 60;
        e.said = change == ALERTED_ROSE_NORMAL ? RECORD_SAID_NORMAL : RECORD_UNSAID;
        break;
    case ALERTED_WIDER:
    case ALERTED_WIDER_COOLING:
    case ALERTED_WIDER_NORMAL:
        e.alerted = e.wider = true;
        e.quiet_s = change == ALERTED_WIDER_COOLING ? 9.9 : 10;
        e.said = change == ALERTED_WIDER_NORMAL ? RECORD_SAID_NORMAL : RECORD_UNSAID;
        break;
    }
    return e;
}

static void anomalies_alert_once_when_they_matter(void **state)
{
    static const struct {
        enum changes change;
        enum alert_reason reason;
        int64_t event_id;
    } cases[] = {
        {NOTHING, ALERT_DUE, 0},
        {NO_CONFIDENCE, ALERT_EARLY, 0},
        {CLEAR_EARLY, ALERT_DUE, 0},
        {TINY, ALERT_SMALL, 0},
        {SPENT, ALERT_DUE, 0},
        {SPENT_AND_REPEATS, ALERT_REPEATS, 12},
        {REPEATS_ONLY, ALERT_DUE, 0},
        {SAID_NORMAL, ALERT_SAID_NORMAL, 9},
        {SAID_EXPECTED, ALERT_SAID_NORMAL, 9},
        {SAID_REAL_EARLY, ALERT_DUE, 0},
        {SAID_REAL_REPEATS, ALERT_DUE, 0},
        {COOLING, ALERT_COOLING, 0},
        {ALERTED, ALERT_TOLD, 0},
        {ALERTED_ROSE_AT_ONCE, ALERT_TOLD, 0},
        {ALERTED_ROSE, ALERT_DUE_AGAIN, 0},
        {ALERTED_ROSE_NORMAL, ALERT_TOLD, 0},
        {ALERTED_WIDER, ALERT_DUE_WIDER, 0},
        {ALERTED_WIDER_COOLING, ALERT_TOLD, 0},
        {ALERTED_WIDER_NORMAL, ALERT_TOLD, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct alert_evidence e = changed(cases[i].change);
        struct alert_answer answer = alert_policy_anomaly(&e, 10);

        assert_int_equal(answer.reason, cases[i].reason);
        assert_int_equal(answer.event_id, cases[i].event_id);
        assert_int_equal(alert_is_due(answer), cases[i].reason == ALERT_DUE ||
                                                   cases[i].reason == ALERT_DUE_AGAIN ||
                                                   cases[i].reason == ALERT_DUE_WIDER);
    }
}

static void limits_alert_whatever_else_is_open(void **state)
{
    static const struct {
        struct alert_limit_evidence evidence;
        enum alert_reason reason;
        int64_t event_id;
    } cases[] = {
        {{.builtin = true}, ALERT_DUE, 0},
        {{.builtin = false}, ALERT_DUE, 0},
        {{.alerted = true}, ALERT_TOLD, 0},
        {{.builtin = true, .told_by = 4}, ALERT_TOLD_BY, 4},
        /* Who wrote it down is told, also in the course of an anomaly. */
        {{.builtin = false, .told_by = 4}, ALERT_DUE, 0},
        {{.builtin = true, .in_hour = 1}, ALERT_OFTEN, 0},
        {{.builtin = false, .in_hour = 2}, ALERT_DUE, 0},
        {{.builtin = false, .in_hour = 3}, ALERT_OFTEN, 0},
        {{.said = RECORD_SAID_NORMAL, .said_of = 2}, ALERT_SAID_NORMAL, 2},
        {{.said = RECORD_SAID_EXPECTED, .said_of = 2}, ALERT_SAID_NORMAL, 2},
        {{.said = RECORD_SAID_REAL, .said_of = 2}, ALERT_DUE, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct alert_answer answer = alert_policy_limit(&cases[i].evidence);

        assert_int_equal(answer.reason, cases[i].reason);
        assert_int_equal(answer.event_id, cases[i].event_id);
    }
}

static void silence_and_drift(void **state)
{
    (void)state;
    assert_int_equal(alert_policy_other(false, true, INFINITY, 10).reason, ALERT_DUE);
    assert_int_equal(alert_policy_other(false, true, 9, 10).reason, ALERT_COOLING);
    assert_int_equal(alert_policy_other(false, true, 10, 10).reason, ALERT_DUE);
    assert_int_equal(alert_policy_other(true, true, 100, 10).reason, ALERT_TOLD);
    assert_int_equal(alert_policy_other(false, false, 100, 10).reason, ALERT_NOTED);
}

static void every_answer_is_a_sentence(void **state)
{
    static const struct {
        struct alert_answer answer;
        enum record_event_kind kind;
        const char *note;
    } cases[] = {
        {{ALERT_DUE, 0}, RECORD_ANOMALY, "Alerted: 2 of 1 this week"},
        {{ALERT_DUE_AGAIN, 0},
         RECORD_ANOMALY,
         "Alerted again, since it has become worse: 2 of 1 this week"},
        {{ALERT_DUE, 0},
         RECORD_RULE,
         "Alerted: a limit always alerts, and costs nothing of the week's budget"},
        {{ALERT_DUE, 0},
         RECORD_SILENCE,
         "Alerted: silence always alerts, and costs nothing of the week's budget"},
        {{ALERT_TOLD, 0}, RECORD_ANOMALY, "as it was"},
        {{ALERT_EARLY, 0},
         RECORD_ANOMALY,
         "Not alerted: too early to be sure, confidence is 42 % of the 75 % it takes"},
        {{ALERT_SMALL, 0},
         RECORD_ANOMALY,
         "Not alerted: unusual here, but too small to matter"},
        {{ALERT_REPEATS, 12},
         RECORD_ANOMALY,
         "Not alerted: it repeats event 12, and this week's alerts are out (2 of 1)"},
        {{ALERT_SAID_NORMAL, 9},
         RECORD_RULE,
         "Not alerted: somebody said that event 9, which is like it, is normal"},
        {{ALERT_COOLING, 0},
         RECORD_ANOMALY,
         "Not alerted yet: the alert before is only seconds old"},
        {{ALERT_OFTEN, 0},
         RECORD_RULE,
         "Not alerted: this limit has alerted within the hour"},
        {{ALERT_TOLD_BY, 4},
         RECORD_RULE,
         "Not alerted: the alert of event 4 tells of it"},
        {{ALERT_NOTED, 0}, RECORD_DRIFT, "Not alerted: drift is only noted"},
        {{ALERT_NOTED, 0},
         RECORD_SILENCE,
         "Not alerted: a gap between two samples is only noted"},
    };
    const struct alert_cost cost = {.this_week = 2, .allowed = 1, .confidence = 0.42};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char note[RECORD_NOTE_MAX] = "as it was";

        assert_string_equal(alert_note(cases[i].answer, cases[i].kind, &cost, note),
                            cases[i].note);
    }
}

static void a_drop_is_never_more_than_low(void **state)
{
    (void)state;
    for (double surprise = 3; surprise < 40; surprise += 0.5) {
        double drop = alert_score(surprise, 4, true);

        assert_true(record_severity_of(drop) <= RECORD_LOW);
        assert_true(drop >= alert_score(surprise, 4, false));
    }
    assert_int_equal(record_severity_of(alert_score(40, 4, false)), RECORD_CRITICAL);
}

static void the_week_forgets_what_is_old_or_real(void **state)
{
    const int64_t day = INT64_C(86400) * SECOND;
    struct alert_judged judged = {
        .event_id = 3, .word = RECORD_SAID_REAL, .alerted = true};
    struct alert_feedback f = {0}, nothing = {0};
    static struct alert_week week;

    (void)state;
    f.judged = &judged;
    f.n = 1;
    for (int64_t i = 1; i <= 3; i++)
        alert_week_add(&week, i, i * day);
    assert_int_equal(alert_week_count(&week, &nothing, 3 * day), 3);
    assert_int_equal(alert_week_count(&week, &f, 3 * day), 2);
    assert_int_equal(alert_week_count(&week, &nothing, 8 * day), 2);
    assert_int_equal(alert_week_count(&week, &f, 10 * day), 0);
    for (int64_t i = 0; i < 2 * ALERT_WEEK_MAX; i++)
        alert_week_add(&week, 100 + i, 20 * day);
    assert_int_equal(alert_week_count(&week, &nothing, 20 * day), ALERT_WEEK_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anomalies_alert_once_when_they_matter),
        cmocka_unit_test(limits_alert_whatever_else_is_open),
        cmocka_unit_test(silence_and_drift),
        cmocka_unit_test(every_answer_is_a_sentence),
        cmocka_unit_test(a_drop_is_never_more_than_low),
        cmocka_unit_test(the_week_forgets_what_is_old_or_real),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
