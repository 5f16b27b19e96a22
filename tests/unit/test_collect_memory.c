/* What programs can still have: from the kernel's word, from an estimate where that is
 * missing or cannot be, with ZFS, and in containers that show their host's numbers. */
#include "unit.h"

#include <stdio.h>

#include "machine.h"
#include "tree.h"

/* In MiB; below 0 = no such line. */
struct memory_case {
    const char *name;
    long total, free, available, buffers, cached, reclaimable, shared;
    double right; /* available */
};

static const struct memory_case cases[] = {
    {"the kernel says", 16000, 1000, 4000, 200, 3000, 200, 100, 4000},
    {"less than what is free", 16000, 1000, 900, 0, 50, 0, 0, 900},
    {"an old kernel", 16000, 1000, -1, 200, 3000, 200, 100, 4300},
    {"an old kernel without Shmem", 16000, 1000, -1, 200, 3000, -1, -1, 4200},
    {"only free pages are known", 16000, 1000, -1, -1, -1, -1, -1, 1000},
    {"shared memory beyond the caches", 16000, 1000, -1, 0, 10, 0, 4000, 1000},
    {"shared memory fills the caches", 16000, 1000, -1, 70, 900, 30, 900, 1100},
    {"more than there is", 1000, 900, 1200, 0, 50, 20, 30, 940},
    {"caches of the host", 1000, 900, 1200, 0, 50, 90, 30, 900},
    {"free pages given as available", 4096, 5, 5, 0, 3000, 0, 1, 3004},
    {"a kernel with nothing to drop", 16000, 1000, 1000, 200, 3072, 0, 0, 1000},
    {"the same with no caches", 4096, 2000, 2000, 0, 0, 0, 0, 2000},
    {"free above the total", 4096, 5000, -1, 0, 100, 0, 0, NAN},
    {"nothing but the total", 4096, -1, -1, 100, 100, 0, 0, NAN},
};

enum { CASES = sizeof cases / sizeof *cases };

static void write_line(char *text, int *n, const char *name, long mib)
{
    if (mib >= 0)
        *n += sprintf(text + *n, "%s: %ld kB\n", name, mib * 1024);
}

static void write_case(const struct tree *tree, const struct memory_case *of)
{
    char text[1024];
    int n = 0;

    write_line(text, &n, "MemTotal", of->total);
    write_line(text, &n, "MemFree", of->free);
    write_line(text, &n, "MemAvailable", of->available);
    write_line(text, &n, "Buffers", of->buffers);
    write_line(text, &n, "Cached", of->cached);
    write_line(text, &n, "SReclaimable", of->reclaimable);
    write_line(text, &n, "Shmem", of->shared);
    tree_write(tree, "/proc/meminfo", "%s", text);
}

static void expect(const struct machine *machine, const char *which, const char *name,
                   double right)
{
    double value = machine_value(machine, name);

    if (isnan(right) ? !isnan(value) : !(fabs(value - right) < 1e-6))
        fail_msg("%s: %s = %g, not %g", which, name, value, right);
}

static void expect_available(const struct machine *machine, const struct memory_case *of,
                             double mib)
{
    expect(machine, of->name, "memory_available_gb", mib / 1024);
    expect(machine, of->name, "cpu_memory", 100 * (1 - mib / (double)of->total));
}

static void test_available(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    machine_init(&machine, tree.root);
    machine_start(&machine, "meminfo");
    for (int i = 0; i < CASES; i++) {
        write_case(&tree, &cases[i]);
        machine_tick(&machine, 1);
        expect_available(&machine, &cases[i], cases[i].right);
    }
    machine_release(&machine);
    tree_release(&tree);
}

/* Numbers below zero that were written as unsigned, whole or divided by 1024, and parts
 * larger than the whole. */
static void test_numbers_of_no_machine(void **state)
{
    static const char *const numbers[] = {"18446744073709551600", "18014398509481000",
                                          "18446744073709551616", "-5",
                                          "4503599627370496"};
    static const char *const lines[][3] = {
        {"MemAvailable", NULL, ""},
        {"Committed_AS", "memory_committed_gb", ""},
        {"Cached", "memory_cached_gb", ""},
        {"Dirty", "memory_dirty_mb", ""},
        {"Writeback", "memory_writeback_mb", ""},
        {"Slab", "memory_slab_mb", ""},
        {"AnonPages", "memory_anonymous_gb", ""},
        {"SwapFree", "swap_used_gb", "SwapTotal: 900 kB\n"},
        {"SwapTotal", "swap_percent", "SwapFree: 300 kB\n"}};
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    machine_init(&machine, tree.root);
    machine_start(&machine, "meminfo");
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) {
            tree_write(&tree, "/proc/meminfo",
                       "%s: %s kB\nMemTotal: 4096000 kB\nMemFree: 1024000 kB\n%s",
                       lines[k][0], numbers[i], lines[k][2]);
            machine_tick(&machine, 1);
            expect(&machine, lines[k][0], "cpu_memory", 75);
            if (lines[k][1] != NULL)
                expect(&machine, lines[k][0], lines[k][1], NAN);
        }
    machine_release(&machine);
    tree_release(&tree);
}

static const struct memory_case with_zfs = {"zfs", 32768, 8192, 9216, 0,
                                            1024,  200,   100,  9216};

static void write_arc(const struct tree *tree, long long size_mib, long long min_mib)
{
    tree_write(tree, "/proc/spl/kstat/zfs/arcstats",
               "13 1 0x01 123 33456 1 2\nname type data\nhits 4 100\nc 4 1\n"
               "c_min                           4    %lld\nc_max 4 9\n"
               "size                            4    %lld\n",
               min_mib << 20, size_mib << 20);
}

static void test_zfs(void **state)
{
    static const struct {
        long long size, min;
        double more; /* in MiB */
    } arc[] = {
        {10240, 512, 9728}, {512, 512, 0}, {100, 512, 0},
        {23552, 0, 23552},  {23553, 0, 0}, /* larger than what is not available */
    };
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    write_case(&tree, &with_zfs);
    machine_init(&machine, tree.root);
    machine_start(&machine, "meminfo");
    machine_tick(&machine, 1);
    expect_available(&machine, &with_zfs, 9216);
    for (size_t i = 0; i < sizeof arc / sizeof *arc; i++) {
        write_arc(&tree, arc[i].size, arc[i].min);
        machine_tick(&machine, 1);
        expect_available(&machine, &with_zfs, 9216 + arc[i].more);
    }
    tree_write(&tree, "/proc/spl/kstat/zfs/arcstats", "nothing\nsize 4 9999999\n");
    machine_tick(&machine, 1);
    expect_available(&machine, &with_zfs, 9216);
    machine_release(&machine);
    tree_release(&tree);
}

/* An LXC container sees its own memory and the ARC of its host. */
static void test_zfs_of_the_host(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    write_case(&tree, &with_zfs);
    write_arc(&tree, 10240, 512);
    tree_write(&tree, "/proc/mounts",
               "rpool/data / zfs rw 0 0\nlxcfs /proc/cpuinfo fuse.lxcfs rw 0 0\n"
               "lxcfs /proc/meminfo fuse.lxcfs rw,nosuid 0 0\n");
    machine_init(&machine, tree.root);
    machine_start(&machine, "meminfo");
    for (int i = 0; i < 3; i++) {
        machine_tick(&machine, 1);
        expect_available(&machine, &with_zfs, 9216);
    }
    machine_release(&machine);
    tree_release(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_available),
        cmocka_unit_test(test_numbers_of_no_machine),
        cmocka_unit_test(test_zfs),
        cmocka_unit_test(test_zfs_of_the_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
