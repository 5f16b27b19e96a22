/* Asks the monitor where there is one, and reads its store where there is none: both ways
 * give the objects of docs/api.md. */
#include "cmd/source.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/data_dir.h"
#include "cmd/local_api.h"
#include "show/encode.h"
#include "store/inspect.h"
#include "store/lock.h"

/* Sets how many events one answer holds. An event of long names is large, and so many
 * still fit into the most that a request reads. */
enum { PAGE = 200 };

/* Finds the directory and the address that are asked when nothing else is known. Nothing
 * is opened: a command that follows asks again and again. */
enum vd_status cmd_source_init(struct cmd_source *source,
                               const struct cmd_source_settings *settings,
                               struct vd_error *err)
{
    bool is_v6 = strchr(settings->address, ':') != NULL && settings->address[0] != '[';

    *source = (struct cmd_source){.dir_given = settings->data_dir != NULL};
    snprintf(source->fallback, sizeof source->fallback, "%s%.64s%s:%ld", is_v6 ? "[" : "",
             settings->address, is_v6 ? "]" : "", settings->port);
    return cmd_data_dir(settings->data_dir, source->dir, sizeof source->dir, err);
}

/* Finds the monitor that has the directory and returns its pid, 0 when there is none. The
 * address becomes "" when the monitor did not write one, as when its dashboard is off. */
static int find_owner(struct cmd_source *source)
{
    struct os_data_dir dir;
    int owner = 0;

    source->address[0] = '\0';
    if (os_data_dir_open(&dir, source->dir, OS_DATA_DIR_READ, NULL) == VD_OK)
        owner = store_lock_owner(&dir, source->address, sizeof source->address);
    os_data_dir_close(&dir);
    return owner;
}

/* Says that no monitor runs, and where it was looked for. */
static enum vd_status nobody(const struct cmd_source *source, struct vd_error *err)
{
    if (source->dir_given)
        return vd_error_set(err, VD_ERR_UNAVAILABLE, "vedette monitor starts one",
                            "no monitor runs that uses %s", source->dir);
    return vd_error_set(err, VD_ERR_UNAVAILABLE, "vedette monitor starts one",
                        "no monitor runs: none uses %s, and none answers at %s",
                        source->dir, source->fallback);
}

/* Asks the monitor that has the directory. Without one the usual address is tried, but
 * not when a directory was named: the monitor there would be another one's. */
enum vd_status cmd_source_ask(struct cmd_source *source, const char *path, json_t **out,
                              struct vd_error *err)
{
    int owner = find_owner(source);
    struct vd_error inner = {0};
    enum vd_status status;

    *out = NULL;
    if (owner != 0 && source->address[0] == '\0')
        return vd_error_set(err, VD_ERR_UNAVAILABLE, "start it with its dashboard on",
                            "the monitor with pid %d uses %s and cannot be asked", owner,
                            source->dir);
    if (owner != 0)
        return cmd_local_api_get(source->address, path, out, err);
    if (source->dir_given)
        return nobody(source, err);
    status = cmd_local_api_get(source->fallback, path, out, &inner);
    if (status == VD_ERR_UNAVAILABLE && *inner.text != '\0')
        return nobody(source, err);
    if (status == VD_OK)
        snprintf(source->address, sizeof source->address, "%s", source->fallback);
    else
        vd_error_set(err, status, inner.hint, "%s", inner.text);
    return status;
}

/* ---- the store ---- */

/* Describes the machine for the encoder, which needs its cores to say how suspicious a
 * process is. The store is this machine's, so its own number is right. */
static struct show_schema this_machine(void)
{
    return (struct show_schema){.cores = (double)sysconf(_SC_NPROCESSORS_ONLN)};
}

/* Turns the encoder's text into JSON and releases the text. NULL means no memory. */
static json_t *parse(struct show_json *j)
{
    json_t *root = j->failed ? NULL : json_loadb(show_json_text(j), j->size, 0, NULL);

    show_json_release(j);
    return root;
}

static enum vd_status no_memory(struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the events");
}

/* Reads events from the store and encodes them as the monitor would. *out is NULL after a
 * failure. */
static enum vd_status stored_events(const struct cmd_source *source,
                                    const struct history_event_query *query, json_t **out,
                                    struct vd_error *err)
{
    const struct show_schema machine = this_machine();
    struct record_event *event = NULL;
    struct store_reader reader;
    struct show_json j = {0};
    size_t n = 0;
    enum vd_status status = store_reader_open(&reader, source->dir, err);

    if (status == VD_OK) {
        struct history_reader history = store_reader_history(&reader);

        status = history.events(history.context, query, &event, &n, err);
    }
    show_json_open(&j, NULL, '[');
    for (size_t i = 0; i < n; i++)
        show_encode_event(&j, NULL, &event[i], &machine, NULL, 0);
    show_json_close(&j, ']');
    *out = parse(&j);
    free(event);
    store_reader_close(&reader);
    if (status != VD_OK) {
        json_decref(*out);
        *out = NULL;
        return status;
    }
    return *out == NULL ? no_memory(err) : VD_OK;
}

/* Reads one event with its flight recorder. The encoder takes NULL for "no recorder
 * wanted", so an event without one is given an empty list. */
