/* Whole machines from trees, with the values they must come to. A tree and its sister
 * NAME-later (only the files that changed) are one second apart. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "machine.h"
#include "tree.h"

struct expected {
    const char *name;
    double value;
};

static void check(const struct machine *machine, const struct expected *expected,
                  size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double value = machine_value(machine, expected[i].name);

        if (!machine_has(machine, expected[i].name))
            fail_msg("there is no metric %s", expected[i].name);
        if (!(fabs(value - expected[i].value) <=
              1e-9 * fabs(expected[i].value) + 1e-12) &&
            !(isnan(value) && isnan(expected[i].value)))
            fail_msg("%s = %.12g, expected %.12g", expected[i].name, value,
                     expected[i].value);
    }
}

#define CHECK(MACHINE, EXPECTED)                                                         \
    check(MACHINE, EXPECTED, sizeof(EXPECTED) / sizeof *(EXPECTED))

static void test_laptop(void **state)
{
    static const struct expected first[] =
        {
            {"cpu_percent", NAN}, /* rates need two ticks */
            {"cpu_freq", 3000},   {"cpu_memory", 75},
            {"cpu_temp", 90}, /* the hottest core; not the zone */
            {"gpu_percent", 87},  {"gpu_memory", 25},
            {"gpu_temp", 71},     {"disk_read_mb", NAN},
        };
    static const struct expected second[] = {
        {"cpu_percent", 45},
        {"cpu_user_percent", 35},
        {"cpu_system_percent", 10},
        {"cpu_iowait_percent", 2.5},
        {"cpu_steal_percent", 0},
        {"cpu_core_percent{0}", 80},
        {"cpu_core_user_percent{0}", 60},
        {"cpu_core_percent{7}", 10},
        {"cpu_core_iowait_percent{7}", 5},
        {"cpu_p_percent", 80},
        {"cpu_e_percent", 10},
        {"cpu_p_freq", 3600},
        {"cpu_e_freq", 2400},
        {"cpu_core_freq{7}", 2400},
        {"context_switches", 3000},
        {"forks", 7},
        {"tasks_running", 3},
        {"tasks_blocked", 1},
        {"load_1", 2.6},
        {"load_5", 1.75},
        {"load_15", 1},
        {"threads", 1235},
        {"memory_percent", 75},
        {"memory_available_gb", 3.90625},
        {"memory_total_gb", 15.625},
        {"memory_cached_gb", 3},
        {"memory_dirty_mb", 2},
        {"memory_slab_mb", 400},
        {"memory_anonymous_gb", 8},
        {"memory_committed_gb", 10},
        {"swap_percent", 25},
        {"swap_used_gb", 1.953125},
        {"page_faults", 5000},
        {"page_faults_major", 2},
        {"swap_in_mb", 1},
        {"swap_out_mb", 0},
        {"oom_kills", 1},
        {"pressure_cpu_percent", 25},
        {"pressure_memory_percent", 10},
        {"pressure_memory_full_percent", 5},
        {"pressure_io_percent", 4},
        {"pressure_io_full_percent", 1},
        {"disk_read_mb", 100},
        {"disk_write_mb", 50},
        {"disk_read_ops", 200},
        {"disk_write_ops", 200},
        {"disk_latency_ms", 1},
        {"disk_read_mb{nvme0n1}", 100},
        {"disk_busy_percent{nvme0n1}", 50},
        {"disk_latency_ms{nvme0n1}", 1},
        {"network_recv_mb", 10},
        {"network_sent_mb", 1},
        {"network_recv_packets", 7000},
        {"network_sent_packets", 900},
        {"network_errors", 3},
        {"network_drops", 4},
        {"network_recv_mb{wlp0s20f3}", 10},
        {"temperature{nvme Composite}", 41.85},
        {"temperature{coretemp Core 0}", 90},
        {"cpu_temp", 90},
        {"gpu_percent", 87},
        {"gpu_power{0}", 95.5},
        {"processes", 5},
        {"processes_zombie", 1},
        {"interrupts", 4000},
        {"tcp_connections", 27},
        {"tcp_connects", 12},
        {"tcp_accepts", 3},
        {"tcp_failed_connects", 1},
        {"tcp_resets", 2},
        {"tcp_resets_sent", 5},
        {"tcp_retransmits", 7},
        {"tcp_timeouts", 4},
        {"tcp_errors", 0},
        {"tcp_listen_overflows", 2},
        {"tcp_listen_drops", 3},
        {"udp_errors", 3 + 2}, /* both families */
        {"udp_no_port", 4 + 1},
        {"udp_buffer_errors", 2 + 2 + 1},
        {"sockets_used", 640},
        {"sockets_tcp", 31 + 9},
        {"sockets_time_wait", 17},
        {"sockets_orphaned", 2},
        {"sockets_udp", 12 + 5},
        {"sockets_memory_mb", 1},
        {"softnet_dropped", 15}, /* both cores; the numbers are hexadecimal */
        {"softnet_squeezed", 7},
        {"file_handles", 12000},
        {"file_handles_percent", 25},
        {"conntrack_entries", 6554},
        {"conntrack_percent", 10},
    };
    static const char *const absent[] = {
        "disk_read_mb{nvme0n1p1}",
        "disk_read_mb{loop0}",
        "disk_read_mb{zram0}",
        "disk_read_mb{dm-0}",
        "network_recv_mb{lo}",
        "network_recv_mb{veth12ab34c}",
        "network_recv_mb{docker0}",
        "disk_busy_percent",
        "temperature{x86_pkg_temp}",
        "filesystem_percent{/snap/core/1}",
        "entropy_bits" /* a pool of 256 bits is always full */,
        "units_failed" /* a tree has no systemd */,
        "filesystem_percent{/run}",
        "filesystem_percent{/var/lib/docker}"};
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_add(&tree, "laptop");
    machine_init(&machine, tree.root);
    machine.config.nvml_library = NVML_STUB;
    machine_start(&machine, NULL);
    machine_tick(&machine, 1);
    CHECK(&machine, first);
    tree_add(&tree, "laptop-later");
    machine_tick(&machine, 1);
    CHECK(&machine, second);
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        if (machine_has(&machine, absent[i]))
            fail_msg("%s should not exist", absent[i]);
    /* The numbers are those of the disk that the test runs on. */
    assert_true(machine_value(&machine, "filesystem_percent{/}") >= 0);
    assert_true(machine_value(&machine, "filesystem_percent{/media/my share}") <= 100);
    assert_true(machine_value(&machine, "filesystem_free_gb{/boot/efi}") > 0);
    assert_int_equal(collect_set_errors(machine.set, NULL, NULL, 0), 0);
    machine_release(&machine);
    tree_release(&tree);
}

