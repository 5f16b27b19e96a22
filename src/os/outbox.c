/* The engine behind an outbox: a ring of messages, when the next try is due, and the
 * thread that makes it. The lock is never held while a receiver works.
 */
#include "os/outbox.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "os/clock.h"
#include "os/queue.h"

/* Room for a library that does TLS; the default is far more than is ever used. */
enum { STACK_BYTES = 256 * 1024 };

/* A pause is this part of the outage so far: after it is over, a message is late by that
 * part of it at most. */
static const double PAUSE_PART = 0.25;

/* The longest pause that a receiver can ask for (Retry-After); a slip there must not
 * silence it for days. */
static const double WAIT_MAX_S = 3600;

/* So long a receiver may take to return when it is told to hurry: libraries look about
 * once a second whether they should stop. */
static const double HURRY_S = 2;

/* Before each message in the ring. */
struct head {
    int64_t queued_ns; /* monotonic; older than this run for what an earlier one left */
};

struct os_outbox {
    struct os_outbox_config config;

    pthread_mutex_t lock; /* guards all below but the bytes of `trying` */
    pthread_cond_t wake;
    struct os_queue queue;
    uint8_t *leaving; /* a message that is pushed out */
    uint8_t *trying;  /* the thread's: the message being told */
    size_t trying_size;
    uint64_t trying_seq;
    int64_t trying_since_ns; /* 0 = no try is under way */
    bool trying_left;        /* the ring let go of it meanwhile */
    uint64_t sent, retried, given_up, pushed_out;
    enum os_outbox_state state;
    int64_t failing_since_ns, due_ns;
    char error[160];
    pthread_t thread;
    bool started, stop, ended;
};

static double seconds_between(int64_t from_ns, int64_t to_ns)
{
    return (double)(to_ns - from_ns) * 1e-9;
}

static int64_t after(int64_t ns, double seconds)
{
    return ns + (int64_t)(seconds * 1e9);
}

/* Returns the bytes of the largest message with its head. */
static size_t room_of(const os_outbox *o)
{
    return sizeof(struct head) + o->config.message_max;
}

/* ---- putting in ---- */

/* Allocates with the first message, so that an outbox which never gets one costs nothing;
 * false without memory, and the next message tries again. */
static bool has_memory(os_outbox *o)
{
    if (o->leaving == NULL)
        o->leaving = malloc(room_of(o));
    if (o->trying == NULL)
        o->trying = malloc(room_of(o));
    if (o->queue.at == NULL && o->leaving != NULL && o->trying != NULL)
        os_queue_init(&o->queue, o->config.queue_bytes, NULL);
    return o->queue.at != NULL;
}

/* Tells the owner what became of a message that left. */
static void tell_left(os_outbox *o, const uint8_t *message, size_t size,
                      enum os_outbox_end end, const struct vd_error *err)
{
    assert(size > sizeof(struct head));
    if (o->config.left != NULL)
        o->config.left(o->config.context, message + sizeof(struct head),
                       size - sizeof(struct head), end, err);
}

/* Makes room by letting the oldest message go. What becomes of one that is being told
 * right now is known, and counted, when its try has ended. */
static void push_out_oldest(os_outbox *o)
{
    struct vd_error err = {0};
    struct os_cursor cursor = {0};
    size_t size = os_queue_read(&o->queue, &cursor, o->leaving, room_of(o));

    os_queue_done(&o->queue, cursor.seq - 1, cursor.seq);
    if (o->trying_since_ns != 0 && o->trying_seq == cursor.seq - 1) {
        o->trying_left = true;
        return;
    }
    o->pushed_out++;
    vd_error_set(&err, VD_ERR_LIMIT, NULL, "too many wait: the oldest leaves");
    tell_left(o, o->leaving, size, OS_OUTBOX_PUSHED_OUT, &err);
}

/* Queues a message; false when it is lost. Must be called under the lock. */
static bool put(os_outbox *o, const void *message, size_t size, double age_s,
                int64_t now_ns)
{
    struct head head = {after(now_ns, -age_s)};

    if (!has_memory(o) || size == 0 || size > o->config.message_max) {
        o->pushed_out++;
        return false;
    }
    while (!os_queue_has_room(&o->queue, sizeof head + size))
        push_out_oldest(o);
    memcpy(o->leaving, &head, sizeof head);
    memcpy(o->leaving + sizeof head, message, size);
    return os_queue_push(&o->queue, o->leaving, sizeof head + size);
}

