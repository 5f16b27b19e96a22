/* alerts.jsonl: one line per alert. events.jsonl: one per event when it opens, when it
 * alerts later than that, and when it ends. The lines are the same, and only ever added.
 * docs/formats/alerts.md has the keys.
 */
#include <string.h>

#include "store/file.h"
#include "store/row.h"
#include "store/text.h"

static bool wants_alerts(const struct store_config *config)
{
    return config->alerts;
}

static bool wants_events(const struct store_config *config)
{
    return config->events;
}

static enum vd_status create_alerts(void **out, const struct store_place *place,
                                    struct vd_error *err)
{
    return store_file_new(out, place->config, "alerts.jsonl", NULL, NULL, err);
}

static enum vd_status create_events(void **out, const struct store_place *place,
                                    struct vd_error *err)
{
    return store_file_new(out, place->config, "events.jsonl", NULL, NULL, err);
}

static void print_suspects(struct vd_writer *line, const struct record_event *event)
{
    for (size_t i = 0; i < event->n_suspects; i++) {
        const struct record_suspect *suspect = &event->suspect[i];

        store_print(line, "%s{\"pid\": %d, \"name\": ", i == 0 ? "" : ", ",
                    suspect->process.pid);
        store_json_text(line, suspect->process.comm);
        store_print(line, ", \"resource\": ");
        store_json_text(line, record_resource_name(suspect->resource));
        store_print(line, ", \"share\": ");
        store_json_number(line, suspect->share);
        store_print(line, "}");
    }
}

/* Says why this line was written, and the end of the event. The names are in the order of
 * enum record_event_change. */
static void print_change(struct vd_writer *line, const struct store_event_row *row)
{
    static const char *const name[] = {"none", "opened", "alerted", "ended"};

    store_print(line, ", \"change\": \"%s\", \"end\": ", name[row->change]);
    if (row->change != RECORD_EVENT_ENDED) {
        store_print(line, "null");
        return;
    }
    store_print(line, "\"");
    store_print_time(line, row->event.end_ns);
    store_print(line, "\"");
}

/* Prints why the event does not alert, or what the alert cost, and the limit of the rule
 * that found it; null where no rule did. */
static void print_note(struct vd_writer *line, const struct record_event *event)
{
    const struct record_limit *limit = &event->limit;

    store_print(line, ", \"note\": ");
    store_json_text(line, event->note);
    store_print(line, ", \"limit\": ");
    if (limit->rule[0] == '\0') {
        store_print(line, "null");
        return;
    }
    store_print(line, "{\"rule\": ");
    store_json_text(line, limit->rule);
    store_print(line, ", \"above\": %s, \"value\": ", limit->above ? "true" : "false");
    store_json_number(line, limit->value);
    store_print(line, ", \"for_s\": ");
    store_json_number(line, limit->for_s);
    store_print(line, ", \"since\": \"");
    store_print_time(line, limit->since_ns);
    store_print(line, "\"}");
}

/* Writes the line of an event, the same in both files:
 * {"time": "2026-11-21T03:10:29.123+01:00", "kind": "anomaly", "score": -0.62,
 *  "explanation": ["cpu_percent: 97.1 (high, expected ≈9.4, z=8.8)"],
 *  "metrics": {"cpu_percent": 97.1, ...}, "event": 12, ...} */
static enum store_result write_event(void *sink, const void *message, size_t size,
                                     struct vd_error *err)
{
    struct vd_writer *line = &((struct store_file *)sink)->pending;
    const struct store_event_row *row = message;
    const struct record_event *event = &row->event;

    (void)size;
    (void)err;
    store_print(line, "{\"time\": \"");
    store_print_time(line, event->start_ns);
    /* Readers of the format know two kinds; `source` tells the others apart. */
    store_print(line, "\", \"kind\": \"%s\", \"score\": ",
                event->kind == RECORD_DRIFT ? "drift" : "anomaly");
    store_json_number(line, event->score);
    store_print(line, ", \"explanation\": ");
    store_json_texts(line, event->explanation[0], sizeof event->explanation[0],
                     event->n_top);
    store_print(line, ", \"metrics\": ");
    store_json_metrics(line, &row->row, store_features, STORE_FEATURES);
    store_print(line, ", \"event\": %lld, \"source\": ", (long long)event->id);
    store_json_text(line, record_event_kind_name(event->kind));
    store_print(line, ", \"severity\": \"%s\", \"pattern\": ",
                record_severity_name(event->severity));
    store_json_text(line, event->pattern);
    store_print(line, ", \"reason\": ");
    store_json_text(line, event->reason);
    store_print(line, ", \"alerted\": %s, \"suspects\": [",
                event->alerted ? "true" : "false");
    print_suspects(line, event);
    store_print(line, "]");
    print_change(line, row);
    print_note(line, event);
    store_print(line, "}\n");
    return STORE_OK;
}

/* Writes each line at once (batch 1): programs that follow the file wait for it. */
const struct store_sink store_sink_alerts = {
    .name = "alerts",
    .file = "alerts.jsonl",
    .queue_bytes = 128 * 1024,
    .batch = 1,
    .columns = store_features,
    .n_columns = STORE_FEATURES,
    .wanted = wants_alerts,
    .pack = store_pack_alert,
    .create = create_alerts,
    .write = write_event,
    .flush = store_file_flush,
    .reopen = store_file_reopen,
    .destroy = store_file_free,
};

const struct store_sink store_sink_events = {
    .name = "events",
    .file = "events.jsonl",
    .queue_bytes = 128 * 1024,
    .batch = 1,
    .columns = store_features,
    .n_columns = STORE_FEATURES,
    .wanted = wants_events,
    .pack = store_pack_change,
    .create = create_events,
    .write = write_event,
    .flush = store_file_flush,
    .reopen = store_file_reopen,
    .destroy = store_file_free,
};
