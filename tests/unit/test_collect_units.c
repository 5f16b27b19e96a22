/* Units and containers from trees of control groups: which groups are units, what they
 * use, names that come and go. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "collect/unit_tree.h"
#include "collect/unit_use.h"
#include "machine.h"
#include "tree.h"

#define HEX_16 "0123456789abcdef"
#define ID_A   "a" HEX_16 HEX_16 HEX_16 "123456789abcdef"
#define ID_B   "b" HEX_16 HEX_16 HEX_16 "123456789abcdef"

static void same(double value, double expected)
{
    if (isnan(expected) ? !isnan(value) : !(fabs(value - expected) < 1e-9))
        fail_msg("%.17g, expected %.17g", value, expected);
}

/* ---- parsers ---- */

static void test_cpu_stat(void **state)
{
    static const struct {
        const char *text;
        double cpu, periods, throttled;
    } cases[] = {
        {"", NAN, NAN, NAN},
        {"usage_usec 500\nuser_usec 300\nsystem_usec 200\n", 500, NAN, NAN},
        {"nr_throttled 3\nnr_periods 9\nthrottled_usec 77\nusage_usec 500", 500, 9, 3},
        {"usage_usec\nnr_periods x\n", NAN, NAN, NAN},
        {"usage_usec -500\nnr_periods 99999999999999999999999\n", NAN, NAN, NAN},
        {"usage_usec_of_another_kind 5\n", NAN, NAN, NAN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct collect_unit_use use;

        collect_unit_cpu_parse(cases[i].text, strlen(cases[i].text), &use);
        same(use.cpu_us, cases[i].cpu);
        same(use.periods, cases[i].periods);
        same(use.throttled, cases[i].throttled);
    }
}

static void test_io_stat(void **state)
{
    static const char text[] = "garbage\n"
                               "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n"
                               "8:16 wbytes=5\n"
                               "253:0\n"
                               "1:99999999999 rbytes=1\n"
                               "9:1 rbytes=-4 wbytes=99999999999999999999999\n"
                               "8:32 dbytes=1 rbytes=7";
    static const struct {
        unsigned major, minor;
        double read, written;
    } devices[] = {{8, 0, 10, 20},
                   {8, 16, NAN, 5},
                   {253, 0, NAN, NAN},
                   {9, 1, NAN, NAN},
                   {8, 32, 7, NAN}};
    struct format_scan t = format_scan_of(text, sizeof text - 1);
    struct collect_unit_io io;

    (void)state;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        assert_true(collect_unit_io_next(&t, &io));
        assert_int_equal(io.major, devices[i].major);
        assert_int_equal(io.minor, devices[i].minor);
        same(io.read_bytes, devices[i].read);
        same(io.written_bytes, devices[i].written);
    }
    assert_false(collect_unit_io_next(&t, &io));
}

