/* Network links: each byte that enters or leaves the machine is counted once. Every
 * machine here is a list of links, what each receives in a second, and the total that is
 * right. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "tree.h"

enum { LINKS_MAX = 6, MIB = 1 << 20 };

struct link {
    const char *name;
    int mib;           /* received in the second */
    const char *files; /* of its folder in /sys/class/net, parted by blanks; NULL = it has
                          no folder. NAME=TEXT writes TEXT, '/' at the end of NAME is a
                          folder with something in it */
};

static const struct host {
    const char *what;
    struct link link[LINKS_MAX];
    double total;
} hosts[] = {
    {"two adapters", {{"eth0", 3, "device/"}, {"eth1", 4, "device/"}}, 7},
    {"a bond of adapters",
     {{"eno1", 3, "device/ master/"},
      {"eno2", 4, "device/ master/"},
      {"bond0", 7, "uevent=DEVTYPE=bond bonding/ lower_eno1/ lower_eno2/"}},
     7},
    {"a team of adapters, by its name",
     {{"eno1", 3, "device/ master/"}, {"team0", 3, "lower_eno1/"}},
     3},
    {"a virtual function behind a synthetic adapter",
     {{"eth0", 5, "device/ lower_enP1s1/"}, {"enP1s1", 5, "device/ master/"}},
     5},
    {"the same, where the link says where its master is",
     {{"eth0", 5, "device/"}, {"enP1s1", 5, "device/ master/device/"}},
     5},
    {"a pair made for failover",
     {{"ens3", 6, "device/ lower_ens3nsby/ lower_ens4/"},
      {"ens3nsby", 2, "device/ master/"},
      {"ens4", 4, "device/ master/"}},
     6},
    {"ports of a switch",
     {{"eth0", 9, "device/ uevent=INTERFACE=eth0"},
      {"lan1", 4, "device/ uevent=INTERFACE=lan1\nIFINDEX=3\nDEVTYPE=dsa"},
      {"lan2", 5, "device/ uevent=DEVTYPE=dsa\n"},
      {"br-lan", 9, "bridge/"}},
     9},
    {"VLANs on an adapter",
     {{"eth0", 9, "device/"}, {"eth0.100", 4, ""}, {"guests", 5, "uevent=DEVTYPE=vlan"}},
     9},
    {"macvlan, veth and tap beside an adapter",
     {{"eth0", 9, "device/"},
      {"mac0", 2, "uevent=DEVTYPE=macvlan"},
      {"veth12ab34c", 5, ""},
      {"tap3", 1, "tun_flags=0x1002"},
      {"office", 1, "tun_flags=0x1001"}},
     9},
    {"a radio that is listened to",
     {{"wlan0", 8, "device/ type=1"},
      {"scan", 30, "device/ type=803"},
      {"wlan0mon", 30, "type=803"}},
     8},
    {"representors of virtual functions",
     {{"ens1", 8, "device/ phys_port_name=p0"},
      {"eth5", 3, "device/ phys_port_name=pf0vf1"}},
     8},
    {"guests of a Xen host",
     {{"eth0", 8, "device/"}, {"vif1.0", 8, "device/"}, {"xenbr0", 8, "bridge/"}},
     8},
    {"a modem that the kernel knows",
     {{"eth0", 0, "device/"}, {"wwan0", 6, "uevent=DEVTYPE=wwan"}},
     6},
    {"a modem behind a serial line",
     {{"eth0", 1, "device/"}, {"ppp0", 6, "type=512"}},
     7},
    {"a line inside an adapter", {{"eth0", 7, "device/"}, {"ppp0", 6, "type=512"}}, 7},
    {"a line alone", {{"lo", 5, "type=772"}, {"ppp0", 6, "uevent=DEVTYPE=ppp"}}, 6},
    {"a container with /sys",
     {{"lo", 5, "type=772"}, {"eth0", 3, "type=1"}, {"tailscale0", 3, "tun_flags=1"}},
     3},
    {"a container without", {{"lo", 5, NULL}, {"eth0", 3, NULL}, {"wg0", 3, NULL}}, 3},
    {"VPNs of many makers",
     {{"eth0", 3, NULL},
      {"nordlynx", 1, NULL},
      {"zt7nnig26", 1, NULL},
      {"proton0", 1, NULL},
      {"utun3", 1, NULL},
      {"CloudflareWARP", 1, NULL}},
     3},
    {"bridges of many makers",
     {{"eth0", 3, NULL},
      {"vmbr0", 3, NULL},
      {"incusbr0", 2, NULL},
      {"br-8c1f00aa", 1, NULL},
      {"podman1", 1, NULL}},
     3},
    {"VLAN and macvlan in a container",
     {{"eth0", 3, NULL}, {"eth0.7", 3, NULL}, {"vlan12", 1, NULL}, {"macvlan0", 1, NULL}},
     3},
    {"only a tap (rootless container)", {{"lo", 9, NULL}, {"tap0", 2, NULL}}, 2},
    {"only a macvlan, and a VPN inside",
     {{"mv-eth0", 4, NULL}, {"wg0", 4, NULL}, {"lo", 1, NULL}},
     4},
    {"a bond in a container, and a VLAN on it",
     {{"bond0", 4, NULL}, {"bond0.5", 4, NULL}},
     4},
    {"a bond of adapters in a container",
     {{"eth0", 2, NULL}, {"eth1", 2, NULL}, {"bond0", 4, NULL}},
     4},
    {"names that only look like others'",
     {{"lowpan0", 1, NULL}, {"green0", 2, NULL}, {"vnetwork", 3, NULL}},
     6},
    {"nothing but what is inside", {{"lo", 5, NULL}, {"docker0", 2, NULL}}, 0},
};

