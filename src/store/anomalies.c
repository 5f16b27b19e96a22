/* anomalies.json: a JSON array with one object per event, one object a line, whole at any
 * moment: each write replaces the closing bracket by the next object and a new bracket.
 * docs/formats/anomalies.md has the keys.
 */
#include <string.h>

#include "store/file.h"
#include "store/row.h"
#include "store/text.h"

static bool wanted(const struct store_config *config)
{
    return config->anomalies;
}

static enum vd_status create(void **out, const struct store_place *place,
                             struct vd_error *err)
{
    return store_file_new(out, place->config, "anomalies.json", "[", "\n]\n", err);
}

/* Writes the object of an event behind the last one; store_file_flush closes the array:
 * {"timestamp": "2026-11-21 03:10:29.123456", "anomaly_score": -0.62,
 *  "metrics": {"cpu_percent": 97.1, ...}, "reason": "High CPU usage detected",
 *  "severity_factors": ["CPU: 97.1%"], "severity": "high", "event": 12} */
static enum store_result write_event(void *sink, const void *message, size_t size,
                                     struct vd_error *err)
{
    struct store_file *file = sink;
    struct vd_writer *line = &file->pending;
    const struct store_event_row *row = message;
    const struct record_event *event = &row->event;
    /* Only the first object behind the opening bracket has no comma before it. */
    bool first = file->size <= 1 && line->size == 0;

    (void)size;
    (void)err;
    store_print(line, "%s\n{\"timestamp\": \"", first ? "" : ",");
    store_print_time(line, event->start_ns);
    store_print(line, "\", \"anomaly_score\": ");
    store_json_number(line, event->score);
    store_print(line, ", \"metrics\": ");
    store_json_metrics(line, &row->row, store_metrics, STORE_METRICS);
    store_print(line, ", \"reason\": ");
    store_json_text(line, event->reason);
    store_print(line, ", \"severity_factors\": ");
    store_json_texts(line, event->factor[0], sizeof event->factor[0], event->n_top);
    store_print(line, ", \"severity\": \"%s\", \"event\": %lld}",
                record_severity_name(event->severity), (long long)event->id);
    return STORE_OK;
}

const struct store_sink store_sink_anomalies = {
    .name = "anomalies",
    .file = "anomalies.json",
    .queue_bytes = 128 * 1024,
    .batch = 1,
    .columns = store_metrics,
    .n_columns = STORE_METRICS,
    .wanted = wanted,
    .pack = store_pack_event,
    .create = create,
    .write = write_event,
    .flush = store_file_flush,
    .reopen = store_file_reopen,
    .destroy = store_file_free,
};
