/* One ring of notices and one thread per channel. The tick copies a notice into each ring
 * under that ring's lock, which is never held while a channel works.
 */
#include "alert/channels.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alert/channel.h"
#include "os/clock.h"
#include "os/terminal.h"

enum { WAITING_MAX = 32, TRIES = 5, STACK_BYTES = 256 * 1024 };

/* libcurl looks up about once a second whether it should stop. */
#define GIVE_UP_NS INT64_C(2000000000)

static const struct alert_channel *const table[] = {
    &alert_channel_terminal,
    &alert_channel_bell,
    &alert_channel_desktop,
    &alert_channel_webhook,
};

enum { CHANNELS = sizeof table / sizeof table[0] };

struct worker {
    const struct alert_channel *row;
    const struct alert_channels_config *config;
    bool wanted, started;
    pthread_t thread;

    pthread_mutex_t lock; /* guards all below but `channel` */
    pthread_cond_t wake;
    struct alert_notice *notice; /* WAITING_MAX, from the first event on */
    size_t first, n;
    uint64_t sent, retried, lost;
    bool stop;           /* tell what waits, then end */
    atomic_bool give_up; /* end now; also what `send` looks at */
    bool ended;

    void *channel; /* the thread's */
    bool failing;
};

struct alert_channels {
    struct alert_channels_config config;
    struct worker
        *worker[CHANNELS]; /* apart, so that one that hangs can be left behind */
};

struct alert_channels_config alert_channels_config_default(void)
{
    return (struct alert_channels_config){
        .terminal = true,
        .desktop = true,
        .webhook_timeout_s = 10,
        .close_s = 3,
        .fd = STDERR_FILENO,
        .color = os_terminal_has_color(stderr),
        .host = "",
    };
}

static struct timespec at_ns(int64_t mono_ns)
{
    return (struct timespec){(time_t)(mono_ns / 1000000000),
                             (long)(mono_ns % 1000000000)};
}

static void say(const struct worker *w, enum alert_level level, const char *text,
                const struct vd_error *err)
{
    char line[768];

    if (w->config->say == NULL)
        return;
    snprintf(line, sizeof line, "%s: %s%s%s%s", w->row->name, text, err ? err->text : "",
             err && err->hint[0] ? "; " : "", err ? err->hint : "");
    w->config->say(w->config->say_context, level, line);
}

/* ---- a worker's thread ---- */

static enum alert_result tell(struct worker *w, const struct alert_notice *notice,
                              struct vd_error *err)
{
    const struct alert_place place = {w->config, &w->give_up};

    if (w->channel == NULL) {
        enum alert_result result = w->row->create(&w->channel, &place, err);

        if (result != ALERT_OK) {
            w->channel = NULL;
            return result;
        }
    }
    return w->row->send(w->channel, notice, err);
}

/* A pause between two tries; cut short, and false, when the program ends. */
static bool pause_s(struct worker *w, double seconds)
{
    struct timespec until = at_ns(os_clock_mono_ns() + (int64_t)(seconds * 1e9));
    bool go_on;

    pthread_mutex_lock(&w->lock);
    w->retried++;
    while (!w->stop && pthread_cond_timedwait(&w->wake, &w->lock, &until) == 0)
        ;
    go_on = !w->stop;
    pthread_mutex_unlock(&w->lock);
    return go_on;
}

static void deliver(struct worker *w, const struct alert_notice *notice)
{
    enum alert_result result;
    struct vd_error err = {0};
    bool last = false;

    for (int k = 0;; k++) {
        vd_error_clear(&err);
        result = tell(w, notice, &err);
        if (result != ALERT_RETRY || k + 1 == TRIES || last || atomic_load(&w->give_up))
            break;
        if (!w->failing)
            say(w, ALERT_WARNING, "", &err);
        w->failing = true;
        last = !pause_s(w, (double)(1 << k));
    }
    if (result != ALERT_OK && !w->failing)
        say(w, ALERT_WARNING, "", &err);
    if (result == ALERT_OK && w->failing)
        say(w, ALERT_INFO, "works again", NULL);
    w->failing = result != ALERT_OK;
    pthread_mutex_lock(&w->lock);
    w->sent += result == ALERT_OK;
    w->lost += result != ALERT_OK;
    pthread_mutex_unlock(&w->lock);
}

static bool next_notice(struct worker *w, struct alert_notice *out)
{
    bool found = false;

    pthread_mutex_lock(&w->lock);
    while (w->n == 0 && !w->stop)
        pthread_cond_wait(&w->wake, &w->lock);
    if (w->n > 0 && !atomic_load(&w->give_up)) {
        *out = w->notice[w->first];
        w->first = (w->first + 1) % WAITING_MAX;
        w->n--;
        found = true;
    }
    pthread_mutex_unlock(&w->lock);
    return found;
}

