/* The outbox: a receiver that fails as the test says, on a clock that the test moves; at
 * the end the real thread. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/outbox.h"

#define DAY (24.0 * 3600)

enum { LOG_MAX = 4096 };

/* Takes what `answer` says, and notes what it was asked and told. */
struct receiver {
    enum os_outbox_result answer;
    double wait_s;
    int tries;
    char taken[LOG_MAX]; /* "a b c " */
    char gone[LOG_MAX];  /* "x:1 ": given up; "x:2 ": pushed out */
    char states[64];     /* one digit a turn */
    atomic_bool hurry;
    os_outbox *push_while_sending; /* fill this outbox in the middle of a try */
};

static void note(char *log, const char *text)
{
    size_t used = strlen(log);

    snprintf(log + used, LOG_MAX - used, "%s ", text);
}

static struct os_outbox_answer send(void *context, const void *message, size_t size,
                                    struct vd_error *err)
{
    struct receiver *r = context;

    r->tries++;
    assert_true(size > 0);
    if (r->push_while_sending != NULL) {
        os_outbox *o = r->push_while_sending;

        r->push_while_sending = NULL;
        for (int i = 0; i < 8; i++)
            os_outbox_put(o, "later", 6, 0, SECOND);
    }
    if (r->answer == OS_OUTBOX_DONE)
        note(r->taken, message);
    else
        vd_error_set(err, VD_ERR_RETRY, NULL, "away");
    return (struct os_outbox_answer){r->answer, r->wait_s};
}

static void left(void *context, const void *message, size_t size, enum os_outbox_end end,
                 const struct vd_error *err)
{
    struct receiver *r = context;
    char text[64];

    (void)size;
    assert_int_equal(end == OS_OUTBOX_DELIVERED, err->status == VD_OK);
    if (end == OS_OUTBOX_DELIVERED)
        return;
    snprintf(text, sizeof text, "%s:%d", (const char *)message, (int)end);
    note(r->gone, text);
}

static void turned(void *context, enum os_outbox_state state, const struct vd_error *err)
{
    struct receiver *r = context;
    size_t used = strlen(r->states);

    (void)err;
    snprintf(r->states + used, sizeof r->states - used, "%d", (int)state);
}

static os_outbox *outbox(struct receiver *r, size_t bytes)
{
    struct os_outbox_config config = {
        .thread = "test",
        .queue_bytes = bytes,
        .message_max = 16,
        .keep_s = DAY,
        .refused_s = 3600,
        .pause_min_s = 1,
        .pause_max_s = 60,
        .slow_s = 5,
        .context = r,
        .send = send,
        .left = left,
        .turned = turned,
        .hurry = &r->hurry,
    };
    os_outbox *o;

    assert_int_equal(os_outbox_new(&o, &config, NULL), VD_OK);
    return o;
}

static void release(os_outbox *o)
{
    bool left_behind;

    os_outbox_free(o, 1, &left_behind);
    assert_false(left_behind);
}

static void put(os_outbox *o, const char *text, double age_s, int64_t now_ns)
{
    assert_true(os_outbox_put(o, text, strlen(text) + 1, age_s, now_ns));
}

static struct os_outbox_counts counts(os_outbox *o, int64_t now_ns)
{
    struct os_outbox_counts out;

    os_outbox_counts_at(o, now_ns, &out);
    return out;
}

/* Steps whenever the outbox asks for it, until `until_ns`; returns the last due time. */
static int64_t run(os_outbox *o, int64_t from_ns, int64_t until_ns)
{
    int64_t due = from_ns;

    while (due < until_ns)
        due = os_outbox_step(o, due);
    return due;
}

static void all_are_told_in_order(void **state)
{
    struct receiver r = {0};
    os_outbox *o = outbox(&r, 1024);

    (void)state;
    assert_int_equal(os_outbox_step(o, SECOND), INT64_MAX);
    put(o, "a", 0, SECOND);
    put(o, "b", 0, SECOND);
    put(o, "c", 0, SECOND);
    assert_int_equal(counts(o, 3 * SECOND).waiting, 3);
    assert_float_equal(counts(o, 3 * SECOND).oldest_s, 2, 1e-6);
    assert_int_equal(run(o, SECOND, 2 * SECOND), INT64_MAX);
    assert_string_equal(r.taken, "a b c ");
    assert_int_equal(counts(o, SECOND).sent, 3);
    assert_int_equal(counts(o, SECOND).waiting, 0);
    assert_string_equal(r.states, "");
    release(o);
}

/* However long the receiver was away: what waits is told within a quarter of that time,
 * or a minute, and the order stays. */
