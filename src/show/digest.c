/* FIPS 180-4, for the one or two blocks that a handshake needs. */
#include "show/digest.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

/* Gives the size of a block of SHA-1 in bytes. */
enum { BLOCK = 64 };

static uint32_t rotate(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

/* Gives the function and the constant of round `t`, both of which change every twenty
 * rounds. */
static uint32_t mix(size_t t, const uint32_t v[5])
{
    if (t < 20)
        return ((v[1] & v[2]) | (~v[1] & v[3])) + 0x5a827999;
    if (t < 40)
        return (v[1] ^ v[2] ^ v[3]) + 0x6ed9eba1;
    if (t < 60)
        return ((v[1] & v[2]) | (v[1] & v[3]) | (v[2] & v[3])) + 0x8f1bbcdc;
    return (v[1] ^ v[2] ^ v[3]) + 0xca62c1d6;
}

/* Mixes one block into the state: 16 words of input are stretched to 80, one for each
 * round. */
static void take_block(uint32_t state[5], const unsigned char *block)
{
    uint32_t w[80], v[5];

    for (size_t t = 0; t < 16; t++)
        w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 |
               (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
    for (size_t t = 16; t < 80; t++)
        w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    memcpy(v, state, sizeof v);
    for (size_t t = 0; t < 80; t++) {
        uint32_t next = rotate(v[0], 5) + mix(t, v) + v[4] + w[t];

        v[4] = v[3];
        v[3] = v[2];
        v[2] = rotate(v[1], 30);
        v[1] = v[0];
        v[0] = next;
    }
    for (size_t i = 0; i < 5; i++)
        state[i] += v[i];
}

/* Pads the input with a bit of one, zeros, and its length in bits in the last eight
 * bytes. Two of these bytes are enough, since the input is bounded. */
void show_sha1(const char *bytes, size_t size, unsigned char digest[SHOW_SHA1_SIZE])
{
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    unsigned char padded[2 * BLOCK] = {0};
    size_t total = size + 9 <= BLOCK ? BLOCK : 2 * BLOCK;

    assert(size <= SHOW_SHA1_INPUT_MAX);
    memcpy(padded, bytes, size);
    padded[size] = 0x80;
    padded[total - 1] = (unsigned char)(size * 8);
    padded[total - 2] = (unsigned char)(size * 8 >> 8);
    for (size_t at = 0; at < total; at += BLOCK)
        take_block(state, padded + at);
    for (size_t i = 0; i < SHOW_SHA1_SIZE; i++)
        digest[i] = (unsigned char)(state[i / 4] >> (24 - 8 * (i % 4)));
}
