/* Who may talk to the server: pure checks on the text of a request's headers.
 *
 * A page of another site can make the browser send requests to 127.0.0.1 (and, by DNS
 * rebinding, read the answers under its own name). Both are refused: the Host header must
 * name this machine's loopback, and an Origin header, if any, must be this very page.
 */
#ifndef VD_SHOW_FILTER_H
#define VD_SHOW_FILTER_H

#include <stdbool.h>

#include "vedette/status.h"

/* "localhost", "127.0.0.1" or "[::1]", with or without a port. NULL is refused. */
bool show_host_is_local(const char *host);

/* "http://" and then the Host header, letter for letter (case aside). NULL (no Origin
 * header) is fine; "null" is not. */
bool show_origin_is_same(const char *origin, const char *host);

/* The address the server may listen on: "127.0.0.1", "::1" or "localhost". */
bool show_address_is_loopback(const char *address);

/* The same with the reason and what to do instead. */
enum vd_status show_address_check(const char *address, struct vd_error *err);

#endif