static void *work(void *context)
{
    struct worker *w = context;
    struct alert_notice notice;

    while (next_notice(w, &notice))
        deliver(w, &notice);
    if (w->channel != NULL)
        w->row->destroy(w->channel);
    pthread_mutex_lock(&w->lock);
    w->lost += w->n;
    w->ended = true;
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* ---- the caller's side ---- */

static bool start(struct worker *w)
{
    pthread_attr_t attributes;

    if (w->started)
        return true;
    if (w->notice == NULL)
        w->notice = calloc(WAITING_MAX, sizeof *w->notice);
    if (w->notice == NULL)
        return false;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    w->started = pthread_create(&w->thread, &attributes, work, w) == 0;
    pthread_attr_destroy(&attributes);
    return w->started;
}

static void enqueue(struct worker *w, const struct record_event *event,
                    enum record_event_change change)
{
    struct alert_notice *at;

    pthread_mutex_lock(&w->lock);
    if (!start(w)) {
        w->lost++;
        goto out;
    }
    if (w->n == WAITING_MAX) {
        w->first = (w->first + 1) % WAITING_MAX;
        w->n--;
        w->lost++;
    }
    at = &w->notice[(w->first + w->n++) % WAITING_MAX];
    at->event = *event;
    at->change = change;
    pthread_cond_signal(&w->wake);
out:
    pthread_mutex_unlock(&w->lock);
}

void alert_channels_send(alert_channels *channels, const struct record_event *event,
                         enum record_event_change change)
{
    if (change != RECORD_EVENT_OPENED && change != RECORD_EVENT_ENDED)
        return;
    for (size_t i = 0; i < CHANNELS; i++)
        if (channels->worker[i]->wanted && channels->worker[i]->row->unavailable == NULL)
            enqueue(channels->worker[i], event, change);
}

size_t alert_channels_counters(alert_channels *channels, struct alert_counters *out,
                               size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < CHANNELS && n < max; i++) {
        struct worker *w = channels->worker[i];

        if (!w->wanted)
            continue;
        pthread_mutex_lock(&w->lock);
        out[n++] = (struct alert_counters){w->row->name, w->row->unavailable, w->sent,
                                           w->retried, w->lost};
        pthread_mutex_unlock(&w->lock);
    }
    return n;
}

static struct worker *new_worker(const struct alert_channel *row,
                                 const struct alert_channels_config *config)
{
    struct worker *w = calloc(1, sizeof *w);
    pthread_condattr_t attributes;

    if (w == NULL)
        return NULL;
    w->row = row;
    w->config = config;
    w->wanted = row->wanted(config);
    atomic_init(&w->give_up, false);
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    return w;
}

enum vd_status alert_channels_new(alert_channels **out,
                                  const struct alert_channels_config *config,
                                  struct vd_error *err)
{
    alert_channels *channels = calloc(1, sizeof *channels);
    enum vd_status status = VD_OK;

    *out = NULL;
    if (channels == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for alerts");
    channels->config = *config;
    for (size_t i = 0; i < CHANNELS && status == VD_OK; i++) {
        channels->worker[i] = new_worker(table[i], &channels->config);
        if (channels->worker[i] == NULL)
            status = vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for alerts");
        else if (channels->worker[i]->wanted && table[i]->check != NULL)
            status = table[i]->check(config, err);
    }
    if (status == VD_OK)
        *out = channels;
    else
        alert_channels_free(channels);
    return status;
}

/* Waits until the thread has ended, or for the time left; whether it has. */
static bool ends_before(struct worker *w, int64_t until_ns)
{
    struct timespec until = at_ns(until_ns);
    bool ended;

    pthread_mutex_lock(&w->lock);
    while (!w->ended && pthread_cond_timedwait(&w->wake, &w->lock, &until) == 0)
        ;
    ended = w->ended;
    pthread_mutex_unlock(&w->lock);
    return ended;
}

static void ask_to_stop(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

static void free_worker(struct worker *w)
{
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w->notice);
    free(w);
}

void alert_channels_free(alert_channels *channels)
{
    int64_t until_ns = os_clock_mono_ns();
    bool left_behind = false;

    if (channels == NULL)
        return;
    until_ns += (int64_t)(channels->config.close_s * 1e9);
    for (size_t i = 0; i < CHANNELS; i++)
        if (channels->worker[i] != NULL && channels->worker[i]->started)
            ask_to_stop(channels->worker[i]);
    for (size_t i = 0; i < CHANNELS; i++) {
        struct worker *w = channels->worker[i];

        if (w == NULL)
            continue;
        if (w->started && !ends_before(w, until_ns)) {
            atomic_store(&w->give_up, true);
            if (!ends_before(w, os_clock_mono_ns() + GIVE_UP_NS)) {
                /* It hangs in a library (a desktop that does not answer): its memory is
                 * its own until the process ends. */
                pthread_detach(w->thread);
                left_behind = true;
                continue;
            }
        }
        if (w->started)
            pthread_join(w->thread, NULL);
        free_worker(w);
    }
    if (!left_behind)
        free(channels);
}
