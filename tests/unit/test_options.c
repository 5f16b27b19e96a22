/* src/os: option rows, units, "did you mean". */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/detector_names.h"
#include "os/options.h"
#include "vedette/detector.h"

struct settings {
    bool flag;
    long port;
    double ratio, window, room;
    char *name;
    int when;
    struct os_list hooks;
};

static enum vd_status no_spaces(const char *text, struct vd_error *err)
{
    if (strchr(text, ' ') == NULL)
        return VD_OK;
    return vd_error_set(err, VD_ERR_ARGUMENT, "use dashes", "there is a space in it");
}

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
     .min = 0,
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
     .offset = offsetof(struct settings, room)},
    {.name = "name",
     .type = OS_OPTION_TEXT,
     .fallback = "sentry",
     .check = no_spaces,
     .offset = offsetof(struct settings, name)},
    {.name = "when",
     .type = OS_OPTION_CHOICE,
     .fallback = "always",
     .choices = "auto|always|never",
     .offset = offsetof(struct settings, when)},
    {.name = "hook",
     .type = OS_OPTION_LIST,
     .fallback = "a,b",
     .offset = offsetof(struct settings, hooks)},
    {0},
};

static const struct os_option *row(const char *name)
{
    const struct os_option *found = os_option_find(rows, name);

    assert_non_null(found);
    return found;
}

static void defaults_are_set(void **state)
{
    struct settings s;

    (void)state;
    /* Rubbish from the stack must not be freed or kept. */
    memset(&s, 0xa5, sizeof s);
    assert_int_equal(os_options_defaults(rows, &s, NULL), VD_OK);
    assert_false(s.flag);
    assert_int_equal(s.port, 5000);
    assert_true(isnan(s.ratio));
    assert_double_equal(s.window, 120, 0);
    assert_double_equal(s.room, 1073741824.0, 0);
    assert_string_equal(s.name, "sentry");
    assert_int_equal(s.when, 1);
    assert_int_equal(s.hooks.n, 2);
    assert_string_equal(s.hooks.at[1], "b");
    os_options_release(rows, &s);
    assert_null(s.name);
    assert_int_equal(s.hooks.n, 0);
    os_options_release(rows, &s);
}

static void a_bad_default_is_told(void **state)
{
    static const struct os_option bad[] = {
        {.name = "port", .type = OS_OPTION_INTEGER, .fallback = "many", .offset = 0},
        {0},
    };
    struct vd_error err = {0};
    long port = 1;

    (void)state;
    assert_int_equal(os_options_defaults(bad, &port, &err), VD_ERR_ARGUMENT);
    assert_string_equal(err.text, "port: 'many' is not a whole number");
}

/* Each text is refused with this message and the old value stays. */
static void refused_values_change_nothing(void **state)
{
    static const struct {
        const char *name, *text, *message;
    } cases[] = {
        {"port", "0", "--x: 0 is out of range, it must be from 1 to 65535"},
        {"port", "70000", "--x: 70000 is out of range, it must be from 1 to 65535"},
        {"port", "12a", "--x: '12a' is not a whole number"},
        {"port", "", "--x: '' is not a whole number"},
        {"port", "99999999999999999999",
         "--x: '99999999999999999999' is not a whole number"},
        {"ratio", "0x1p-2", "--x: '0x1p-2' is not a number"},
        {"ratio", "nan", "--x: 'nan' is not a number"},
        {"ratio", "inf", "--x: 'inf' is not a number"},
        {"ratio", "1.5", "--x: 1.5 is out of range, it must be from 0 to 1"},
        {"window-size", "2h", "--x: 2h is out of range, it must be from 1s to 1h"},
        {"window-size", "5 fortnights",
         "--x: '5 fortnights' is not a duration such as 250ms, 10s, 5min, 2h or 7d"},
        {"room", "5 loaves", "--x: '5 loaves' is not a size such as 500MB or 2GiB"},
        {"name", "two words", "--x: there is a space in it"},
        {"when", "sometimes", "--x: 'sometimes' is not one of auto, always, never"},
        {"when", "", "--x: '' is not one of auto, always, never"},
        {"flag", "2", "--x: '2' is not true or false"},
    };
    struct settings s, before;

    (void)state;
    os_options_defaults(rows, &s, NULL);
    before = s;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct vd_error err = {0};

        assert_int_equal(
            os_option_set(row(cases[i].name), &s, cases[i].text, "--x", &err),
            VD_ERR_ARGUMENT);
        assert_string_equal(err.text, cases[i].message);
        assert_memory_equal(&s, &before, sizeof s);
    }
    os_options_release(rows, &s);
}