bool os_outbox_put(os_outbox *o, const void *message, size_t size, double age_s,
                   int64_t now_ns)
{
    bool taken;

    pthread_mutex_lock(&o->lock);
    taken = put(o, message, size, age_s, now_ns);
    pthread_mutex_unlock(&o->lock);
    return taken;
}

/* ---- one try ---- */

/* Copies the first message out and marks it as under way; false when there is none. */
static bool take_first(os_outbox *o, int64_t now_ns)
{
    struct os_cursor cursor = {0};

    o->trying_size = o->queue.at == NULL
                         ? 0
                         : os_queue_read(&o->queue, &cursor, o->trying, room_of(o));
    if (o->trying_size == 0)
        return false;
    assert(o->trying_since_ns == 0); /* one try at a time */
    o->trying_seq = cursor.seq - 1;
    o->trying_since_ns = now_ns;
    o->trying_left = false;
    return true;
}

/* Returns how long a message has waited, also before this run. */
static double queued_s(const uint8_t *message, int64_t now_ns)
{
    struct head head;

    assert(message != NULL);
    memcpy(&head, message, sizeof head);
    return seconds_between(head.queued_ns, now_ns);
}

/* Tells whether the message needs no further try: it was delivered, nobody could take it,
 * or it is too old. A receiver that refused is given up sooner than one that is away. */
static bool is_over(const os_outbox *o, enum os_outbox_result result, double age_s)
{
    switch (result) {
    case OS_OUTBOX_LATER:
        return age_s >= o->config.keep_s;
    case OS_OUTBOX_REFUSED:
        return age_s >= o->config.refused_s;
    default:
        return true;
    }
}

/* Sets when the next try is due after one that failed. */
static void pause_after(os_outbox *o, double wait_s, int64_t now_ns)
{
    double pause;

    if (o->failing_since_ns == 0)
        o->failing_since_ns = o->trying_since_ns;
    pause = PAUSE_PART * seconds_between(o->failing_since_ns, now_ns);
    pause = fmin(fmax(pause, o->config.pause_min_s), o->config.pause_max_s);
    if (wait_s > pause)
        pause = fmin(wait_s, WAIT_MAX_S);
    o->due_ns = after(now_ns, pause);
}

/* Sets the state after a try that took `took_s`; tells whether it is another one than
 * before. */
static bool turn(os_outbox *o, const struct os_outbox_answer *answer, double took_s)
{
    enum os_outbox_state before = o->state;

    /* A message that nobody could take says nothing of the receiver. */
    if (answer->result == OS_OUTBOX_NEVER)
        return false;
    o->state = answer->result != OS_OUTBOX_DONE ? OS_OUTBOX_FAILING
               : took_s >= o->config.slow_s     ? OS_OUTBOX_SLOW
                                                : OS_OUTBOX_WELL;
    if (o->state != OS_OUTBOX_FAILING) {
        o->failing_since_ns = 0;
        o->due_ns = 0;
        o->error[0] = '\0';
    }
    return o->state != before;
}

/* Counts what the try did to the message, and takes it out of the queue when it is over;
 * false when it stays. One that the queue let go of meanwhile has left in any case. */
static bool settle(os_outbox *o, const struct os_outbox_answer *answer, int64_t now_ns,
                   enum os_outbox_end *end)
{
    bool over = is_over(o, answer->result, queued_s(o->trying, now_ns));

    assert(o->trying_since_ns != 0);
    *end = answer->result == OS_OUTBOX_DONE ? OS_OUTBOX_DELIVERED
           : over                           ? OS_OUTBOX_GIVEN_UP
                                            : OS_OUTBOX_PUSHED_OUT;
    o->sent += *end == OS_OUTBOX_DELIVERED;
    o->given_up += *end == OS_OUTBOX_GIVEN_UP;
    o->retried += !over;
    o->pushed_out += !over && o->trying_left;
    if (!over && !o->trying_left)
        return false;
    if (!o->trying_left)
        os_queue_done(&o->queue, o->trying_seq, o->trying_seq + 1);
    return true;
}

/* Returns when the next try is due, INT64_MAX when nothing waits. Must be called under
 * the lock. */
static int64_t next_due(const os_outbox *o, int64_t now_ns)
{
    if (o->queue.first == o->queue.next)
        return INT64_MAX;
    return o->due_ns > now_ns ? o->due_ns : now_ns;
}

/* Tries the first message once, due or not; false when there was none or it failed. Only
 * the outbox's thread, or a caller without one, may call it; the owner is told after the
 * lock is free again, so it may put in more. */
