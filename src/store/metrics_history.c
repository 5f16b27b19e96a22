/* metrics_history.csv: the eight metrics of each tick, whether it was anomalous and how
 * much. docs/formats/metrics_history.md has the columns.
 */

#include "store/file.h"
#include "store/row.h"
#include "store/text.h"

/* Other programs read these names; a file with others is set aside when it is opened. */
static const char header[] =
    "timestamp,cpu_percent,cpu_frequency,memory_percent,memory_available_gb,disk_read_mb,"
    "disk_write_mb,network_sent_mb,network_recv_mb,is_anomaly,anomaly_score\n";

static bool wanted(const struct store_config *config)
{
    return config->metrics_history;
}

static enum vd_status create(void **out, const struct store_place *place,
                             struct vd_error *err)
{
    return store_file_new(out, place->config, "metrics_history.csv", header, NULL, err);
}

/* Writes the row of a tick; a score below 0 is what makes it anomalous. */
static enum store_result write_row(void *sink, const void *message, size_t size,
                                   struct vd_error *err)
{
    struct vd_writer *line = &((struct store_file *)sink)->pending;
    const struct store_row *row = message;

    (void)size;
    (void)err;
    store_print_time(line, row->time_ns);
    for (size_t i = 0; i < STORE_METRICS; i++) {
        store_print(line, ",");
        store_print_number(line, row->value[i]);
    }
    store_print(line, ",%s,", row->score < 0 ? "True" : "False");
    store_print_number(line, row->score);
    store_print(line, "\n");
    return STORE_OK;
}

const struct store_sink store_sink_metrics_history = {
    .name = "metrics_history",
    .file = "metrics_history.csv",
    .queue_bytes = 128 * 1024,
    .batch = 5,
    .columns = store_metrics,
    .n_columns = STORE_METRICS,
    .wanted = wanted,
    .pack = store_pack_row,
    .create = create,
    .write = write_row,
    .flush = store_file_flush,
    .reopen = store_file_reopen,
    .destroy = store_file_free,
};
