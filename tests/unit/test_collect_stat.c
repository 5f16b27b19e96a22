/* CPU shares from counters that step back, leap, and read as nearly 2^64: one case a row,
 * two reads one second apart, and the shares they must come to. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "machine.h"
#include "tree.h"

/* Of one core; its times are the machine's too. NaN = must not be known. */
struct step_case {
    const char *name, *before, *now; /* the columns of a line of /proc/stat */
    double busy, user, system, iowait, steal;
};

static const struct step_case cases[] = {
    {"all well", "1000 10 500 8000 100 5 5 7 0 0", "1020 20 510 8040 110 6 9 12 0 0", 50,
     30, 15, 10, 5},
    {"four columns", "1000 0 500 8000", "1030 0 520 8050", 50, 30, 20, 0, 0},
    {"guests are part of user", "1000 0 500 8000 0 0 0 0 900 0",
     "1080 0 500 8020 0 0 0 0 980 0", 80, 80, 0, 0, 0},
    {"nice guests step back", "1000 100 500 8000 0 0 0 0 900 90",
     "1080 100 500 8020 0 0 0 0 980 5", 80, 80, 0, 0, 0},
    {"idle steps back", "1000 0 500 8000 100 0 0 0", "1010 0 510 7970 100 0 0 0", 20, 10,
     10, 0, 0},
    {"idle steps back by one", "1000 0 500 8000 100 0 0 0", "1010 0 510 7999 100 0 0 0",
     20, 10, 10, 0, 0},
    {"idle starts anew", "1000 0 500 800000 100 0 0 0", "1010 0 510 3 100 0 0 0", 20, 10,
     10, 0, 0},
    {"idle leaps by a year", "1000 0 500 8000 100 0 0 0",
     "1030 0 520 3153608000 100 0 0 0", 50, 30, 20, 0, 0},
    {"iowait steps back, idle still", "1000 0 500 8000 3000 0 0 0",
     "1010 0 510 8000 2970 0 0 0", 20, 10, 10, NAN, 0},
    {"iowait steps back, idle goes on", "1000 0 500 8000 3000 0 0 0",
     "1010 0 510 8080 2999 0 0 0", 20, 10, 10, NAN, 0},
    {"idle and iowait step back", "1000 0 500 8000 50 0 0 0", "1060 0 520 7998 48 0 0 0",
     80, 60, 20, NAN, 0},
    {"steal steps back", "1000 0 500 8000 0 0 0 5000", "1030 0 520 8050 0 0 0 4955", 50,
     30, 20, 0, NAN},
    {"steal below zero", "1000 0 500 8000 0 0 0 100",
     "1030 0 520 8050 0 0 0 18446744073709551566", 50, 30, 20, 0, NAN},
    {"steal stays below zero", "1000 0 500 8000 0 0 0 18446744073708719159",
     "1030 0 520 8050 0 0 0 18446744073708719159", 50, 30, 20, 0, 0},
    {"steal grows below zero", "1000 0 500 8000 0 0 0 18446744073708719159",
     "1030 0 520 8030 0 0 0 18446744073708719179", 70, 30, 20, 0, 20},
    {"steal comes up from below zero", "1000 0 500 8000 0 0 0 18446744073709551606",
     "1030 0 520 8030 0 0 0 10", 70, 30, 20, 0, 20},
    {"steal leaps: the machine was moved", "1000 0 500 8000 0 0 0 0",
     "1030 0 520 8050 0 0 0 360000", 50, 30, 20, 0, NAN},
    {"user steps back, hardly moved", "1000 0 500 8000 0 0 0 0", "980 0 520 8080 0 0 0 0",
     20, NAN, 20, 0, 0},
    {"user steps back, was busy", "1000 0 500 8000 0 0 0 0", "980 0 520 8020 0 0 0 0",
     NAN, NAN, 20, 0, 0},
    {"nice steps back", "1000 90 500 8000 0 0 0 0", "1030 80 520 8050 0 0 0 0", 50, NAN,
     20, 0, 0},
    {"softirq steps back", "1000 0 500 8000 0 0 70 0", "1030 0 520 8050 0 0 60 0", 50, 30,
     NAN, 0, 0},
    {"everything starts anew", "1000 9 500 8000 99 9 9 9", "3 0 2 4 0 0 0 0", NAN, NAN,
     NAN, NAN, NAN},
    {"everything leaps", "1000 0 500 8000 0 0 0 0", "2000 0 1500 9000 0 0 0 0", NAN, NAN,
     NAN, NAN, NAN},
    {"no step can be, together", "1000 0 500 8000 0 0 0 0", "1090 0 590 8090 0 0 0 0",
     NAN, NAN, NAN, NAN, NAN},
    {"a little late", "1000 0 500 8000 0 0 0 0", "1040 0 520 8060 0 0 0 0", 50, 100.0 / 3,
     50.0 / 3, 0, 0},
    {"clock of the guest stood still", "1000 0 500 8000 0 0 0 0",
     "1003 0 502 8005 0 0 0 0", 50, 30, 20, 0, 0},
    {"nothing moved", "1000 0 500 8000 0 0 0 0", "1000 0 500 8000 0 0 0 0", NAN, NAN, NAN,
     NAN, NAN},
};