static bool try_first(os_outbox *o, int64_t begun_ns, int64_t (*clock)(void))
{
    struct os_outbox_answer answer;
    struct vd_error err = {0};
    enum os_outbox_end end;
    bool turned, left;
    int64_t now_ns;

    pthread_mutex_lock(&o->lock);
    if (!take_first(o, begun_ns)) {
        pthread_mutex_unlock(&o->lock);
        return false;
    }
    pthread_mutex_unlock(&o->lock);
    answer = o->config.send(o->config.context, o->trying + sizeof(struct head),
                            o->trying_size - sizeof(struct head), &err);
    now_ns = clock == NULL ? begun_ns : clock();

    pthread_mutex_lock(&o->lock);
    turned = turn(o, &answer, seconds_between(begun_ns, now_ns));
    if (answer.result != OS_OUTBOX_DONE)
        snprintf(o->error, sizeof o->error, "%.159s", err.text);
    left = settle(o, &answer, now_ns, &end);
    if (o->state == OS_OUTBOX_FAILING)
        pause_after(o, answer.wait_s, now_ns);
    o->trying_since_ns = 0;
    pthread_mutex_unlock(&o->lock);

    if (turned && o->config.turned != NULL)
        o->config.turned(o->config.context, o->state, &err);
    if (left)
        tell_left(o, o->trying, o->trying_size, end, &err);
    return answer.result == OS_OUTBOX_DONE || answer.result == OS_OUTBOX_NEVER;
}

/* Calls `visit` under the lock, so it must not use the outbox. */
void os_outbox_each(os_outbox *o,
                    void (*visit)(void *context, const void *message, size_t size,
                                  double age_s),
                    void *context)
{
    struct os_cursor cursor = {0};
    int64_t now_ns = os_clock_mono_ns();
    size_t size;

    pthread_mutex_lock(&o->lock);
    while (o->queue.at != NULL &&
           (size = os_queue_read(&o->queue, &cursor, o->leaving, room_of(o))) > 0)
        visit(context, o->leaving + sizeof(struct head), size - sizeof(struct head),
              queued_s(o->leaving, now_ns));
    pthread_mutex_unlock(&o->lock);
}

static int64_t due_at(os_outbox *o, int64_t now_ns)
{
    int64_t due_ns;

    pthread_mutex_lock(&o->lock);
    due_ns = next_due(o, now_ns);
    pthread_mutex_unlock(&o->lock);
    return due_ns;
}

/* Does the thread's work for a caller without one, by the time that it gives: a try takes
 * no time then. */
int64_t os_outbox_step(os_outbox *o, int64_t now_ns)
{
    if (due_at(o, now_ns) <= now_ns)
        try_first(o, now_ns, NULL);
    return due_at(o, now_ns);
}

/* ---- the thread ---- */

/* Sleeps until a try is due; false when the thread is to end. */
static bool wait_for_work(os_outbox *o)
{
    bool go_on;

    pthread_mutex_lock(&o->lock);
    while (!o->stop) {
        int64_t now_ns = os_clock_mono_ns(), due_ns = next_due(o, now_ns);
        struct timespec until = os_clock_timespec(due_ns);

        if (due_ns <= now_ns)
            break;
        if (due_ns == INT64_MAX)
            pthread_cond_wait(&o->wake, &o->lock);
        else
            pthread_cond_timedwait(&o->wake, &o->lock, &until);
    }
    go_on = !o->stop;
    pthread_mutex_unlock(&o->lock);
    return go_on;
}

/* Tries what is due until it is told to stop, and then what is left, as long as tries
 * succeed: a receiver that is away must not hold up the end of the program. */
static void *work(void *context)
{
    os_outbox *o = context;

    while (wait_for_work(o))
        try_first(o, os_clock_mono_ns(), os_clock_mono_ns);
    while (!atomic_load(o->config.hurry) &&
           try_first(o, os_clock_mono_ns(), os_clock_mono_ns))
        ;
    if (o->config.close != NULL)
        o->config.close(o->config.context);
    pthread_mutex_lock(&o->lock);
    o->ended = true;
    pthread_cond_broadcast(&o->wake);
    pthread_mutex_unlock(&o->lock);
    return NULL;
}

/* Starts the thread unless it runs; false when there is none to be had, and the next
 * message tries again. Must be called under the lock. */
static bool start(os_outbox *o)
{
    pthread_attr_t attributes;

    if (o->started)
        return true;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    o->started = pthread_create(&o->thread, &attributes, work, o) == 0;
    pthread_attr_destroy(&attributes);
    if (o->started)
        pthread_setname_np(o->thread, o->config.thread);
    return o->started;
}

