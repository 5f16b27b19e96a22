/* Text against a short list; anything unknown is refused. */
#include "show/filter.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Accepts ":5000" or nothing. The port itself is not compared: a tunnel may lead from
 * another one. */
static bool is_port(const char *text)
{
    unsigned value = 0, digits = 0;

    if (*text == '\0')
        return true;
    if (*text++ != ':')
        return false;
    for (; isdigit((unsigned char)*text) && digits < 5; text++, digits++)
        value = value * 10 + (unsigned)(*text - '0');
    return *text == '\0' && digits > 0 && value > 0 && value <= 65535;
}

/* Checks the field Host. A page of another site that makes its own name point to
 * 127.0.0.1 (DNS rebinding) still sends its own name here, and is refused by it. */
bool show_host_is_local(const char *host)
{
    static const char *const name[] = {"localhost", "127.0.0.1", "[::1]"};

    if (host == NULL)
        return false;
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        size_t length = strlen(name[i]);

        if (strncasecmp(host, name[i], length) == 0 && is_port(host + length))
            return true;
    }
    return false;
}

/* Checks the field Origin. Programs that are no browsers send none, so a missing one is
 * accepted. */
bool show_origin_is_same(const char *origin, const char *host)
{
    if (origin == NULL)
        return true;
    return host != NULL && strncasecmp(origin, "http://", 7) == 0 &&
           strcasecmp(origin + 7, host) == 0;
}

/* Accepts the three ways to write this machine's own address. Others of 127.0.0.0/8 are
 * not needed and not accepted. */
bool show_address_is_loopback(const char *address)
{
    return address != NULL &&
           (strcmp(address, "localhost") == 0 || strcmp(address, "127.0.0.1") == 0 ||
            strcmp(address, "::1") == 0);
}

enum vd_status show_address_check(const char *address, struct vd_error *err)
{
    if (show_address_is_loopback(address))
        return VD_OK;
    return vd_error_set(err, VD_ERR_ARGUMENT,
                        "use 127.0.0.1 (or localhost, ::1), and an SSH tunnel from "
                        "another machine: ssh -L 5000:127.0.0.1:5000 HOST",
                        "the address %.60s is not of this machine alone: there is no "
                        "login yet, so the page is shown only to this machine",
                        address == NULL ? "" : address);
}