static void late_by_a_quarter_of_the_outage(void **state)
{
    static const int outage_s[] = {1, 5, 35, 100, 1000, 40000};

    (void)state;
    for (size_t i = 0; i < sizeof outage_s / sizeof outage_s[0]; i++) {
        struct receiver r = {.answer = OS_OUTBOX_LATER};
        os_outbox *o = outbox(&r, 1024);
        int64_t back = SECOND * (1 + outage_s[i]), due;
        double late = 0.25 * outage_s[i] + 1;

        put(o, "opened", 0, SECOND);
        put(o, "ended", 0, SECOND);
        due = run(o, SECOND, back);
        assert_int_equal(counts(o, back).state, OS_OUTBOX_FAILING);
        assert_float_equal(counts(o, back).failing_s, outage_s[i], 1e-6);
        assert_string_equal(counts(o, back).error, "away");
        assert_int_equal(counts(o, back).retried, r.tries);
        r.answer = OS_OUTBOX_DONE;
        assert_true((double)(due - back) <= (late < 60 ? late : 60) * 1e9);
        assert_int_equal(run(o, due, due + 1), INT64_MAX);
        assert_string_equal(r.taken, "opened ended ");
        assert_string_equal(r.states, "20");
        assert_string_equal(counts(o, due).error, "");
        release(o);
    }
}

static void given_up_when_too_old(void **state)
{
    static const struct {
        enum os_outbox_result answer;
        double limit_s;
    } row[] = {{OS_OUTBOX_LATER, DAY}, {OS_OUTBOX_REFUSED, 3600}, {OS_OUTBOX_NEVER, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct receiver r = {.answer = row[i].answer};
        os_outbox *o = outbox(&r, 1024);
        int64_t end = SECOND + (int64_t)(row[i].limit_s * 1e9);

        put(o, "x", 0, SECOND);
        run(o, SECOND, end);
        assert_string_equal(r.gone, "");
        assert_int_equal(run(o, end, end + 100 * SECOND), INT64_MAX);
        assert_string_equal(r.gone, "x:1 ");
        assert_int_equal(counts(o, end).given_up, 1);
        assert_int_equal(counts(o, end).sent, 0);
        release(o);
    }
}

/* What one message did wrong says nothing of the receiver or the next message. */
static void one_that_nobody_takes_holds_up_nobody(void **state)
{
    struct receiver r = {.answer = OS_OUTBOX_NEVER};
    os_outbox *o = outbox(&r, 1024);

    (void)state;
    put(o, "bad", 0, SECOND);
    put(o, "good", 0, SECOND);
    assert_int_equal(os_outbox_step(o, SECOND), SECOND);
    r.answer = OS_OUTBOX_DONE;
    os_outbox_step(o, SECOND);
    assert_string_equal(r.taken, "good ");
    assert_string_equal(r.states, "");
    release(o);
}

static void a_receiver_may_ask_for_time(void **state)
{
    struct receiver r = {.answer = OS_OUTBOX_LATER, .wait_s = 20};
    os_outbox *o = outbox(&r, 1024);

    (void)state;
    put(o, "x", 0, SECOND);
    assert_int_equal(os_outbox_step(o, SECOND), 21 * SECOND);
    assert_int_equal(os_outbox_step(o, 20 * SECOND), 21 * SECOND);
    assert_int_equal(r.tries, 1);
    /* For a week, and for less than our own pause. */
    r.wait_s = 7 * DAY;
    assert_int_equal(os_outbox_step(o, 21 * SECOND), (21 + 3600) * SECOND);
    r.wait_s = 0.1;
    assert_int_equal(os_outbox_step(o, 3621 * SECOND), (3621 + 60) * SECOND);
    release(o);
}

/* What an earlier run left: tried at least once, however old it is. */
static void age_counts_over_restarts(void **state)
{
    struct receiver r = {0};
    os_outbox *o = outbox(&r, 1024);

    (void)state;
    put(o, "old", 3 * DAY, SECOND);
    os_outbox_step(o, SECOND);
    assert_string_equal(r.taken, "old ");
    r.answer = OS_OUTBOX_LATER;
    put(o, "older", DAY - 10, SECOND);
    put(o, "young", 60, SECOND);
    run(o, SECOND, 20 * SECOND);
    assert_string_equal(r.gone, "older:1 ");
    assert_int_equal(counts(o, 20 * SECOND).waiting, 1);
    release(o);
}

/* A message of six takes 18 bytes: 8 for its time, 4 for its size. */
static void the_oldest_leaves_and_is_counted(void **state)
{
    struct receiver r = {.answer = OS_OUTBOX_LATER};
    os_outbox *o = outbox(&r, 3 * 20);
    char text[8];

    (void)state;
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "%d", i);
        os_outbox_put(o, text, 6, 0, SECOND);
    }
    assert_int_equal(counts(o, SECOND).waiting, 3);
    assert_int_equal(counts(o, SECOND).pushed_out, 4997);
    assert_int_equal(strncmp(r.gone, "0:2 1:2 2:2 ", 12), 0);
    r.answer = OS_OUTBOX_DONE;
    run(o, SECOND, 2 * SECOND);
    assert_string_equal(r.taken, "4997 4998 4999 ");
    /* Too large for ever. */
    assert_false(os_outbox_put(o, "0123456789abcdefgh", 17, 0, SECOND));
    assert_int_equal(counts(o, SECOND).pushed_out, 4998);
    release(o);
}

