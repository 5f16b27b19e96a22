/* Parsers of what the network, the kernel's tables, the clock and the disk arrays say:
 * columns that are missing or in another order, negative, huge and damaged numbers, old
 * kernels. What does not parse is NaN, and nothing else is touched by it. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "collect/limits.h"
#include "collect/netstat.h"
#include "collect/raid.h"
#include "collect/sockstat.h"
#include "collect/softnet.h"
#include "collect/timex.h"
#include "collect/unit_name.h"
#include "machine.h"
#include "tree.h"

static void same(double value, double expected)
{
    if (isnan(expected) ? !isnan(value) : value != expected)
        fail_msg("%.17g, expected %.17g", value, expected);
}

static struct collect_netstat netstat_of(const char *text)
{
    struct collect_netstat net;

    collect_netstat_clear(&net);
    collect_netstat_parse(text, strlen(text), &net);
    return net;
}

static void test_netstat_finds_columns_by_name(void **state)
{
    static const struct {
        const char *text;
        double connections, retransmits, overflows, udp_errors;
    } cases[] = {
        {"", NAN, NAN, NAN, NAN},
        {"Tcp: CurrEstab RetransSegs\nTcp: 4 5\n", 4, 5, NAN, NAN},
        /* another order, unknown columns, no newline at the end */
        {"Tcp: New RetransSegs Newer CurrEstab\nTcp: 1 5 2 4", 4, 5, NAN, NAN},
        {"Udp: InErrors\nUdp: 9\nTcp: CurrEstab\nTcp: 4\n", 4, NAN, NAN, 9},
        /* fewer numbers than names, and more */
        {"Tcp: CurrEstab RetransSegs\nTcp: 4\n", 4, NAN, NAN, NAN},
        {"Tcp: CurrEstab\nTcp: 4 5 6\n", 4, NAN, NAN, NAN},
        {"Tcp: CurrEstab RetransSegs\nTcp:\n", NAN, NAN, NAN, NAN},
        /* -1 stands for "no limit" in MaxConn; elsewhere it is no counter */
        {"Tcp: MaxConn CurrEstab RetransSegs\nTcp: -1 4 -5\n", 4, NAN, NAN, NAN},
        {"Tcp: CurrEstab RetransSegs\nTcp: x 5\n", NAN, 5, NAN, NAN},
        {"Tcp: CurrEstab RetransSegs\nTcp: 18446744073709551615 99999999999999999999\n",
         18446744073709551615.0, NAN, NAN, NAN},
        /* names of other tables are not ours */
        {"UdpLite: InErrors\nUdpLite: 9\nIpExt: ListenOverflows\nIpExt: 8\n", NAN, NAN,
         NAN, NAN},
        {"TcpExt: A ListenOverflows\nTcpExt: 1 8\n", NAN, NAN, 8, NAN},
        /* the second line belongs to something else */
        {"Tcp: CurrEstab\nUdp: InErrors\nUdp: 9\n", NAN, NAN, NAN, 9},
        {"Tcp: CurrEstab", NAN, NAN, NAN, NAN},
        {"Tcp:\nTcp:\n\n\n \nTcp: CurrEstab\nTcp: 4\n", 4, NAN, NAN, NAN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct collect_netstat net = netstat_of(cases[i].text);

        same(net.connections, cases[i].connections);
        same(net.retransmits, cases[i].retransmits);
        same(net.listen_overflows, cases[i].overflows);
        same(net.udp_errors, cases[i].udp_errors);
    }
}