static void accepted_values_are_set(void **state)
{
    struct settings s;

    (void)state;
    os_options_defaults(rows, &s, NULL);
    assert_int_equal(os_option_set(row("flag"), &s, "YES", "", NULL), VD_OK);
    assert_true(s.flag);
    assert_int_equal(os_option_set(row("port"), &s, "80", "", NULL), VD_OK);
    assert_int_equal(s.port, 80);
    assert_int_equal(os_option_set(row("window_size"), &s, "1min30s", "", NULL), VD_OK);
    assert_double_equal(s.window, 90, 0);
    assert_int_equal(os_option_set(row("when"), &s, "never", "", NULL), VD_OK);
    assert_int_equal(s.when, 2);
    assert_int_equal(os_option_set(row("name"), &s, "guard", "", NULL), VD_OK);
    assert_int_equal(os_option_set(row("name"), &s, NULL, "", NULL), VD_OK);
    assert_string_equal(s.name, "sentry");
    assert_int_equal(os_option_set(row("hook"), &s, "c", "", NULL), VD_OK);
    assert_int_equal(s.hooks.n, 3);
    os_option_reset(row("hook"), &s, false, NULL);
    assert_int_equal(s.hooks.n, 0);
    os_options_release(rows, &s);
}

/* Items of a list with choices, and the word for 0 of a number with bounds. */
static void words_are_read_in_capitals_too(void **state)
{
    struct chosen {
        struct os_list names;
        double share;
    } s;
    static const struct os_option chosen[] = {
        {.name = "name",
         .type = OS_OPTION_LIST,
         .choices = CMD_DETECTOR_NAMES,
         .offset = offsetof(struct chosen, names)},
        {.name = "share",
         .type = OS_OPTION_NUMBER,
         .zero = "auto",
         .min = 0.1,
         .max = 1,
         .offset = offsetof(struct chosen, share)},
        {0},
    };
    struct vd_error err = {0};
    char *text;

    (void)state;
    os_options_defaults(chosen, &s, NULL);
    assert_int_equal(os_option_set(&chosen[0], &s, "PCA", "--x", NULL), VD_OK);
    assert_string_equal(s.names.at[0], "pca");
    assert_int_equal(os_option_set(&chosen[0], &s, "pc", "--x", &err), VD_ERR_ARGUMENT);
    assert_int_equal(s.names.n, 1);
    /* The message names all there are, and they are those of the table, in its order. */
    text = strstr(err.text, "isolation_forest");
    for (size_t i = 0; vd_detector_at(i) != NULL; i++) {
        const char *name = vd_detector_at(i)->name;

        assert_non_null(text);
        assert_memory_equal(text, name, strlen(name));
        text += strlen(name);
        text += strncmp(text, ", ", 2) == 0 ? 2 : 0;
    }
    assert_string_equal(text, "");
    assert_int_equal(os_option_set(&chosen[1], &s, "Auto", "--x", NULL), VD_OK);
    assert_double_equal(s.share, 0, 0);
    text = os_option_text(&chosen[1], &s);
    assert_string_equal(text, "auto");
    free(text);
    vd_error_clear(&err);
    assert_int_equal(os_option_set(&chosen[1], &s, "0", "--x", &err), VD_ERR_ARGUMENT);
    vd_error_clear(&err);
    assert_int_equal(os_option_set(&chosen[1], &s, "x", "--x", &err), VD_ERR_ARGUMENT);
    assert_string_equal(err.text, "--x: 'x' is not a number or auto");
    os_options_release(chosen, &s);
}

static void a_secret_stays_out_of_messages(void **state)
{
    static const struct os_option secret = {
        .name = "pin", .type = OS_OPTION_INTEGER, .secret = true, .offset = 0};
    struct vd_error err = {0};
    long pin = 0;

    (void)state;
    assert_int_equal(os_option_set(&secret, &pin, "hunter2", "--pin", &err),
                     VD_ERR_ARGUMENT);
    assert_null(strstr(err.text, "hunter2"));
}

