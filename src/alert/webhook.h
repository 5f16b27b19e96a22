/* The body of a webhook's POST. */
#ifndef VD_ALERT_WEBHOOK_H
#define VD_ALERT_WEBHOOK_H

#include "alert/channel.h"

/* The notice as JSON (docs/formats/webhook.md), malloc'ed; NULL when there is no memory.
 */
char *alert_webhook_body(const struct alert_notice *notice, const char *host);

/* http:// or https:// and a host, without control characters or spaces. */
enum vd_status alert_webhook_check(const struct alert_channels_config *config,
                                   struct vd_error *err);

#endif
