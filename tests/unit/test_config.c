/* src/os/config: the file, its messages and their places. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/config.h"
#include "os/config.h"

struct settings {
    bool page;
    long port;
    double window;
    char *name;
    struct os_list rules;
};

static const struct os_option rows[] = {
    {.name = "page",
     .type = OS_OPTION_FLAG,
     .fallback = "true",
     .offset = offsetof(struct settings, page)},
    {.name = "port",
     .type = OS_OPTION_INTEGER,
     .fallback = "5000",
     .min = 1,
     .max = 65535,
     .offset = offsetof(struct settings, port)},
    {.name = "window-size",
     .type = OS_OPTION_DURATION,
     .fallback = "2min",
     .offset = offsetof(struct settings, window)},
    {.name = "name", .type = OS_OPTION_TEXT, .offset = offsetof(struct settings, name)},
    {.name = "rule",
     .type = OS_OPTION_LIST,
     .from_mapping = cmd_config_rule,
     .offset = offsetof(struct settings, rules)},
    {0},
};

/* Everything that a program does with a file. */
static enum vd_status read_text(const char *text, size_t size, struct settings *s,
                                struct vd_error *err)
{
    const struct os_option *tables[] = {rows};
    struct os_config *config;
    enum vd_status status = os_config_parse(&config, "t.yaml", text, size, err);

    os_options_defaults(rows, s, NULL);
    if (status == VD_OK)
        status = os_config_check_keys(config, tables, 1, err);
    if (status == VD_OK)
        status = os_config_apply(config, rows, s, err);
    os_config_free(config);
    return status;
}

static void values_are_read(void **state)
{
    static const char text[] = "# comment\n"
                               "port: 8080\n"
                               "window_size: 5min\n"
                               "page: no\n"
                               "name: \"a: b\"\n"
                               "rules:\n"
                               "  - cpu_percent > 90 for 10s\n"
                               "  - {metric: swap_percent, above: 5, for: 1min, "
                               "severity: low, name: swapping}\n"
                               "  - metric: memory_available_gb\n"
                               "    compare: \"<\"\n"
                               "    value: 0.5\n";
    struct vd_error err = {0};
    struct settings s;

    (void)state;
    assert_int_equal(read_text(text, strlen(text), &s, &err), VD_OK);
    assert_int_equal(s.port, 8080);
    assert_double_equal(s.window, 300, 0);
    assert_false(s.page);
    assert_string_equal(s.name, "a: b");
    assert_int_equal(s.rules.n, 3);
    assert_string_equal(s.rules.at[0], "cpu_percent > 90 for 10s");
    assert_string_equal(s.rules.at[1], "swap_percent > 5 for 1min low");
    assert_string_equal(s.rules.at[2], "memory_available_gb < 0.5");
    os_options_release(rows, &s);
}

static void mistakes_are_placed(void **state)
{
    static const struct {
        const char *text, *message, *hint;
    } cases[] = {
        {"port: 80\nprot: 81\n", "t.yaml:2:1: unknown key 'prot'",
         "did you mean 'port'?"},
        {"xyzzy: 1\n", "t.yaml:1:1: unknown key 'xyzzy'", ""},
        {"port: 99999\n",
         "t.yaml:1:7: port: 99999 is out of range, it must be from 1 to 65535", ""},
        {"\n\n  port: many\n", "t.yaml:3:9: port: 'many' is not a whole number", ""},
        {"port:\n", "t.yaml:1:6: port: a value is missing", ""},
        {"port: [1, 2]\n", "t.yaml:1:7: port: expected one value", ""},
        {"port: 1\nport: 2\n", "t.yaml:2:1: port: is here for the second time", ""},
        {"window-size: 1\nwindow_size: 2\n",
         "t.yaml:2:1: window_size: is here for the second time", ""},
        {"- port\n", "t.yaml:1:1: expected \"key: value\" lines", ""},
        {"port: 1\n---\nport: 2\n", "t.yaml:2:1: a second document begins here", ""},
        {"? [a]\n: b\n", "t.yaml:1:3: a key must be a word", ""},
        {"name: \"a\\0b\"\n", "t.yaml:1:7: name: expected one value", ""},
        {"rules:\n  - {metrc: cpu_percent, above: 1}\n",
         "t.yaml:2:6: unknown key 'metrc' in a rule", "did you mean 'metric'?"},
        {"rules:\n  - {above: 1}\n", "t.yaml:2:5: the rule names no metric",
         "for example {metric: cpu_percent, above: 90}"},
        {"rules:\n  - {metric: x, above: 1, below: 2}\n",
         "t.yaml:2:5: a rule needs 'above: N', 'below: N', or 'compare' (\">\" or \"<\") "
         "with 'value: N'",
         ""},
        {"rules:\n  - {metric: x, above: lots}\n", "t.yaml:2:17: 'lots' is not a number",
         ""},
        {"rules:\n  - {metric: x, above: 1, for: ever}\n",
         "t.yaml:2:27: 'ever' is not a duration such as 10s or 5min", ""},
        {"rules:\n  - [a]\n", "t.yaml:2:5: rule: expected one value", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct vd_error err = {0};
        struct settings s;

        assert_int_equal(read_text(cases[i].text, strlen(cases[i].text), &s, &err),
                         VD_ERR_FORMAT);
        assert_string_equal(err.text, cases[i].message);
        assert_string_equal(err.hint, cases[i].hint);
        os_options_release(rows, &s);
    }
}

static void broken_yaml_names_its_line(void **state)
{
    static const char *const cases[] = {
        "port: 1\n\tname: x\n", "a: [1,\n",       "a: 'x\n", "a: b: c\n", "%bad\n",
        "a: *nobody\n",         "name: \"\\q\"\n"};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct vd_error err = {0};
        struct settings s;

        assert_int_equal(read_text(cases[i], strlen(cases[i]), &s, &err), VD_ERR_FORMAT);
        assert_ptr_equal(strstr(err.text, "t.yaml:"), err.text);
        assert_true(err.text[7] >= '1' && err.text[7] <= '9');
        os_options_release(rows, &s);
    }
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    struct vd_error err = {0};
    struct settings s;

    (void)state;
    assert_int_equal(read_text("port: \xff\xfe\n", 9, &s, &err), VD_ERR_FORMAT);
    assert_non_null(strstr(err.text, "t.yaml: byte 6"));
    os_options_release(rows, &s);
}

