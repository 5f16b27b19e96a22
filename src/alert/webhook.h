/* The body of a webhook's POST. */
#ifndef VD_ALERT_WEBHOOK_H
#define VD_ALERT_WEBHOOK_H

#include "alert/channel.h"

/* The notice as JSON (docs/formats/webhook.md), malloc'ed; NULL when there is no memory.
 */
char *alert_webhook_body(const struct alert_notice *notice, const char *host);

/* http:// or https://, a host, and a port that there is, without control characters or
 * spaces. The message does not name the URL, which may hold a secret. */
enum vd_status alert_webhook_url_check(const char *url, struct vd_error *err);

/* Checks the URL of the configuration in the same way. */
enum vd_status alert_webhook_check(const struct alert_channels_config *config,
                                   struct vd_error *err);

#endif