static enum vd_status stored_event(const struct cmd_source *source, int64_t id,
                                   json_t **out, struct vd_error *err)
{
    static const struct history_moment none;
    const struct show_schema machine = this_machine();
    struct history_moment *moment = NULL;
    struct store_reader reader;
    struct record_event event;
    struct show_json j = {0};
    size_t n = 0;
    enum vd_status status = store_reader_open(&reader, source->dir, err);

    *out = NULL;
    if (status == VD_OK) {
        struct history_reader history = store_reader_history(&reader);

        status = history.event(history.context, id, &event, err);
        if (status == VD_OK)
            status = history.moments(history.context, id, &moment, &n, err);
    }
    if (status == VD_OK) {
        show_encode_event(&j, NULL, &event, &machine, moment != NULL ? moment : &none, n);
        *out = parse(&j);
        if (*out == NULL)
            status = no_memory(err);
    }
    history_moments_free(moment, n);
    store_reader_close(&reader);
    return status;
}

/* ---- both ---- */

/* Tells whether the store is to be read: no monitor can be asked, and its directory is
 * known. A monitor that refuses is not asked again by another way. */
static bool use_store(const struct cmd_source *source, enum vd_status status)
{
    return status == VD_ERR_UNAVAILABLE && source->dir[0] != '\0';
}

/* Chooses what is told when neither way leads to events. It is why there is no monitor;
 * only when there is a store that cannot be read is it that. */
static enum vd_status settle(enum vd_status stored, const struct vd_error *monitor,
                             const struct vd_error *store, struct vd_error *err)
{
    const struct vd_error *why =
        stored == VD_ERR_IO || stored == VD_ERR_UNAVAILABLE ? monitor : store;

    if (stored == VD_OK)
        return VD_OK;
    return vd_error_set(err, why->status, why->hint, "%s%s%s", why->text,
                        why == monitor ? "; nor are there events on disk: " : "",
                        why == monitor ? store->text : "");
}

/* Writes the query of the API. `before` is the id of the last event of the page before, 0
 * for the first page. */
static void make_path(const struct history_event_query *query, int64_t before,
                      size_t limit, char *path, size_t size)
{
    int n = snprintf(path, size, "/api/v1/events?limit=%zu", limit);

    if (query->from_ns > 0)
        n += snprintf(path + n, size - (size_t)n, "&from=%.3f",
                      (double)query->from_ns * 1e-9);
    if (before > 0)
        n += snprintf(path + n, size - (size_t)n, "&before=%" PRId64, before);
    if (query->alerted_only)
        n += snprintf(path + n, size - (size_t)n, "&alerted=1");
    if (query->open_only)
        snprintf(path + n, size - (size_t)n, "&open=1");
}

/* Asks the monitor page by page until `limit` events are there. A page that is not full
 * is the last one. */
static enum vd_status asked_events(struct cmd_source *source,
                                   const struct history_event_query *query, json_t **out,
                                   struct vd_error *err)
{
    size_t left = query->limit;
    int64_t before = query->before_id;

    *out = json_array();
    while (*out != NULL && left > 0) {
        size_t want = left < PAGE ? left : PAGE, got;
        enum vd_status status;
        json_t *page;
        char path[192];

        make_path(query, before, want, path, sizeof path);
        status = cmd_source_ask(source, path, &page, err);
        if (status != VD_OK) {
            json_decref(*out);
            *out = NULL;
            return status;
        }
        got = json_array_size(page);
        if (got > 0)
            before =
                json_integer_value(json_object_get(json_array_get(page, got - 1), "id"));
        json_array_extend(*out, page);
        json_decref(page);
        left = got < want ? 0 : left - got;
    }
    return *out == NULL ? no_memory(err) : VD_OK;
}

/* Lists events from the monitor, or from the store where no monitor can be asked. */
enum vd_status cmd_source_events(struct cmd_source *source,
                                 const struct history_event_query *query, json_t **out,
                                 struct vd_error *err)
{
    struct vd_error monitor = {0}, store = {0};
    struct history_event_query stored = *query;
    enum vd_status status = asked_events(source, query, out, &monitor);

    if (!use_store(source, status))
        return status == VD_OK
                   ? VD_OK
                   : vd_error_set(err, status, monitor.hint, "%s", monitor.text);
    /* Asks the store as the API does: an open end, and 1000 events at most. */
    if (stored.from_ns != 0)
        stored.to_ns = INT64_MAX;
    if (stored.limit > 1000)
        stored.limit = 1000;
    return settle(stored_events(source, &stored, out, &store), &monitor, &store, err);
}

enum vd_status cmd_source_event(struct cmd_source *source, int64_t id, json_t **out,
                                struct vd_error *err)
{
    struct vd_error monitor = {0}, store = {0};
    enum vd_status status;
    char path[64];

    snprintf(path, sizeof path, "/api/v1/events/%" PRId64, id);
    status = cmd_source_ask(source, path, out, &monitor);
    if (!use_store(source, status))
        return status == VD_OK
                   ? VD_OK
                   : vd_error_set(err, status, monitor.hint, "%s", monitor.text);
    return settle(stored_event(source, id, out, &store), &monitor, &store, err);
}
