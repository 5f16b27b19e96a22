/* What clients send to the page's server: parameters, paths, bodies, WebSocket messages,
 * Host and Origin headers; and text of any bytes on its way into JSON. The first byte of
 * the input chooses. What was let through must be what the rest of the server expects. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "show/encode.h"
#include "show/filter.h"
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
    bool known = false, on = false;

    if (show_query_feedback(text, size, &word, &err) == VD_OK)
        assert(word != NULL && strlen(word) < 10);
    else
        assert(word == NULL && err.text[0] != '\0');
    if (!show_query_message(text, size, &known, &on))
        assert(!known && !on);
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
    case 'j':
        try_json(text);
        break;
    default:
        try_text(text);
    }
    free(text);
    return 0;
}