static void test_memory_stat(void **state)
{
    static const struct {
        const char *text;
        double cache;
    } cases[] = {
        {"", NAN},
        {"anon 1\nfile 2\ninactive_file 3\nactive_file 4\n", 3},
        {"inactive_file", NAN},
        {"inactive_file -3\n", NAN},
        {"total_inactive_file 3\n", NAN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        same(collect_unit_cache_parse(cases[i].text, strlen(cases[i].text)),
             cases[i].cache);
}

/* ---- trees ---- */

/* `files` but for the memory are what a group has counted so far. */
static void put_group(const struct tree *tree, const char *group, long cpu_us,
                      long memory, long written)
{
    char path[512];

    snprintf(path, sizeof path, "/sys/fs/cgroup/%s/cpu.stat", group);
    tree_write(tree, path, "usage_usec %ld\nnr_periods %ld\nnr_throttled %ld\n", cpu_us,
               cpu_us / 100000, cpu_us / 200000);
    snprintf(path, sizeof path, "/sys/fs/cgroup/%s/memory.current", group);
    tree_write(tree, path, "%ld\n", memory);
    snprintf(path, sizeof path, "/sys/fs/cgroup/%s/memory.stat", group);
    tree_write(tree, path, "anon 1\ninactive_file %ld\n", memory / 4);
    snprintf(path, sizeof path, "/sys/fs/cgroup/%s/io.stat", group);
    tree_write(tree, path, "8:0 rbytes=0 wbytes=%ld\n253:0 rbytes=0 wbytes=%ld\n",
               written, written);
}

static const long mib = 1 << 20;

static const char *const groups[] = {
    "init.scope",
    "system.slice/nginx.service",
    "system.slice/docker-" ID_A ".scope",
    "system.slice/system-getty.slice/getty@tty1.service",
    "user.slice/user-1000.slice/session-3.scope",
    "user.slice/user-1000.slice/session-4.scope",
    "user.slice/user-1000.slice/user@1000.service/app.slice/app-firefox-77.scope",
    "docker/" ID_B,
    "lxc/web",
    "kubepods/burstable/pod12345678-1234-1234-1234-123456789abc/" ID_A,
};

enum { GROUPS = sizeof groups / sizeof *groups };

static void start(struct machine *machine, struct tree *tree)
{
    tree_init(tree);
    tree_write(tree, "/sys/fs/cgroup/cgroup.controllers", "cpu io memory\n");
    machine_init(machine, tree->root);
    machine_start(machine, "units");
}

static void test_which_groups_are_units(void **state)
{
    static const char *const absent[] = {
        "unit_cpu_percent{system.slice}", "unit_cpu_percent{user@1000.service}",
        "unit_cpu_percent{docker}", "unit_cpu_percent{lxc}",
        "unit_cpu_percent{(others)}"};
    struct machine machine;
    struct tree tree;

    (void)state;
    start(&machine, &tree);
    /* A dm device on the disk: its bytes are the disk's as well. */
    tree_write(&tree, "/sys/dev/block/253:0/slaves/sda/size", "1\n");
    for (int i = 0; i < GROUPS; i++)
        put_group(&tree, groups[i], 1000000, 100 * mib, 0);
    /* The group of a service may hold others: it is one unit. */
    put_group(&tree, "system.slice/nginx.service/worker", 9000000, mib, 0);
    machine_tick(&machine, 1);
    same(machine_value(&machine, "unit_cpu_percent{nginx.service}"), NAN);
    same(machine_value(&machine, "unit_memory_mb{nginx.service}"), 75);
    for (int i = 0; i < GROUPS; i++)
        put_group(&tree, groups[i], 1000000 + 1000000 * (i + 1), 100 * mib,
                  10 * mib * (i + 1));
    machine_tick(&machine, 2);
    same(machine_value(&machine, "unit_cpu_percent{init.scope}"), 50);
    same(machine_value(&machine, "unit_cpu_percent{nginx.service}"), 100);
    same(machine_value(&machine, "unit_write_mb{nginx.service}"), 10);
    same(machine_value(&machine, "unit_read_mb{nginx.service}"), 0);
    same(machine_value(&machine, "unit_throttled_percent{nginx.service}"), 50);
    same(machine_value(&machine, "unit_cpu_percent{docker-a0123456789a.scope}"), 150);
    same(machine_value(&machine, "unit_cpu_percent{getty@tty1.service}"), 200);
    same(machine_value(&machine, "unit_cpu_percent{session-*.scope}"), 250 + 300);
    same(machine_value(&machine, "unit_memory_mb{session-*.scope}"), 150);
    same(machine_value(&machine, "unit_cpu_percent{app-firefox-*.scope}"), 350);
    same(machine_value(&machine, "unit_cpu_percent{b0123456789a}"), 400);
    same(machine_value(&machine, "unit_cpu_percent{web}"), 450);
    same(machine_value(&machine, "unit_cpu_percent{a0123456789a}"), 500);
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        assert_false(machine_has(&machine, absent[i]));
    tree_remove(&tree, "/sys/fs/cgroup/lxc");
    machine_tick(&machine, 1);
    same(machine_value(&machine, "unit_cpu_percent{web}"), NAN);
    assert_string_equal(machine_error(&machine, "units"), "");
    machine_release(&machine);
    tree_release(&tree);
}

/* Version 1 beside a bare version 2: CPU time alone. No groups at all: nothing. */
static void test_half_a_tree(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    machine_init(&machine, tree.root);
    machine_start(&machine, "units");
    machine_tick(&machine, 1);
    tree_write(&tree, "/sys/fs/cgroup/unified/cgroup.controllers", "\n");
    tree_write(&tree, "/sys/fs/cgroup/unified/system.slice/a.service/cpu.stat",
               "usage_usec 5\n");
    machine_tick(&machine, 1);
    tree_write(&tree, "/sys/fs/cgroup/unified/system.slice/a.service/cpu.stat",
               "usage_usec 100005\n");
    machine_tick(&machine, 1);
    machine_tick(&machine, 1);
    same(machine_value(&machine, "unit_cpu_percent{a.service}"), 0);
    same(machine_value(&machine, "unit_memory_mb{a.service}"), NAN);
    same(machine_value(&machine, "unit_throttled_percent{a.service}"), NAN);
    machine_release(&machine);
    tree_release(&tree);
}

static void test_damaged_files(void **state)
{
    static const char *const bad[] = {
        "",      "\n",  "garbage\n", "usage_usec -1\n", "99999999999999999999999\n",
        "max\n", "-5\n"};
    struct machine machine;
    struct tree tree;

    (void)state;
    start(&machine, &tree);
    put_group(&tree, "system.slice/good.service", 1000000, 100 * mib, 0);
    put_group(&tree, "system.slice/bad.service", 1000000, 100 * mib, 0);
    machine_tick(&machine, 1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tree_write(&tree, "/sys/fs/cgroup/system.slice/bad.service/cpu.stat", "%s",
                   bad[i]);
        tree_write(&tree, "/sys/fs/cgroup/system.slice/bad.service/memory.current", "%s",
                   i == 4 ? "x" : bad[i]);
        tree_write(&tree, "/sys/fs/cgroup/system.slice/bad.service/io.stat", "%s",
                   bad[i]);
        machine_tick(&machine, 1);
        same(machine_value(&machine, "unit_cpu_percent{bad.service}"), NAN);
        same(machine_value(&machine, "unit_memory_mb{bad.service}"), NAN);
        same(machine_value(&machine, "unit_memory_mb{good.service}"), 75);
        same(machine_value(&machine, "unit_cpu_percent{good.service}"), 0);
    }
    machine_release(&machine);
    tree_release(&tree);
}

/* More units than have room: the largest have names, and nothing is lost. */
static void test_the_largest_are_kept(void **state)
{
    enum { UNITS = 200 };
    struct machine machine;
    struct tree tree;
    double sum = 0;
    size_t named = 0;
    char group[64];

    (void)state;
    start(&machine, &tree);
    for (int i = 0; i < UNITS; i++) {
        snprintf(group, sizeof group, "system.slice/s%03dx.service", i);
        put_group(&tree, group, 0, (i * 37 % UNITS + 1) * 4 * mib, 0);
    }
    machine_tick(&machine, 1);
    for (size_t i = 0; i < machine.schema.n; i++)
        if (strcmp(machine.schema.metric[i].name, "unit_memory_mb") == 0) {
            sum += machine.value[i];
            named++;
        }
    assert_int_equal(named, 24 + 1);
    assert_true(machine_has(&machine, "unit_memory_mb{s027x.service}")); /* 27*37 = 199 */
    assert_false(machine_has(&machine, "unit_memory_mb{s000x.service}"));
    /* A quarter of what is 16 MiB and more is cache. */
    for (int k = 1; k <= UNITS; k++)
        sum -= 4 * k * (4 * k >= 16 ? 0.75 : 1);
    assert_double_equal(sum, 0, 1e-6);
    machine_release(&machine);
    tree_release(&tree);
}

static void fill_schema(struct machine *machine, size_t free_metrics)
{
    static const struct record_metric row = {.name = "temperature",
                                             .label_key = "sensor"};
    char label[24];

    for (int i = 0; machine->schema.n < RECORD_METRICS_MAX - free_metrics; i++) {
        snprintf(label, sizeof label, "filler %d", i);
        record_schema_add(&machine->schema, &row, label);
    }
}

/* Those that find no room are counted with the others, and told of; so is a unit that has
 * to wait until what another one gave back has rested. */
static void test_no_room_for_units(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    start(&machine, &tree);
    fill_schema(&machine, 2 * COLLECT_UNIT_VALUES);
    put_group(&tree, "system.slice/a.service", 0, 300 * mib, 0);
    machine_tick(&machine, 1);
    put_group(&tree, "system.slice/b.service", 0, 100 * mib, 0);
    put_group(&tree, "system.slice/c.service", 0, 200 * mib, 0);
    machine_tick(&machine, 1);
    assert_true(machine_has(&machine, "unit_memory_mb{c.service}"));
    assert_false(machine_has(&machine, "unit_memory_mb{b.service}"));
    assert_string_equal(machine_error(&machine, "units"),
                        "1 units have no metrics of their own: there are too many");
    assert_string_equal(machine_error(&machine, "collect"), "");
    tree_remove(&tree, "/sys/fs/cgroup/system.slice/a.service");
    machine_tick(&machine, 1);
    same(machine_value(&machine, "unit_memory_mb{a.service}"), NAN);
    assert_false(machine_has(&machine, "unit_memory_mb{b.service}"));
    machine_tick(&machine, RECORD_REST_S + 1);
    same(machine_value(&machine, "unit_memory_mb{b.service}"), 75);
    assert_false(machine_has(&machine, "unit_memory_mb{a.service}"));
    assert_string_equal(machine_error(&machine, "units"), "");
    machine_release(&machine);
    tree_release(&tree);
}

/* A machine that starts containers all the time: the names do not pile up. */
static void test_names_come_and_go(void **state)
{
    struct machine machine;
    struct tree tree;
    char group[160], path[200];
    size_t n = 0;

    (void)state;
    start(&machine, &tree);
    for (int i = 0; i < 200; i++) {
        snprintf(group, sizeof group, "docker/%08x%s", (unsigned)i * 2654435761u,
                 HEX_16 HEX_16 HEX_16 "01234567");
        put_group(&tree, group, 1000, 100 * mib, 0);
        machine_tick(&machine, 300);
        snprintf(path, sizeof path, "/sys/fs/cgroup/%s", group);
        tree_remove(&tree, path);
        if (i == 100)
            n = machine.schema.n;
    }
    assert_false(machine_has(&machine, "unit_memory_mb{(others)}"));
    /* The first is gone, and others have its metrics now. */
    assert_false(machine_has(&machine, "unit_memory_mb{000000000123}"));
    assert_int_equal(machine.schema.n, n);
    assert_string_equal(machine_error(&machine, "units"), "");
    machine_release(&machine);
    tree_release(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpu_stat),
        cmocka_unit_test(test_io_stat),
        cmocka_unit_test(test_memory_stat),
        cmocka_unit_test(test_which_groups_are_units),
        cmocka_unit_test(test_half_a_tree),
        cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_the_largest_are_kept),
        cmocka_unit_test(test_no_room_for_units),
        cmocka_unit_test(test_names_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
