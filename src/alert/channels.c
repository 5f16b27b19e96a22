/* The table of channels, and one outbox for each that is wanted. The tick copies a notice
 * into each outbox and, for receivers far away, hands it to the keeper first.
 */
#include "alert/channels.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert/channel.h"
#include "os/clock.h"
#include "os/outbox.h"
#include "os/terminal.h"

/* A receiver that is away for an hour hears of it a minute late. */
static const double PAUSE_MIN_S = 1, PAUSE_MAX_S = 60;

/* Lists the channels. Their order is that of the status and of the end. */
static const struct alert_channel *const table[] = {
    &alert_channel_terminal,
    &alert_channel_bell,
    &alert_channel_desktop,
    &alert_channel_webhook,
};

enum { CHANNELS = sizeof table / sizeof table[0] };

/* Holds one channel at work. `channel` is only touched on the outbox's thread, the
 * atomics by both. */
struct worker {
    const struct alert_channel *row;
    const struct alert_channels_config *config;
    bool wanted;
    os_outbox *outbox;
    atomic_bool hurry;     /* what `send` looks at */
    atomic_bool full_said; /* that the oldest leave */

    void *channel; /* the outbox's thread's */
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

/* Tells the log something about a channel. `err` may be NULL. */
static void say(const struct worker *w, enum os_log_level level, const char *text,
                const struct vd_error *err)
{
    os_log_tell(&w->config->log, level, "%s: %s%s%s%s", w->row->name, text,
                err ? err->text : "", err && err->hint[0] ? "; " : "",
                err ? err->hint : "");
}

/* Tells whether notices of the channel are kept over a restart. */
static bool is_kept(const struct worker *w)
{
    return w->row->kept && w->config->keeper.keep != NULL;
}

/* ---- what an outbox calls ---- */

/* Delivers one notice, on the outbox's thread. The channel is made with the first one, so
 * a library that nobody needs is never loaded. */
static struct os_outbox_answer tell(void *context, const void *message, size_t size,
                                    struct vd_error *err)
{
    struct worker *w = context;
    const struct alert_place place = {w->config, &w->hurry};
    struct alert_notice notice;

    assert(size == sizeof notice);
    memcpy(&notice, message, size);
    if (is_kept(w) && w->config->keeper.wait != NULL)
        w->config->keeper.wait(w->config->keeper.context);
    if (w->channel == NULL) {
        enum os_outbox_result result = w->row->create(&w->channel, &place, err);

        if (result != OS_OUTBOX_DONE) {
            w->channel = NULL;
            return (struct os_outbox_answer){.result = result};
        }
    }
    return w->row->send(w->channel, &notice, err);
}

/* Ends the channel, on the outbox's thread. */
static void let_go(void *context)
{
    struct worker *w = context;

    if (w->channel != NULL)
        w->row->destroy(w->channel);
    w->channel = NULL;
}

/* Says when a receiver begins to fail, becomes slow, or works again; not on each
 * failure. */
static void turned(void *context, enum os_outbox_state state, const struct vd_error *err)
{
    struct worker *w = context;

    switch (state) {
    case OS_OUTBOX_FAILING:
        say(w, OS_LOG_WARNING, w->row->keep_s > 0 ? "failing, tried again: " : "", err);
        break;
    case OS_OUTBOX_SLOW:
        say(w, OS_LOG_WARNING, "slow: it takes alerts, but only after seconds", NULL);
        break;
    case OS_OUTBOX_WELL:
        atomic_store(&w->full_said, false);
        say(w, OS_LOG_INFO, "works again", NULL);
        break;
    }
}

/* Says that a notice left without being delivered. A full outbox is said once: there may
 * be thousands. */
static void say_left(struct worker *w, const struct alert_notice *notice,
                     enum os_outbox_end end, const struct vd_error *err)
{
    char text[128];

