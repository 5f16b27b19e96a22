/* The bounded queue, by hand and against a model that keeps everything. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "os/queue.h"
#include "vedette/rng.h"

static void push_text(struct os_queue *q, const char *text)
{
    assert_true(os_queue_push(q, text, strlen(text) + 1));
}

static void comes_out_in_order_and_stays_until_done(void **state)
{
    struct os_queue q;
    struct os_cursor cursor = {0};
    char room[32];

    (void)state;
    assert_int_equal(os_queue_init(&q, 64, NULL), VD_OK);
    push_text(&q, "one");
    push_text(&q, "two");
    assert_int_equal(os_queue_read(&q, &cursor, room, sizeof room), 4);
    assert_string_equal(room, "one");
    assert_int_equal(os_queue_read(&q, &cursor, room, sizeof room), 4);
    assert_string_equal(room, "two");
    assert_int_equal(os_queue_read(&q, &cursor, room, sizeof room), 0);
    cursor = (struct os_cursor){0};
    assert_int_equal(os_queue_read(&q, &cursor, room, sizeof room), 4);
    assert_string_equal(room, "one");
    assert_int_equal(os_queue_done(&q, 0, 1), 1);
    cursor = (struct os_cursor){0};
    os_queue_read(&q, &cursor, room, sizeof room);
    assert_string_equal(room, "two");
    os_queue_release(&q);
    os_queue_release(NULL);
}

static void the_oldest_leaves_when_it_is_full(void **state)
{
    struct os_queue q;
    struct os_cursor cursor = {0};
    char room[32];

    (void)state;
    assert_int_equal(os_queue_init(&q, 3 * 8, NULL), VD_OK);
    push_text(&q, "111");
    push_text(&q, "222");
    push_text(&q, "333");
    assert_int_equal(q.lost, 0);
    push_text(&q, "444");
    assert_int_equal(q.lost, 1);
    os_queue_read(&q, &cursor, room, sizeof room);
    assert_string_equal(room, "222");
    assert_int_equal(cursor.seq, 2);
    /* Too large for ever, and nothing at all. */
    assert_false(os_queue_push(&q, "a message of more than it can hold", 32));
    assert_false(os_queue_push(&q, "", 0));
    assert_int_equal(q.lost, 3);
    os_queue_release(&q);
}

/* What the ring dropped while it was being written was written after all. */
static void written_and_dropped_is_not_lost(void **state)
{
    struct os_queue q;
    struct os_cursor cursor = {0};
    char room[32];

    (void)state;
    assert_int_equal(os_queue_init(&q, 3 * 8, NULL), VD_OK);
    push_text(&q, "111");
    push_text(&q, "222");
    os_queue_read(&q, &cursor, room, sizeof room);
    os_queue_read(&q, &cursor, room, sizeof room);
    push_text(&q, "333");
    push_text(&q, "444"); /* drops 111 */
    assert_int_equal(q.lost, 1);
    assert_int_equal(os_queue_done(&q, 0, cursor.seq), 2);
    assert_int_equal(q.lost, 0);
    assert_int_equal(q.next - q.first, 2);
    os_queue_release(&q);
}

static int left;

static void count_leave(const void *message, size_t size)
{
    assert_int_equal(size, 4);
    assert_memory_equal(message, "msg", 4);
    left++;
}

static void every_message_leaves_once(void **state)
{
    struct os_queue q;

    (void)state;
    left = 0;
    assert_int_equal(os_queue_init(&q, 3 * 8, count_leave), VD_OK);
    for (int i = 0; i < 10; i++)
        push_text(&q, "msg");
    assert_int_equal(left, 7);
    os_queue_done(&q, q.first, q.first + 1);
    assert_int_equal(left, 8);
    os_queue_release(&q);
    assert_int_equal(left, 10);
}

/* Random pushes, reads and releases; message k is k repeated, of a length that k gives.
 */
static void agrees_with_a_model(void **state)
{
    enum { CAPACITY = 257 };
    uint8_t message[64], room[64];
    struct os_queue q;
    struct vd_rng rng;
    uint64_t next = 0, written = 0;

    (void)state;
    vd_rng_init(&rng, 42);
    assert_int_equal(os_queue_init(&q, CAPACITY, NULL), VD_OK);
    for (int step = 0; step < 20000; step++) {
        struct os_cursor cursor = {0};
        uint64_t from, n = vd_rng_below(&rng, 6);

        for (uint64_t i = 0; i < n; i++, next++) {
            size_t size = 1 + next % 50;

            memset(message, (int)(next & 0xff), size);
            assert_true(os_queue_push(&q, message, size));
        }
        assert_true(q.used <= CAPACITY && q.next == next);
        from = q.first;
        for (uint64_t k = q.first, stop = vd_rng_below(&rng, 12); stop > 0; stop--, k++) {
            size_t size = os_queue_read(&q, &cursor, room, sizeof room);

            if (k == next) {
                assert_int_equal(size, 0);
                break;
            }
            assert_int_equal(size, 1 + k % 50);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(room[i], k & 0xff);
        }
        if (cursor.seq > from && vd_rng_below(&rng, 2))
            written += os_queue_done(&q, from, cursor.seq);
        assert_int_equal(written + q.lost + (q.next - q.first), next);
    }
    os_queue_release(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_out_in_order_and_stays_until_done),
        cmocka_unit_test(the_oldest_leaves_when_it_is_full),
        cmocka_unit_test(written_and_dropped_is_not_lost),
        cmocka_unit_test(every_message_leaves_once),
        cmocka_unit_test(agrees_with_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
