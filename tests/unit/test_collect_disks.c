/* Disks: what is made of others is counted where it is read, once. Every machine here is
 * a list of block devices, what is read from each in a second, and the right total. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "tree.h"

enum { DISKS_MAX = 7, SECTORS_OF_MIB = 2048 };

struct disk {
    const char *name;
    int mib;
    const char *files; /* of its folder in /sys/block, parted by blanks; NULL = none */
};

static const struct host {
    const char *what;
    bool sys; /* there is a /sys/block */
    struct disk disk[DISKS_MAX];
    double total;
} hosts[] = {
    {"disks and partitions",
     true,
     {{"sda", 3, "size"},
      {"sda1", 3, NULL},
      {"nvme0n1", 4, "size"},
      {"nvme0n1p2", 4, NULL}},
     7},
    {"the same in a container",
     false,
     {{"sda", 3, NULL}, {"sda1", 3, NULL}, {"nvme0n1", 4, NULL}, {"nvme0n1p2", 4, NULL}},
     7},
    {"LVM on RAID",
     true,
     {{"sda", 3, "size"},
      {"sdb", 3, "size"},
      {"md0", 6, "slaves/sda1 slaves/sdb1"},
      {"dm-0", 6, "slaves/md0"}},
     6},
    {"the same in a container",
     false,
     {{"sda", 3, NULL},
      {"sdb", 3, NULL},
      {"md127", 6, NULL},
      {"md127p1", 6, NULL},
      {"md_d0", 6, NULL},
      {"dm-12", 6, NULL},
      {"bcache0", 6, NULL}},
     6},
    {"paths of one NVMe device",
     true,
     {{"nvme0n1", 5, "hidden"},
      {"nvme0c0n1", 2, "hidden=1"},
      {"nvme0c33n1", 3, "hidden=1"}},
     5},
    {"the same without /sys", false, {{"nvme1n1", 5, NULL}, {"nvme1c4n1", 5, NULL}}, 5},
    {"a volume of a pool",
     true,
     {{"sda", 5, "size"}, {"zd0", 5, "size"}, {"zd0p1", 5, NULL}},
     5},
    {"DRBD, the kernel saying nothing",
     true,
     {{"vda", 5, "size"}, {"drbd1", 5, "size"}},
     5},
    {"several paths to one disk, by name",
     true,
     {{"sda", 1, "size"}, {"sdb", 1, "size"}, {"emcpowera", 2, "size"}},
     2},
    {"memory, files and drives without a medium",
     true,
     {{"loop3", 9, "size"},
      {"ram0", 9, "size"},
      {"zram1", 9, "size"},
      {"fd0", 9, "size"},
      {"sr0", 9, "size"},
      {"xvda", 1, "size"}},
     1},
    {"names that only begin like those",
     true,
     {{"rbd0", 1, "size"},
      {"nbd4", 2, "size"},
      {"dasda", 3, "size"},
      {"mmcblk0", 4, "size"}},
     10},
    {"a controller with folders in its names",
     true,
     {{"cciss/c0d0", 4, NULL}, {"cciss!c0d0", 0, "size"}},
     4},
    {"a container that is shown its volume alone", false, {{"dm-3", 4, NULL}}, 4},
    {"another, with /sys", true, {{"zd16", 4, "size"}, {"loop0", 9, "size"}}, 4},
};

static void write_files(const struct tree *tree, const char *disk, const char *files)
{
    char words[128], path[192], *save = NULL;

    snprintf(words, sizeof words, "%s", files);
    for (char *word = strtok_r(words, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');

        if (value != NULL)
            *value++ = '\0';
        snprintf(path, sizeof path, "/sys/block/%s/%s", disk, word);
        tree_write(tree, path, "%s\n", value == NULL ? "0" : value);
    }
}

static void write_host(const struct tree *tree, const struct host *host, int seconds)
{
    char text[1024];
    int n = 0;

    for (int i = 0; i < DISKS_MAX && host->disk[i].name != NULL; i++) {
        const struct disk *disk = &host->disk[i];

        if (strchr(disk->name, '!') == NULL)
            n += sprintf(text + n, "8 %d %s %d 0 %d 10 0 0 0 0 0 %d 0 0 0 0 0\n", i,
                         disk->name, 10 + seconds,
                         500 + seconds * disk->mib * SECTORS_OF_MIB, seconds);
        if (host->sys && disk->files != NULL)
            write_files(tree, disk->name, disk->files);
    }
    tree_write(tree, "/proc/diskstats", "%s", text);
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
        machine_start(&machine, "diskstats");
        machine_tick(&machine, 1);
        for (int second = 1; second < 3; second++) {
            write_host(&tree, &hosts[i], second);
            machine_tick(&machine, 1);
            total = machine_value(&machine, "disk_read_mb");
            if (!(fabs(total - hosts[i].total) < 1e-9))
                fail_msg("%s, second %d: %g instead of %g", hosts[i].what, second, total,
                         hosts[i].total);
        }
        machine_release(&machine);
        tree_release(&tree);
    }
}