static void empty_files_change_nothing(void **state)
{
    static const char *const cases[] = {"", "\n", "# only a comment\n", "---\n", "~\n"};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct settings s;

        assert_int_equal(read_text(cases[i], strlen(cases[i]), &s, NULL), VD_OK);
        assert_int_equal(s.port, 5000);
        os_options_release(rows, &s);
    }
}

/* Many small keys, deep nesting, and anchors that multiply: refused or read, in a time
 * that does not explode. */
static void hostile_files_end_soon(void **state)
{
    static const char laughs[] = "a: &a [x,x,x,x,x,x,x,x,x]\n"
                                 "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                                 "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                                 "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                                 "rules: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n";
    enum { SIZE = OS_CONFIG_MAX };
    char *big = malloc(SIZE);
    struct settings s;

    (void)state;
    assert_int_equal(read_text(laughs, strlen(laughs), &s, NULL), VD_ERR_FORMAT);
    os_options_release(rows, &s);
    memset(big, '[', SIZE);
    assert_int_equal(read_text(big, SIZE, &s, NULL), VD_ERR_FORMAT);
    os_options_release(rows, &s);
    for (int i = 0; i + 8 <= SIZE; i += 8) {
        char line[16];

        snprintf(line, sizeof line, "%06x:\n", i / 8 & 0xffffff);
        memcpy(big + i, line, 8);
    }
    assert_int_equal(read_text(big, SIZE, &s, NULL), VD_ERR_FORMAT);
    os_options_release(rows, &s);
    free(big);
}

static void lines_are_known(void **state)
{
    static const char text[] = "port: 1\n\nwindow_size: 2\n";
    struct os_config *config;

    (void)state;
    assert_int_equal(os_config_parse(&config, "t.yaml", text, strlen(text), NULL), VD_OK);
    assert_int_equal(os_config_line(config, os_option_find(rows, "port")), 1);
    assert_int_equal(os_config_line(config, os_option_find(rows, "window-size")), 3);
    assert_int_equal(os_config_line(config, os_option_find(rows, "page")), 0);
    os_config_free(config);
}

static void files_that_cannot_be_read_are_told(void **state)
{
    struct vd_error err = {0};
    struct os_config *config;

    (void)state;
    assert_int_equal(os_config_load(&config, "/nowhere/t.yaml", &err), VD_ERR_IO);
    assert_string_equal(err.text, "/nowhere/t.yaml: No such file or directory");
    assert_null(config);
    vd_error_clear(&err);
    assert_int_equal(os_config_load(&config, "/tmp", &err), VD_ERR_IO);
    vd_error_clear(&err);
    assert_int_equal(os_config_load(&config, "/dev/zero", &err), VD_ERR_FORMAT);
    assert_string_equal(err.text, "/dev/zero: is larger than 1 MiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(mistakes_are_placed),
        cmocka_unit_test(broken_yaml_names_its_line),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(empty_files_change_nothing),
        cmocka_unit_test(hostile_files_end_soon),
        cmocka_unit_test(lines_are_known),
        cmocka_unit_test(files_that_cannot_be_read_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
