/* Any bytes as a configuration file: read, keys checked, applied to rows of every type.
 * What was applied must lie within the bounds of its row. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/config.h"
#include "os/config.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct settings {
    bool flag;
    long port;
    double ratio, window, room;
    char *name;
    int when;
    struct os_list rules;
};

static const struct os_option rows[] = {
    {.name = "flag", .type = OS_OPTION_FLAG, .offset = offsetof(struct settings, flag)},
    {.name = "port",
     .type = OS_OPTION_INTEGER,
     .fallback = "5000",
     .min = 1,
     .max = 65535,
     .offset = offsetof(struct settings, port)},
    {.name = "ratio",
     .type = OS_OPTION_NUMBER,
     .fallback = "0.5",
     .max = 1,
     .offset = offsetof(struct settings, ratio)},
    {.name = "window-size",
     .type = OS_OPTION_DURATION,
     .fallback = "2min",
     .min = 1,
     .max = 3600,
     .offset = offsetof(struct settings, window)},
    {.name = "room",
     .type = OS_OPTION_SIZE,
     .fallback = "1GiB",
     .max = 1e12,
     .offset = offsetof(struct settings, room)},
    {.name = "name", .type = OS_OPTION_TEXT, .offset = offsetof(struct settings, name)},
    {.name = "when",
     .type = OS_OPTION_CHOICE,
     .fallback = "auto",
     .choices = "auto|always|never",
     .offset = offsetof(struct settings, when)},
    {.name = "rule",
     .type = OS_OPTION_LIST,
     .from_mapping = cmd_config_rule,
     .offset = offsetof(struct settings, rules)},
    {0},
};

static void check(const struct settings *s)
{
    assert(s->port >= 1 && s->port <= 65535);
    assert(s->ratio >= 0 && s->ratio <= 1);
    assert(s->window >= 1 && s->window <= 3600);
    assert(s->room >= 0 && s->room <= 1e12);
    assert(s->when >= 0 && s->when <= 2);
    for (size_t i = 0; i < s->rules.n; i++)
        assert(s->rules.at[i] != NULL);
    for (const struct os_option *o = rows; o->name != NULL; o++) {
        char *text = os_option_text(o, s);

        assert(text != NULL);
        free(text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct os_option *tables[] = {rows};
    struct os_config *config = NULL;
    struct vd_error err = {0};
    struct settings s;
    enum vd_status status = os_config_parse(&config, "fuzz.yaml", data, size, &err);

    assert(os_options_defaults(rows, &s, NULL) == VD_OK);
    if (status == VD_OK)
        status = os_config_check_keys(config, tables, 1, &err);
    if (status == VD_OK)
        status = os_config_apply(config, rows, &s, &err);
    /* A person must learn what is wrong. */
    assert(status == VD_OK || strncmp(err.text, "fuzz.yaml:", 10) == 0);
    check(&s);
    os_options_release(rows, &s);
    os_config_free(config);
    return 0;
}
