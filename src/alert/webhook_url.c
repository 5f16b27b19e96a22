/* The address of a webhook, looked at before anything is sent to it. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alert/webhook.h"

/* Gives what follows the scheme; NULL when it is neither http nor https. */
static const char *behind_scheme(const char *url)
{
    if (strncasecmp(url, "https://", 8) == 0)
        return url + 8;
    return strncasecmp(url, "http://", 7) == 0 ? url + 7 : NULL;
}

/* Tells whether the text is "host", "host:80" or "[::1]:80", with a port that exists. */
static bool is_host(const char *text, size_t length)
{
    const char *end = text + length, *port = NULL;
    size_t digits = 0;

    if (length > 0 && *text == '[') {
        const char *close = memchr(text, ']', length);

        if (close == NULL || close == text + 1)
            return false;
        port = close + 1;
    } else {
        port = memchr(text, ':', length);
        if (port == NULL)
            port = end;
        if (port == text)
            return false;
    }
    if (port == end)
        return true;
    while (port + 1 + digits < end && isdigit((unsigned char)port[1 + digits]))
        digits++;
    return *port == ':' && digits > 0 && digits <= 5 && port + 1 + digits == end &&
           atoi(port + 1) > 0 && atoi(port + 1) <= 65535;
}

/* Checks the address without repeating it in a message, as it may hold a secret. A name
 * and password before an @ are passed over. */
enum vd_status alert_webhook_url_check(const char *url, struct vd_error *err)
{
    const char *host = behind_scheme(url), *at;
    size_t length;

    for (at = url; *at != '\0'; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f)
            return vd_error_set(err, VD_ERR_ARGUMENT,
                                "write spaces as %20, and a block text of YAML as one "
                                "line",
                                "the webhook URL has a space, a line end or a control "
                                "character");
    if (host == NULL)
        return vd_error_set(err, VD_ERR_ARGUMENT, "write https://host/path",
                            "the webhook is no http or https URL");
    length = strcspn(host, "/?#");
    at = memrchr(host, '@', length);
    if (at != NULL) {
        length -= (size_t)(at + 1 - host);
        host = at + 1;
    }
    if (!is_host(host, length))
        return vd_error_set(err, VD_ERR_ARGUMENT, "write https://host/path",
                            "the webhook URL names no host, or no port from 1 to 65535");
    return VD_OK;
}
