/* The options of `vedette monitor`, which are the keys of the configuration file. */
#ifndef VD_CMD_MONITOR_OPTIONS_H
#define VD_CMD_MONITOR_OPTIONS_H

#include <stdio.h>

#include "cmd/table_options.h"
#include "os/options.h"

/* Filled by the rows; texts and lists are NULL or empty when they were not given. */
struct monitor_settings {
    double interval, duration;
    char *root, *replay, *data_dir, *nvml;
    struct table_options table; /* how the recording is read */
    bool store, dashboard, sandbox;
    char *address;
    long port, max_clients;
    double upload_max, uploads_disk;
    double budget, contamination, warm_up, retrain, backfill, cooldown, adopt;
    long window_size, seed;
    struct os_list detectors, features, rules, without_rules;
    bool desktop, bell, terminal;
    char *webhook;
    char *model;
    bool performance_log, metrics_history, anomalies, alerts, events;
    double keep_raw, keep_minutes, keep_hours, max_disk;
};

extern const struct os_option monitor_options[];

/* Writes the built-in rules, one a line, as people write rules. */
void monitor_list_rules(FILE *out);

#endif
