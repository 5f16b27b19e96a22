/* The head of an HTTP/1 request, read line by line as it comes.
 *
 * Whatever two readers could understand in two ways is refused here, so that nothing can
 * be smuggled past a proxy and a mistake is told at once instead of after a deadline: a
 * bare LF or CR, control characters, a folded line, a space before the colon, a length
 * said twice. What passes is one request of HTTP/1.1 or 1.0 with one Host.
 */
#ifndef VD_SHOW_HEAD_H
#define VD_SHOW_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SHOW_HEAD_MAX = 16384, /* bytes: other programs' cookies for localhost come along */
    SHOW_TARGET_MAX = 8000,
    SHOW_FIELDS_MAX = 100,
};

enum show_method { SHOW_GET, SHOW_HEAD, SHOW_POST, SHOW_DELETE, SHOW_OTHER_METHOD };

/* The fields that the server reads; all others are checked and left alone. */
enum show_field {
    SHOW_FIELD_HOST,
    SHOW_FIELD_ORIGIN,
    SHOW_FIELD_FETCH_SITE,
    SHOW_FIELD_LENGTH,
    SHOW_FIELD_TRANSFER_ENCODING,
    SHOW_FIELD_TYPE,
    SHOW_FIELD_EXPECT,
    SHOW_FIELD_CONNECTION,
    SHOW_FIELD_UPGRADE,
    SHOW_FIELD_SOCKET_KEY,
    SHOW_FIELD_SOCKET_VERSION,
    SHOW_FIELD_ACCEPT,
    SHOW_FIELD_ACCEPT_ENCODING,
    SHOW_FIELD_IF_NONE_MATCH,
    SHOW_N_FIELDS,
};

/* Zero-initialise for each request. The texts point into the buffer that was read. */
struct show_head {
    enum show_method method;
    bool is_1_0, close;               /* close: the client hangs up after the answer */
    bool upgrade;                     /* "Connection: upgrade" */
    const char *path;                 /* decoded */
    const char *query;                /* as it was sent, "" = none */
    const char *field[SHOW_N_FIELDS]; /* NULL = not sent */
    int64_t body_size;                /* Content-Length, INT64_MAX = more than fits; 0 */
    /* the reader's own */
    size_t scanned, line; /* bytes looked at; where the next line begins */
    size_t used;          /* when it is done: bytes of the head */
    size_t n_lines;
    /* when it is refused */
    unsigned status;
    const char *why;
};

enum show_head_result { SHOW_HEAD_MORE, SHOW_HEAD_DONE, SHOW_HEAD_REFUSED };

/* Reads on in text[size], the bytes of the request so far: the same buffer each time,
 * with more in it. It writes into lines that are complete. Never asks for more than
 * SHOW_HEAD_MAX bytes. */
enum show_head_result show_head_read(struct show_head *head, char *text, size_t size);

/* Is `token` one of the comma-separated items of `list`? Case aside; NULL is empty. */
bool show_head_lists(const char *list, const char *token);

/* "%41" -> "A" in place; false for a broken escape and for %00. */
bool show_head_unescape(char *text);

#endif
