/* What clients send to the page's server: heads of requests, WebSocket frames,
 * parameters, paths, bodies, messages, single headers; and text of any bytes on its way
 * into JSON. The first byte of the input chooses. What was let through must be what the
 * rest of the server expects. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "show/compress.h"
#include "show/encode.h"
#include "show/filter.h"
#include "show/frame.h"
#include "show/head.h"
#include "show/json.h"
#include "show/query.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct show_query query; /* one thread, and too large for the stack */

static void try_query(const char *text, size_t size, enum show_query_kind kind)
{
    struct vd_error err = {0};
    enum vd_status status = VD_OK;

    show_query_init(&query, kind);
    while (size > 0 && status == VD_OK) {
        const char *end = memchr(text, '&', size);
        size_t length = end == NULL ? size : (size_t)(end - text);

        status = show_query_add(&query, text, length, &err);
        length += end != NULL;
        text += length;
        size -= length;
    }
    if (status == VD_OK)
        status = show_query_finish(&query, 1700000000000000000, &err);
    assert(status == VD_OK || (status == VD_ERR_ARGUMENT && err.text[0] != '\0'));
    if (status != VD_OK)
        return;
    assert(query.points >= 10 && query.points <= 10000);
    assert(query.limit >= 1 && query.limit <= 1000);
    assert(query.from_ns >= 0 && query.before >= 0);
    assert((kind == SHOW_QUERY_PREVIEW) == (query.word != NULL));
    assert(query.to_ns > query.from_ns || (query.from_ns == 0 && query.to_ns == 0));
    assert(kind != SHOW_QUERY_HISTORY || query.n_metrics > 0);
    assert(query.n_metrics <= SHOW_QUERY_METRICS);
    assert(kind != SHOW_QUERY_HISTORY ||
           query.n_metrics * query.points <= SHOW_QUERY_VALUES);
    for (size_t i = 0; i < query.n_metrics; i++)
        assert(query.metric[i][0] != '\0' &&
               memchr(query.metric[i], '\0', SHOW_QUERY_NAME) != NULL);
}

static void try_text(char *text)
{
    int64_t id = 0;
    enum show_event_part part = SHOW_EVENT_WHOLE;
    char *host = strchr(text, '\n');

    if (show_query_event_path(text, &id, &part))
        assert(id > 0 && strncmp(text, "/api/v1/events/", 15) == 0);
    if (show_host_is_local(text))
        assert(strlen(text) <= strlen("localhost:65535"));
    if (host == NULL)
        return;
    *host++ = '\0';
    if (show_origin_is_same(text, host))
        assert(strncasecmp(text, "http://", 7) == 0);
}

static void try_bodies(const char *text, size_t size)
{
    struct vd_error err = {0};
    const char *word = NULL;
    struct show_wish wish = {0};

    if (show_query_feedback(text, size, &word, &err) == VD_OK)
        assert(word != NULL && strlen(word) < 10);
    else
        assert(word == NULL && err.text[0] != '\0');
    if (!show_query_message(text, size, &wish))
        assert(wish.kind == SHOW_WISH_OTHER);
    assert(wish.kind == SHOW_WISH_PROCESSES || (!wish.on && !wish.changes));
    assert(!show_view_has(&wish.view, RECORD_METRICS_MAX) || wish.view.all_metrics);
}

/* Any text gives JSON that another parser takes, and good UTF-8 comes back as it was. */
static void try_json(const char *text)
{
    struct show_json j = {0};
    json_t *root, *plain = json_string(text);
    double number = 0;

    memcpy(&number, text, strlen(text) < sizeof number ? strlen(text) : sizeof number);
    show_json_open(&j, NULL, '{');
    show_json_string(&j, "text", text);
    show_json_number(&j, "number", number);
    show_json_close(&j, '}');
    root = json_loadb(show_json_text(&j), j.size, JSON_REJECT_DUPLICATES, NULL);
    assert(root != NULL && json_is_string(json_object_get(root, "text")));
    if (plain != NULL)
        assert(json_equal(plain, json_object_get(root, "text")));
    json_decref(plain);
    json_decref(root);
    show_json_release(&j);
}

static bool lies_in(const char *text, const char *buffer, size_t size)
{
    return text >= buffer && text < buffer + size;
}

