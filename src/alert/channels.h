/* Telling people: the table of alert channels.
 *
 * A channel is one way to tell: lines on the terminal, a desktop notification, the bell,
 * a webhook. Which events are told is decided before (budget, cool-down); a channel tells
 * what it is given. Each has a small queue and a thread of its own that starts with the
 * first event, so that a server that does not answer holds up nothing else, least of all
 * a tick. When a queue is full its oldest entry leaves and is counted.
 *
 * To add one: write src/alert/NAME.c with a `const struct alert_channel
 * alert_channel_NAME` (channel.h says what the functions promise), declare it there, add
 * its row in channels.c and its switch in `struct alert_channels_config`.
 */
#ifndef VD_ALERT_CHANNELS_H
#define VD_ALERT_CHANNELS_H

#include "record.h"

typedef struct alert_channels alert_channels;

enum alert_level { ALERT_INFO, ALERT_WARNING, ALERT_ERROR };

struct alert_channels_config {
    bool terminal, bell, desktop;
    const char *webhook;      /* an http or https URL, borrowed until free; NULL = none */
    double webhook_timeout_s; /* of one try */
    double close_s;           /* how long free waits for what is under way */
    int fd;                   /* where the terminal's lines and the bell go */
    bool color;               /* escape sequences for colour may go there */
    const char *host;         /* of this machine, for messages that leave it; borrowed */
    /* Called when a channel fails for the first time and when it works again. From the
     * channels' threads. NULL = nobody listens. */
    void (*say)(void *context, enum alert_level level, const char *text);
    void *say_context;
};

/* Terminal on standard error, with colour where os_terminal_has_color says so; desktop
 * on; bell and webhook off; 10 s a try; 3 s at the end. */
struct alert_channels_config alert_channels_config_default(void);

/* What became of the events of one channel. */
struct alert_counters {
    const char *name;        /* static */
    const char *unavailable; /* why this build does not have it; NULL = it does. Static */
    uint64_t sent, retried;
    uint64_t lost; /* left the full queue, or could not be told in the end */
};

/* VD_ERR_ARGUMENT for a webhook that is no http or https URL, VD_ERR_UNAVAILABLE for one
 * that this build does not have. */
enum vd_status alert_channels_new(alert_channels **out,
                                  const struct alert_channels_config *config,
                                  struct vd_error *err);

/* Tells all channels that the event opened or ended; other changes are ignored. Copies
 * the event, never waits. From one thread. */
void alert_channels_send(alert_channels *channels, const struct record_event *event,
                         enum record_event_change change);

/* One row per wanted channel, at most `max`; returns how many. */
size_t alert_channels_counters(alert_channels *channels, struct alert_counters *out,
                               size_t max);

/* Tells what waits, for config.close_s at most, and stops. NULL is allowed. */
void alert_channels_free(alert_channels *channels);

#endif
