/* WebSocket frames (RFC 6455): what a client sends is read strictly, what it gets is
 * headed. No extension is agreed on.
 */
#ifndef VD_SHOW_FRAME_H
#define VD_SHOW_FRAME_H

#include <stdbool.h>
#include <stddef.h>

enum {
    SHOW_FRAME_CONTINUED = 0,
    SHOW_FRAME_TEXT = 1,
    SHOW_FRAME_BINARY = 2,
    SHOW_FRAME_CLOSE = 8,
    SHOW_FRAME_PING = 9,
    SHOW_FRAME_PONG = 10,
};

/* Why a connection ends. */
enum show_close {
    SHOW_CLOSE_NORMAL = 1000,
    SHOW_CLOSE_PROTOCOL = 1002,
    SHOW_CLOSE_UNSUPPORTED = 1003, /* not text */
    SHOW_CLOSE_NO_CODE = 1005,     /* never sent */
    SHOW_CLOSE_INVALID = 1007,     /* text that is none */
    SHOW_CLOSE_TOO_LARGE = 1009,
};

enum {
    SHOW_FRAME_HEAD_MAX = 10, /* of a frame that is sent */
    SHOW_CONTROL_MAX = 125,   /* bytes that a ping, pong or close carries */
    SHOW_ACCEPT_SIZE = 29,    /* of the answer to a key, with its end */
};

struct show_frame {
    unsigned opcode;
    bool final;
    unsigned char *payload; /* unmasked, within the bytes that were read */
    size_t size;
    size_t used; /* bytes of the whole frame */
};

/* Reads the frame at bytes[n] and unmasks it in place. 1 = it is whole, 0 = more bytes
 * are needed, else the enum show_close that the client has earned. A payload above
 * `limit` bytes is too large. */
int show_frame_read(struct show_frame *frame, unsigned char *bytes, size_t n,
                    size_t limit);

/* Why a client closes, from the payload of its close frame: its code, SHOW_CLOSE_NO_CODE,
 * or what is wrong with it. */
int show_frame_close_code(const unsigned char *payload, size_t size);

/* Writes the head of a final frame so that it ends where the payload begins, which needs
 * SHOW_FRAME_HEAD_MAX bytes of room. Returns the bytes of the head. */
size_t show_frame_head(unsigned char *payload, size_t size, unsigned opcode);

/* Is all of it UTF-8? */
bool show_is_utf8(const char *text, size_t size);

/* Makes what the server says to a client's key; false when it is not 16 bytes in base64.
 */
bool show_frame_accept(const char *key, char accept[SHOW_ACCEPT_SIZE]);

#endif