enum { CASES = sizeof cases / sizeof *cases };

static void expect(const struct machine *machine, const char *which, const char *name,
                   double right)
{
    double value = machine_value(machine, name);

    if (isnan(right) ? !isnan(value) : !(fabs(value - right) < 1e-9))
        fail_msg("%s: %s = %g, not %g", which, name, value, right);
}

static void expect_shares(const struct machine *machine, const struct step_case *of,
                          const char *prefix, const char *suffix)
{
    static const char *const part[] = {"", "user_", "system_", "iowait_", "steal_"};
    const double right[] = {of->busy, of->user, of->system, of->iowait, of->steal};
    char name[64];

    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "%s_%spercent%s", prefix, part[i], suffix);
        expect(machine, of->name, name, right[i]);
    }
}

static void write_columns(const struct tree *tree, const char *columns)
{
    tree_write(tree, "/proc/stat", "cpu  %s\ncpu0 %s\nctxt 1\n", columns, columns);
}

static void test_steps_of_one_core(void **state)
{
    (void)state;
    for (int i = 0; i < CASES; i++) {
        struct machine machine;
        struct tree tree;

        tree_init(&tree);
        write_columns(&tree, cases[i].before);
        machine_init(&machine, tree.root);
        machine_start(&machine, "stat");
        machine_tick(&machine, 1);
        write_columns(&tree, cases[i].now);
        machine_tick(&machine, 1);
        expect_shares(&machine, &cases[i], "cpu", "");
        expect_shares(&machine, &cases[i], "cpu_core", "{0}");
        machine_release(&machine);
        tree_release(&tree);
    }
}

/* A bad interval is over with it: the next one is right at once. */
static void test_the_next_interval_is_right(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    write_columns(&tree, "1000 0 500 8000 0 0 0 100");
    machine_init(&machine, tree.root);
    machine_start(&machine, "stat");
    machine_tick(&machine, 1);
    write_columns(&tree, "1030 0 520 7050 0 0 0 18446744073709551566");
    machine_tick(&machine, 1);
    expect(&machine, "bad", "cpu_steal_percent", NAN);
    write_columns(&tree, "1070 0 540 7080 0 0 0 18446744073709551576");
    machine_tick(&machine, 1);
    expect(&machine, "next", "cpu_percent", 70);
    expect(&machine, "next", "cpu_user_percent", 40);
    expect(&machine, "next", "cpu_steal_percent", 10);
    machine_release(&machine);
    tree_release(&tree);
}

enum { CORES = 8 };