    /* Said once: there may be thousands. */
    if (end == OS_OUTBOX_PUSHED_OUT) {
        if (!atomic_exchange(&w->full_said, true))
            say(w, OS_LOG_WARNING, "its outbox is full: ", err);
        return;
    }
    if (w->row->keep_s == 0)
        return;
    snprintf(text, sizeof text,
             "gave up telling that event %lld %s: ", (long long)notice->event.id,
             notice->change == RECORD_EVENT_ENDED ? "ended" : "opened");
    say(w, OS_LOG_WARNING, text, err);
}

/* Forgets a notice that has left the outbox, however it did. */
static void left(void *context, const void *message, size_t size, enum os_outbox_end end,
                 const struct vd_error *err)
{
    struct worker *w = context;
    struct alert_notice notice;

    assert(size == sizeof notice);
    memcpy(&notice, message, size);
    if (end != OS_OUTBOX_DELIVERED)
        say_left(w, &notice, end, err);
    if (is_kept(w))
        w->config->keeper.forget(w->config->keeper.context, w->row->name, notice.event.id,
                                 notice.change);
}

/* ---- the caller's side ---- */

/* Tells whether the channel is wanted and is in this build. */
static bool works(const struct worker *w)
{
    return w->wanted && w->row->unavailable == NULL;
}

/* Makes a notice. It is cleared first, since it is copied as bytes and padding should not
 * hold old ones. */
static void fill_notice(struct alert_notice *notice, const struct record_event *event,
                        enum record_event_change change)
{
    memset(notice, 0, sizeof *notice);
    notice->event = *event;
    notice->change = change;
}

/* Puts the notice into each outbox and never waits. It is kept before it is pushed, or a
 * fast receiver could have it forgotten first. */
void alert_channels_send(alert_channels *channels, const struct record_event *event,
                         enum record_event_change change)
{
    const struct alert_keeper *keeper = &channels->config.keeper;
    struct alert_notice notice;

    if (change != RECORD_EVENT_OPENED && change != RECORD_EVENT_ENDED)
        return;
    fill_notice(&notice, event, change);
    for (size_t i = 0; i < CHANNELS; i++) {
        struct worker *w = channels->worker[i];

        if (!works(w))
            continue;
        if (is_kept(w))
            keeper->keep(keeper->context, w->row->name, event, change, 0);
        os_outbox_push(w->outbox, &notice, sizeof notice, 0);
    }
}

/* Puts a notice of the last run into the receiver's outbox; false when there is no such
 * receiver now. */
bool alert_channels_resume(alert_channels *channels, const char *receiver,
                           const struct record_event *event,
                           enum record_event_change change, double age_s)
{
    struct alert_notice notice;

    fill_notice(&notice, event, change);
    for (size_t i = 0; i < CHANNELS; i++) {
        const struct worker *w = channels->worker[i];

        if (works(w) && w->row->kept && strcmp(w->row->name, receiver) == 0)
            return os_outbox_push(w->outbox, &notice, sizeof notice, age_s);
    }
    return false;
}

/* Keeps a waiting notice again, with its age. */
static void keep_again(void *context, const void *message, size_t size, double age_s)
{
    const struct worker *w = context;
    const struct alert_keeper *keeper = &w->config->keeper;
    struct alert_notice notice;

    assert(size == sizeof notice);
    memcpy(&notice, message, size);
    keeper->keep(keeper->context, w->row->name, &notice.event, notice.change, age_s);
}

void alert_channels_keep_again(alert_channels *channels)
{
    for (size_t i = 0; i < CHANNELS; i++) {
        struct worker *w = channels->worker[i];

        if (works(w) && is_kept(w))
            os_outbox_each(w->outbox, keep_again, w);
    }
}

/* Fills in what the status shows of a channel. */
static void fill_counters(const struct worker *w, struct alert_counters *out)
{
    static const char *const state[] = {"well", "slow", "failing"};
    struct os_outbox_counts counts;

    os_outbox_counts(w->outbox, &counts);
    *out = (struct alert_counters){
        .name = w->row->name,
        .unavailable = w->row->unavailable,
        .state = state[counts.state],
        .sent = counts.sent,
        .retried = counts.retried,
        .waiting = counts.waiting,
        .given_up = counts.given_up,
        .lost = counts.pushed_out,
        .failing_s = counts.failing_s,
        .oldest_s = counts.oldest_s,
        .lasting = w->row->kept,
        .kept = is_kept(w),
    };
    snprintf(out->error, sizeof out->error, "%s", counts.error);
}

size_t alert_channels_counters(alert_channels *channels, struct alert_counters *out,
                               size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < CHANNELS && n < max; i++)
        if (channels->worker[i]->wanted)
            fill_counters(channels->worker[i], &out[n++]);
    return n;
}