static void values_come_back_as_text(void **state)
{
    static const char *const expected[][2] = {
        {"flag", "false"},       {"port", "5000"}, {"ratio", ""},
        {"window-size", "2min"}, {"room", "1GiB"}, {"name", "sentry"},
        {"when", "always"},      {"hook", "a, b"},
    };
    struct settings s;

    (void)state;
    os_options_defaults(rows, &s, NULL);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        char *text = os_option_text(row(expected[i][0]), &s);

        assert_string_equal(text, expected[i][1]);
        free(text);
    }
    os_options_release(rows, &s);
}

static void durations_and_sizes_go_both_ways(void **state)
{
    static const struct {
        const char *text;
        double seconds;
        const char *again;
    } durations[] = {
        {"250ms", 0.25, "250ms"},
        {"10", 10, "10s"},
        {"1.5h", 5400, "90min"},
        {"2h", 7200, "2h"},
        {"7d", 604800, "1w"},
        {"1w", 604800, "1w"},
        {"0", 0, "0"},
        {"1h 30min", 5400, "90min"},
        {"50us", 5e-5, "50us"},
        {"1.5", 1.5, "1.5s"},
    };
    static const struct {
        const char *text;
        double bytes;
        const char *again;
    } sizes[] = {
        {"500MB", 5e8, "500MB"}, {"2GiB", 2147483648.0, "2GiB"},
        {"1024", 1024, "1KiB"},  {"10 kB", 1e4, "10kB"},
        {"3", 3, "3B"},          {"1.5kB", 1500, "1500B"},
    };
    static const char *const no[] = {"",      "5x",   "min", "5 min 3",
                                     "1e400", "--5s", "5sx", "s5"};
    static const char *const no_duration[] = {"-5",     "-5s", "1h-30min", "nan",
                                              "1e308w", "inf", "0x10s",    "-0.1ms"};
    char text[40];
    double value;

    (void)state;
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        assert_true(os_parse_duration(durations[i].text, &value));
        assert_double_equal(value, durations[i].seconds, 1e-12);
        assert_string_equal(os_format_duration(value, text, sizeof text),
                            durations[i].again);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_true(os_parse_size(sizes[i].text, &value));
        assert_double_equal(value, sizes[i].bytes, 0);
        assert_string_equal(os_format_size(value, text, sizeof text), sizes[i].again);
    }
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        assert_false(os_parse_duration(no[i], &value));
        assert_false(os_parse_size(no[i], &value));
    }
    for (size_t i = 0; i < sizeof no_duration / sizeof *no_duration; i++)
        assert_false(os_parse_duration(no_duration[i], &value));
    assert_false(os_parse_size("1e308TB", &value));
}

static void distance_counts_slips(void **state)
{
    (void)state;
    assert_int_equal(os_text_distance("port", "port"), 0);
    assert_int_equal(os_text_distance("prot", "port"), 1);
    assert_int_equal(os_text_distance("windowsize", "window-size"), 1);
    assert_int_equal(os_text_distance("kitten", "sitting"), 3);
    assert_int_equal(os_text_distance("", "abc"), 3);
    assert_int_equal(os_text_distance("abc", ""), 3);
}

static void nearest_name_is_offered(void **state)
{
    struct os_nearest prot = {.word = "prot"}, far = {.word = "qqqq"},
                      cut = {.word = "win"};

    (void)state;
    for (const struct os_option *o = rows; o->name != NULL; o++) {
        os_nearest_try(&prot, o->name);
        os_nearest_try(&far, o->name);
        os_nearest_try(&cut, o->name);
    }
    assert_string_equal(prot.best, "port");
    assert_null(far.best);
    assert_string_equal(cut.best, "window-size");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_set),
        cmocka_unit_test(a_bad_default_is_told),
        cmocka_unit_test(refused_values_change_nothing),
        cmocka_unit_test(accepted_values_are_set),
        cmocka_unit_test(words_are_read_in_capitals_too),
        cmocka_unit_test(a_secret_stays_out_of_messages),
        cmocka_unit_test(values_come_back_as_text),
        cmocka_unit_test(durations_and_sizes_go_both_ways),
        cmocka_unit_test(distance_counts_slips),
        cmocka_unit_test(nearest_name_is_offered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
