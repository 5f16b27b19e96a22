/* The columns of the text files, and the messages in which the tick hands their values
 * over: everything is copied, since the record is the loop's and the file is written by
 * another thread. */
#include "store/row.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "store/text.h"

const struct store_column store_features[STORE_FEATURES] = {
    {"cpu_percent", "cpu_percent"}, {"cpu_freq", "cpu_freq"},
    {"cpu_memory", "cpu_memory"},   {"cpu_temp", "cpu_temp"},
    {"gpu_percent", "gpu_percent"}, {"gpu_memory", "gpu_memory"},
    {"gpu_temp", "gpu_temp"},
};

const struct store_column store_metrics[STORE_METRICS] = {
    {"cpu_percent", "cpu_percent"},
    {"cpu_frequency", "cpu_freq"},
    {"memory_percent", "cpu_memory"},
    {"memory_available_gb", "memory_available_gb"},
    {"disk_read_mb", "disk_read_mb"},
    {"disk_write_mb", "disk_write_mb"},
    {"network_sent_mb", "network_sent_mb"},
    {"network_recv_mb", "network_recv_mb"},
};

/* Copies the values of the columns; a column whose metric does not exist here gets NaN.
 */
static void fill(struct store_row *row, const struct store_pack *pack)
{
    const struct record *record = pack->record;
    size_t n = record->schema == NULL ? 0 : record->schema->n;

    assert(n == 0 || record->value != NULL);
    memset(row, 0, sizeof *row);
    row->time_ns = record->time_ns;
    row->mono_ns = record->mono_ns;
    row->jitter_ns = record->jitter_ns;
    row->score = record->verdict.score;
    row->latency_us = record->verdict.latency_us;
    row->drift = record->verdict.drift;
    for (size_t i = 0; i < STORE_COLUMNS_MAX; i++)
        row->value[i] = pack->column[i] < n ? record->value[pack->column[i]] : NAN;
}

size_t store_pack_row(struct store_pack *pack)
{
    if (pack->size >= sizeof(struct store_row))
        fill((struct store_row *)pack->room, pack);
    return sizeof(struct store_row);
}

/* Packs the event with the values of its tick. Returns the size it needs, and writes
 * nothing when there is less room. */
static size_t pack_event(struct store_pack *pack)
{
    struct store_event_row *out = (struct store_event_row *)pack->room;

    if (pack->size >= sizeof *out) {
        fill(&out->row, pack);
        out->change = pack->record->change;
        out->event = *pack->record->event;
    }
    return sizeof *out;
}

static bool has(const struct record *record, enum record_event_change change)
{
    return record->event != NULL && record->change == change;
}

/* Tells whether the event alerts by the change of this very tick, not by one before it.
 */
static bool alerts(const struct record *record)
{
    return (has(record, RECORD_EVENT_OPENED) && record->event->alerted) ||
           (has(record, RECORD_EVENT_UPDATED) && record->event->alerts_now);
}

/* Is for anomalies.json: an event has one object there, written when it opens. */
size_t store_pack_event(struct store_pack *pack)
{
    return has(pack->record, RECORD_EVENT_OPENED) ? pack_event(pack) : 0;
}

/* Is for alerts.jsonl: an event may alert when it opens, or later when it grows worse. */
size_t store_pack_alert(struct store_pack *pack)
{
    return alerts(pack->record) ? pack_event(pack) : 0;
}

/* Is for events.jsonl: what has no line there is an event that only goes on. */
size_t store_pack_change(struct store_pack *pack)
{
    return has(pack->record, RECORD_EVENT_OPENED) ||
                   has(pack->record, RECORD_EVENT_ENDED) || alerts(pack->record)
               ? pack_event(pack)
               : 0;
}

/* Is for a change between two ticks, which has no values beside it. */
struct store_event_row store_event_row_bare(const struct record_event *event,
                                            enum record_event_change change)
{
    struct store_event_row out = {.change = change, .event = *event};

    for (size_t i = 0; i < STORE_COLUMNS_MAX; i++)
        out.row.value[i] = NAN;
    return out;
}

void store_json_metrics(struct vd_writer *w, const struct store_row *row,
                        const struct store_column *columns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        store_print(w, "%s\"%s\": ", i == 0 ? "{" : ", ", columns[i].title);
        store_json_number(w, row->value[i]);
    }
    store_print(w, "}");
}

void store_json_texts(struct vd_writer *w, const char *text, size_t stride, size_t n)
{
    store_print(w, "[");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            store_print(w, ", ");
        store_json_text(w, text + i * stride);
    }
    store_print(w, "]");
}