/* Every core uses 20 of 100 ticks a second but for the idle time of core 3. */
static void write_cores(const struct tree *tree, int second, long idle_of_3, size_t cores)
{
    char text[1024];
    long idle = 0;
    int n = 0;

    for (size_t i = 0; i < cores; i++)
        idle += i == 3 ? idle_of_3 : 8000 + 80 * second;
    n += sprintf(text + n, "cpu  %zu 0 0 %ld 0 0 0 0\n",
                 cores * (size_t)(1000 + 20 * second), idle);
    for (size_t i = 0; i < cores; i++)
        n += sprintf(text + n, "cpu%zu %d 0 0 %ld 0 0 0 0\n", i, 1000 + 20 * second,
                     i == 3 ? idle_of_3 : 8000L + 80 * second);
    tree_write(tree, "/proc/stat", "%s", text);
}

static void start_cores(struct machine *machine, struct tree *tree)
{
    tree_init(tree);
    write_cores(tree, 0, 8000, CORES);
    machine_init(machine, tree->root);
    machine_start(machine, "stat");
    machine_tick(machine, 1);
}

/* The machine's own line hides it: its idle time still grows. */
static void test_one_core_of_many(void **state)
{
    static const long idle_of_3[] = {7970, 7999, 0, 9000, 4000000000};

    (void)state;
    for (int i = 0; i < 5; i++) {
        struct machine machine;
        struct tree tree;

        start_cores(&machine, &tree);
        write_cores(&tree, 1, idle_of_3[i], CORES);
        machine_tick(&machine, 1);
        expect(&machine, "core 3", "cpu_percent", 20);
        expect(&machine, "core 3", "cpu_core_percent{3}", 20);
        expect(&machine, "core 3", "cpu_core_percent{2}", 20);
        machine_release(&machine);
        tree_release(&tree);
    }
}

/* Four of eight cores go, and come back with a history. */
static void test_cores_come_and_go(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    start_cores(&machine, &tree);
    for (int second = 1; second <= 6; second++) {
        size_t cores = second == 2 || second == 3 ? 4 : CORES;

        write_cores(&tree, second, 8000 + 80 * second, cores);
        machine_tick(&machine, 1);
        expect(&machine, "hotplug", "cpu_percent", 20);
        expect(&machine, "hotplug", "cpu_core_percent{3}", 20);
        expect(&machine, "hotplug", "cpu_core_percent{4}",
               second >= 2 && second <= 4 ? NAN : 20);
    }
    machine_release(&machine);
    tree_release(&tree);
}

/* A machine that slept: the monotonic clock did not count the night, nor did the ticks.
 */
static void test_pauses(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    write_columns(&tree, "1000 0 500 8000 0 0 0 0");
    machine_init(&machine, tree.root);
    machine_start(&machine, "stat");
    machine_tick(&machine, 1);
    /* Stopped for ten minutes, and the counters went on. */
    write_columns(&tree, "7000 0 6500 56000 0 0 0 0");
    machine_tick(&machine, 600);
    expect(&machine, "stopped", "cpu_percent", 20);
    /* The host paused it: an hour by the clock, a second by the counters. */
    write_columns(&tree, "7030 0 6520 56050 0 0 0 0");
    machine_tick(&machine, 3600);
    expect(&machine, "paused", "cpu_percent", 50);
    /* The same, with the hour booked as steal at once. */
    write_columns(&tree, "7060 0 6540 56100 0 0 0 360000");
    machine_tick(&machine, 1);
    expect(&machine, "booked", "cpu_percent", 50);
    expect(&machine, "booked", "cpu_steal_percent", NAN);
    machine_release(&machine);
    tree_release(&tree);
}

/* No line of any core: hardened containers. */
static void test_only_the_machine(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_write(&tree, "/proc/stat", "cpu  100 0 0 1000 50\n");
    machine_init(&machine, tree.root);
    machine_start(&machine, "stat");
    machine_tick(&machine, 1);
    tree_write(&tree, "/proc/stat", "cpu  130 0 0 1070 50\n");
    machine_tick(&machine, 1);
    expect(&machine, "no cores", "cpu_percent", 30);
    machine_release(&machine);
    tree_release(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_of_one_core),
        cmocka_unit_test(test_the_next_interval_is_right),
        cmocka_unit_test(test_one_core_of_many),
        cmocka_unit_test(test_cores_come_and_go),
        cmocka_unit_test(test_pauses),
        cmocka_unit_test(test_only_the_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
