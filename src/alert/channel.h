/* What a channel is, for those who write one; everyone else includes channels.h. */
#ifndef VD_ALERT_CHANNEL_H
#define VD_ALERT_CHANNEL_H

#include <stdatomic.h>

#include "alert/channels.h"

enum alert_result {
    ALERT_OK,
    ALERT_RETRY, /* may work later: tried again, 1, 2, 4, 8 s from now */
    ALERT_FAIL,  /* this event cannot be told here */
};

struct alert_notice {
    struct record_event event;
    enum record_event_change change; /* opened or ended */
};

/* What a channel is created with; outlives it. */
struct alert_place {
    const struct alert_channels_config *config;
    atomic_bool *stop; /* becomes true when a send should come to its end */
};

struct alert_channel {
    const char *name;
    const char *unavailable; /* why this build does not have it; NULL = it does */
    bool (*wanted)(const struct alert_channels_config *config);
    /* Checks the configuration, on the caller's thread. NULL = nothing to check. */
    enum vd_status (*check)(const struct alert_channels_config *config,
                            struct vd_error *err);
    /* All below run on the channel's own thread and may block. `create` is called before
     * the first send and, when it failed, before the next one. */
    enum alert_result (*create)(void **channel, const struct alert_place *place,
                                struct vd_error *err);
    enum alert_result (*send)(void *channel, const struct alert_notice *notice,
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

/* One BEL character to a terminal; ALERT_FAIL when `fd` is none. */
enum alert_result alert_ring(int fd, struct vd_error *err);

#endif
