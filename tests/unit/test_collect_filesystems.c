/* File systems, and a mount that does not answer. statvfs(2) of this program goes through
 * __wrap_statvfs, which waits as long as the test wants for a path that holds "hung". */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "machine.h"
#include "tree.h"

int __wrap_statvfs(const char *path, struct statvfs *info);

static pthread_mutex_t server = PTHREAD_MUTEX_INITIALIZER; /* held = it is gone */
static atomic_int asked, hanging;

int __wrap_statvfs(const char *path, struct statvfs *info)
{
    atomic_fetch_add(&asked, 1);
    if (strstr(path, "hung") != NULL) {
        atomic_fetch_add(&hanging, 1);
        pthread_mutex_lock(&server);
        pthread_mutex_unlock(&server);
        atomic_fetch_sub(&hanging, 1);
    }
    *info = (struct statvfs){.f_frsize = 4096,
                             .f_blocks = 1000,
                             .f_bfree = 300,
                             .f_bavail = 200,
                             .f_files = 100,
                             .f_ffree = 90};
    return 0;
}

/* Until `flag` is `value`; ends the test after ten seconds. */
static void wait_for(const atomic_int *flag, int value)
{
    struct timespec pause = {0, 1000000};

    for (int i = 0; i < 10000 && atomic_load(flag) != value; i++)
        nanosleep(&pause, NULL);
    assert_int_equal(atomic_load(flag), value);
}

/* Ticks until the metric is a number (or is none, for `number` = false). */
static void tick_until(struct machine *machine, const char *name, bool number)
{
    struct timespec pause = {0, 1000000};

    for (int i = 0; i < 10000; i++) {
        machine_tick(machine, 0.1);
        if (isnan(machine_value(machine, name)) != number)
            return;
        nanosleep(&pause, NULL);
    }
    fail_msg("%s did not become %s", name, number ? "a number" : "NaN");
}

static void test_percentages(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_write(&tree, "/proc/mounts", "/dev/a / ext4 rw 0 0\n");
    machine_init(&machine, tree.root);
    machine_start(&machine, "filesystems");
    machine_tick(&machine, 1);
    /* 700 used; 200 are left to programs, 100 to root alone. */
    assert_double_equal(machine_value(&machine, "filesystem_percent{/}"), 700.0 / 9,
                        1e-9);
    assert_double_equal(machine_value(&machine, "filesystem_free_gb{/}"),
                        200.0 * 4096 / (1 << 30), 1e-12);
    assert_double_equal(machine_value(&machine, "filesystem_inodes_percent{/}"), 10,
                        1e-9);
    /* Unmounted: absent, then back. */
    tree_write(&tree, "/proc/mounts", "/dev/b /b ext4 rw 0 0\n");
    machine_tick(&machine, 6);
    assert_double_equal(machine_value(&machine, "filesystem_percent{/}"), NAN, 0);
    assert_double_equal(machine_value(&machine, "filesystem_percent{/b}"), 700.0 / 9,
                        1e-9);
    tree_write(&tree, "/proc/mounts", "/dev/a / ext4 rw 0 0\n");
    machine_tick(&machine, 6);
    assert_double_equal(machine_value(&machine, "filesystem_percent{/}"), 700.0 / 9,
                        1e-9);
    machine_release(&machine);
    tree_release(&tree);
}

static void test_hung_mount(void **state)
{
    struct machine machine;
    struct tree tree;
    struct timespec before, after;

    (void)state;
    tree_init(&tree);
    tree_write(&tree, "/proc/mounts",
               "/dev/a / ext4 rw 0 0\nserver:/x /hung nfs4 rw 0 0\n"
               "/dev/b /b ext4 rw 0 0\n");
    machine_init(&machine, tree.root);
    machine.config.threads = true;
    machine_start(&machine, "filesystems");
    tick_until(&machine, "filesystem_percent{/hung}", true);

    pthread_mutex_lock(&server);
    machine_tick(&machine, 6);
    wait_for(&hanging, 1);
    clock_gettime(CLOCK_MONOTONIC, &before);
    tick_until(&machine, "filesystem_percent{/hung}", false);
    assert_non_null(strstr(machine_error(&machine, "filesystems"), "/hung"));
    /* The others are read on by another worker, again and again. */
    for (int i = 0; i < 3; i++) {
        int calls = atomic_load(&asked);

        machine_tick(&machine, 6);
        wait_for(&asked, calls + 2);
        tick_until(&machine, "filesystem_percent{/b}", true);
        assert_double_equal(machine_value(&machine, "filesystem_percent{/hung}"), NAN, 0);
    }
    assert_int_equal(atomic_load(&hanging), 1);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(after.tv_sec - before.tv_sec < 30);

    /* The server is back: so is its mount. */
    pthread_mutex_unlock(&server);
    wait_for(&hanging, 0);
    machine_tick(&machine, 6);
    tick_until(&machine, "filesystem_percent{/hung}", true);
    machine_tick(&machine, 0.1);
    assert_string_equal(machine_error(&machine, "filesystems"), "");
    machine_release(&machine);
    tree_release(&tree);
}

/* The set is freed while a mount hangs: nothing waits, and the lost thread cleans up. */
static void test_free_while_hung(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_write(&tree, "/proc/mounts", "server:/x /hung nfs4 rw 0 0\n");
    machine_init(&machine, tree.root);
    machine.config.threads = true;
    machine_start(&machine, "filesystems");
    pthread_mutex_lock(&server);
    machine_tick(&machine, 1);
    wait_for(&hanging, 1);
    machine_release(&machine);
    assert_int_equal(atomic_load(&hanging), 1);
    tree_release(&tree);
    pthread_mutex_unlock(&server);
    wait_for(&hanging, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_percentages),
        cmocka_unit_test(test_hung_mount),
        cmocka_unit_test(test_free_while_hung),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
