/* Clock rates and kinds of cores where the numbering has holes, cpu0 is missing, cores
 * are off, files say "<unknown>", and there are hundreds of them. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "machine.h"
#include "tree.h"

static void write_core(const struct tree *tree, int core, const char *file,
                       const char *text)
{
    char path[128];

    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/%s", core, file);
    tree_write(tree, path, "%s\n", text);
}

static const char frequency[] = "cpufreq/scaling_cur_freq";

static void start(struct machine *machine, const struct tree *tree, const char *only)
{
    machine_init(machine, tree->root);
    machine_start(machine, only);
    machine_tick(machine, 1);
}

static void expect(const struct machine *machine, const char *name, double right)
{
    double value = machine_value(machine, name);

    if (isnan(right) ? !isnan(value) : !(fabs(value - right) < 1e-9))
        fail_msg("%s = %g, not %g", name, value, right);
}

/* Each list of cores runs at 1000, 2000, ... MHz in its order. */
static void test_holes(void **state)
{
    static const struct {
        int core[6], n;
    } lists[] = {{{0, 1, 4, 5, 8, 9}, 6},
                 {{1, 2, 3}, 3},
                 {{7}, 1},
                 {{0, 511}, 2},
                 {{900, 1023}, 2}};

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct machine machine;
        struct tree tree;
        char text[32];

        tree_init(&tree);
        /* What else is there, and is no core. */
        tree_write(&tree, "/sys/devices/system/cpu/cpufreq/boost", "1\n");
        tree_write(&tree, "/sys/devices/system/cpu/cpuidle/current_driver", "menu\n");
        for (int k = 0; k < lists[i].n; k++) {
            snprintf(text, sizeof text, "%d", (k + 1) * 1000000);
            write_core(&tree, lists[i].core[k], frequency, text);
        }
        start(&machine, &tree, "cpufreq");
        expect(&machine, "cpu_freq", 500.0 * (lists[i].n + 1));
        for (int k = 0; k < lists[i].n; k++) {
            snprintf(text, sizeof text, "cpu_core_freq{%d}", lists[i].core[k]);
            expect(&machine, text, 1000.0 * (k + 1));
        }
        machine_release(&machine);
        tree_release(&tree);
    }
}

/* A core that is off has a folder and no clock. */
static void test_cores_off(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    write_core(&tree, 0, "topology/core_id", "0");
    write_core(&tree, 1, "online", "0");
    write_core(&tree, 2, frequency, "2000000");
    write_core(&tree, 3, frequency, "3000000");
    start(&machine, &tree, "cpufreq");
    expect(&machine, "cpu_freq", 2500);
    tree_remove(&tree, "/sys/devices/system/cpu/cpu3/cpufreq");
    write_core(&tree, 1, frequency, "1000000");
    for (int i = 0; i < 60; i++)
        machine_tick(&machine, 1);
    expect(&machine, "cpu_freq", 1500);
    expect(&machine, "cpu_core_freq{3}", NAN);
    machine_release(&machine);
    tree_release(&tree);
}

static void write_cpuinfo(const struct tree *tree, const char *second)
{
    tree_write(tree, "/proc/cpuinfo",
               "processor\t: 0\nmodel name\t: x\ncpu MHz\t\t: 1200.500\n\n"
               "processor\t: 2\ncpu MHz\t\t: %s\n\n",
               second);
}