static void test_netstat_of_ipv6(void **state)
{
    static const struct {
        const char *text;
        double errors, full;
    } cases[] = {
        {"", NAN, NAN},
        {"Ip6InReceives \t5\nUdp6InErrors  \t7\nUdp6RcvbufErrors\t8\n", 7, 8},
        {"Udp6RcvbufErrors 8\nUdp6InErrors 7", 7, 8},
        {"Udp6InErrors\nUdp6RcvbufErrors -8\n", NAN, NAN},
        {"UdpLite6InErrors 7\nUdp6InErrorsOfAnotherKind 6\n", NAN, NAN},
        {"Udp6InErrors 99999999999999999999999\n", NAN, NAN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct collect_netstat net;

        collect_netstat_clear(&net);
        collect_netstat_parse_6(cases[i].text, strlen(cases[i].text), &net);
        same(net.udp6_errors, cases[i].errors);
        same(net.udp6_receive_full, cases[i].full);
    }
}

static void test_sockstat(void **state)
{
    static const struct {
        const char *text;
        double used, tcp, waiting, pages;
    } cases[] = {
        {"", NAN, NAN, NAN, NAN},
        {"sockets: used 28\nTCP: inuse 13 orphan 0 tw 2 alloc 13 mem 7\n", 28, 13, 2, 7},
        {"TCP: mem 7 tw 2 inuse 13\nsockets: used 28", 28, 13, 2, 7},
        {"sockets: used\nTCP: inuse\n", NAN, NAN, NAN, NAN},
        {"sockets: used -28\nTCP: inuse 13 tw -2 mem 7\n", NAN, 13, NAN, NAN},
        {"TCP: inuse 99999999999999999999999 tw 2\n", NAN, NAN, NAN, NAN},
        {"TCP: new 1 inuse 13 newer 2 tw 2\n", NAN, 13, 2, NAN},
        {"RAW: inuse 5\nTCPX: inuse 6\n", NAN, NAN, NAN, NAN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct collect_sockstat sockets;

        collect_sockstat_clear(&sockets);
        collect_sockstat_parse(cases[i].text, strlen(cases[i].text), &sockets);
        same(sockets.used, cases[i].used);
        same(sockets.tcp, cases[i].tcp);
        same(sockets.time_wait, cases[i].waiting);
        same(sockets.tcp_pages, cases[i].pages);
    }
}

static void test_softnet(void **state)
{
    static const struct {
        const char *text;
        double dropped, squeezed;
        size_t cores;
    } cases[] = {
        {"", NAN, NAN, 0},
        {"00000010 00000020 00000030\n", 32, 48, 1},
        {"1 ff a\n2 1 1\n", 256, 11, 2},
        {"ffffffff ffffffff ffffffff\n0 1 0\n", 4294967296.0, 4294967295.0, 2},
        {"1 2\n", NAN, NAN, 0},
        {"1 -2 3\n1 2 3\n", 2, 3, 1},
        {"1 0x2 3\n", NAN, NAN, 0},
        {"1 1ffffffff 3\n", NAN, NAN, 0},
        {"1 fffffffffffffffffffff 3\n", NAN, NAN, 0},
        {"cores drop squeeze\n\n1 2 3 garbage\n", 2, 3, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct collect_softnet net;

        collect_softnet_parse(cases[i].text, strlen(cases[i].text), &net);
        same(net.dropped, cases[i].dropped);
        same(net.squeezed, cases[i].squeezed);
        assert_int_equal(net.cores, cases[i].cores);
    }
}

/* A core with a history comes and goes: no leap of the sum. */
static void test_softnet_core_comes(void **state)
{
    static const struct {
        const char *text;
        double dropped;
    } ticks[] = {
        {"1 5 0\n", NAN},           {"1 8 0\n", 3},           {"1 9 0\n1 1000 0\n", NAN},
        {"1 9 0\n1 1004 0\n", NAN}, {"1 9 0\n1 1006 0\n", 2}, {"1 9 0\n", NAN},
        {"1 9 0\n", NAN},           {"1 a 0\n", 1},
    };
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_write(&tree, "/proc/net/softnet_stat", "%s", "1 5 0\n");
    machine_init(&machine, tree.root);
    machine_start(&machine, "softnet");
    for (size_t i = 0; i < sizeof ticks / sizeof *ticks; i++) {
        tree_write(&tree, "/proc/net/softnet_stat", "%s", ticks[i].text);
        machine_tick(&machine, 1);
        same(machine_value(&machine, "softnet_dropped"), ticks[i].dropped);
    }
    machine_release(&machine);
    tree_release(&tree);
}

static void test_file_handles(void **state)
{
    static const struct {
        const char *text;
        double used, percent;
    } cases[] = {
        {"", NAN, NAN},
        {"1024\t0\t4096\n", 1024, 25},
        {"1024\t24\t4000\n", 1000, 25}, /* Linux 2.4: free ones are counted, too */
        {"1024\t0\t9223372036854775807\n", 1024, 100 * 1024 / 9223372036854775807.0},
        {"1024\t0\t0\n", 1024, NAN},
        {"1024\t0\n", 1024, NAN},
        {"1024\n", NAN, NAN},
        {"5\t6\t7\n", NAN, NAN},
        {"5000\t0\t7\n", 5000, NAN}, /* only root may: no share of anything */
        {"-5\t0\t7\n", NAN, NAN},
        {"99999999999999999999999\t0\t7\n", NAN, NAN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct collect_file_handles files;

        collect_file_handles_parse(cases[i].text, strlen(cases[i].text), &files);
        same(files.used, cases[i].used);
        same(collect_limit_percent(files.used, files.limit), cases[i].percent);
    }
}

static void test_clock(void **state)
{
    struct collect_timex clock;
    struct timex nano = {.offset = -1500000, .status = STA_NANO | STA_PLL};
    struct timex micro = {.offset = 2500, .status = STA_PLL};
    struct timex lost = {.offset = 0, .status = STA_UNSYNC};
    /* The pulse signal of a receiver is gone, and the clock is right all the same. */
    struct timex pulse = {.offset = 0, .status = STA_PPSTIME | STA_NANO};

    (void)state;
    collect_timex_parse(TIME_OK, &nano, &clock);
    same(clock.offset_ms, -1.5);
    same(clock.synchronised, 1);
    collect_timex_parse(TIME_INS, &micro, &clock);
    same(clock.offset_ms, 2.5);
    same(clock.synchronised, 1);
    collect_timex_parse(TIME_ERROR, &lost, &clock);
    same(clock.synchronised, 0);
    collect_timex_parse(TIME_ERROR, &pulse, &clock);
    same(clock.synchronised, 1);
    collect_timex_parse(-1, &nano, &clock);
    same(clock.offset_ms, NAN);
    same(clock.synchronised, NAN);
}

/* ---- arrays ---- */

static void test_mdstat(void **state)
{
    static const struct {
        const char *text;
        size_t n;
        double missing, sync;
    } cases[] = {
        {"", 0, NAN, NAN},
        {"Personalities : [raid1]\nunused devices: <none>\n", 0, NAN, NAN},
        {"md0 : active raid1 sda1[0] sdb1[1]\n      100 blocks [2/2] [UU]\n", 1, 0, NAN},
        {"md0 : active raid1 sda1[0]\n      100 blocks super 1.2 [2/1] [U_]\n", 1, 1,
         NAN},
        {"md0 : active (auto-read-only) raid6 sda1[0] sdb1[1]\n"
         "      5 blocks super 1.2 level 6, 64k chunk, algorithm 2 [8/6] [UUUUUU__]\n"
         "      [=>....]  recovery =  8.5% (1/2) finish=17.0min speed=2K/sec\n",
         1, 2, 8.5},
        {"md0 : active raid1 sda1[0] sdb1[1]\n      1 blocks [2/2] [UU]\n"
         "      [==========>]  check =100.0% (1/1) finish=0.0min speed=1K/sec\n",
         1, 0, 100},
        {"md0 : active raid1 sda1[0] sdb1[1]\n      1 blocks [2/2] [UU]\n"
         "      resync=DELAYED\n",
         1, 0, NAN},
        /* Striped: there is nothing in brackets, one failed disk is one too many. */
        {"md0 : active raid0 sda1[0] sdb1[1]\n      1 blocks 512k chunks\n", 1, 0, NAN},
        {"md0 : broken raid0 sda1[0](F) sdb1[1]\n      1 blocks 512k chunks\n", 1, 2,
         NAN},
        {"md0 : inactive sda1[0](S) sdb1[1](S)\n      1 blocks super 1.2\n", 1, 2, NAN},
        {"md0 : inactive\n", 1, 1, NAN},
        /* A container of the firmware never runs by itself; its members do. */
        {"md0 : inactive sdb[1](S) sda[0](S)\n      1 blocks super external:imsm\n", 1, 0,
         NAN},
        {"md0 : active raid1 sda[1] sdb[0]\n"
         "      1 blocks super external:/md127/0 [2/1] [U_]\n",
         1, 1, NAN},
        {"md0 : active raid1 sda1[0]\n      1 blocks [1/2] [UU]\n", 1, 0, NAN},
        {"md0 : active raid1 sda1[0]\n      1 blocks [99999999999999999999/1]\n", 1, 0,
         NAN},
        {"md0 : active raid1\n      [=>]  recovery = 900.5% (1/2)\n", 1, 0, NAN},
        {"md0 : sleeping raid1 sda1[0]\n", 0, NAN, NAN},
        {"md0 active raid1 sda1[0]\n", 0, NAN, NAN},
        {"      [2/1] [U_]\n", 0, NAN, NAN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct collect_array array[COLLECT_ARRAYS_MAX];

        assert_int_equal(
            collect_mdstat_parse(cases[i].text, strlen(cases[i].text), array),
            cases[i].n);
        if (cases[i].n == 0)
            continue;
        assert_string_equal(array[0].name, "md0");
        same(array[0].missing, cases[i].missing);
        same(array[0].sync_percent, cases[i].sync);
    }
}

static void test_many_arrays(void **state)
{
    struct collect_array array[COLLECT_ARRAYS_MAX];
    char text[8192];
    int n = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        n += sprintf(text + n, "md%d : active raid1 sda1[0]\n  1 blocks [2/1] [U_]\n", i);
    assert_int_equal(collect_mdstat_parse(text, (size_t)n, array), 100);
    assert_string_equal(array[COLLECT_ARRAYS_MAX - 1].name, "md63");
}

static void test_array_recovers_and_goes(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_write(&tree, "/proc/mdstat", "md0 : active raid1 a[0]\n  1 blocks [2/1] [U_]\n");
    tree_write(&tree, "/proc/spl/kstat/zfs/tank/state", "SUSPENDED\n");
    tree_write(&tree, "/proc/spl/kstat/zfs/odd/state", "MELTED\n");
    machine_init(&machine, tree.root);
    machine_start(&machine, "raid");
    machine_tick(&machine, 1);
    same(machine_value(&machine, "raid_missing_disks{md0}"), 1);
    same(machine_value(&machine, "zfs_pool_fault{tank}"), 2);
    same(machine_value(&machine, "zfs_pool_fault{odd}"), NAN);
    tree_write(&tree, "/proc/mdstat", "md0 : active raid1 a[0]\n  1 blocks [2/2] [UU]\n");
    tree_write(&tree, "/proc/spl/kstat/zfs/tank/state", "ONLINE\n");
    machine_tick(&machine, 1);
    same(machine_value(&machine, "raid_missing_disks{md0}"), 0);
    same(machine_value(&machine, "zfs_pool_fault{tank}"), 0);
    tree_write(&tree, "/proc/mdstat", "unused devices: <none>\n");
    tree_remove(&tree, "/proc/spl/kstat/zfs/tank");
    machine_tick(&machine, 1);
    same(machine_value(&machine, "raid_missing_disks{md0}"), NAN);
    same(machine_value(&machine, "zfs_pool_fault{tank}"), NAN);
    assert_string_equal(machine_error(&machine, "raid"), "");
    machine_release(&machine);
    tree_release(&tree);
}

/* Arrays that come under ever new names; and more than there is room for. */
static void test_arrays_make_room(void **state)
{
    struct machine machine;
    struct tree tree;
    size_t n = 0;

    (void)state;
    tree_init(&tree);
    machine_init(&machine, tree.root);
    tree_write(&tree, "/proc/mdstat", "unused devices: <none>\n");
    machine_start(&machine, "raid");
    for (int i = 0; i < 200; i++) {
        tree_write(&tree, "/proc/mdstat",
                   "md_%d : active raid1 a[0]\n  1 blocks [2/1] [U_]\n", i);
        machine_tick(&machine, 300);
        if (i == 100)
            n = machine.schema.n;
    }
    assert_int_equal(machine.schema.n, n);
    same(machine_value(&machine, "raid_missing_disks{md_199}"), 1);
    assert_false(machine_has(&machine, "raid_missing_disks{md_0}"));
    /* A file that cannot be read takes nothing away. */
    tree_remove(&tree, "/proc/mdstat");
    tree_write(&tree, "/proc/mdstat/folder", "x");
    machine_tick(&machine, 1);
    same(machine_value(&machine, "raid_missing_disks{md_199}"), NAN);
    assert_string_not_equal(machine_error(&machine, "raid"), "");
    for (int i = 0; record_schema_has_room(&machine.schema) && i < RECORD_METRICS_MAX;
         i++) {
        static const struct record_metric row = {.name = "temperature",
                                                 .label_key = "sensor"};
        char label[24];

        snprintf(label, sizeof label, "filler %d", i);
        record_schema_add(&machine.schema, &row, label);
    }
    tree_remove(&tree, "/proc/mdstat");
    tree_write(&tree, "/proc/mdstat",
               "md_199 : active raid1 a[0]\n  1 blocks [2/2] [UU]\n"
               "new : active raid1 b[0]\n  1 blocks [2/1] [U_]\n");
    machine_tick(&machine, 1);
    same(machine_value(&machine, "raid_missing_disks{md_199}"), 0);
    assert_false(machine_has(&machine, "raid_missing_disks{new}"));
    assert_string_equal(machine_error(&machine, "raid"),
                        "1 arrays and pools have no metrics of their own: there are too "
                        "many");
    machine_release(&machine);
    tree_release(&tree);
}

/* ---- names ---- */

#define HEX_16 "0123456789abcdef"

static void test_unit_names(void **state)
{
    static const char *const same_name[] = {
        "nginx.service",    "user@1000.service", "getty@tty1.service",
        "deadbeef.service", "dm-event.service",  "systemd-udevd.service",
        "a1b2.service",     "-.slice",           "",
    };
    static const struct {
        const char *name, *kind;
    } cases[] = {
        {"session-12.scope", "session-*.scope"},
        {"run-r0123456789abcdef0123456789abcdef.scope", "run-*.scope"},
        {"run-4711.scope", "run-*.scope"},
        {"app-gnome-firefox-3021.scope", "app-gnome-firefox-*.scope"},
        {"docker-" HEX_16 HEX_16 HEX_16 HEX_16 ".scope", "docker-0123456789ab.scope"},
        {HEX_16 HEX_16 HEX_16 HEX_16, "0123456789ab"},
        {"job-123e4567-e89b-12d3-a456-426614174000.service", "job-*.service"},
    };
    char label[RECORD_LABEL_MAX], other[RECORD_LABEL_MAX], name[300];

    (void)state;
    for (size_t i = 0; i < sizeof same_name / sizeof *same_name; i++)
        assert_string_equal(collect_unit_kind(same_name[i], label), same_name[i]);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(collect_unit_kind(cases[i].name, label), cases[i].kind);
    /* Two long names that differ at their ends stay two. */
    memset(name, 'x', sizeof name);
    strcpy(name + 200, "-one.service");
    collect_unit_label(name, label);
    strcpy(name + 200, "-two.service");
    collect_unit_label(name, other);
    assert_string_not_equal(label, other);
    assert_true(strlen(label) < RECORD_LABEL_MAX);
    assert_non_null(strstr(label, "-one.service"));
    collect_unit_kind(name, label);
    assert_true(strlen(label) < RECORD_LABEL_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_netstat_finds_columns_by_name),
        cmocka_unit_test(test_netstat_of_ipv6),
        cmocka_unit_test(test_sockstat),
        cmocka_unit_test(test_softnet),
        cmocka_unit_test(test_softnet_core_comes),
        cmocka_unit_test(test_file_handles),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_mdstat),
        cmocka_unit_test(test_many_arrays),
        cmocka_unit_test(test_array_recovers_and_goes),
        cmocka_unit_test(test_arrays_make_room),
        cmocka_unit_test(test_unit_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
