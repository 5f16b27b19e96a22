/* What a channel is, for those who write one; everyone else includes channels.h. */
#ifndef VD_ALERT_CHANNEL_H
#define VD_ALERT_CHANNEL_H

#include <stdatomic.h>

#include "alert/channels.h"
#include "os/outbox.h"

struct alert_notice {
    struct record_event event;
    enum record_event_change change; /* opened or ended */
};

/* What a channel is created with; outlives it. */
struct alert_place {
    const struct alert_channels_config *config;
    atomic_bool *stop; /* becomes true when a send should come to its end */
};

/* A channel says what became of one try; how often and for how long one is tried is in
 * its row, and the outbox's work. */
struct alert_channel {
    const char *name;
    const char *unavailable; /* why this build does not have it; NULL = it does */
    /* A notice that fails is tried again until it is so old, one that is refused until
     * refused_s; 0 = never, for what is of no use later. */
    double keep_s, refused_s;
    size_t waiting_max; /* notices */
    bool kept;          /* what waits is kept in the store, over restarts */
    bool (*wanted)(const struct alert_channels_config *config);
    /* Checks the configuration, on the caller's thread. NULL = nothing to check. */
    enum vd_status (*check)(const struct alert_channels_config *config,
                            struct vd_error *err);
    /* All below run on the channel's own thread and may block. `create` is called before
     * the first send and, when it failed, before the next one. */
    enum os_outbox_result (*create)(void **channel, const struct alert_place *place,
                                    struct vd_error *err);
    struct os_outbox_answer (*send)(void *channel, const struct alert_notice *notice,
                                    struct vd_error *err);
    void (*destroy)(void *channel);
};

extern const struct alert_channel alert_channel_terminal;
extern const struct alert_channel alert_channel_bell;
extern const struct alert_channel alert_channel_desktop;
extern const struct alert_channel alert_channel_webhook;

/* "CPU at 97 % ..." as one visible line; shared by the channels. */
char *alert_headline(const struct alert_notice *notice, char *out, size_t size);

/* "burn (pid 4242): 80 % of the cpu excess", "" when there is no suspect `i`. */
char *alert_suspect_line(const struct record_event *event, size_t i, char *out,
                         size_t size);

/* Writes one BEL character to a terminal; OS_OUTBOX_LATER when `fd` is none. */
struct os_outbox_answer alert_ring(int fd, struct vd_error *err);

#endif
