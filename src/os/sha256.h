/* SHA-256 (FIPS 180-4) of a text that comes in pieces. */
#ifndef VD_OS_SHA256_H
#define VD_OS_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { OS_SHA256_SIZE = 32, OS_SHA256_TEXT = 2 * OS_SHA256_SIZE + 1 };

/* Plain data; begin it before the first piece. */
struct os_sha256 {
    uint32_t state[8];
    uint64_t size; /* bytes so far */
    unsigned char block[64];
};

void os_sha256_begin(struct os_sha256 *sha);
void os_sha256_add(struct os_sha256 *sha, const void *bytes, size_t size);

/* Ends it: the digest as hexadecimal digits. Returns text. */
char *os_sha256_end(struct os_sha256 *sha, char text[OS_SHA256_TEXT]);

#endif