static void write_files(const struct tree *tree, const char *link, const char *files)
{
    char words[256], path[128], *save = NULL;

    snprintf(path, sizeof path, "/sys/class/net/%s/mtu", link);
    tree_write(tree, path, "1500\n");
    snprintf(words, sizeof words, "%s", files);
    for (char *word = strtok_r(words, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');

        if (value != NULL)
            *value++ = '\0';
        snprintf(path, sizeof path, "/sys/class/net/%s/%s%s", link, word,
                 value == NULL ? "here" : "");
        tree_write(tree, path, "%s\n", value == NULL ? "" : value);
    }
}

static void write_host(const struct tree *tree, const struct host *host, int seconds)
{
    char text[2048];
    int n = sprintf(text, "a|b\nc|d\n");

    for (int i = 0; i < LINKS_MAX && host->link[i].name != NULL; i++) {
        const struct link *link = &host->link[i];

        n += sprintf(text + n, "%6s: %d 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n", link->name,
                     1000 + seconds * link->mib * MIB);
        if (link->files != NULL)
            write_files(tree, link->name, link->files);
    }
    tree_write(tree, "/proc/net/dev", "%s", text);
}

static void test_each_byte_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct machine machine;
        struct tree tree;
        double total;

        tree_init(&tree);
        write_host(&tree, &hosts[i], 0);
        machine_init(&machine, tree.root);
        machine_start(&machine, "net_dev");
        machine_tick(&machine, 1);
        for (int second = 1; second < 4; second++) {
            write_host(&tree, &hosts[i], second);
            machine_tick(&machine, 1);
            total = machine_value(&machine, "network_recv_mb");
            if (!(fabs(total - hosts[i].total) < 1e-9))
                fail_msg("%s, second %d: %g instead of %g", hosts[i].what, second, total,
                         hosts[i].total);
        }
        machine_release(&machine);
        tree_release(&tree);
    }
}

