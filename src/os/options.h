/* Option tables: one row per option drives the command line, the configuration file, the
 * checks, --help, man pages, shell completion and the documents.
 */
#ifndef VD_OS_OPTIONS_H
#define VD_OS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "vedette/status.h"

enum os_option_type {
    OS_OPTION_FLAG,     /* bool: --name and --no-name; `true` / `false` in the file */
    OS_OPTION_INTEGER,  /* long */
    OS_OPTION_NUMBER,   /* double */
    OS_OPTION_DURATION, /* double, seconds; "250ms", "10s", "5min", "2h", "7d", "1w" */
    OS_OPTION_SIZE,     /* double, bytes; "500MB", "2GiB" */
    OS_OPTION_TEXT,     /* char * (owned by the settings); NULL = not set */
    OS_OPTION_CHOICE,   /* int: index into choices "a|b|c" */
    OS_OPTION_LIST, /* struct os_list: may be given several times; a list in the file */
};

struct os_list {
    char **at;
    size_t n;
};

struct os_option {
    const char *name; /* "window-size": --window-size, and the key in the file */
    char letter;      /* 0 = none */
    enum os_option_type type;
    const char *value; /* what stands for the value in the help: "SECONDS"; NULL = flag */
    const char *fallback; /* the default, as the user would write it; NULL = none */
    double min, max;      /* bounds of numbers, durations and sizes; both 0 = none */
    const char *choices;  /* "auto|always|never" */
    const char *help;     /* what it does, starting with a capital, no full stop */
    const char *group;    /* heading in the help: "Alerts"; NULL = "Options" */
    bool secret;          /* never shown: `config show` redacts it */
    bool file_only;       /* only in the configuration file */
    size_t offset;        /* offsetof(struct NAME_settings, field) */
};

/* Fills `settings` with the defaults of the rows (checked: a bad default is a bug). */
enum vd_status os_options_defaults(const struct os_option *options, void *settings,
                                   struct vd_error *err);

/* Sets one option from text, with the checks of its row. `where` ("--port",
 * "vedette.yaml:12") begins the message. */
enum vd_status os_option_set(const struct os_option *option, void *settings,
                             const char *text, const char *where, struct vd_error *err);

/* The row of that name (also with '_' for '-'), NULL when there is none. */
const struct os_option *os_option_find(const struct os_option *options, const char *name);

/* Frees the texts and lists in `settings`. */
void os_options_release(const struct os_option *options, void *settings);

/* "5min" -> 300; false when it is not a duration. The same for sizes: "2GiB". */
bool os_parse_duration(const char *text, double *seconds);
bool os_parse_size(const char *text, double *bytes);

#endif
