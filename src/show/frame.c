/* Frames in, heads out; the handshake's digest is in digest.c. */
#include "show/frame.h"

#include <stdint.h>
#include <string.h>

#include "os/utf8.h"
#include "show/digest.h"

/* ---- what a client sends ---- */

/* Tells control frames, which may come between the pieces of a message. */
static bool is_control(unsigned opcode)
{
    return opcode >= SHOW_FRAME_CLOSE;
}

static bool is_known(unsigned opcode)
{
    return opcode <= SHOW_FRAME_BINARY ||
           (opcode >= SHOW_FRAME_CLOSE && opcode <= SHOW_FRAME_PONG);
}

/* Reads the longer form of the length, most significant byte first. */
static uint64_t long_length(const unsigned char *bytes, size_t n)
{
    uint64_t length = 0;

    for (size_t i = 0; i < n; i++)
        length = length << 8 | bytes[i];
    return length;
}

/* Reads the first two bytes and says how many bytes the head has without its mask; 0 when
 * they are against the rules: reserved bits, no mask, an unknown opcode, or a control
 * frame that is split or too long. */
static size_t length_bytes(struct show_frame *frame, const unsigned char *bytes)
{
    unsigned size = bytes[1] & 0x7f;

    frame->final = bytes[0] & 0x80;
    frame->opcode = bytes[0] & 0x0f;
    if ((bytes[0] & 0x70) != 0 || (bytes[1] & 0x80) == 0 || !is_known(frame->opcode))
        return 0;
    if (is_control(frame->opcode) && (!frame->final || size > SHOW_CONTROL_MAX))
        return 0;
    return size == 127 ? 10 : size == 126 ? 4 : 2;
}

/* Reads one frame and takes its mask off in place. Returns 1 for a whole frame, 0 when
 * more bytes are needed, else the code to hang up with. The limit is checked before the
 * payload is waited for. */
int show_frame_read(struct show_frame *frame, unsigned char *bytes, size_t n,
                    size_t limit)
{
    size_t head;
    uint64_t size;
    const unsigned char *mask;

    if (n < 2)
        return 0;
    head = length_bytes(frame, bytes);
    if (head == 0)
        return SHOW_CLOSE_PROTOCOL;
    if (n < head)
        return 0;
    size = head == 2 ? bytes[1] & 0x7f : long_length(bytes + 2, head - 2);
    /* Refuses a length in a longer form than it needs, as RFC 6455 demands. */
    if ((head == 4 && size < 126) || (head == 10 && (size <= 65535 || size >> 63 != 0)))
        return SHOW_CLOSE_PROTOCOL;
    if (size > limit)
        return SHOW_CLOSE_TOO_LARGE;
    if (n < head + 4 + size)
        return 0;
    mask = bytes + head;
    frame->payload = bytes + head + 4;
    frame->size = (size_t)size;
    frame->used = head + 4 + frame->size;
    for (size_t i = 0; i < frame->size; i++)
        frame->payload[i] ^= mask[i % 4];
    return 1;
}

/* Gives the code to answer a close frame with: the client's own when it may be sent, else
 * the one that says what is wrong with it. */
int show_frame_close_code(const unsigned char *payload, size_t size)
{
    unsigned code;

    if (size == 0)
        return SHOW_CLOSE_NO_CODE;
    if (size == 1)
        return SHOW_CLOSE_PROTOCOL;
    code = (unsigned)payload[0] << 8 | payload[1];
    if (code < 1000 || code > 4999 || (code >= 1004 && code <= 1006) ||
        (code >= 1015 && code <= 2999))
        return SHOW_CLOSE_PROTOCOL;
    return show_is_utf8((const char *)payload + 2, size - 2) ? (int)code
                                                             : SHOW_CLOSE_INVALID;
}

/* Checks a whole text. A length of 0 marks the first wrong byte and ends the loop. */
bool show_is_utf8(const char *text, size_t size)
{
    size_t n = 1;

    for (; size > 0 && n > 0; text += n, size -= n)
        n = os_utf8_length(text, size);
    return n > 0;
}

/* ---- what a client gets ---- */

/* Writes the head in front of the payload and returns its size: the caller keeps room
 * there, so that the payload is never moved. The server's frames have no mask. */
size_t show_frame_head(unsigned char *payload, size_t size, unsigned opcode)
{
    size_t extra = size < 126 ? 0 : size <= 65535 ? 2 : 8;
    unsigned char *head = payload - 2 - extra;

    head[0] = (unsigned char)(0x80 | opcode);
    head[1] = (unsigned char)(extra == 0 ? size : extra == 2 ? 126 : 127);
    for (size_t i = 0; i < extra; i++)
        head[2 + i] = (unsigned char)((uint64_t)size >> 8 * (extra - 1 - i));
    return 2 + extra;
}

/* Makes the answer to the key of the handshake: the SHA-1 of the key and a fixed text, in
 * base64. A cache that does not know WebSockets cannot make it up. */
bool show_frame_accept(const char *key, char accept[SHOW_ACCEPT_SIZE])
{
    static const char base64[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char digest[SHOW_SHA1_SIZE + 1];
    char text[24 + sizeof suffix];

    /* 16 bytes are 21 digits, one of two bits, and two signs to fill up. */
    if (strlen(key) != 24 || strspn(key, base64) != 22 || strcmp(key + 22, "==") != 0)
        return false;
    memcpy(text, key, 24);
    memcpy(text + 24, suffix, sizeof suffix);
    show_sha1(text, 24 + sizeof suffix - 1, digest);
    digest[SHOW_SHA1_SIZE] = 0;
    for (size_t i = 0; i < 7; i++) {
        const unsigned char *three = digest + 3 * i;
        unsigned bits = (unsigned)three[0] << 16 | (unsigned)three[1] << 8 | three[2];

        for (size_t k = 0; k < 4; k++)
            accept[4 * i + k] = base64[bits >> (18 - 6 * k) & 63];
    }
    accept[SHOW_ACCEPT_SIZE - 2] = '=';
    accept[SHOW_ACCEPT_SIZE - 1] = '\0';
    return true;
}