/* What the kernel lists runs inside, however much it counts. */
static void test_listed_lines_are_inside(void **state)
{
    static const struct host host = {
        "PPPoE", {{"eth0", 1, "device/"}, {"ppp0", 6, "type=512"}}, 1};
    static const struct {
        const char *path, *text;
    } sessions[] = {
        {"/proc/net/pppoe", "Id       Address              Device\n"
                            "0000A4A2 00:11:22:33:44:55    eth0\n"},
        {"/proc/net/pppol2tp",
         "PPPoL2TP driver info, V2.0\nTUNNEL name, user-data-ok session-count\n"
         " SESSION name, addr/port src-tid/sid dest-tid/sid state user-data-ok\n"
         "TUNNEL 'tunl 1', Y 1\n"},
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct machine machine;
        struct tree tree;

        tree_init(&tree);
        tree_write(&tree, sessions[i].path, "%s", sessions[i].text);
        write_host(&tree, &host, 0);
        machine_init(&machine, tree.root);
        machine_start(&machine, "net_dev");
        machine_tick(&machine, 1);
        write_host(&tree, &host, 1);
        machine_tick(&machine, 1);
        assert_double_equal(machine_value(&machine, "network_recv_mb"), 1, 1e-9);
        machine_release(&machine);
        tree_release(&tree);
    }
}

/* An adapter that counted on its own gets a master, and loses it again. */
static void test_master_comes_and_goes(void **state)
{
    static const struct host host = {
        "late", {{"eth0", 5, "device/"}, {"enP1s1", 5, "device/"}}, 0};
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    write_host(&tree, &host, 0);
    machine_init(&machine, tree.root);
    machine_start(&machine, "net_dev");
    machine_tick(&machine, 1);
    write_host(&tree, &host, 1);
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "network_recv_mb"), 10, 1e-9);
    tree_write(&tree, "/sys/class/net/enP1s1/master/device/x", "1\n");
    write_host(&tree, &host, 2);
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "network_recv_mb"), 5, 1e-9);
    tree_remove(&tree, "/sys/class/net/enP1s1/master");
    write_host(&tree, &host, 3);
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "network_recv_mb"), 10, 1e-9);
    machine_release(&machine);
    tree_release(&tree);
}

static void write_counter(const struct tree *tree, const char *bytes, const char *packets)
{
    tree_write(tree, "/proc/net/dev",
               "a|b\nc|d\neth0: %s %s 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n", bytes, packets);
}

/* One counter as it was and as it is; what that comes to, NaN for what nobody can know.
 */
