/* The options of all commands that read tables: what a file does not say by itself. */
#ifndef VD_CMD_TABLE_OPTIONS_H
#define VD_CMD_TABLE_OPTIONS_H

#include "format/table.h"
#include "os/options.h"

struct table_options {
    char *separator, *time_column, *time_format, *time_zone;
    int decimal; /* index into its choices */
};

/* Their rows for an option table; `at` is where they lie in the command's settings. */
#define TABLE_OPTIONS(at)                                                                \
    {.name = "separator",                                                                \
     .type = OS_OPTION_TEXT,                                                             \
     .value = "SIGN",                                                                    \
     .group = "Tables",                                                                  \
     .offset = (at) + offsetof(struct table_options, separator),                         \
     .help = "What parts the fields: a sign, tab or blank (default: found)"},            \
        {.name = "decimal",                                                              \
         .type = OS_OPTION_CHOICE,                                                       \
         .value = "SIGN",                                                                \
         .choices = "auto|point|comma",                                                  \
         .group = "Tables",                                                              \
         .offset = (at) + offsetof(struct table_options, decimal),                       \
         .fallback = "auto",                                                             \
         .help = "The decimal sign of numbers; auto = found"},                           \
        {.name = "time-column",                                                          \
         .type = OS_OPTION_TEXT,                                                         \
         .value = "COLUMN",                                                              \
         .group = "Tables",                                                              \
         .offset = (at) + offsetof(struct table_options, time_column),                   \
         .help = "Column of the time: its name, its number, or none (default: found)"},  \
        {.name = "time-format",                                                          \
         .type = OS_OPTION_TEXT,                                                         \
         .value = "FORMAT",                                                              \
         .check = table_options_check_format,                                            \
         .group = "Tables",                                                              \
         .offset = (at) + offsetof(struct table_options, time_format),                   \
         .help =                                                                         \
             "How it is written: dmy or mdy (day or month first), s, ms, us or ns "      \
             "(Unix time), or a pattern like \"%d.%m.%Y %H:%M:%S\" (default: found)"},   \
    {                                                                                    \
        .name = "time-zone", .type = OS_OPTION_TEXT, .value = "ZONE", .group = "Tables", \
        .check = table_options_check_zone,                                               \
        .offset = (at) + offsetof(struct table_options, time_zone),                      \
        .help = "Zone of times that do not say theirs: local, UTC, an offset like "      \
                "+02:00 or a name like Europe/Berlin (default: local)"                   \
    }

/* The option of those who read labels. */
#define ANOMALY_LABEL_OPTION(at)                                                         \
    {                                                                                    \
        .name = "anomaly-label", .type = OS_OPTION_CHOICE, .value = "LABEL",             \
        .choices = "1|-1", .offset = (at),                                               \
        .help = "The label of an anomaly: 1 (beside 0) or -1 (beside 1; default: "       \
                "decided over all files)"                                                \
    }

enum vd_status table_options_check_format(const char *text, struct vd_error *err);
enum vd_status table_options_check_zone(const char *text, struct vd_error *err);

/* As the reader takes them; borrows the texts. */
struct format_options table_options(const struct table_options *options,
                                    const char *label);

/* 1, -1 or 0 = not given, of the index that --anomaly-label gave. */
int table_anomaly_label(int choice);

#endif
