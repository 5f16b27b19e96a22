/* Options: a row says where in the settings a value lies and what it may be. Everything
 * that reaches the settings, from a default, a file or the command line, goes through
 * os_option_set, so there is one set of checks and one set of messages. */
#include "os/options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "os/secret.h"

/* The type of the row says what lies there. */
static void *field(const struct os_option *option, void *settings)
{
    return (char *)settings + option->offset;
}

/* Reads a word for yes or no; false when it is neither. */
static bool parse_flag(const char *text, bool *value)
{
    /* Words for yes stand at odd places. */
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *value = i % 2 == 1;
            return true;
        }
    }
    return false;
}

/* Refuses what strtol would pass over: blanks before the number and anything behind it.
 */
static bool parse_integer(const char *text, long *value)
{
    char *end;

    errno = 0;
    *value = strtol(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *text != ' ';
}

/* Returns the index of `text` in a list such as "auto|always|never", in capitals or not;
 * -1 when it is not in it. */
static int parse_choice(const char *choices, const char *text)
{
    size_t length = strlen(text);

    for (int i = 0;; i++) {
        size_t n = strcspn(choices, "|");

        if (n == length && strncasecmp(choices, text, n) == 0)
            return i;
        if (choices[n] == '\0')
            return -1;
        choices += n + 1;
    }
}

/* Returns the word of that index, allocated; "" for -1, a choice that was not made. */
static char *choice_text(const char *choices, int index)
{
    if (index < 0)
        return strdup("");
    while (index-- > 0)
        choices += strcspn(choices, "|") + 1;
    return strndup(choices, strcspn(choices, "|"));
}

static enum vd_status wrong(const struct os_option *option, const char *text,
                            const char *where, const char *what, struct vd_error *err)
{
    /* A secret stays out of messages, which end in logs. */
    const char *shown = option->secret ? "(secret)" : text;

    return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "%s: '%.80s' is not %s", where, shown,
                        what);
}

/* Writes a number as people write it in this option, with its unit. */
static void format_bound(const struct os_option *option, double bound, char *text,
                         size_t size)
{
    if (option->type == OS_OPTION_DURATION)
        os_format_duration(bound, text, size);
    else if (option->type == OS_OPTION_SIZE)
        os_format_size(bound, text, size);
    else
        snprintf(text, size, "%.15g", bound);
}

/* Compares with the bounds of the row. Both zero means that it has none. */
static enum vd_status check_bounds(const struct os_option *option, double value,
                                   const char *text, const char *where,
                                   struct vd_error *err)
{
    char min[32], max[32];

    if (option->min == 0 && option->max == 0)
        return VD_OK;
    if (value >= option->min && value <= option->max)
        return VD_OK;
    format_bound(option, option->min, min, sizeof min);
    if (isinf(option->max))
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL,
                            "%s: %.80s is too small, it must be at least %s", where, text,
                            min);
    format_bound(option, option->max, max, sizeof max);
    return vd_error_set(err, VD_ERR_ARGUMENT, NULL,
                        "%s: %.80s is out of range, it must be from %s to %s", where,
                        text, min, max);
}

/* Replaces a text by a copy, or by NULL. */
static enum vd_status set_text(char **value, const char *text, struct vd_error *err)
{
    char *copy = NULL;

    if (text != NULL) {
        copy = strdup(text);
        if (copy == NULL)
            return vd_error_set(err, VD_ERR_MEMORY, NULL, "out of memory");
    }
    free(*value);
    *value = copy;
    return VD_OK;
}

/* Adds a copy to the list. When that fails the list is as it was. */
static enum vd_status append(struct os_list *list, const char *text, struct vd_error *err)
{
    char **at = realloc(list->at, (list->n + 1) * sizeof *at);

    if (at == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "out of memory");
    list->at = at;
    at[list->n] = strdup(text);
    if (at[list->n] == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "out of memory");
    list->n++;
    return VD_OK;
}

static enum vd_status set_integer(const struct os_option *option, long *value,
                                  const char *text, const char *where,
                                  struct vd_error *err)
{
    enum vd_status status;
    long number;

