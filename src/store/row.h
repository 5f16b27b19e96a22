/* What the text files keep of a tick: a flat message of their columns and of the verdict,
 * and for the event files the event as well.
 */
#ifndef VD_STORE_ROW_H
#define VD_STORE_ROW_H

#include "store/sink.h"
#include "vedette/bytes.h"

struct store_row {
    int64_t time_ns, mono_ns, jitter_ns;
    double score, latency_us;
    bool drift;
    double value[STORE_COLUMNS_MAX]; /* NaN = not there */
};

struct store_event_row {
    struct store_row row;
    enum record_event_change change;
    struct record_event event;
};

/* The `pack` of sinks that keep every tick; of those that keep each event once, when it
 * opens; of those that keep what alerts, when it does; and of those that keep whatever
 * becomes of an event: it opens, alerts later than that, ends. */
size_t store_pack_row(struct store_pack *pack);
size_t store_pack_event(struct store_pack *pack);
size_t store_pack_alert(struct store_pack *pack);
size_t store_pack_change(struct store_pack *pack);

/* An event without a tick: its metrics are not known. */
struct store_event_row store_event_row_bare(const struct record_event *event,
                                            enum record_event_change change);

/* {"cpu_percent": 12.5, ...} */
void store_json_metrics(struct vd_writer *w, const struct store_row *row,
                        const struct store_column *columns, size_t n);

/* ["gpu_memory: 14.2 (high, ...)", ...] of `n` texts of `stride` bytes. */
void store_json_texts(struct vd_writer *w, const char *text, size_t stride, size_t n);

/* The seven core features, and the eight metrics of the history file. */
enum { STORE_FEATURES = 7, STORE_METRICS = 8 };
extern const struct store_column store_features[STORE_FEATURES];
extern const struct store_column store_metrics[STORE_METRICS];

#endif
