/* The table of sinks and their default switches; nothing else. */
#include "store/sinks.h"

#include "store/sink.h"

static const struct store_sink *const table[] = {
    &store_sink_sqlite, &store_sink_performance_log, &store_sink_metrics_history,
    &store_sink_alerts, &store_sink_events,          &store_sink_anomalies,
};

const struct store_sink *const *store_sink_table(size_t *n)
{
    *n = sizeof table / sizeof table[0];
    return table;
}

/* Keeps ticks for a day, minutes for two weeks and hours for thirteen months, all of it
 * within 500 MB. */
struct store_config store_config_default(void)
{
    return (struct store_config){
        .sqlite = true,
        .performance_log = true,
        .metrics_history = true,
        .alerts = true,
        .events = true,
        .anomalies = true,
        .retention_raw_s = 24 * 3600.0,
        .retention_minute_s = 14 * 86400.0,
        .retention_hour_s = 400 * 86400.0,
        .max_bytes = 500e6,
        .interval_s = 1,
    };
}