static void test_board(void **state)
{
    static const struct expected second[] = {
        {"cpu_percent", 220.0 / 6},
        {"cpu_p_percent", 90},
        {"cpu_e_percent", 10},
        {"cpu_p_freq", 2000},
        {"cpu_e_freq", 1400},
        {"cpu_freq", 1600},
        {"cpu_memory", 50}, /* estimated: the kernel does not say what is available */
        {"cpu_temp", 55.5}, /* soc-thermal is off and says -274 */
        {"temperature{gpu-thermal}", 50.1},
        {"swap_percent", 0},
        {"oom_kills", NAN},
        {"pressure_cpu_percent", NAN},
        {"gpu_percent", NAN},
        {"gpu_memory", NAN},
        {"gpu_temp", NAN},
        {"disk_read_mb", 0},
        {"disk_latency_ms", NAN},
        {"network_recv_mb", 0},
        {"entropy_bits", 1337}, /* Linux 3.10: the pool counts */
        {"file_handles", 896},  /* 64 of 960 are free */
        {"file_handles_percent", 1},
        {"tcp_connections", 3},
        {"tcp_listen_overflows", NAN}, /* no /proc/net/netstat, no IPv6 */
        {"udp_buffer_errors", 0},
        {"sockets_tcp", 4},
        {"sockets_memory_mb", NAN},
        {"softnet_dropped", 0},
        {"clock_offset_ms", NAN}, /* a tree has no clock */
        {"raid_missing_disks{md0}", 1},
        {"raid_sync_percent{md0}", 12.5},
        {"zfs_pool_fault{tank}", 1},
        {"zfs_pool_fault{backup}", 0}};
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_add(&tree, "board");
    machine_init(&machine, tree.root);
    machine_start(&machine, NULL);
    machine_tick(&machine, 1);
    tree_add(&tree, "board-later");
    machine_tick(&machine, 1);
    CHECK(&machine, second);
    assert_true(machine_has(&machine, "disk_read_mb{mmcblk0}"));
    assert_false(machine_has(&machine, "disk_read_mb{mmcblk0p1}"));
    assert_false(machine_has(&machine, "conntrack_percent"));
    assert_false(machine_has(&machine, "zfs_pool_fault{arcstats}"));
    machine_release(&machine);
    tree_release(&tree);
}