/* Makes a channel's worker, wanted or not, so that the table and the workers have the
 * same indices. */
static enum vd_status new_worker(struct worker **out, const struct alert_channel *row,
                                 const struct alert_channels_config *config,
                                 struct vd_error *err)
{
    struct worker *w = calloc(1, sizeof *w);
    const struct os_outbox_config outbox = {
        .thread = row->name,
        .queue_bytes = row->waiting_max * (sizeof(struct alert_notice) + 16),
        .message_max = sizeof(struct alert_notice),
        .keep_s = row->keep_s,
        .refused_s = row->refused_s,
        .pause_min_s = row->keep_s > 0 ? PAUSE_MIN_S : 0,
        .pause_max_s = row->keep_s > 0 ? PAUSE_MAX_S : 0,
        .slow_s = config->webhook_timeout_s / 2,
        .context = w,
        .send = tell,
        .left = left,
        .turned = turned,
        .close = let_go,
        .hurry = w == NULL ? NULL : &w->hurry,
    };

    *out = w;
    if (w == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for alerts");
    w->row = row;
    w->config = config;
    w->wanted = row->wanted(config);
    atomic_init(&w->hurry, false);
    atomic_init(&w->full_said, false);
    return os_outbox_new(&w->outbox, &outbox, err);
}

/* Makes all workers and checks those that are wanted, so that a wrong address is refused
 * at the start. */
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
        status = new_worker(&channels->worker[i], table[i], &channels->config, err);
        if (status == VD_OK && channels->worker[i]->wanted && table[i]->check != NULL)
            status = table[i]->check(config, err);
    }
    if (status == VD_OK)
        *out = channels;
    else
        alert_channels_free(channels);
    return status;
}

/* Says what becomes of the notices that are still waiting at the end. */
static void say_what_waits(const struct worker *w, uint64_t n)
{
    char text[96];

    if (n == 0 || w->row->keep_s == 0)
        return;
    snprintf(text, sizeof text, "%llu alert%s %s", (unsigned long long)n,
             n == 1 ? "" : "s",
             !is_kept(w) ? "could not be told"
             : n == 1    ? "waits for the next start"
                         : "wait for the next start");
    say(w, OS_LOG_WARNING, text, NULL);
}

/* Frees a worker. Returns true when it hangs in a library (a desktop that does not
 * answer): its memory stays its own until the process ends. */
static bool free_worker(struct worker *w, double seconds)
{
    bool left_behind;

    if (w == NULL)
        return false;
    say_what_waits(w, os_outbox_free(w->outbox, seconds, &left_behind));
    if (!left_behind)
        free(w);
    return left_behind;
}

/* Ends all channels within the time of the configuration, shared by all: they are told to
 * stop first, and then waited for. */
void alert_channels_free(alert_channels *channels)
{
    int64_t until_ns = os_clock_mono_ns();
    bool left_behind = false;

    if (channels == NULL)
        return;
    until_ns += (int64_t)(channels->config.close_s * 1e9);
    for (size_t i = 0; i < CHANNELS; i++)
        if (channels->worker[i] != NULL && channels->worker[i]->outbox != NULL)
            os_outbox_stop(channels->worker[i]->outbox);
    for (size_t i = 0; i < CHANNELS; i++)
        left_behind |= free_worker(channels->worker[i],
                                   (double)(until_ns - os_clock_mono_ns()) * 1e-9);
    if (!left_behind)
        free(channels);
}