    if (!parse_integer(text, &number))
        return wrong(option, text, where, "a whole number", err);
    status = check_bounds(option, (double)number, text, where, err);
    if (status == VD_OK)
        *value = number;
    return status;
}

/* Reads a number, duration or size; the word of `zero` ("auto", "never") stands for 0,
 * which the bounds need not hold. */
static enum vd_status set_number(const struct os_option *option, double *value,
                                 const char *text, const char *where,
                                 struct vd_error *err)
{
    enum vd_status status;
    char what[48];
    double number;

    if (option->zero != NULL && strcasecmp(text, option->zero) == 0) {
        *value = 0;
        return VD_OK;
    }
    if (option->type == OS_OPTION_NUMBER && !os_parse_number(text, &number)) {
        snprintf(what, sizeof what, "a number%s%s", option->zero != NULL ? " or " : "",
                 option->zero != NULL ? option->zero : "");
        return wrong(option, text, where, what, err);
    }
    if (option->type == OS_OPTION_DURATION && !os_parse_duration(text, &number))
        return wrong(option, text, where, "a duration such as 250ms, 10s, 5min, 2h or 7d",
                     err);
    if (option->type == OS_OPTION_SIZE && !os_parse_size(text, &number))
        return wrong(option, text, where, "a size such as 500MB or 2GiB", err);
    status = check_bounds(option, number, text, where, err);
    if (status == VD_OK)
        *value = number;
    return status;
}

/* Reads one of the words of the row, by its index; the message lists them all. */
static enum vd_status set_choice(const struct os_option *option, int *value,
                                 const char *text, const char *where,
                                 struct vd_error *err)
{
    int index = parse_choice(option->choices, text);
    char what[240] = "one of ";
    size_t length = strlen(what);

    if (index >= 0) {
        *value = index;
        return VD_OK;
    }
    for (const char *p = option->choices; *p != '\0' && length + 3 < sizeof what; p++) {
        what[length++] = *p == '|' ? ',' : *p;
        if (*p == '|')
            what[length++] = ' ';
    }
    what[length] = '\0';
    return wrong(option, text, where, what, err);
}

/* Adds a word to a list as its row spells it, so that later comparisons are simple. */
static enum vd_status append_choice(const struct os_option *option, struct os_list *list,
                                    const char *text, const char *where,
                                    struct vd_error *err)
{
    int index;
    enum vd_status status = set_choice(option, &index, text, where, err);
    char *word = status == VD_OK ? choice_text(option->choices, index) : NULL;

    if (status == VD_OK)
        status = word == NULL ? vd_error_set(err, VD_ERR_MEMORY, NULL, "out of memory")
                              : append(list, word, err);
    free(word);
    return status;
}

/* Runs the row's own check, and puts the place in front of its message. */
static enum vd_status own_check(const struct os_option *option, const char *text,
                                const char *where, struct vd_error *err)
{
    struct vd_error inner = {0};

    if (option->check == NULL || text == NULL || option->check(text, &inner) == VD_OK)
        return VD_OK;
    return vd_error_set(err, VD_ERR_ARGUMENT, inner.hint, "%s: %s", where, inner.text);
}

enum vd_status os_option_set_from(const struct os_option *option, void *settings,
                                  const char *path, const char *where,
                                  struct vd_error *err)
{
    struct os_option value = *option;
    char text[OS_SECRET_MAX];
    struct vd_error inner = {0};
    enum vd_status status = os_secret_read(path, text, &inner);

    value.in_file = false;
    if (status != VD_OK)
        return vd_error_set(err, status, inner.hint, "%s: %s", where, inner.text);
    status = os_option_set(&value, settings, text, where, err);
    /* A secret must not stay on the stack, from where a core dump would take it. */
    explicit_bzero(text, sizeof text);
    if (status == VD_OK && option->secret)
        os_secret_warn(path, option->name);
    return status;
}

/* Adds an item to a list. The row's `max` is how many there may be. */
static enum vd_status add_item(const struct os_option *option, struct os_list *list,
                               const char *text, const char *where, struct vd_error *err)
{
    if (option->max > 0 && (double)list->n >= option->max)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "%s: at most %g may be given",
                            where, option->max);
    return option->choices == NULL ? append(list, text, err)
                                   : append_choice(option, list, text, where, err);
}