/* No /sys at all, the host's disks, one end of a virtual link as the only device. */
static void test_container(void **state)
{
    static const struct expected second[] = {
        {"cpu_percent", 30},           {"cpu_steal_percent", 10}, {"cpu_freq", 2200},
        {"cpu_core_freq{1}", 2199.75}, {"cpu_memory", 25},        {"cpu_temp", NAN},
        {"disk_read_mb", 1},           {"disk_read_ops", 1},      {"network_recv_mb", 1},
        {"network_sent_mb", 0.5},      {"processes", 1}};
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_add(&tree, "container");
    machine_init(&machine, tree.root);
    machine_start(&machine, NULL);
    machine_tick(&machine, 1);
    tree_add(&tree, "container-later");
    machine_tick(&machine, 1);
    CHECK(&machine, second);
    assert_false(machine_has(&machine, "disk_read_mb{vda1}"));
    assert_false(machine_has(&machine, "cpu_p_percent"));
    assert_false(machine_has(&machine, "filesystem_percent{/etc/hosts}"));
    assert_true(machine_has(&machine, "filesystem_percent{/}"));
    machine_release(&machine);
    tree_release(&tree);
}

/* ---- a server of 64 cores and 20 disks ---- */

enum { CORES = 64, DISKS = 20 };

/* Core i is i % 50 + 1 percent busy; each disk k writes k + 1 MiB a second. */
static void write_server(const struct tree *tree, int later)
{
    char *text = malloc(1 << 16), path[128];
    int n = 0, user = 0, idle = 0;

    for (int i = 0; i < CORES; i++) {
        user += 1000 + later * (i % 50 + 1);
        idle += 9000 + later * (100 - (i % 50 + 1));
    }
    n += sprintf(text + n, "cpu  %d 0 0 %d 0 0 0 0 0 0\n", user, idle);
    for (int i = 0; i < CORES; i++)
        n += sprintf(text + n, "cpu%d %d 0 0 %d 0 0 0 0 0 0\n", i,
                     1000 + later * (i % 50 + 1), 9000 + later * (100 - (i % 50 + 1)));
    n += sprintf(text + n, "intr 9");
    for (int i = 0; i < 8000; i++)
        n += sprintf(text + n, " 0");
    sprintf(text + n, "\nctxt %d\nprocesses 5\nprocs_running 1\nprocs_blocked 0\n",
            later * 100000);
    tree_write(tree, "/proc/stat", "%s", text);
    n = 0;
    for (int k = 0; k < DISKS; k++)
        for (int part = 0; part < 3; part++) {
            char suffix[4] = "";

            if (part > 0)
                sprintf(suffix, "%d", part);
            n += sprintf(
                text + n, "   8 %d sd%c%s 0 0 0 0 %d 0 %d %d 0 %d 0 0 0 0 0 0 0\n",
                16 * k + part, 'a' + k, suffix, 100 + later * 10,
                1000 + later * 2048 * (k + 1), 50 + later * 20, 100 + later * 10 * k);
        }
    n += sprintf(text + n, "   9 0 md0 0 0 0 0 9 0 %d 0 0 0 0\n", later * 999999);
    tree_write(tree, "/proc/diskstats", "%s", text);
    for (int k = 0; k < DISKS; k++) {
        sprintf(path, "/sys/block/sd%c/size", 'a' + k);
        tree_write(tree, path, "1\n");
    }
    tree_write(tree, "/sys/block/md0/slaves/sda1/size", "1\n");
    tree_write(tree, "/proc/net/dev",
               "a|b\nc|d\n eno1: %d 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
               " eno2: %d 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
               "bond0: %d 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
               later * 1048576, later * 2097152, later * 3145728);
    tree_write(tree, "/sys/class/net/eno1/device/vendor", "x\n");
    tree_write(tree, "/sys/class/net/eno2/device/vendor", "x\n");
    for (int i = 0; i < CORES; i++) {
        sprintf(path, "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_cur_freq", i);
        tree_write(tree, path, "%d\n", i < 32 ? 2000000 : 3000000);
    }
    for (int k = 0; k < 2; k++) {
        sprintf(path, "/sys/class/hwmon/hwmon%d/name", k);
        tree_write(tree, path, "k10temp\n");
        sprintf(path, "/sys/class/hwmon/hwmon%d/temp1_label", k);
        tree_write(tree, path, "Tctl %d\n", k);
        sprintf(path, "/sys/class/hwmon/hwmon%d/temp1_input", k);
        tree_write(tree, path, "%d\n", 48125 + k * 1000);
    }
    tree_write(tree, "/sys/class/drm/card0/device/vendor", "0x1002\n");
    tree_write(tree, "/sys/class/drm/card0/device/gpu_busy_percent", "40\n");
    tree_write(tree, "/sys/class/drm/card0/device/mem_info_vram_used", "1073741824\n");
    tree_write(tree, "/sys/class/drm/card0/device/mem_info_vram_total", "8589934592\n");
    tree_write(tree, "/sys/class/drm/card0/device/hwmon/hwmon5/temp1_input", "66000\n");
    tree_write(tree, "/sys/class/drm/card0/device/hwmon/hwmon5/power1_average",
               "120000000\n");
    free(text);
}

