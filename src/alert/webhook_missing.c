/* The webhook's row in a build without libcurl's headers. */
#include "alert/webhook.h"

static bool wanted(const struct alert_channels_config *config)
{
    return config->webhook != NULL && config->webhook[0] != '\0';
}

/* Refuses a webhook that is asked for, but only after its address was checked: a mistake
 * in it is the better message. */
static enum vd_status check(const struct alert_channels_config *config,
                            struct vd_error *err)
{
    enum vd_status status = alert_webhook_check(config, err);

    if (status != VD_OK)
        return status;
    return vd_error_set(err, VD_ERR_UNAVAILABLE,
                        "build with libcurl's headers, or leave the webhook out",
                        "this vedette was built without webhooks");
}

const struct alert_channel alert_channel_webhook = {
    .name = "webhook",
    .unavailable = "built without libcurl",
    .wanted = wanted,
    .check = check,
};
