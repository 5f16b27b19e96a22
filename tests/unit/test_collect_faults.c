/* Sources that are missing, empty, garbage, negative, huge or cut off; devices that come
 * and go; counters that wrap; memory that runs out. What does not parse is NaN, nothing
 * else is touched by it, and it comes back by itself. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fault.h"
#include "machine.h"
#include "tree.h"

/* One metric that depends on each file. */
static const struct source {
    const char *path, *metric;
} sources[] = {
    {"/proc/stat", "cpu_percent"},
    {"/proc/stat", "context_switches"},
    {"/proc/loadavg", "load_1"},
    {"/proc/meminfo", "cpu_memory"},
    {"/proc/meminfo", "swap_percent"},
    {"/proc/vmstat", "page_faults"},
    {"/proc/pressure/io", "pressure_io_percent"},
    {"/proc/diskstats", "disk_read_mb{nvme0n1}"},
    {"/proc/net/dev", "network_recv_mb{wlp0s20f3}"},
    {"/sys/class/hwmon/hwmon1/temp1_input", "temperature{coretemp Package id 0}"},
    {"/proc/stat", "interrupts"},
    {"/proc/net/snmp", "tcp_retransmits"},
    {"/proc/net/netstat", "tcp_listen_overflows"},
    {"/proc/net/sockstat", "sockets_tcp"},
    {"/proc/net/softnet_stat", "softnet_dropped"},
    {"/proc/sys/fs/file-nr", "file_handles_percent"},
    {"/proc/sys/net/netfilter/nf_conntrack_count", "conntrack_percent"},
    {"/sys/devices/system/cpu/cpu5/cpufreq/scaling_cur_freq", "cpu_core_freq{5}"},
};

enum { SOURCES = sizeof sources / sizeof *sources };

static const char *const faults[] = {
    NULL, /* missing */
    "",
    "\n",
    "garbage\n",
    "cpu\ncpu0\nctxt\nMemTotal:\npgfault\nsome total=\n",
    "cpu  -1 -2 -3 -4\nctxt -5\nMemTotal: -6 kB\npgfault -7\nsome total=-8\n",
    "cpu  99999999999999999999999 0 0 99999999999999999999999\n"
    "ctxt 99999999999999999999999\nMemTotal: 99999999999999999999999 kB\n",
    "-40000\n-1 -1 -1\n",
    "99999999999999999999999\n",
    "cpu  12",
    "\xff\xfe\x00\x01\x80 )(((%s%n\n",
    "nan\n",
    "inf inf inf 1/2 3\n",
};

enum { FAULTS = sizeof faults / sizeof *faults };

static void put_fault(const struct tree *tree, const char *path, const char *fault)
{
    if (fault == NULL)
        tree_remove(tree, path);
    else
        tree_write_bytes(tree, path, fault, strlen(fault));
}

/* Two ticks a second apart, all well. */
static void tick_well(struct machine *machine, struct tree *tree)
{
    tree_add(tree, "laptop");
    machine_tick(machine, 1);
    tree_add(tree, "laptop-later");
    machine_tick(machine, 1);
}

static void try_fault(struct machine *machine, struct tree *tree,
                      const struct source *source, const char *fault)
{
    tree_add(tree, "laptop");
    machine_tick(machine, 1);
    tree_add(tree, "laptop-later");
    put_fault(tree, source->path, fault);
    machine_tick(machine, 1);
    if (!isnan(machine_value(machine, source->metric)))
        fail_msg("%s with %s: %s = %g", source->path, fault == NULL ? "nothing" : fault,
                 source->metric, machine_value(machine, source->metric));
    for (size_t i = 0; i < machine->schema.n; i++)
        assert_false(isinf(machine->value[i]));
    for (int i = 0; i < SOURCES; i++)
        if (strcmp(sources[i].path, source->path) != 0)
            assert_false(isnan(machine_value(machine, sources[i].metric)));
    tick_well(machine, tree);
    assert_false(isnan(machine_value(machine, source->metric)));
}

static void test_every_file_every_fault(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_add(&tree, "laptop");
    machine_init(&machine, tree.root);
    machine_start(&machine, NULL);
    tick_well(&machine, &tree);
    for (int i = 0; i < SOURCES; i++)
        for (int k = 0; k < FAULTS; k++)
            try_fault(&machine, &tree, &sources[i], faults[k]);
    machine_release(&machine);
    tree_release(&tree);
}