static void test_server(void **state)
{
    static const struct expected values[] = {
        {"cpu_core_percent{0}", 1},   {"cpu_core_percent{49}", 50},
        {"cpu_core_percent{63}", 14}, {"cpu_freq", 2500},
        {"cpu_core_freq{63}", 3000},  {"cpu_temp", 49.125},
        {"disk_write_mb", 210},       {"disk_write_mb{sda}", 1},
        {"disk_write_mb{sdt}", 20},   {"disk_busy_percent{sdt}", 19},
        {"disk_latency_ms{sdt}", 2},  {"disk_write_ops", 200},
        {"network_recv_mb", 3},       {"network_recv_mb{bond0}", 3},
        {"context_switches", 100000}, {"gpu_percent", 40},
        {"gpu_memory", 12.5},         {"gpu_temp", 66}};
    struct machine machine;
    struct tree tree;
    double busy = 0;

    (void)state;
    tree_init(&tree);
    write_server(&tree, 0);
    machine_init(&machine, tree.root);
    machine_start(&machine, NULL);
    /* Clock rates are asked for in turns: four ticks until all are known. */
    for (int i = 0; i < 3; i++)
        machine_tick(&machine, 1);
    write_server(&tree, 1);
    machine_tick(&machine, 1);
    CHECK(&machine, values);
    for (int i = 0; i < CORES; i++)
        busy += i % 50 + 1;
    assert_double_equal(machine_value(&machine, "cpu_percent"), busy / CORES, 1e-9);
    assert_false(machine_has(&machine, "disk_write_mb{md0}"));
    assert_false(machine_has(&machine, "disk_write_mb{sdt1}"));
    assert_int_equal(machine.schema.dropped, 0);
    machine_release(&machine);
    tree_release(&tree);
}

/* ---- this machine ---- */

static void test_core_metrics_come_first(void **state)
{
    static const char *const names[] = {"cpu_percent", "cpu_freq",    "cpu_memory",
                                        "cpu_temp",    "gpu_percent", "gpu_memory",
                                        "gpu_temp"};
    struct machine machine;

    (void)state;
    machine_init(&machine, "/nowhere");
    machine_start(&machine, "meminfo");
    for (size_t i = 0; i < 7; i++) {
        assert_string_equal(machine.schema.metric[i].name, names[i]);
        assert_true(machine.schema.metric[i].core);
    }
    machine_release(&machine);
}

static void test_this_machine(void **state)
{
    struct machine machine;

    (void)state;
    machine_init(&machine, "");
    machine_start(&machine, NULL);
    machine_tick(&machine, 1);
    machine_tick(&machine, 1);
    assert_true(machine_value(&machine, "cpu_memory") > 0);
    assert_true(machine_value(&machine, "memory_available_gb") > 0);
    assert_true(machine_value(&machine, "processes") >= 1);
    assert_true(machine_value(&machine, "self_memory_mb") > 0.5);
    assert_non_null(machine.sample.processes);
    for (size_t i = 0; i < machine.schema.n; i++)
        assert_false(isinf(machine.value[i]));
    machine_release(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_laptop),
        cmocka_unit_test(test_board),
        cmocka_unit_test(test_container),
        cmocka_unit_test(test_server),
        cmocka_unit_test(test_core_metrics_come_first),
        cmocka_unit_test(test_this_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
