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
    OS_OPTION_INTEGER,  /* long; 0 without a default */
    OS_OPTION_NUMBER,   /* double; NaN without a default, like the next two */
    OS_OPTION_DURATION, /* double, seconds; "250ms", "10s", "5min", "2h", "7d", "1w" */
    OS_OPTION_SIZE,     /* double, bytes; "500MB", "2GiB" */
    OS_OPTION_TEXT,     /* char * (owned by the settings); NULL = not set */
    OS_OPTION_CHOICE,   /* int: index into choices "a|b|c"; -1 without a default */
    OS_OPTION_LIST,     /* struct os_list: may be given several times; a list in the file;
                           with choices each item is one of them */
};

struct os_list {
    char **at;
    size_t n;
};

/* One line of a mapping in the configuration file: `above: 90`. */
struct os_pair {
    const char *key, *value;
    const char *where; /* "vedette.yaml:12:3", begins a message about it */
};

struct os_option {
    const char *name; /* "window-size": --window-size, and the key in the file */
    char letter;      /* 0 = none */
    enum os_option_type type;
    const char *value; /* what stands for the value in the help: "SECONDS"; NULL = flag */
    const char *fallback; /* the default, as the user would write it; NULL = none */
    double min, max;      /* bounds of numbers, durations and sizes; both 0 = none.
                             Of a list, `max` is how many items it may have */
    const char *choices;  /* "auto|always|never"; read in capitals or not */
    const char *zero;     /* the word for 0, whatever the bounds: "auto"; NULL = none */
    const char *help;     /* what it does, starting with a capital, no full stop */
    const char *group;    /* heading in the help: "Alerts"; NULL = "Options" */
    bool secret;          /* never shown: `config show` redacts it */
    bool in_file;         /* the text names the file that holds the value, for secrets:
                             the row shares its field with the row of the value */
    bool file_only;       /* only in the configuration file */
    bool line_only;       /* only on the command line: the file's key is another's */
    size_t offset;        /* offsetof(struct NAME_settings, field) */
    bool required;        /* must be given */
    /* A check of a text or of an item of a list beyond its type; NULL = none. `err` says
     * what is wrong, without the place. */
    enum vd_status (*check)(const char *text, struct vd_error *err);
    /* A list whose items may be written as mappings in the file: makes the item's text
     * of the pairs, allocated. NULL = they may not. */
    enum vd_status (*from_mapping)(const struct os_pair *pairs, size_t n,
                                   const char *where, char **text, struct vd_error *err);
};

/* Fills `settings` with the defaults of the rows (checked: a bad default is a bug). */
enum vd_status os_options_defaults(const struct os_option *options, void *settings,
                                   struct vd_error *err);

/* Sets one option from text, with the checks of its row; a list grows by one. `where`
 * ("--port", "vedette.yaml:12:3: port") begins the message. NULL text sets a text back to
 * its default. On failure the old value stays. */
enum vd_status os_option_set(const struct os_option *option, void *settings,
                             const char *text, const char *where, struct vd_error *err);

/* Sets a text from the first line of the file at `path`, with the same checks. A file
 * that every user of the machine may read is told of when the option is a secret. */
enum vd_status os_option_set_from(const struct os_option *option, void *settings,
                                  const char *path, const char *where,
                                  struct vd_error *err);

/* Back to the default of the row, freeing what was there. A list becomes empty when
 * `keep_default` is false. */
enum vd_status os_option_reset(const struct os_option *option, void *settings,
                               bool keep_default, struct vd_error *err);

/* The value as a person would write it, allocated; "" = not set. Lists are parted by
 * ", ". NULL only when there is no memory. */
char *os_option_text(const struct os_option *option, const void *settings);

/* "vedette", "verdette" -> how many insertions, deletions, changes and swaps of
 * neighbours part them, for "did you mean". */
size_t os_text_distance(const char *a, const char *b);

/* The name nearest to `word`: start with only `word` set, try all names, then `best` is
 * the one to offer, NULL when none is near. */
struct os_nearest {
    const char *word;
    const char *best;
    size_t distance;
};
void os_nearest_try(struct os_nearest *nearest, const char *name);

/* The row of that name, NULL when there is none. '_' stands for '-', and a list may be
 * called by its plural: `rules:` for --rule. */
const struct os_option *os_option_find(const struct os_option *options, const char *name);

/* Whether the option is a switch that is on unless --no-NAME is written. */
bool os_option_starts_on(const struct os_option *option);

/* Frees the texts and lists in `settings`. */
void os_options_release(const struct os_option *options, void *settings);

/* "5min" -> 300; false when it is not a duration. The same for sizes: "2GiB". */
bool os_parse_duration(const char *text, double *seconds);
bool os_parse_size(const char *text, double *bytes);
bool os_parse_number(const char *text, double *number);

/* The other way, with the largest unit that gives a whole number: 300 -> "5min". */
char *os_format_duration(double seconds, char *text, size_t size);
char *os_format_size(double bytes, char *text, size_t size);

/* Writes a span for people into text[size] and returns it: "8 s", "27 min", "3.5 h", "2.1
 * days". */
const char *os_span_text(double seconds, char *text, size_t size);

#endif