static void test_no_tree_at_all(void **state)
{
    struct machine machine;

    (void)state;
    machine_init(&machine, "/nowhere/at/all");
    machine_start(&machine, NULL);
    machine_tick(&machine, 1);
    machine_tick(&machine, 1);
    for (size_t i = 0; i < machine.schema.n; i++)
        if (strncmp(machine.schema.metric[i].name, "self_", 5) != 0 &&
            strncmp(machine.schema.metric[i].name, "disk_", 5) != 0 &&
            strncmp(machine.schema.metric[i].name, "network_", 8) != 0)
            assert_true(isnan(machine.value[i]));
    assert_double_equal(machine_value(&machine, "disk_read_mb"), NAN, 0);
    assert_string_not_equal(machine_error(&machine, "stat"), "");
    machine_release(&machine);
}

static void write_disks(const struct tree *tree, int disks, long long sectors)
{
    char text[512];
    int n = 0;

    for (int i = 0; i < disks; i++)
        n += sprintf(text + n, "8 %d sd%c 1 0 %lld 0 0 0 0 0 0 0 0\n", 16 * i, 'a' + i,
                     sectors);
    tree_write(tree, "/proc/diskstats", "%s", text);
}

static void test_disk_plugged_in_and_out(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_write(&tree, "/sys/block/sda/size", "1\n");
    tree_write(&tree, "/sys/block/sdb/size", "1\n");
    write_disks(&tree, 1, 2048);
    machine_init(&machine, tree.root);
    machine_start(&machine, "diskstats");
    machine_tick(&machine, 1);
    write_disks(&tree, 1, 4096);
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "disk_read_mb"), 1, 1e-12);
    assert_false(machine_has(&machine, "disk_read_mb{sdb}"));

    /* sdb comes with a history of its own, which is no traffic of this second. */
    write_disks(&tree, 2, 6144);
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "disk_read_mb"), 1, 1e-12);
    assert_double_equal(machine_value(&machine, "disk_read_mb{sdb}"), NAN, 0);
    write_disks(&tree, 2, 8192);
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "disk_read_mb"), 2, 1e-12);
    assert_double_equal(machine_value(&machine, "disk_read_mb{sdb}"), 1, 1e-12);

    /* It goes: NaN, and the total goes on without it. */
    write_disks(&tree, 1, 10240);
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "disk_read_mb"), 1, 1e-12);
    assert_double_equal(machine_value(&machine, "disk_read_mb{sdb}"), NAN, 0);

    /* Another disk by the same name, with a smaller counter. */
    tree_write(&tree, "/proc/diskstats",
               "8 0 sda 1 0 12288 0 0 0 0 0 0 0 0\n8 16 sdb 1 0 8 0 0 0 0 0 0 0 0\n");
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "disk_read_mb"), 1, 1e-12);
    assert_double_equal(machine_value(&machine, "disk_read_mb{sdb}"), NAN, 0);
    machine_release(&machine);
    tree_release(&tree);
}

/* A 32-bit counter passes 2^32 and begins again: it alone, so nothing was reset. */
static void test_counter_wraps(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_write(&tree, "/sys/block/sda/size", "1\n");
    write_disks(&tree, 1, 4294967000);
    machine_init(&machine, tree.root);
    machine_start(&machine, "diskstats");
    machine_tick(&machine, 1);
    write_disks(&tree, 1, 704);
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "disk_read_mb{sda}"), 1000.0 / 2048,
                        1e-12);
    assert_double_equal(machine_value(&machine, "disk_read_mb"), 1000.0 / 2048, 1e-12);
    write_disks(&tree, 1, 2752);
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "disk_read_mb{sda}"), 1, 1e-12);
    assert_double_equal(machine_value(&machine, "disk_read_mb"), 1, 1e-12);
    machine_release(&machine);
    tree_release(&tree);
}

static void test_cores_go_off_and_on_line(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_write(&tree, "/proc/stat", "cpu  0 0 0 0\ncpu0 0 0 0 0\n");
    machine_init(&machine, tree.root);
    machine_start(&machine, "stat");
    machine_tick(&machine, 1);
    tree_write(&tree, "/proc/stat", "cpu  90 0 0 110\ncpu0 50 0 0 50\ncpu3 40 0 0 60\n");
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "cpu_core_percent{0}"), 50, 1e-9);
    assert_double_equal(machine_value(&machine, "cpu_core_percent{3}"), NAN, 0);
    assert_double_equal(machine_value(&machine, "cpu_core_percent{1}"), NAN, 0);
    tree_write(&tree, "/proc/stat",
               "cpu  180 0 0 220\ncpu0 60 0 0 140\ncpu3 120 0 0 80\n");
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "cpu_core_percent{3}"), 80, 1e-9);
    tree_write(&tree, "/proc/stat", "cpu  181 0 0 319\ncpu0 61 0 0 239\n");
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "cpu_core_percent{3}"), NAN, 0);
    assert_double_equal(machine_value(&machine, "cpu_core_percent{0}"), 1, 1e-9);
    machine_release(&machine);
    tree_release(&tree);
}