/* Keeps the old value when the new one is refused. */
enum vd_status os_option_set(const struct os_option *option, void *settings,
                             const char *text, const char *where, struct vd_error *err)
{
    void *value = field(option, settings);
    enum vd_status status = VD_OK;

    if (text == NULL && option->type == OS_OPTION_TEXT)
        return os_option_reset(option, settings, true, err);
    if (text == NULL)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "%s: a value is missing", where);
    if (option->in_file)
        return os_option_set_from(option, settings, text, where, err);
    status = own_check(option, text, where, err);
    if (status != VD_OK)
        return status;
    switch (option->type) {
    case OS_OPTION_FLAG:
        if (!parse_flag(text, value))
            return wrong(option, text, where, "true or false", err);
        return VD_OK;
    case OS_OPTION_INTEGER:
        return set_integer(option, value, text, where, err);
    case OS_OPTION_NUMBER:
    case OS_OPTION_DURATION:
    case OS_OPTION_SIZE:
        return set_number(option, value, text, where, err);
    case OS_OPTION_TEXT:
        return set_text(value, text, err);
    case OS_OPTION_CHOICE:
        return set_choice(option, value, text, where, err);
    case OS_OPTION_LIST:
        return add_item(option, value, text, where, err);
    }
    return VD_OK;
}

/* Frees what the option holds and leaves it empty, so that it may be set again. */
static void release_one(const struct os_option *option, void *settings)
{
    void *value = field(option, settings);

    if (option->type == OS_OPTION_TEXT) {
        free(*(char **)value);
        *(char **)value = NULL;
    } else if (option->type == OS_OPTION_LIST) {
        struct os_list *list = value;

        for (size_t i = 0; i < list->n; i++)
            free(list->at[i]);
        free(list->at);
        *list = (struct os_list){0};
    }
}

/* Sets the value of a row without a default: what stands for "not given" in each type. */
static void set_none(const struct os_option *option, void *settings)
{
    void *value = field(option, settings);

    switch (option->type) {
    case OS_OPTION_FLAG:
        *(bool *)value = false;
        break;
    case OS_OPTION_INTEGER:
        *(long *)value = 0;
        break;
    case OS_OPTION_NUMBER:
    case OS_OPTION_DURATION:
    case OS_OPTION_SIZE:
        *(double *)value = NAN;
        break;
    case OS_OPTION_CHOICE:
        *(int *)value = -1;
        break;
    case OS_OPTION_TEXT:
    case OS_OPTION_LIST:
        release_one(option, settings);
        break;
    }
}

enum vd_status os_option_reset(const struct os_option *option, void *settings,
                               bool keep_default, struct vd_error *err)
{
    const char *item = option->fallback;
    enum vd_status status = VD_OK;

    set_none(option, settings);
    if (item == NULL || !keep_default)
        return VD_OK;
    if (option->type != OS_OPTION_LIST)
        return os_option_set(option, settings, item, option->name, err);
    /* A list's default is written "a,b". */
    while (status == VD_OK && *item != '\0') {
        size_t n = strcspn(item, ",");
        char *copy = strndup(item, n);

        if (copy == NULL)
            return vd_error_set(err, VD_ERR_MEMORY, NULL, "out of memory");
        status = os_option_set(option, settings, copy, option->name, err);
        free(copy);
        item += n + (item[n] == ',');
    }
    return status;
}

enum vd_status os_options_defaults(const struct os_option *options, void *settings,
                                   struct vd_error *err)
{
    enum vd_status status = VD_OK;

    /* What lies there is not ours to free: the settings may come from the stack. */
    for (const struct os_option *o = options; o != NULL && o->name != NULL; o++) {
        if (o->type == OS_OPTION_TEXT)
            *(char **)field(o, settings) = NULL;
        else if (o->type == OS_OPTION_LIST)
            *(struct os_list *)field(o, settings) = (struct os_list){0};
    }
    for (const struct os_option *o = options; o != NULL && o->name != NULL; o++) {
        enum vd_status one = os_option_reset(o, settings, true, err);

        if (status == VD_OK)
            status = one;
    }
    return status;
}

