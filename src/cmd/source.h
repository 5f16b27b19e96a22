/* Where events come from: the monitor that runs, or the store it left. */
#ifndef VD_CMD_SOURCE_H
#define VD_CMD_SOURCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "history.h"
#include "vedette/status.h"

struct cmd_source {
    char dir[4096];
    bool dir_given;     /* then no monitor but that of this directory is meant */
    char fallback[112]; /* where one without a directory of its own would answer */
    char address[112];  /* of the monitor that runs; "" = none was found */
};

/* The options that say it, shared with `monitor`. */
struct cmd_source_settings {
    char *data_dir, *address;
    long port;
};

#define CMD_SOURCE_OPTIONS(OFFSET)                                                       \
    {.name = "data-dir",                                                                 \
     .letter = 'd',                                                                      \
     .type = OS_OPTION_TEXT,                                                             \
     .value = "DIR",                                                                     \
     .offset = (OFFSET) + offsetof(struct cmd_source_settings, data_dir),                \
     .group = "Which monitor",                                                           \
     .help = "The one that uses this data directory (default: the monitor's)"},          \
        {.name = "address",                                                              \
         .type = OS_OPTION_TEXT,                                                         \
         .value = "ADDRESS",                                                             \
         .fallback = "127.0.0.1",                                                        \
         .offset = (OFFSET) + offsetof(struct cmd_source_settings, address),             \
         .group = "Which monitor",                                                       \
         .help = "Where its dashboard listens, when the directory does not say"},        \
    {                                                                                    \
        .name = "port", .letter = 'p', .type = OS_OPTION_INTEGER, .value = "PORT",       \
        .fallback = "5000", .min = 0, .max = 65535,                                      \
        .offset = (OFFSET) + offsetof(struct cmd_source_settings, port),                 \
        .group = "Which monitor", .help = "The port of its dashboard"                    \
    }

enum vd_status cmd_source_init(struct cmd_source *source,
                               const struct cmd_source_settings *settings,
                               struct vd_error *err);

/* Gets `path` of the API of the monitor that runs now. VD_ERR_UNAVAILABLE when none
 * does: the error says where it was looked for. */
enum vd_status cmd_source_ask(struct cmd_source *source, const char *path, json_t **out,
                              struct vd_error *err);

/* Events, newest first, as the API has them, times in seconds; of the monitor or, when
 * none answers, of the store. The caller owns *out. */
enum vd_status cmd_source_events(struct cmd_source *source,
                                 const struct history_event_query *query, json_t **out,
                                 struct vd_error *err);

/* One event with its flight recorder. VD_ERR_DATA when there is none of that id. */
enum vd_status cmd_source_event(struct cmd_source *source, int64_t id, json_t **out,
                                struct vd_error *err);

#endif
