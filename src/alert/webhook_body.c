/* {"text": "HIGH on myhost: High CPU usage detected ...", "host": "myhost",
 *  "change": "opened", "event": {"id": 12, "start": 1700000050.25, ...}}
 *
 * `text` is what chat services show; `event` is the event of the HTTP API.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/webhook.h"
#include "os/utf8.h"

/* Writes null for what is not known: JSON has no NaN. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* Writes a time in seconds with microseconds, as much as a double of today holds. */
static json_t *seconds(int64_t time_ns)
{
    return number((double)(time_ns / 1000) / 1e6);
}

/* Writes a text. JSON takes UTF-8 alone, so other bytes become visible. */
static json_t *string(const char *text)
{
    char visible[4 * RECORD_COMMAND_MAX];

    return json_string(os_utf8_visible(text, visible, sizeof visible));
}

/* Writes n texts that lie `stride` bytes apart. */
static json_t *strings(const char *text, size_t stride, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, string(text + i * stride));
    return list;
}

static json_t *suspects(const struct record_event *event)
{
    json_t *list = json_array();

    for (size_t i = 0; i < event->n_suspects; i++) {
        const struct record_suspect *suspect = &event->suspect[i];
        json_t *row = json_object();

        json_object_set_new(row, "pid", json_integer(suspect->process.pid));
        json_object_set_new(row, "name", string(suspect->process.comm));
        json_object_set_new(row, "command", string(suspect->process.command));
        json_object_set_new(row, "resource",
                            string(record_resource_name(suspect->resource)));
        json_object_set_new(row, "before", number(suspect->before));
        json_object_set_new(row, "during", number(suspect->during));
        json_object_set_new(row, "share", number(suspect->share));
        json_object_set_new(row, "of", json_string(suspect->of_use ? "use" : "excess"));
        json_array_append_new(list, row);
    }
    return list;
}

static json_t *limit(const struct record_limit *l)
{
    json_t *row = json_object();

    json_object_set_new(row, "rule", string(l->rule));
    json_object_set_new(row, "above", json_boolean(l->above));
    json_object_set_new(row, "value", number(l->value));
    json_object_set_new(row, "for_s", number(l->for_s));
    json_object_set_new(row, "since", seconds(l->since_ns));
    return row;
}

static json_t *event_object(const struct record_event *event)
{
    json_t *row = json_object();

    json_object_set_new(row, "id", json_integer(event->id));
    json_object_set_new(row, "start", seconds(event->start_ns));
    json_object_set_new(row, "peak", seconds(event->peak_ns));
    json_object_set_new(row, "end",
                        event->state == RECORD_EVENT_OPEN ? json_null()
                                                          : seconds(event->end_ns));
    json_object_set_new(row, "severity",
                        json_string(record_severity_name(event->severity)));
    json_object_set_new(row, "score", number(event->score));
    json_object_set_new(row, "confidence", number(event->confidence));
    json_object_set_new(row, "alerted", json_boolean(event->alerted));
    json_object_set_new(row, "kind", json_string(record_event_kind_name(event->kind)));
    json_object_set_new(row, "pattern", string(event->pattern));
    json_object_set_new(row, "reason", string(event->reason));
    json_object_set_new(row, "note", string(event->note));
    if (event->limit.rule[0] != '\0')
        json_object_set_new(row, "limit", limit(&event->limit));
    json_object_set_new(
        row, "explanation",
        strings(event->explanation[0], sizeof event->explanation[0], event->n_top));
    json_object_set_new(row, "factors",
                        strings(event->factor[0], sizeof event->factor[0], event->n_top));
    json_object_set_new(row, "suspects", suspects(event));
    return row;
}

/* Makes the message, which the caller frees; NULL means no memory. */
char *alert_webhook_body(const struct alert_notice *notice, const char *host)
{
    json_t *root = json_object();
    char headline[640], text[1024], name[256], *body;

    os_utf8_visible(host == NULL ? "" : host, name, sizeof name);
    snprintf(text, sizeof text, "%s%s%s: %s",
             notice->change == RECORD_EVENT_ENDED
                 ? "ended"
                 : record_severity_name(notice->event.severity),
             name[0] == '\0' ? "" : " on ", name,
             alert_headline(notice, headline, sizeof headline));
    json_object_set_new(root, "text", string(text));
    json_object_set_new(root, "host", json_string(name));
    json_object_set_new(
        root, "change",
        json_string(notice->change == RECORD_EVENT_ENDED ? "ended" : "opened"));
    json_object_set_new(root, "event", event_object(&notice->event));
    body = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return body;
}

enum vd_status alert_webhook_check(const struct alert_channels_config *config,
                                   struct vd_error *err)
{
    return alert_webhook_url_check(config->webhook, err);
}