/* Starts the thread with the first message. */
bool os_outbox_push(os_outbox *o, const void *message, size_t size, double age_s)
{
    bool taken;

    pthread_mutex_lock(&o->lock);
    taken = put(o, message, size, age_s, os_clock_mono_ns()) && start(o);
    pthread_cond_signal(&o->wake);
    pthread_mutex_unlock(&o->lock);
    return taken;
}

/* ---- what is known, start and end ---- */

/* Returns how long the oldest message waits, 0 when none does. */
static double oldest_s(os_outbox *o, int64_t now_ns)
{
    struct os_cursor cursor = {0};

    if (o->queue.first == o->queue.next)
        return 0;
    os_queue_read(&o->queue, &cursor, o->leaving, room_of(o));
    return queued_s(o->leaving, now_ns);
}

void os_outbox_counts_at(os_outbox *o, int64_t now_ns, struct os_outbox_counts *out)
{
    pthread_mutex_lock(&o->lock);
    *out = (struct os_outbox_counts){
        .sent = o->sent,
        .retried = o->retried,
        .given_up = o->given_up,
        .pushed_out = o->pushed_out,
        .waiting = o->queue.next - o->queue.first,
        .state = o->state,
        .failing_s =
            o->failing_since_ns == 0 ? 0 : seconds_between(o->failing_since_ns, now_ns),
        .oldest_s = oldest_s(o, now_ns),
    };
    memcpy(out->error, o->error, sizeof out->error);
    /* The first try of all hangs: that it fails is not known yet, that it is slow is. */
    if (o->state == OS_OUTBOX_WELL && o->trying_since_ns != 0 &&
        seconds_between(o->trying_since_ns, now_ns) >= o->config.slow_s)
        out->state = OS_OUTBOX_SLOW;
    pthread_mutex_unlock(&o->lock);
}

void os_outbox_counts(os_outbox *o, struct os_outbox_counts *out)
{
    os_outbox_counts_at(o, os_clock_mono_ns(), out);
}

enum vd_status os_outbox_new(os_outbox **out, const struct os_outbox_config *config,
                             struct vd_error *err)
{
    os_outbox *o = calloc(1, sizeof *o);
    pthread_condattr_t attributes;

    *out = o;
    if (o == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for an outbox");
    o->config = *config;
    pthread_mutex_init(&o->lock, NULL);
    pthread_condattr_init(&attributes);
    /* A step of the time must neither end nor prolong a pause. */
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&o->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    return VD_OK;
}

/* Only asks the thread to end; os_outbox_free waits for it. */
void os_outbox_stop(os_outbox *o)
{
    pthread_mutex_lock(&o->lock);
    o->stop = true;
    pthread_cond_broadcast(&o->wake);
    pthread_mutex_unlock(&o->lock);
}

/* Waits for the thread to end, until `until_ns` at most; tells whether it has. */
static bool ends_before(os_outbox *o, int64_t until_ns)
{
    struct timespec until = os_clock_timespec(until_ns);
    bool ended;

    pthread_mutex_lock(&o->lock);
    while (!o->ended && pthread_cond_timedwait(&o->wake, &o->lock, &until) == 0)
        ;
    ended = o->ended;
    pthread_mutex_unlock(&o->lock);
    return ended;
}

/* A thread that hangs in a library cannot be ended. It is left behind with all that it
 * uses, which the end of the process frees. */
uint64_t os_outbox_free(os_outbox *o, double seconds, bool *left_behind)
{
    uint64_t waiting;

    *left_behind = false;
    if (o == NULL)
        return 0;
    os_outbox_stop(o);
    if (o->started && !ends_before(o, after(os_clock_mono_ns(), seconds))) {
        atomic_store(o->config.hurry, true);
        *left_behind = !ends_before(o, after(os_clock_mono_ns(), HURRY_S));
    }
    pthread_mutex_lock(&o->lock);
    waiting = o->queue.next - o->queue.first;
    pthread_mutex_unlock(&o->lock);
    if (*left_behind) {
        pthread_detach(o->thread);
        return waiting;
    }
    if (o->started)
        pthread_join(o->thread, NULL);
    os_queue_release(&o->queue);
    free(o->leaving);
    free(o->trying);
    pthread_cond_destroy(&o->wake);
    pthread_mutex_destroy(&o->lock);
    free(o);
    return waiting;
}