/* The ring lets go of the message that is being told: told is told, and no other message
 * is taken for it. */
static void pushed_out_in_the_middle_of_a_try(void **state)
{
    static const enum os_outbox_result answer[] = {OS_OUTBOX_DONE, OS_OUTBOX_LATER};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct receiver r = {.answer = answer[i]};
        os_outbox *o = outbox(&r, 3 * 20);
        struct os_outbox_counts now;

        put(o, "first", 0, SECOND);
        r.push_while_sending = o;
        os_outbox_step(o, SECOND);
        now = counts(o, SECOND);
        assert_int_equal(now.waiting, 3);
        assert_int_equal(now.sent, i == 0);
        assert_int_equal(now.pushed_out, i == 0 ? 5 : 6);
        assert_true((strstr(r.gone, "first:2") != NULL) == (i == 1));
        release(o);
    }
}

/* ---- with the thread ---- */

static void wait_until_empty(os_outbox *o)
{
    struct os_outbox_counts now;
    int64_t until = os_clock_mono_ns() + 20 * SECOND;

    do {
        os_outbox_counts(o, &now);
        usleep(1000);
    } while (now.waiting > 0 && os_clock_mono_ns() < until);
    assert_int_equal(now.waiting, 0);
}

static void the_thread_tells_all(void **state)
{
    struct receiver r = {0};
    os_outbox *o = outbox(&r, 1024 * 1024);
    struct os_outbox_counts now;

    (void)state;
    for (int i = 0; i < 10000; i++)
        assert_true(os_outbox_push(o, "x", 2, 0));
    wait_until_empty(o);
    os_outbox_counts(o, &now);
    assert_int_equal(now.sent, 10000);
    release(o);
    assert_int_equal(r.tries, 10000);
}

static struct os_outbox_answer hang(void *context, const void *message, size_t size,
                                    struct vd_error *err)
{
    struct receiver *r = context;

    (void)message;
    (void)size;
    while (!atomic_load(&r->hurry))
        usleep(1000);
    vd_error_set(err, VD_ERR_RETRY, NULL, "interrupted");
    return (struct os_outbox_answer){.result = OS_OUTBOX_LATER};
}

static void one_that_hangs_is_called_slow_and_ends_in_time(void **state)
{
    struct receiver r = {0};
    struct os_outbox_config config = {.thread = "hang",
                                      .queue_bytes = 256,
                                      .message_max = 16,
                                      .keep_s = DAY,
                                      .slow_s = 0.05,
                                      .context = &r,
                                      .send = hang,
                                      .hurry = &r.hurry};
    struct os_outbox_counts now;
    int64_t begun = os_clock_mono_ns();
    bool left_behind;
    os_outbox *o;

    (void)state;
    assert_int_equal(os_outbox_new(&o, &config, NULL), VD_OK);
    os_outbox_push(o, "a", 2, 0);
    os_outbox_push(o, "b", 2, 0);
    do
        os_outbox_counts(o, &now);
    while (now.state != OS_OUTBOX_SLOW && os_clock_mono_ns() - begun < 20 * SECOND);
    assert_int_equal(now.state, OS_OUTBOX_SLOW);
    begun = os_clock_mono_ns();
    assert_int_equal(os_outbox_free(o, 0.1, &left_behind), 2);
    assert_false(left_behind);
    assert_true(os_clock_mono_ns() - begun < 10 * SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_told_in_order),
        cmocka_unit_test(late_by_a_quarter_of_the_outage),
        cmocka_unit_test(given_up_when_too_old),
        cmocka_unit_test(one_that_nobody_takes_holds_up_nobody),
        cmocka_unit_test(a_receiver_may_ask_for_time),
        cmocka_unit_test(age_counts_over_restarts),
        cmocka_unit_test(the_oldest_leaves_and_is_counted),
        cmocka_unit_test(pushed_out_in_the_middle_of_a_try),
        cmocka_unit_test(the_thread_tells_all),
        cmocka_unit_test(one_that_hangs_is_called_slow_and_ends_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
