/* Lines for people who watch the terminal, and the bell.
 *
 *     2026-11-21T10:32:17.250+01:00 HIGH     High CPU usage detected
 *              cpu_percent: 97.1 (high, expected ≈9.4, z=8.8)
 *              burn (pid 4242): 80 % of the cpu excess
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alert/channel.h"
#include "os/clock.h"
#include "os/utf8.h"

/* Bounds the text of one notice, and sets how often a write that waits looks whether to
 * stop. */
enum { TEXT_MAX = 4096, WAIT_MS = 200 };

/* Holds the text under way; it is written at once, so that lines of others do not come
 * between. */
struct terminal {
    struct alert_place place;
    char text[TEXT_MAX];
    size_t used;
};

/* Gives the colours as SGR numbers, for the severities in order. */
static const char *const color[] = {"32", "36", "33", "31", "1;31"};

static bool wanted(const struct alert_channels_config *config)
{
    return config->terminal;
}

static enum os_outbox_result create(void **out, const struct alert_place *place,
                                    struct vd_error *err)
{
    struct terminal *t = calloc(1, sizeof *t);

    if (t == NULL) {
        vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory");
        return OS_OUTBOX_LATER;
    }
    t->place = *place;
    *out = t;
    return OS_OUTBOX_DONE;
}

/* Appends text and cuts what does not fit. */
static void append(struct terminal *t, const char *text)
{
    size_t length = strlen(text);

    if (length > TEXT_MAX - t->used)
        length = TEXT_MAX - t->used;
    memcpy(t->text + t->used, text, length);
    t->used += length;
}

static void append_detail(struct terminal *t, const char *text)
{
    append(t, "         ");
    append(t, text);
    append(t, "\n");
}

/* Appends the first line: when, how severe, what. */
static void append_head(struct terminal *t, const struct alert_notice *notice)
{
    const struct record_event *event = &notice->event;
    bool over = notice->change == RECORD_EVENT_ENDED;
    char clock[OS_CLOCK_TEXT], word[16] = "", headline[640], escape[16];
    const char *name = over ? "ended" : record_severity_name(event->severity);

    for (size_t i = 0; name[i] != '\0' && i + 1 < sizeof word; i++)
        word[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 32) : name[i];
    append(t, os_clock_text(over ? event->end_ns : event->start_ns, clock));
    append(t, " ");
    if (t->place.config->color) {
        snprintf(escape, sizeof escape, "\x1b[%sm", over ? "32" : color[event->severity]);
        append(t, escape);
    }
    snprintf(headline, sizeof headline, "%-8s", word);
    append(t, headline);
    if (t->place.config->color)
        append(t, "\x1b[0m");
    append(t, " ");
    append(t, alert_headline(notice, headline, sizeof headline));
    append(t, "\n");
}

/* Writes the text. A terminal that was stopped (Ctrl-S) takes nothing: the write waits,
 * but gives up when it is told to stop. */
static enum os_outbox_result write_out(struct terminal *t, struct vd_error *err)
{
    struct pollfd ready = {.fd = t->place.config->fd, .events = POLLOUT};
    size_t done = 0;

    while (done < t->used) {
        ssize_t n;

        while (poll(&ready, 1, WAIT_MS) == 0)
            if (atomic_load(t->place.stop))
                return OS_OUTBOX_LATER;
        n = write(ready.fd, t->text + done, t->used - done);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0) {
            vd_error_set(err, VD_ERR_IO, NULL, "cannot write to the terminal: %s",
                         strerror(errno));
            return OS_OUTBOX_LATER;
        }
        done += (size_t)n;
    }
    return OS_OUTBOX_DONE;
}

static struct os_outbox_answer send(void *channel, const struct alert_notice *notice,
                                    struct vd_error *err)
{
    const struct record_event *event = &notice->event;
    struct terminal *t = channel;
    char text[512];

    t->used = 0;
    append_head(t, notice);
    if (notice->change == RECORD_EVENT_OPENED) {
        for (size_t i = 0; i < event->n_top && i < RECORD_TOP; i++)
            append_detail(t, os_utf8_visible(event->explanation[i], text, sizeof text));
        for (size_t i = 0; i < event->n_suspects && i < RECORD_TOP; i++)
            append_detail(t, alert_suspect_line(event, i, text, sizeof text));
    }
    return (struct os_outbox_answer){.result = write_out(t, err)};
}

const struct alert_channel alert_channel_terminal = {
    .name = "terminal",
    .waiting_max = 32,
    .wanted = wanted,
    .create = create,
    .send = send,
    .destroy = free,
};

/* ---- the bell ---- */

/* Rings the bell of the terminal, if it is one. */
struct os_outbox_answer alert_ring(int fd, struct vd_error *err)
{
    if (isatty(fd) == 1 && write(fd, "\a", 1) == 1)
        return (struct os_outbox_answer){.result = OS_OUTBOX_DONE};
    vd_error_set(err, VD_ERR_UNAVAILABLE, NULL, "there is no terminal with a bell");
    return (struct os_outbox_answer){.result = OS_OUTBOX_LATER};
}

static bool bell_wanted(const struct alert_channels_config *config)
{
    return config->bell;
}

static struct os_outbox_answer bell_send(void *channel, const struct alert_notice *notice,
                                         struct vd_error *err)
{
    struct terminal *t = channel;

    if (notice->change != RECORD_EVENT_OPENED)
        return (struct os_outbox_answer){.result = OS_OUTBOX_DONE};
    return alert_ring(t->place.config->fd, err);
}

const struct alert_channel alert_channel_bell = {
    .name = "bell",
    .waiting_max = 32,
    .wanted = bell_wanted,
    .create = create,
    .send = bell_send,
    .destroy = free,
};
