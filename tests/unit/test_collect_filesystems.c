/* File systems, and a mount that does not answer. statvfs(2) of this program goes through
 * __wrap_statvfs, which waits as long as the test wants for a path that holds "hung",
 * fails for "stale" and "absent", and says how full "full-NN" is. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
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
    if (strstr(path, "stale") != NULL || strstr(path, "absent") != NULL) {
        errno = strstr(path, "stale") != NULL ? ESTALE : ENOENT;
        return -1;
    }
    *info = (struct statvfs){.f_frsize = 4096,
                             .f_blocks = 1000,
                             .f_bfree = 300,
                             .f_bavail = 200,
                             .f_files = 100,
                             .f_ffree = 90};
    if (strstr(path, "full-") != NULL)
        info->f_bfree = info->f_bavail =
            1000 - 10 * strtoul(strstr(path, "full-") + strlen("full-"), NULL, 10);
    if (strstr(path, "endless") != NULL)
        info->f_blocks = info->f_bfree = info->f_bavail = UINT64_MAX / 4096;
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

/* A list of mounts, and those that are shown of it, parted by blanks. */
static void test_each_disk_once(void **state)
{
    static const struct {
        const char *mounts, *shown, *not_shown;
    } hosts[] = {
        {"/dev/a / ext4 rw 0 0\n/dev/a /srv ext4 rw 0 0\n/dev/b /home xfs rw 0 0\n",
         "/ /home", "/srv"},
        {"/dev/a /srv ext4 rw 0 0\n/dev/a / ext4 rw 0 0\n", "/", "/srv"},
        {"/dev/a / btrfs rw 0 0\n/dev/a /home btrfs rw 0 0\n", "/", "/home"},
        {"/dev/loop0 / ext4 rw 0 0\n/dev/loop1 /snap/x squashfs ro 0 0\n"
         "/dev/loop2 /mnt/iso ext4 ro 0 0\n/dev/loop3 /mnt/disk ext4 rw,noatime 0 0\n",
         "/ /mnt/disk", "/snap/x /mnt/iso"},
        {"ubi0:rootfs / ubifs rw 0 0\nubi0:data /data ubifs rw 0 0\n"
         "/dev/mtdblock3 /etc/keep jffs2 rw 0 0\nmtd5 /var jffs2 rw 0 0\n",
         "/ /data /etc/keep /var", ""},
        {"fuse-overlayfs / fuse.fuse-overlayfs rw 0 0\n"
         "fuse-overlayfs /run/merged fuse.fuse-overlayfs rw 0 0\n",
         "/", "/run/merged"},
        {"none / aufs rw 0 0\n", "/", ""},
        {"kataShared / virtiofs rw 0 0\n", "/", ""},
        {"tmpfs / tmpfs rw 0 0\nrootfs / rootfs rw 0 0\n", "", "/"},
        {"h:/vol /g fuse.glusterfs rw 0 0\nceph-fuse /c fuse.ceph-fuse rw 0 0\n"
         "ceph-fuse /d fuse.ceph-fuse rw 0 0\n1:2 /p fuse.mergerfs rw 0 0\n"
         "u@h:/x /s fuse.sshfs rw 0 0\ns3fs /b fuse.s3fs rw 0 0\n"
         "gdrive: /r fuse.rclone rw 0 0\nJuiceFS:v /j fuse.juicefs rw 0 0\n",
         "/g /c /d /p /s /b /r /j", ""},
        {"gvfsd-fuse /run/user/1/gvfs fuse.gvfsd-fuse rw 0 0\n"
         "portal /run/user/1/doc fuse.portal rw 0 0\n"
         "lxcfs /var/lib/lxcfs fuse.lxcfs rw 0 0\nfusectl /x fusectl rw 0 0\n"
         "x.AppImage /tmp/.m fuse.x.AppImage ro 0 0\n",
         "", "/run/user/1/gvfs /run/user/1/doc /var/lib/lxcfs /x /tmp/.m"},
        {"h:/a /a nfs4 rw 0 0\nh:/a /again nfs4 rw 0 0\n//h/s /s cifs rw 0 0\n"
         "h:/b /b nfs rw 0 0\n",
         "/a /s /b", "/again"},
        /* Mounted over: the last counts, and hides what is below it. */
        {"/dev/a /mnt/full-10 ext4 rw 0 0\n/dev/b /mnt/full-10 ext4 rw 0 0\n"
         "/dev/c /srv/x ext4 rw 0 0\ntmpfs /srv tmpfs rw 0 0\n"
         "/dev/d /srv2 ext4 rw 0 0\n",
         "/mnt/full-10 /srv2", "/srv/x"},
        {"systemd-1 /boot autofs rw 0 0\n/dev/a /boot vfat rw 0 0\n"
         "systemd-1 /boot autofs rw 0 0\n",
         "/boot", ""},
        {"/dev/b /run/early ext4 rw 0 0\n/dev/a / ext4 rw 0 0\n", "/ /run/early", ""},
        {"rpool/d/1 /var/lib/docker/zfs/graph/1 zfs rw 0 0\nrpool/data /data zfs rw 0 "
         "0\n",
         "/data", "/var/lib/docker/zfs/graph/1"},
        {"x: /endless fuse.rclone rw 0 0\n/dev/a /absent ext4 rw 0 0\n", "",
         "/endless /absent"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        const char *const lists[] = {hosts[i].shown, hosts[i].not_shown};
        struct machine machine;
        struct tree tree;

        tree_init(&tree);
        tree_write(&tree, "/proc/mounts", "%s", hosts[i].mounts);
        machine_init(&machine, tree.root);
        machine_start(&machine, "filesystems");
        machine_tick(&machine, 1);
        for (int k = 0; k < 2; k++) {
            char words[256], name[320], *save = NULL;

            snprintf(words, sizeof words, "%s", lists[k]);
            for (char *word = strtok_r(words, " ", &save); word != NULL;
                 word = strtok_r(NULL, " ", &save)) {
                snprintf(name, sizeof name, "filesystem_percent{%s}", word);
                if (machine_has(&machine, name) != (k == 0))
                    fail_msg("host %zu: %s %s", i, word, k == 0 ? "missing" : "shown");
            }
        }
        machine_release(&machine);
        tree_release(&tree);
    }
}

static void test_single_files_are_no_volumes(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_write(&tree, "/etc/hosts", "127.0.0.1 localhost\n");
    tree_write(&tree, "/etc/prometheus/rules", "x\n");
    tree_write(&tree, "/proc/mounts",
               "overlay / overlay rw 0 0\n/dev/sda1 /etc/hosts ext4 rw 0 0\n"
               "/dev/sda1 /etc/prometheus ext4 rw 0 0\n");
    machine_init(&machine, tree.root);
    machine_start(&machine, "filesystems");
    machine_tick(&machine, 1);
    assert_true(machine_has(&machine, "filesystem_percent{/}"));
    assert_true(machine_has(&machine, "filesystem_percent{/etc/prometheus}"));
    assert_false(machine_has(&machine, "filesystem_percent{/etc/hosts}"));
    machine_release(&machine);
    tree_release(&tree);
}

/* More than have room: the fullest, and it is told. */
static void test_the_fullest_are_kept(void **state)
{
    struct machine machine;
    struct tree tree;
    char text[8192];
    int n = 0;

    (void)state;
    for (int i = 0; i < 80; i++)
        n += sprintf(text + n, "/dev/d%d /d%d-full-%d ext4 rw 0 0\n", i, i, i);
    tree_init(&tree);
    tree_write(&tree, "/proc/mounts",
               "%s/dev/r / ext4 rw 0 0\n"
               "/dev/r2 /full-1 ext4 rw 0 0\n",
               text);
    machine_init(&machine, tree.root);
    machine_start(&machine, "filesystems");
    machine_tick(&machine, 1);
    machine_tick(&machine, 6);
    assert_double_equal(machine_value(&machine, "filesystem_percent{/d79-full-79}"), 79,
                        1e-9);
    assert_double_equal(machine_value(&machine, "filesystem_percent{/d60-full-60}"), 60,
                        1e-9);
    assert_true(machine_value(&machine, "filesystem_percent{/}") > 70);
    assert_true(isnan(machine_value(&machine, "filesystem_percent{/d3-full-3}")));
    assert_non_null(strstr(machine_error(&machine, "filesystems"), "18 file systems"));
    machine_release(&machine);
    tree_release(&tree);
}

/* One that is there and gives an error is named, and the others go on. */
static void test_broken_mount_is_told(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_write(&tree, "/proc/mounts", "h:/x /stale nfs4 rw 0 0\n/dev/a / ext4 rw 0 0\n");
    machine_init(&machine, tree.root);
    machine_start(&machine, "filesystems");
    machine_tick(&machine, 1);
    assert_non_null(strstr(machine_error(&machine, "filesystems"), "/stale: Stale"));
    assert_false(isnan(machine_value(&machine, "filesystem_percent{/}")));
    tree_write(&tree, "/proc/mounts", "/dev/a / ext4 rw 0 0\n");
    machine_tick(&machine, 6);
    assert_string_equal(machine_error(&machine, "filesystems"), "");
    machine_release(&machine);
    tree_release(&tree);
}

/* Dozens of mounts of one dead server cost one worker, and the rest is read. */
static void test_dead_server_with_many_mounts(void **state)
{
    struct machine machine;
    struct tree tree;
    char text[4096];
    int n = 0;

    (void)state;
    for (int i = 0; i < 40; i++)
        n += sprintf(text + n, "nas:/%d /hung%d nfs4 rw 0 0\n", i, i);
    tree_init(&tree);
    tree_write(&tree, "/proc/mounts", "%s/dev/a /a ext4 rw 0 0\n", text);
    machine_init(&machine, tree.root);
    machine.config.threads = true;
    machine_start(&machine, "filesystems");
    pthread_mutex_lock(&server);
    machine_tick(&machine, 1);
    wait_for(&hanging, 1);
    tick_until(&machine, "filesystem_percent{/a}", true);
    assert_int_equal(atomic_load(&hanging), 1);
    assert_non_null(strstr(machine_error(&machine, "filesystems"), "/hung0"));
    pthread_mutex_unlock(&server);
    wait_for(&hanging, 0);
    tick_until(&machine, "filesystem_percent{/hung39}", true);
    machine_release(&machine);
    tree_release(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_percentages),
        cmocka_unit_test(test_hung_mount),
        cmocka_unit_test(test_free_while_hung),
        cmocka_unit_test(test_each_disk_once),
        cmocka_unit_test(test_single_files_are_no_volumes),
        cmocka_unit_test(test_the_fullest_are_kept),
        cmocka_unit_test(test_broken_mount_is_told),
        cmocka_unit_test(test_dead_server_with_many_mounts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