bool os_option_starts_on(const struct os_option *option)
{
    return option->type == OS_OPTION_FLAG && option->fallback != NULL &&
           strcmp(option->fallback, "true") == 0;
}

void os_options_release(const struct os_option *options, void *settings)
{
    for (const struct os_option *o = options; o != NULL && o->name != NULL; o++)
        release_one(o, settings);
}

/* Tells whether the option has this name. '_' stands for '-', and a list may be called by
 * its plural: `rules:` for --rule. */
static bool has_name(const struct os_option *option, const char *name)
{
    size_t i = 0;

    while (name[i] != '\0' &&
           (name[i] == option->name[i] || (name[i] == '_' && option->name[i] == '-')))
        i++;
    if (option->name[i] != '\0')
        return false;
    return name[i] == '\0' ||
           (option->type == OS_OPTION_LIST && name[i] == 's' && name[i + 1] == '\0');
}

const struct os_option *os_option_find(const struct os_option *options, const char *name)
{
    for (const struct os_option *o = options; o != NULL && o->name != NULL; o++) {
        if (has_name(o, name))
            return o;
    }
    return NULL;
}

/* Returns the items of a list as one text, "a, b, c", allocated; NULL without memory. */
static char *join(const struct os_list *list)
{
    size_t size = 1;
    char *text;

    for (size_t i = 0; i < list->n; i++)
        size += strlen(list->at[i]) + 2;
    text = malloc(size);
    if (text == NULL)
        return NULL;
    *text = '\0';
    for (size_t i = 0; i < list->n; i++) {
        strcat(text, i == 0 ? "" : ", ");
        strcat(text, list->at[i]);
    }
    return text;
}

/* Writes a value so that os_option_set would read it again, but for lists; the caller
 * frees it. */
char *os_option_text(const struct os_option *option, const void *settings)
{
    const void *value = (const char *)settings + option->offset;
    char text[64] = "";

    switch (option->type) {
    case OS_OPTION_FLAG:
        return strdup(*(const bool *)value ? "true" : "false");
    case OS_OPTION_INTEGER:
        snprintf(text, sizeof text, "%ld", *(const long *)value);
        break;
    case OS_OPTION_NUMBER:
    case OS_OPTION_DURATION:
    case OS_OPTION_SIZE:
        if (option->zero != NULL && *(const double *)value == 0)
            return strdup(option->zero);
        if (!isnan(*(const double *)value))
            format_bound(option, *(const double *)value, text, sizeof text);
        break;
    case OS_OPTION_TEXT:
        return strdup(*(char *const *)value == NULL ? "" : *(char *const *)value);
    case OS_OPTION_CHOICE:
        return choice_text(option->choices, *(const int *)value);
    case OS_OPTION_LIST:
        return join(value);
    }
    return strdup(text);
}

/* Counts the slips from one word to the other (restricted Damerau-Levenshtein distance),
 * with three rows of the table at a time. Words longer than the rows are cut: nobody is
 * one slip away from such a name. */
size_t os_text_distance(const char *a, const char *b)
{
    enum { LONGEST = 63 };
    size_t rows[3][LONGEST + 1];
    size_t n = strnlen(a, LONGEST), m = strnlen(b, LONGEST);

    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);

            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return rows[n % 3][m];
}

/* Allows about one slip in three letters: with more, the advice would be a guess. */
void os_nearest_try(struct os_nearest *nearest, const char *name)
{
    size_t distance = os_text_distance(nearest->word, name);
    size_t length = strlen(nearest->word),
           near = length < 6 ? 1 + length / 4 : length / 3;

    /* A word cut short is near as well: "mon" for "monitor". */
    if (length >= 2 && strncmp(nearest->word, name, length) == 0)
        distance = 1;
    if (distance <= near && (nearest->best == NULL || distance < nearest->distance)) {
        nearest->best = name;
        nearest->distance = distance;
    }
}
