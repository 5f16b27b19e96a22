/* Limits of the group around the program: version 1, 2 and both, nested, seen from a
 * container, changed while it runs. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "collect/cgroup.h"
#include "machine.h"
#include "tree.h"

#define MIB (1 << 20)

/* A machine of 16 GiB with 8 GiB available. */
static void start(struct machine *machine, struct tree *tree)
{
    tree_write(tree, "/proc/meminfo",
               "MemTotal: 16777216 kB\nMemFree: 4194304 kB\nMemAvailable: 8388608 kB\n");
    machine_init(machine, tree->root);
    machine_start(machine, "meminfo cgroup");
    machine_tick(machine, 1);
}

static void finish(struct machine *machine, struct tree *tree)
{
    machine_release(machine);
    tree_release(tree);
}

static void expect(const struct machine *machine, const char *name, double right)
{
    double value = machine_value(machine, name);

    if (isnan(right) ? !isnan(value) : !(fabs(value - right) < 1e-9))
        fail_msg("%s = %g, not %g", name, value, right);
}

static void write_group(const struct tree *tree, const char *folder, const char *limit,
                        int used_mib, int dropped_mib, int kills)
{
    char path[256];

    snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.max", folder);
    tree_write(tree, path, "%s\n", limit);
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.current", folder);
    tree_write(tree, path, "%lld\n", (long long)used_mib * MIB);
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.stat", folder);
    tree_write(tree, path, "anon 5\nfile 99\ninactive_anon 7\ninactive_file %lld\n",
               (long long)dropped_mib * MIB);
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.events", folder);
    tree_write(tree, path, "low 0\nhigh 0\nmax 3\noom 2\noom_kill %d\noom_group_kill 0\n",
               kills);
}

static void test_version_2(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_write(&tree, "/proc/self/cgroup", "0::/system.slice/web.service\n");
    write_group(&tree, "/system.slice", "max", 5000, 0, 7);
    write_group(&tree, "/system.slice/web.service", "1073741824", 868, 100, 2);
    start(&machine, &tree);
    expect(&machine, "cgroup_memory_limit_gb", 1);
    expect(&machine, "cgroup_memory_used_gb", 0.75);
    expect(&machine, "cgroup_memory_percent", 75);
    expect(&machine, "cpu_memory", 75);
    expect(&machine, "memory_available_gb", 0.25);
    expect(&machine, "memory_total_gb", 16);
    assert_false(machine_has(&machine, "cgroup_cpu_percent"));
    write_group(&tree, "/system.slice/web.service", "1073741824", 1000, 0, 3);
    machine_tick(&machine, 1);
    expect(&machine, "cgroup_oom_kills", 1);
    finish(&machine, &tree);
}

/* What counts is the group with the least room left, wherever it is. */
static void test_limit_of_a_parent(void **state)
{
    static const struct {
        const char *own, *parent, *top;
        int used_own, used_parent, used_top;
        double limit, available, percent;
    } cases[] = {
        {"max", "536870912", "max", 100, 256, 900, 0.5, 0.25, 50},
        {"1073741824", "536870912", "max", 100, 256, 900, 0.5, 0.25, 50},
        {"536870912", "1073741824", "max", 256, 300, 900, 0.5, 0.25, 50},
        {"536870912", "1073741824", "max", 100, 1000, 1200, 1, 24.0 / 1024,
         100000.0 / 1024},
        {"max", "max", "2147483648", 100, 256, 1024, 2, 1, 50},
        {"1073741824", "max", "max", 1200, 1200, 1200, 1, 0, 100},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct machine machine;
        struct tree tree;

        tree_init(&tree);
        tree_write(&tree, "/proc/self/cgroup", "0::/a/b/c\n");
        write_group(&tree, "/a/b/c", cases[i].own, cases[i].used_own, 0, 0);
        write_group(&tree, "/a/b", cases[i].parent, cases[i].used_parent, 0, 0);
        write_group(&tree, "/a", cases[i].top, cases[i].used_top, 0, 0);
        start(&machine, &tree);
        expect(&machine, "cgroup_memory_limit_gb", cases[i].limit);
        expect(&machine, "memory_available_gb", cases[i].available);
        expect(&machine, "cgroup_memory_percent", cases[i].percent);
        expect(&machine, "cpu_memory", cases[i].percent);
        finish(&machine, &tree);
    }
}

/* The machine has less left than the group, or there is no limit. */
static void test_the_machine_is_smaller(void **state)
{
    static const struct {
        const char *limit;
        int used;
        double percent;
    } cases[] = {{"12884901888", 1024, 100.0 / 12},
                 {"68719476736", 1024, 100.0 / 64},
                 {"max", 1024, NAN},
                 {"9223372036854771712", 1024, NAN},
                 {"nonsense", 1024, NAN},
                 {"", 1024, NAN},
                 {"-1", 0, NAN}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct machine machine;
        struct tree tree;

        tree_init(&tree);
        tree_write(&tree, "/proc/self/cgroup", "0::/unit\n");
        write_group(&tree, "/unit", cases[i].limit, cases[i].used, 0, 0);
        start(&machine, &tree);
        expect(&machine, "cgroup_memory_percent", cases[i].percent);
        assert_int_equal(machine_has(&machine, "cgroup_memory_percent"),
                         !isnan(cases[i].percent));
        expect(&machine, "cpu_memory", 50);
        expect(&machine, "memory_available_gb", 8);
        finish(&machine, &tree);
    }
}

