/* Telling people: the table of alert channels.
 *
 * A channel is one way to tell: lines on the terminal, a desktop notification, the bell,
 * a webhook. Which events are told is decided before (budget, cool-down); a channel tells
 * what it is given. Each has an outbox (os/outbox.h) with a thread of its own that starts
 * with the first event, so that a server that does not answer holds up nothing else,
 * least of all a tick.
 *
 * A receiver far away (the webhook) is told in the end: its notices are tried again for a
 * day, and are kept by a keeper, so that they outlive the program. It may hear the same
 * notice twice (a crash between its answer and our note of it), never an end before the
 * beginning. What people see at once or not at all (terminal, bell, desktop) is not
 * repeated.
 *
 * To add one: write src/alert/NAME.c with a `const struct alert_channel
 * alert_channel_NAME` (channel.h says what the functions promise), declare it there, add
 * its row in channels.c and its switch in `struct alert_channels_config`.
 */
#ifndef VD_ALERT_CHANNELS_H
#define VD_ALERT_CHANNELS_H

#include "os/log.h"
#include "record.h"

typedef struct alert_channels alert_channels;

/* Where notices are kept that wait for a receiver. Any thread; only `wait` may block. */
struct alert_keeper {
    void *context;
    /* The notice waits for `receiver`, and has for `age_s` seconds. NULL = nothing is
     * kept. */
    void (*keep)(void *context, const char *receiver, const struct record_event *event,
                 enum record_event_change change, double age_s);
    /* It does not any more. */
    void (*forget)(void *context, const char *receiver, int64_t event_id,
                   enum record_event_change change);
    /* Returns when what was kept before is durable, or soon: nobody is told of an event
     * whose id the next crash would take back. */
    void (*wait)(void *context);
};

struct alert_channels_config {
    bool terminal, bell, desktop;
    const char *webhook;      /* an http or https URL, borrowed until free; NULL = none */
    double webhook_timeout_s; /* of one try */
    double close_s;           /* how long free waits for what is under way */
    int fd;                   /* where the terminal's lines and the bell go */
    bool color;               /* escape sequences for colour may go there */
    const char *host;         /* of this machine, for messages that leave it; borrowed */
    struct alert_keeper keeper;
    /* Told when a channel fails for the first time and when it works again. From the
     * channels' threads. */
    struct os_log_to log;
};

/* Terminal on standard error, with colour where os_terminal_has_color says so; desktop
 * on; bell and webhook off; 10 s a try; 3 s at the end. */
struct alert_channels_config alert_channels_config_default(void);

/* What became of the notices of one channel. */
struct alert_counters {
    const char *name;        /* static */
    const char *unavailable; /* why this build does not have it; NULL = it does. Static */
    const char *state;       /* "well", "slow", "failing"; static */
    uint64_t sent, retried, waiting;
    uint64_t given_up; /* refused, or too old */
    uint64_t lost;     /* pushed out of a full outbox */
    double failing_s;  /* for so long; 0 = it does not */
    double oldest_s;   /* age of the first that waits; 0 = none does */
    bool lasting;      /* told in the end, however long that takes */
    bool kept;         /* and what waits is handed to the keeper */
    char error[160];   /* of the last failure, while it lasts; "" = none */
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

/* Takes up a notice that an earlier run owed, `age_s` old. False when no such receiver is
 * wanted now: it will not be told. Before the first send, oldest first. */
bool alert_channels_resume(alert_channels *channels, const char *receiver,
                           const struct record_event *event,
                           enum record_event_change change, double age_s);

/* Hands all that waits to the keeper once more: what it had is gone. Any thread. */
void alert_channels_keep_again(alert_channels *channels);

/* Fills one row per wanted channel, at most `max`; returns how many. */
size_t alert_channels_counters(alert_channels *channels, struct alert_counters *out,
                               size_t max);

/* Tells what waits, for config.close_s at most or until it fails, and stops. What is left
 * stays with the keeper; without one it is said. NULL is allowed. */
void alert_channels_free(alert_channels *channels);

#endif
