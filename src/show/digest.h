/* SHA-1, which the WebSocket handshake asks for. It proves there that the other side
 * speaks the protocol and keeps nothing secret. */
#ifndef VD_SHOW_DIGEST_H
#define VD_SHOW_DIGEST_H

#include <stddef.h>

enum { SHOW_SHA1_SIZE = 20, SHOW_SHA1_INPUT_MAX = 119 };

/* Of at most SHOW_SHA1_INPUT_MAX bytes. */
void show_sha1(const char *bytes, size_t size, unsigned char digest[SHOW_SHA1_SIZE]);

#endif