/* A disk becomes part of a RAID, which then counts the same reads. */
static void test_slaves_come_later(void **state)
{
    static const struct host before = {
        "", true, {{"sda", 2, "size"}, {"sdx", 2, "size"}}, 4};
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    write_host(&tree, &before, 0);
    machine_init(&machine, tree.root);
    machine_start(&machine, "diskstats");
    machine_tick(&machine, 1);
    write_host(&tree, &before, 1);
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "disk_read_mb"), 4, 1e-9);
    tree_write(&tree, "/sys/block/sdx/slaves/sda", "x\n");
    write_host(&tree, &before, 2);
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "disk_read_mb"), 2, 1e-9);
    machine_release(&machine);
    tree_release(&tree);
}

/* One line as it was and as it is: a field that is of no use spoils nothing, one that is
 * makes that value alone unknown, and no share is above the whole. */
static void test_fields(void **state)
{
    static const struct {
        const char *before, *after;
        double read_mb, busy, latency;
    } lines[] = {
        {"100 0 0 0 0 0 0 0 0 0 0", "200 0 2048 300 0 0 0 0 0 500 0", 1, 50, 3},
        {"100 0 0 0 0 0 0 0 -3 0 0", "200 0 2048 300 0 0 0 0 -1 500 0", 1, 50, 3},
        {"100 -1 0 0 0 x 0 0 0 0 0", "200 -9 2048 300 0 y 0 0 0 500 0", 1, 50, 3},
        {"100 0 0 0 0 0 0 0 0 0 0", "200 0 2048 -300 0 0 0 0 0 500 0", 1, 50, NAN},
        {"100 0 0 0 0 0 0 0 0 0 0", "200 0 2048 300 0 0 0 0 0 1043 0", 1, 100, 3},
        {"100 0 0 0 0 0 0 0 0 9 0", "200 0 2048 300 0 0 0 0 0 4294967290 0", 1, 100, 3},
        {"100 0 0 0 0 0 0 0 0 9 0", "200 0 2048 300 0 0 0 0 0 7 0", 1, NAN, 3},
        {"100 0 4294966272 0 0 0 0 0 0 0 0", "200 0 1024 300 0 0 0 0 0 500 0", 1, 50, 3},
        {"100 0 4294966272 9 0 0 0 0 0 0 0", "20 0 1024 3 0 0 0 0 0 500 0", NAN, 50, NAN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct machine machine;
        struct tree tree;

        tree_init(&tree);
        tree_write(&tree, "/proc/diskstats", "8 0 sda %s\n", lines[i].before);
        machine_init(&machine, tree.root);
        machine_start(&machine, "diskstats");
        machine_tick(&machine, 1);
        tree_write(&tree, "/proc/diskstats", "8 0 sda %s\n", lines[i].after);
        machine_tick(&machine, 1);
        assert_double_equal(machine_value(&machine, "disk_read_mb{sda}"),
                            lines[i].read_mb, 1e-9);
        assert_double_equal(machine_value(&machine, "disk_read_mb"), lines[i].read_mb,
                            1e-9);
        assert_double_equal(machine_value(&machine, "disk_busy_percent{sda}"),
                            lines[i].busy, 1e-9);
        assert_double_equal(machine_value(&machine, "disk_latency_ms{sda}"),
                            lines[i].latency, 1e-9);
        machine_release(&machine);
        tree_release(&tree);
    }
}

/* More disks than can have metrics: all are summed, those that are used come first, and
 * what is left out is told. */
static void test_hundreds_of_disks(void **state)
{
    struct machine machine;
    struct tree tree;
    char *text = malloc(1 << 18);

    (void)state;
    tree_init(&tree);
    machine_init(&machine, tree.root);
    machine_start(&machine, "diskstats");
    for (int second = 0; second < 3; second++) {
        size_t n = 0;

        for (int i = 0; i < 700; i++)
            n += (size_t)sprintf(text + n, "8 %d sd%c%c%c %d 0 %d 0 0 0 0 0 0 0 0\n", i,
                                 'a' + i / 676, 'a' + i / 26 % 26, 'a' + i % 26,
                                 i > 660 ? second : 0,
                                 i > 660 ? second * SECTORS_OF_MIB : 0);
        tree_write(&tree, "/proc/diskstats", "%s", text);
        machine_tick(&machine, 1);
    }
    assert_double_equal(machine_value(&machine, "disk_read_mb"), 39, 1e-9);
    assert_true(machine_has(&machine, "disk_read_mb{sdbax}"));
    assert_double_equal(machine_value(&machine, "disk_read_mb{sdbax}"), 1, 1e-9);
    assert_non_null(strstr(machine_error(&machine, "diskstats"), "533 disks"));
    free(text);
    machine_release(&machine);
    tree_release(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_byte_once),
        cmocka_unit_test(test_slaves_come_later),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_hundreds_of_disks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