/* Sensors that turn up later, and change places. */
static void test_sensor_appears(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_write(&tree, "/sys/class/hwmon/none", "\n");
    machine_init(&machine, tree.root);
    machine_start(&machine, "thermal");
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "cpu_temp"), NAN, 0);
    tree_write(&tree, "/sys/class/hwmon/hwmon3/name", "zenpower\n");
    tree_write(&tree, "/sys/class/hwmon/hwmon3/temp1_input", "51000\n");
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "cpu_temp"), 51, 1e-9);
    tree_remove(&tree, "/sys/class/hwmon/hwmon3");
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "cpu_temp"), NAN, 0);
    machine_release(&machine);
    tree_release(&tree);
}

/* More metrics than there is room for: the rest is dropped, and said. */
static void test_too_many_devices(void **state)
{
    struct machine machine;
    struct tree tree;
    char *text = malloc(1 << 20);
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 1000; i++)
        n += (size_t)sprintf(text + n, "8 %d sd%d 1 0 1 0 0 0 0 0 0 0 0\n", i, i);
    tree_init(&tree);
    tree_write(&tree, "/proc/diskstats", "%s", text);
    free(text);
    machine_init(&machine, tree.root);
    machine_start(&machine, "diskstats");
    machine_tick(&machine, 1);
    machine_tick(&machine, 1);
    assert_true(machine.schema.n <= RECORD_METRICS_MAX);
    assert_true(machine_has(&machine, "disk_read_mb{sd0}"));
    machine_release(&machine);
    tree_release(&tree);
}

static void test_unknown_collector(void **state)
{
    const char *only[] = {"stat", "nonsense", NULL};
    struct collect_config config = collect_config_default();
    struct record_schema schema = {0};
    struct vd_error err = {0};
    collect_set *set;

    (void)state;
    assert_int_equal(collect_set_new(&set, &config, only, &schema, &err),
                     VD_ERR_ARGUMENT);
    assert_null(set);
    assert_non_null(strstr(err.text, "nonsense"));
    record_schema_release(&schema);
}

/* The k-th allocation of making the collectors and of the first ticks fails: no crash, no
 * leak, and either an error or a machine that goes on. */
static void test_memory_runs_out(void **state)
{
    struct tree tree;
    long k = 1;

    (void)state;
    tree_init(&tree);
    tree_add(&tree, "laptop");
    for (bool failed = true; failed; k++) {
        struct machine machine;
        enum vd_status status;

        machine_init(&machine, tree.root);
        machine.config.nvml_library = NVML_STUB;
        alloc_fault_at(k);
        status =
            collect_set_new(&machine.set, &machine.config, NULL, &machine.schema, NULL);
        assert_true(status == VD_OK || status == VD_ERR_MEMORY);
        if (status == VD_OK) {
            collect_set_read(machine.set, &machine.sample);
            machine.sample.mono_ns += 1000000000;
            collect_set_read(machine.set, &machine.sample);
        } else {
            assert_null(machine.set);
        }
        failed = alloc_fault_happened();
        alloc_fault_at(0);
        if (status == VD_OK) {
            collect_set_read(machine.set, &machine.sample);
            assert_non_null(machine.sample.raw);
            assert_non_null(machine.sample.processes);
        }
        machine_release(&machine);
    }
    assert_true(k > 40); /* it did reach into all of them */
    tree_release(&tree);
}

static void test_steady_tick_allocates_nothing(void **state)
{
    struct machine machine;

    (void)state;
    machine_init(&machine, "");
    machine.config.threads = true;
    machine_start(&machine, NULL);
    for (int i = 0; i < 20; i++)
        machine_tick(&machine, 1);
    /* Other programs may start meanwhile and make a table grow: one quiet tick in a
     * hundred is proof enough, as a leak would be in each. */
    for (int i = 0; i < 100; i++) {
        alloc_fault_at(0);
        collect_set_read(machine.set, &machine.sample);
        if (alloc_fault_count() == 0)
            break;
        assert_true(i < 99);
    }
    machine_release(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_file_every_fault),
        cmocka_unit_test(test_no_tree_at_all),
        cmocka_unit_test(test_disk_plugged_in_and_out),
        cmocka_unit_test(test_counter_wraps),
        cmocka_unit_test(test_cores_go_off_and_on_line),
        cmocka_unit_test(test_sensor_appears),
        cmocka_unit_test(test_too_many_devices),
        cmocka_unit_test(test_unknown_collector),
        cmocka_unit_test(test_memory_runs_out),
        cmocka_unit_test(test_steady_tick_allocates_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
