/* Collectors that fail for long are told of once, and once more when they are well. */
#include "unit.h"

#include <string.h>

#include "machine.h"
#include "tree.h"

enum { SECONDS = 400 };

/* What one source has to tell in each second: '.' nothing, 'F' it fails, 'W' it is well
 * again. `errors` has a letter a second: '.' = fine, 'e' = an error, 'u' = not there. */
static void play(const char *errors, char *told)
{
    struct collect_trouble trouble = {0};

    for (int i = 0; errors[i] != '\0'; i++) {
        struct vd_error error = {0};

        if (errors[i] != '.')
            vd_error_set(&error, errors[i] == 'e' ? VD_ERR_IO : VD_ERR_UNAVAILABLE, NULL,
                         "second %d", i);
        told[i] = ".FW"[collect_trouble_tick(&trouble, &error,
                                             (i + 1) * INT64_C(1000000000), 1)];
        told[i + 1] = '\0';
    }
}

/* `n` seconds of each letter of a pattern. */
static void test_a_minute_counts(void **state)
{
    static const struct {
        const char *pattern;
        int n;
        int fails_at, well_at; /* -1 = never */
    } courses[] = {
        {".", 200, -1, -1},     {"e", 200, 60, -1},  {".e", 100, 160, -1},
        {".e.", 100, 160, 260}, {".e", 59, -1, -1},  {"u", 200, -1, -1},
        {".u", 100, 160, -1},   {"u.", 100, -1, -1}, {"e.e", 70, 60, 130},
        {"e.", 40, -1, -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof courses / sizeof *courses; i++) {
        char errors[SECONDS] = "", told[SECONDS];
        const char *fails, *well;
        size_t n = 0;

        for (const char *c = courses[i].pattern; *c != '\0'; c++)
            for (int k = 0; k < courses[i].n; k++)
                errors[n++] = *c;
        errors[n] = '\0';
        play(errors, told);
        fails = strchr(told, 'F');
        well = strchr(told, 'W');
        assert_int_equal(fails == NULL ? -1 : fails - told, courses[i].fails_at);
        assert_int_equal(well == NULL ? -1 : well - told, courses[i].well_at);
    }
}

/* A source that stumbles now and then floods no log. */
static void test_stumbling_is_no_news(void **state)
{
    char errors[SECONDS], told[SECONDS];

    (void)state;
    for (int i = 0; i < SECONDS - 1; i++)
        errors[i] = i % 20 < 7 ? 'e' : '.';
    errors[SECONDS - 1] = '\0';
    play(errors, told);
    assert_null(strpbrk(told, "FW"));
}

/* The same through the set, with a real source that vanishes and comes back. */
static void test_a_source_vanishes(void **state)
{
    struct collect_report report;
    enum collect_news news;
    struct machine machine;
    struct tree tree;
    int fails = 0, well = 0;

    (void)state;
    tree_init(&tree);
    tree_add(&tree, "laptop");
    machine_init(&machine, tree.root);
    machine_start(&machine, "loadavg pressure");
    machine_tick(&machine, 1);
    tree_remove(&tree, "/proc/loadavg");
    for (int i = 0; i < 90; i++) {
        machine_tick(&machine, 1);
        assert_true(collect_set_report(machine.set, 0, &report, &news));
        assert_string_equal(report.name, "loadavg");
        fails += news == COLLECT_FAILS;
        assert_int_equal(report.in_trouble, i >= 60);
    }
    assert_non_null(strstr(report.error->text, "not available"));
    tree_add(&tree, "laptop");
    for (int i = 0; i < 90; i++) {
        machine_tick(&machine, 1);
        assert_true(collect_set_report(machine.set, 0, &report, &news));
        well += news == COLLECT_IS_WELL;
    }
    assert_false(report.in_trouble);
    assert_int_equal(fails, 1);
    assert_int_equal(well, 1);
    assert_true(collect_set_report(machine.set, 1, &report, &news));
    assert_false(report.in_trouble);
    assert_true(collect_set_report(machine.set, 2, &report, &news));
    assert_string_equal(report.name, "collect");
    assert_false(collect_set_report(machine.set, 3, &report, &news));
    machine_release(&machine);
    tree_release(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_minute_counts),
        cmocka_unit_test(test_stumbling_is_no_news),
        cmocka_unit_test(test_a_source_vanishes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