static void test_unknown(void **state)
{
    static const struct {
        const char *file[2], *info;
        double right;
    } cases[] = {
        {{"<unknown>", "<unknown>"}, "2400.500", 1800.5},
        {{"<unknown>", "3000000"}, "2400.500", (1200.5 + 3000) / 2},
        {{"0", "3000000"}, "2400.500", (1200.5 + 3000) / 2},
        {{"<unknown>", "<unknown>"}, "<unknown>", 1200.5},
        {{"1000000", "<unknown>"}, "<unknown>", 1000},
        {{"1000000", "2000000"}, "2400.500", 1500},
        {{NULL, NULL}, "2400.500", 1800.5},
        {{NULL, NULL}, "0.000", 1200.5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct machine machine;
        struct tree tree;

        tree_init(&tree);
        write_cpuinfo(&tree, cases[i].info);
        for (int k = 0; k < 2 && cases[i].file[k] != NULL; k++)
            write_core(&tree, 2 * k, frequency, cases[i].file[k]);
        start(&machine, &tree, "cpufreq");
        for (int tick = 0; tick < 13; tick++) {
            expect(&machine, "cpu_freq", cases[i].right);
            assert_string_equal(machine_error(&machine, "cpufreq"), "");
            machine_tick(&machine, 1);
        }
        machine_release(&machine);
        tree_release(&tree);
    }
}

enum { MANY = 512 };

/* 512 cores, every third of them off: shares, clocks and kinds. */
static void write_many(const struct tree *tree, int later)
{
    char *text = malloc(1 << 16), name[32];
    int n = sprintf(text, "cpu  0 0 0 0 0 0 0 0\n");

    for (int i = 0; i < MANY; i++) {
        if (i % 3 == 0)
            continue;
        n += sprintf(text + n, "cpu%d %d 0 0 %d 0 0 0 0 0 0\n", i,
                     1000 + later * (i % 2 == 0 ? 80 : 10),
                     9000 + later * (i % 2 == 0 ? 20 : 90));
        sprintf(name, "%d", i % 2 == 0 ? 3000000 : 2000000);
        write_core(tree, i, frequency, name);
        write_core(tree, i, "cpu_capacity", i % 2 == 0 ? "1024" : "512");
    }
    tree_write(tree, "/proc/stat", "%s", text);
    free(text);
}

static void test_512_cores(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    write_many(&tree, 0);
    start(&machine, &tree, "stat cpufreq topology");
    for (int i = 0; i < 30; i++)
        machine_tick(&machine, 1);
    write_many(&tree, 1);
    machine_tick(&machine, 1);
    expect(&machine, "cpu_core_percent{511}", 10);
    expect(&machine, "cpu_core_percent{510}", NAN);
    expect(&machine, "cpu_core_freq{508}", 3000);
    expect(&machine, "cpu_p_percent", 80);
    expect(&machine, "cpu_e_percent", 10);
    expect(&machine, "cpu_p_freq", 3000);
    expect(&machine, "cpu_e_freq", 2000);
    assert_double_equal(machine_value(&machine, "cpu_percent"), 45, 0.5);
    assert_double_equal(machine_value(&machine, "cpu_freq"), 2500, 5);
    assert_int_equal(machine.schema.dropped, 0);
    machine_release(&machine);
    tree_release(&tree);
}

/* Cores by capacity, 0 = off: no folder. The fast ones are 80 % busy, the others 10 %. */
static void write_kinds(const struct tree *tree, const int *capacity, int n, int later)
{
    char text[1024], number[16];
    int at = sprintf(text, "cpu  0 0 0 0\n");

    for (int i = 0; i < n; i++) {
        int busy = capacity[i] == 1024 ? 80 : 10;

        if (capacity[i] == 0)
            continue;
        at += sprintf(text + at, "cpu%d %d 0 0 %d 0 0 0 0\n", i, 1000 + later * busy,
                      8000 + later * (100 - busy));
        sprintf(number, "%d", capacity[i]);
        write_core(tree, i, "cpu_capacity", number);
    }
    tree_write(tree, "/proc/stat", "%s", text);
}

static void test_kinds(void **state)
{
    static const struct {
        int capacity[8], n;
        bool hybrid;
    } cases[] = {
        {{446, 446, 0, 1024, 1024}, 5, true}, {{0, 446, 446, 1024}, 4, true},
        {{1024, 0, 0, 446}, 4, true},         {{446, 700, 1024}, 3, true},
        {{1024, 0, 1024}, 3, false},          {{0, 446}, 2, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct machine machine;
        struct tree tree;

        tree_init(&tree);
        write_kinds(&tree, cases[i].capacity, cases[i].n, 0);
        start(&machine, &tree, "stat topology");
        write_kinds(&tree, cases[i].capacity, cases[i].n, 1);
        machine_tick(&machine, 1);
        expect(&machine, "cpu_p_percent", cases[i].hybrid ? 80 : NAN);
        expect(&machine, "cpu_e_percent", cases[i].hybrid ? 10 : NAN);
        assert_int_equal(machine_has(&machine, "cpu_p_percent"), cases[i].hybrid);
        machine_release(&machine);
        tree_release(&tree);
    }
}

/* Only the slow cores are on at first. */
static void test_fast_cores_come_later(void **state)
{
    static const int slow[] = {446, 446, 0, 0}, all[] = {446, 446, 1024, 1024};
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    write_kinds(&tree, slow, 4, 0);
    start(&machine, &tree, "stat topology");
    for (int second = 1; second <= 3; second++) {
        write_kinds(&tree, all, 4, second);
        machine_tick(&machine, 1);
    }
    expect(&machine, "cpu_p_percent", 80);
    expect(&machine, "cpu_e_percent", 10);
    machine_release(&machine);
    tree_release(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holes),   cmocka_unit_test(test_cores_off),
        cmocka_unit_test(test_unknown), cmocka_unit_test(test_512_cores),
        cmocka_unit_test(test_kinds),   cmocka_unit_test(test_fast_cores_come_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