static void test_steps(void **state)
{
    static const struct {
        const char *before, *after, *packets_before, *packets_after;
        double mib;
    } steps[] = {
        {"1048576", "3145728", "1", "2", 2},
        {"4289724416", "5242880", "1", "2", 10},     /* passed 2^32 */
        {"4294967295", "1048575", "1", "2", 1},      /* by a hair */
        {"4289724416", "5242880", "900", "2", NAN},  /* went back to zero */
        {"3000000000", "2000000000", "1", "2", NAN}, /* too far to be sure */
        {"1048576", "0", "1", "1", NAN},             /* cleared */
        {"9000000000", "1000", "1", "2", NAN},       /* was never 32 bits */
        {"1000", "18446744073709551000", "1", "2", NAN} /* a negative number */,
        {"1000", "-5", "1", "2", NAN},
        {"1000", "99999999999999999999999", "1", "2", NAN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct machine machine;
        struct tree tree;

        tree_init(&tree);
        tree_write(&tree, "/sys/class/net/eth0/device/vendor", "x\n");
        write_counter(&tree, steps[i].before, steps[i].packets_before);
        machine_init(&machine, tree.root);
        machine_start(&machine, "net_dev");
        machine_tick(&machine, 1);
        write_counter(&tree, steps[i].after, steps[i].packets_after);
        machine_tick(&machine, 1);
        assert_double_equal(machine_value(&machine, "network_recv_mb"), steps[i].mib,
                            1e-5);
        assert_double_equal(machine_value(&machine, "network_recv_mb{eth0}"),
                            steps[i].mib, 1e-5);
        /* What was not touched is known: the rest of the line stands. */
        assert_double_equal(machine_value(&machine, "network_sent_mb"), 0, 0);
        machine_release(&machine);
        tree_release(&tree);
    }
}

/* One of two that are summed is unknown: so is the sum, for that second. */
static void test_unknown_part_makes_unknown_sum(void **state)
{
    static const char *const line = "a|b\nc|d\neth0: %d 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
                                    "eth1: %d 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n";
    static const struct {
        int eth0, eth1;
        double total;
    } second[] = {
        {MIB, 5 * MIB, NAN}, {2 * MIB, 6 * MIB, 2}, {3 * MIB, 0, NAN}, {4 * MIB, MIB, 2}};
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    machine_init(&machine, tree.root);
    machine_start(&machine, "net_dev");
    for (size_t i = 0; i < sizeof second / sizeof *second; i++) {
        tree_write(&tree, "/proc/net/dev", line, second[i].eth0, second[i].eth1);
        machine_tick(&machine, 1);
        assert_double_equal(machine_value(&machine, "network_recv_mb"), second[i].total,
                            1e-9);
    }
    assert_double_equal(machine_value(&machine, "network_recv_mb{eth1}"), 1, 1e-9);
    machine_release(&machine);
    tree_release(&tree);
}

/* Months of containers and of networks made for them, then a new adapter: names that are
 * gone hold no room, and no metric takes another's place before its time. */
static void test_links_come_and_go_for_months(void **state)
{
    struct machine machine;
    struct tree tree;
    size_t eth0;

    (void)state;
    tree_init(&tree);
    tree_write(&tree, "/sys/class/net/eth0/device/vendor", "x\n");
    tree_write(&tree, "/sys/class/net/enx1/device/vendor", "x\n");
    machine_init(&machine, tree.root);
    machine_start(&machine, "net_dev");
    for (int i = 0; i < 3000; i++) {
        tree_write(&tree, "/proc/net/dev",
                   "a|b\nc|d\neth0: %d 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
                   "veth%06x: 9 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
                   "br-%06x: 9 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n",
                   i * 1024, i, i);
        machine_tick(&machine, 60);
    }
    eth0 = record_schema_find(&machine.schema, "network_recv_mb{eth0}");
    assert_true(machine.schema.n < 1500); /* two hours of them, not fifty */
    assert_int_equal(machine.schema.dropped, 0);
    assert_false(machine_has(&machine, "network_recv_mb{veth000bb7}"));
    assert_true(machine_has(&machine, "network_recv_mb{br-000bb7}"));
    assert_false(machine_has(&machine, "network_recv_mb{br-000001}"));
    tree_write(&tree, "/proc/net/dev",
               "a|b\nc|d\neth0: %d 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
               "enx1: 5 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n",
               3000 * 1024);
    machine_tick(&machine, 1);
    assert_true(machine_has(&machine, "network_recv_mb{enx1}"));
    assert_int_equal(record_schema_find(&machine.schema, "network_recv_mb{eth0}"), eth0);
    assert_string_equal(machine_error(&machine, "net_dev"), "");
    machine_release(&machine);
    tree_release(&tree);
}

/* Hundreds of links before the one that matters; what has no room is told. */
static void test_hundreds_of_links(void **state)
{
    struct machine machine;
    struct tree tree;
    char *text = malloc(1 << 18);

    (void)state;
    tree_init(&tree);
    tree_write(&tree, "/sys/class/net/eth0/device/vendor", "x\n");
    machine_init(&machine, tree.root);
    machine_start(&machine, "net_dev");
    for (int second = 0; second < 2; second++) {
        size_t n = (size_t)sprintf(text, "a|b\nc|d\n");

        for (int i = 0; i < 900; i++)
            n += (size_t)sprintf(text + n, "%s%d: 9 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n",
                                 i < 800 ? "veth" : "vlan", i);
        sprintf(text + n, "eth0: %d 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n", second * MIB);
        tree_write(&tree, "/proc/net/dev", "%s", text);
        machine_tick(&machine, 1);
    }
    assert_double_equal(machine_value(&machine, "network_recv_mb"), 1, 1e-9);
    assert_double_equal(machine_value(&machine, "network_recv_mb{eth0}"), 1, 1e-9);
    assert_non_null(strstr(machine_error(&machine, "net_dev"), "36 network links"));
    free(text);
    machine_release(&machine);
    tree_release(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_byte_once),
        cmocka_unit_test(test_listed_lines_are_inside),
        cmocka_unit_test(test_master_comes_and_goes),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_unknown_part_makes_unknown_sum),
        cmocka_unit_test(test_links_come_and_go_for_months),
        cmocka_unit_test(test_hundreds_of_links),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