static void check_head(const struct show_head *head, const char *buffer, size_t size)
{
    assert(head->used <= size && head->used <= SHOW_HEAD_MAX);
    assert(memcmp(buffer + head->used - 2, "\0\n", 2) == 0);
    assert(lies_in(head->path, buffer, head->used));
    assert(head->method == SHOW_OTHER_METHOD || head->path[0] == '/');
    assert(head->body_size >= 0);
    assert(head->is_1_0 || head->field[SHOW_FIELD_HOST] != NULL);
    assert(head->field[SHOW_FIELD_LENGTH] == NULL ||
           head->field[SHOW_FIELD_TRANSFER_ENCODING] == NULL);
    for (int i = 0; i < SHOW_N_FIELDS; i++)
        if (head->field[i] != NULL)
            assert(lies_in(head->field[i], buffer, head->used) &&
                   strpbrk(head->field[i], "\r\n") == NULL);
}

/* The same bytes at once and in pieces: the same answer, and nothing behind it read. */
static void try_head(const char *text, size_t size)
{
    struct show_head whole = {0}, pieces = {0};
    char *once = malloc(size), *again = malloc(size);
    enum show_head_result result, last = SHOW_HEAD_MORE;

    assert(once != NULL && again != NULL);
    memcpy(once, text, size);
    memcpy(again, text, size);
    result = show_head_read(&whole, once, size);
    for (size_t n = 1; n <= size && last == SHOW_HEAD_MORE; n += 1 + n / 7)
        last = show_head_read(&pieces, again, n);
    if (last == SHOW_HEAD_MORE)
        last = show_head_read(&pieces, again, size);
    assert(result == last);
    if (result == SHOW_HEAD_REFUSED)
        assert(whole.status >= 400 && whole.status <= 501 && whole.why != NULL);
    if (result == SHOW_HEAD_DONE)
        check_head(&whole, once, size);
    if (last == SHOW_HEAD_DONE) {
        check_head(&pieces, again, size);
        assert(pieces.used == whole.used && pieces.method == whole.method &&
               pieces.body_size == whole.body_size && pieces.close == whole.close &&
               strcmp(pieces.path, whole.path) == 0);
    }
    free(once);
    free(again);
}

static void try_frames(const char *text, size_t size)
{
    enum { LIMIT = 1024 };
    unsigned char *bytes = malloc(size);
    struct show_frame frame;
    size_t used = 0;
    int code = 1;

    assert(bytes != NULL);
    memcpy(bytes, text, size);
    while (code == 1) {
        code = show_frame_read(&frame, bytes + used, size - used, LIMIT);
        if (code != 1)
            break;
        assert(frame.used <= size - used &&
               frame.used == frame.size + 6 + 2 * (frame.size > 125));
        assert(frame.payload + frame.size == bytes + used + frame.used);
        assert(frame.opcode < SHOW_FRAME_CLOSE || frame.final);
        if (frame.opcode == SHOW_FRAME_CLOSE)
            assert(show_frame_close_code(frame.payload, frame.size) >= 1000);
        (void)show_is_utf8((const char *)frame.payload, frame.size);
        used += frame.used;
    }
    assert(code == 0 || code == SHOW_CLOSE_PROTOCOL || code == SHOW_CLOSE_TOO_LARGE);
    free(bytes);
}

/* One field's value on its own. */
static void try_field(char *text)
{
    char accept[SHOW_ACCEPT_SIZE];

    if (show_frame_accept(text, accept))
        assert(strlen(text) == 24 && strlen(accept) == SHOW_ACCEPT_SIZE - 1);
    if (show_takes_gzip(text))
        assert(strpbrk(text, "gG*") != NULL);
    if (show_head_lists(text, "close"))
        assert(strlen(text) >= 5);
    if (show_head_unescape(text))
        (void)strlen(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (size == 0)
        return 0;
    text = malloc(size);
    if (text == NULL)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    switch (data[0]) {
    case 'h':
        try_query(text, size - 1, SHOW_QUERY_HISTORY);
        break;
    case 'e':
        try_query(text, size - 1, SHOW_QUERY_EVENTS);
        break;
    case 'p':
        try_query(text, size - 1, SHOW_QUERY_PREVIEW);
        break;
    case 'b':
        try_bodies(text, size - 1);
        break;
    case 'r':
        try_head(text, size - 1);
        break;
    case 'w':
        try_frames(text, size - 1);
        break;
    case 'f':
        try_field(text);
        break;
    case 'j':
        try_json(text);
        break;
    default:
        try_text(text);
    }
    free(text);
    return 0;
}