/* Where our group is: the mount shows the whole tree, our own group, or is not listed;
 * the path is the host's, ours, or outside of what is seen. */
static void test_containers(void **state)
{
    static const struct {
        const char *group, *mounts, *folder;
    } cases[] = {
        {"0::/\n", NULL, ""},
        {"0::/docker/36ab\n", NULL, ""},
        {"0::/docker/36ab\n", NULL, "/docker/36ab"},
        {"0::/docker/36ab\n",
         "35 31 0:32 /docker/36ab /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw\n", ""},
        {"0::/docker/36ab/sub\n",
         "30 25 0:26 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
         "35 31 0:32 /docker/36ab /sys/fs/cgroup ro shared:2 - cgroup2 cgroup rw\n",
         "/sub"},
        {"0::/../other\n",
         "35 31 0:32 /.. /sys/fs/cgroup ro - cgroup2 cgroup rw,nsdelegate\n", ""},
        {"9:name=systemd:/x\n0::/user.slice/u 1.scope\n",
         "35 31 0:32 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n", "/user.slice/u 1.scope"},
        {"0::/a\n", "not a mount\n\n35 31\n", "/a"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct machine machine;
        struct tree tree;

        tree_init(&tree);
        tree_write(&tree, "/proc/self/cgroup", "%s", cases[i].group);
        if (cases[i].mounts != NULL)
            tree_write(&tree, "/proc/self/mountinfo", "%s", cases[i].mounts);
        write_group(&tree, cases[i].folder, "1073741824", 512, 0, 0);
        start(&machine, &tree);
        if (!(machine_value(&machine, "cpu_memory") == 50 &&
              machine_value(&machine, "cgroup_memory_limit_gb") == 1 &&
              machine_value(&machine, "memory_available_gb") == 0.5))
            fail_msg("case %zu: %g of %g", i, machine_value(&machine, "cpu_memory"),
                     machine_value(&machine, "cgroup_memory_limit_gb"));
        finish(&machine, &tree);
    }
}

static void write_first(const struct tree *tree, const char *folder, int used_mib,
                        int periods, int throttled)
{
    static const char base[] = "/sys/fs/cgroup";
    char path[256];

    snprintf(path, sizeof path, "%s/memory%s/memory.limit_in_bytes", base, folder);
    tree_write(tree, path, "1073741824\n");
    snprintf(path, sizeof path, "%s/memory%s/memory.usage_in_bytes", base, folder);
    tree_write(tree, path, "%lld\n", (long long)used_mib * MIB);
    snprintf(path, sizeof path, "%s/memory%s/memory.stat", base, folder);
    tree_write(tree, path, "cache 1\ninactive_file 1\ntotal_inactive_file %lld\n",
               100LL * MIB);
    snprintf(path, sizeof path, "%s/memory%s/memory.oom_control", base, folder);
    tree_write(tree, path, "oom_kill_disable 0\nunder_oom 0\noom_kill %d\n", throttled);
    snprintf(path, sizeof path, "%s/cpu%s/cpu.cfs_quota_us", base, folder);
    tree_write(tree, path, "50000\n");
    snprintf(path, sizeof path, "%s/cpu%s/cpu.cfs_period_us", base, folder);
    tree_write(tree, path, "100000\n");
    snprintf(path, sizeof path, "%s/cpu%s/cpu.stat", base, folder);
    tree_write(tree, path, "nr_periods %d\nnr_throttled %d\nthrottled_time %d\n", periods,
               throttled, throttled * 20000000);
    snprintf(path, sizeof path, "%s/cpuacct%s/cpuacct.usage", base, folder);
    tree_write(tree, path, "%lld\n", periods * 40000000LL);
}

/* All of version 1; hybrid: its controllers, and an empty version 2 beside them. */
static void test_version_1(void **state)
{
    static const char *const groups[] = {
        "6:cpu,cpuacct:/unit\n4:memory:/unit\n1:name=systemd:/unit\n",
        "4:memory:/unit\n2:cpuacct:/unit\n1:cpu:/unit\n0::/\n"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct machine machine;
        struct tree tree;

        tree_init(&tree);
        tree_write(&tree, "/proc/self/cgroup", "%s", groups[i]);
        tree_write(&tree, "/sys/fs/cgroup/unified/cgroup.procs", "1\n");
        tree_write(&tree, "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                   "9223372036854771712\n");
        tree_write(&tree, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
        write_first(&tree, "/unit", 612, 100, 10);
        start(&machine, &tree);
        write_first(&tree, "/unit", 868, 110, 15);
        machine_tick(&machine, 1);
        expect(&machine, "cgroup_memory_limit_gb", 1);
        expect(&machine, "cgroup_memory_percent", 75);
        expect(&machine, "cpu_memory", 75);
        expect(&machine, "cgroup_oom_kills", 5);
        expect(&machine, "cgroup_cpu_limit_cores", 0.5);
        expect(&machine, "cgroup_cpu_percent", 80);
        expect(&machine, "cgroup_cpu_throttled_percent", 50);
        expect(&machine, "cgroup_cpu_throttled_ms", 100);
        finish(&machine, &tree);
    }
}

static void write_cpu(const struct tree *tree, const char *folder, const char *quota,
                      int usage_ms, int periods, int throttled)
{
    char path[256];

    snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", folder);
    tree_write(tree, path, "%s\n", quota);
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.stat", folder);
    tree_write(tree, path,
               "usage_usec %d\nuser_usec 5\nsystem_usec 5\nnr_periods %d\n"
               "nr_throttled %d\nthrottled_usec %d\n",
               usage_ms * 1000, periods, throttled, throttled * 50000);
}

static void test_cpu_quota(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_write(&tree, "/proc/self/cgroup", "0::/slice/unit\n");
    write_cpu(&tree, "/slice", "200000 100000", 5000, 50, 0);
    write_cpu(&tree, "/slice/unit", "max 100000", 1000, 0, 0);
    start(&machine, &tree);
    write_cpu(&tree, "/slice", "200000 100000", 6000, 60, 4);
    machine_tick(&machine, 1);
    expect(&machine, "cgroup_cpu_limit_cores", 2);
    expect(&machine, "cgroup_cpu_percent", 50);
    expect(&machine, "cgroup_cpu_throttled_percent", 40);
    expect(&machine, "cgroup_cpu_throttled_ms", 200);
    /* Another group has the smallest quota now: its counters are no growth. */
    write_cpu(&tree, "/slice/unit", "100000 100000", 100000, 9000, 8000);
    for (int i = 0; i < 10 && machine_value(&machine, "cgroup_cpu_limit_cores") != 1; i++)
        machine_tick(&machine, 1);
    expect(&machine, "cgroup_cpu_limit_cores", 1);
    expect(&machine, "cgroup_cpu_percent", NAN);
    expect(&machine, "cgroup_cpu_throttled_percent", NAN);
    machine_tick(&machine, 1);
    write_cpu(&tree, "/slice/unit", "100000 100000", 100750, 9010, 8001);
    machine_tick(&machine, 1);
    expect(&machine, "cgroup_cpu_percent", 75);
    expect(&machine, "cgroup_cpu_throttled_percent", 10);
    finish(&machine, &tree);
}

static void test_no_quota(void **state)
{
    static const char *const quotas[] = {"max 100000", "max",     "0 100000", "50000",
                                         "50000 0",    "garbage", ""};

    (void)state;
    for (size_t i = 0; i < sizeof quotas / sizeof *quotas; i++) {
        struct machine machine;
        struct tree tree;

        tree_init(&tree);
        tree_write(&tree, "/proc/self/cgroup", "0::/unit\n");
        write_cpu(&tree, "/unit", quotas[i], 1, 1, 1);
        start(&machine, &tree);
        assert_false(machine_has(&machine, "cgroup_cpu_limit_cores"));
        finish(&machine, &tree);
    }
}

/* What probe says beside the collector. */
static void test_what_it_says(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    start(&machine, &tree);
    assert_string_equal(collect_set_note(machine.set, 1), "no control groups here");
    finish(&machine, &tree);
    tree_init(&tree);
    tree_write(&tree, "/proc/self/cgroup", "0::/slice/unit\n");
    write_group(&tree, "/slice/unit", "max", 5, 0, 0);
    write_group(&tree, "/slice", "536870912", 5, 0, 0);
    write_cpu(&tree, "/slice/unit", "150000 100000", 1, 1, 1);
    start(&machine, &tree);
    assert_string_equal(collect_set_note(machine.set, 1),
                        "512 MiB of memory (v2 /slice), 1.5 cores (v2 /slice/unit)");
    assert_string_equal(collect_set_note(machine.set, 0), "");
    finish(&machine, &tree);
}

/* A living /proc of another machine: the group is that of its first process. */
static void test_another_machine(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_write(&tree, "/proc/77/cgroup", "0::/watcher\n");
    tree_write(&tree, "/proc/1/cgroup", "0::/init.scope\n");
    tree_link(&tree, "/proc/self", "77");
    write_group(&tree, "/watcher", "104857600", 50, 0, 0);
    write_group(&tree, "/init.scope", "max", 50, 0, 0);
    start(&machine, &tree);
    expect(&machine, "cpu_memory", 50);
    assert_false(machine_has(&machine, "cgroup_memory_limit_gb"));
    finish(&machine, &tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_2),
        cmocka_unit_test(test_limit_of_a_parent),
        cmocka_unit_test(test_the_machine_is_smaller),
        cmocka_unit_test(test_containers),
        cmocka_unit_test(test_version_1),
        cmocka_unit_test(test_cpu_quota),
        cmocka_unit_test(test_no_quota),
        cmocka_unit_test(test_what_it_says),
        cmocka_unit_test(test_another_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
