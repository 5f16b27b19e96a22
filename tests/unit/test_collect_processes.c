#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "collect/hidden.h"
#include "collect/process_list.h"
#include "collect/process_stat.h"
#include "collect/process_table.h"
#include "machine.h"
#include "tree.h"

#define TAIL                                                                             \
    " S 1 2 3 0 -1 4194304 9 0 6 0 30 12 0 0 20 0 5 0 777 4096 2560 "                    \
    "18446744073709551615"

static bool parse(const char *text, struct collect_process_stat *stat)
{
    return collect_process_stat_parse(text, strlen(text), stat);
}

static void test_stat_names(void **state)
{
    static const struct {
        const char *text, *comm;
    } lines[] = {
        {"7 (sh)" TAIL, "sh"},
        {"7 (two words)" TAIL, "two words"},
        {"7 (a) R 1 (b)" TAIL, "a) R 1 (b"},
        {"7 (()" TAIL, "("},
        {"7 ())" TAIL, ")"},
        {"7 ()" TAIL, ""},
        {"7 (two\nlines\t)" TAIL, "two\nlines\t"},
        {"7 (\xff\xfe\x01)" TAIL, "\xff\xfe\x01"},
        {"7 "
         "(1234567890123456789012345678901234567890123456789012345678901234567890)" TAIL,
         "123456789012345678901234567890123456789012345678901234567890123"},
    };
    struct collect_process_stat stat;

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_true(parse(lines[i].text, &stat));
        assert_string_equal(stat.comm, lines[i].comm);
        assert_int_equal(stat.pid, 7);
        assert_int_equal(stat.state, 'S');
        assert_int_equal(stat.parent, 1);
        assert_int_equal(stat.cpu_ticks, 42);
        assert_int_equal(stat.major_faults, 6);
        assert_int_equal(stat.threads, 5);
        assert_int_equal(stat.start_ticks, 777);
        assert_int_equal(stat.rss_pages, 2560);
        assert_int_equal(stat.minor_faults, 9);
        assert_int_equal(stat.user_ticks, 30);
        assert_int_equal(stat.system_ticks, 12);
        assert_int_equal(stat.vsize, 4096);
        assert_false(stat.kernel_thread);
    }
}

static void test_stat_faults(void **state)
{
    static const char *const bad[] = {"",
                                      "7",
                                      "7 (sh",
                                      "7 sh) S 1",
                                      "7 (sh)",
                                      "7 (sh) S",
                                      "(sh) S",
                                      "-7 (sh)" TAIL,
                                      "7 (sh) S 1 2 3",
                                      ")(",
                                      "99999999999 (sh)" TAIL};
    struct collect_process_stat stat;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (parse(bad[i], &stat))
            fail_msg("parsed: %s", bad[i]);
}

static void test_command(void **state)
{
    char command[16];

    (void)state;
    collect_process_command("sh\0-c\0x\0", 8, command, sizeof command);
    assert_string_equal(command, "sh -c x");
    collect_process_command("", 0, command, sizeof command);
    assert_string_equal(command, "");
    collect_process_command("\0\0\0", 3, command, sizeof command);
    assert_string_equal(command, "");
    collect_process_command("12345678901234567890", 20, command, sizeof command);
    assert_string_equal(command, "123456789012345");
}

static void test_io_and_pss(void **state)
{
    const struct collect_config nowhere = {.root = "/nowhere"}, here = {.root = ""};
    static const char io[] = "rchar: 1\nread_bytes: 22\nwrite_bytes: 33\n"
                             "cancelled_write_bytes: 44\n";
    static const char rollup[] = "55d0-7ffd ---p 0 00:00 0 [rollup]\nRss: 11640 kB\n"
                                 "Pss: 9278 kB\nPss_Anon: 1 kB\n";
    struct collect_process_io parsed;

    (void)state;
    collect_process_io_parse(io, sizeof io - 1, &parsed);
    assert_double_equal(parsed.read_bytes, 22, 0);
    assert_double_equal(parsed.written_bytes, 33, 0);
    collect_process_io_parse("read_bytes: -1\n", 15, &parsed);
    assert_double_equal(parsed.read_bytes, NAN, 0);
    assert_double_equal(collect_process_pss_parse(rollup, sizeof rollup - 1),
                        9278 * 1024.0, 0);
    assert_double_equal(collect_process_pss_parse("Pss: x\n", 7), NAN, 0);
    assert_double_equal(collect_process_swap_parse("VmSwap:\t 8 kB\n", 14), 8192, 0);
    assert_double_equal(collect_process_swap_parse("VmSwapped: 8 kB\n", 16), NAN, 0);
    assert_double_equal(collect_process_swap_parse("", 0), NAN, 0);
    assert_double_equal(collect_process_pss(&nowhere, 1), NAN, 0);
    assert_true(collect_process_pss(&here, getpid()) > 100000);
}

/* ---- the table ---- */

static void expect_pids(const struct collect_process_table *table, const int *pid,
                        size_t n)
{
    assert_int_equal(table->n, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(table->own[i].pid, pid[i]);
        assert_int_equal(table->record[i].pid, pid[i]);
    }
}

static void test_table_update(void **state)
{
    const int first[] = {3, 5, 9}, second[] = {1, 5, 7, 9, 12}, none[] = {0};
    const int third[] = {1, 5, 7, 8, 9, 12, 20};
    struct collect_process_table table = {0};

    (void)state;
    collect_process_table_update(&table, first, 3);
    expect_pids(&table, first, 3);
    table.own[1].fresh = false;
    table.record[1].threads = 55;
    collect_process_table_update(&table, second, 5);
    expect_pids(&table, second, 5);
    assert_int_equal(table.record[1].threads, 55);
    assert_false(table.own[1].fresh);
    assert_true(table.own[0].fresh);
    assert_true(collect_process_table_add(&table, 8));
    assert_true(collect_process_table_add(&table, 8));
    assert_true(collect_process_table_add(&table, 20));
    expect_pids(&table, third, 7);
    assert_int_equal(table.record[1].threads, 55);
    collect_process_table_update(&table, none, 0);
    expect_pids(&table, none, 0);
    collect_process_table_release(&table);
}

/* Many rounds of random comings and goings against a plain model. */
static void test_table_random(void **state)
{
    struct collect_process_table table = {0};
    bool there[400] = {false};
    int pid[400];
    unsigned seed = 1;

    (void)state;
    for (int round = 0; round < 300; round++) {
        size_t n = 0;

        for (int i = 0; i < 400; i++) {
            seed = seed * 1664525u + 1013904223u;
            if ((seed >> 24) < 40)
                there[i] = !there[i];
            if (there[i])
                pid[n++] = i + 1;
        }
        collect_process_table_update(&table, pid, n);
        expect_pids(&table, pid, n);
    }
    collect_process_table_release(&table);
}

/* ---- a recorded machine ---- */

static void test_laptop(void **state)
{
    const struct record_process *process;
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_add(&tree, "laptop");
    machine_init(&machine, tree.root);
    machine.config.nvml_library = NVML_STUB;
    machine_start(&machine, "stat processes gpu");
    machine_tick(&machine, 1);
    process = machine_process(&machine, 4200);
    assert_non_null(process);
    assert_string_equal(process->comm, "Web (Content) R 7");
    assert_string_equal(process->command, "/usr/lib/firefox/firefox");
    assert_double_equal(process->cpu_percent, NAN, 0);
    assert_double_equal(process->rss_bytes, 25600 * 4096.0, 0);
    assert_string_equal(machine_process(&machine, 4210)->comm, "two\nlines");
    assert_string_equal(machine_process(&machine, 2)->command, "");

    tree_add(&tree, "laptop-later");
    tree_remove(&tree, "/proc/4210");
    machine_tick(&machine, 1);
    assert_null(machine_process(&machine, 4210));
    process = machine_process(&machine, 4200);
    assert_double_equal(process->cpu_percent, 80, 1e-9);
    assert_double_equal(process->read_bytes_s, 2097152, 1e-6);
    assert_double_equal(process->write_bytes_s, 1048576, 1e-6);
    assert_int_equal(process->threads, 14);
    assert_int_equal(process->state, 'R');
    assert_double_equal(process->gpu_percent, 64, 0);
    assert_double_equal(process->gpu_bytes, (2ull << 30) + (1 << 20), 0);
    /* It began since the last tick: all it has used is of this second. */
    process = machine_process(&machine, 4300);
    assert_double_equal(process->cpu_percent, 50, 1e-9);
    assert_double_equal(process->read_bytes_s, 1048576, 1e-6);
    assert_string_equal(process->command, "./runaway --now");
    assert_double_equal(process->gpu_bytes, 0, 0);
    /* Idle: it did no I/O. */
    process = machine_process(&machine, 1);
    assert_double_equal(process->cpu_percent, 0, 0);
    assert_double_equal(process->read_bytes_s, 0, 0);
    assert_int_equal(machine.sample.processes->threads, 1 + 1 + 14 + 1);

    /* Nothing changed for two more seconds: the rate is over what passed. */
    machine_tick(&machine, 2);
    assert_double_equal(machine_process(&machine, 4200)->cpu_percent, 0, 0);
    machine_release(&machine);
    tree_release(&tree);
}

static void write_process(const struct tree *tree, int pid, const char *comm, int ticks,
                          int start)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    tree_write(tree, path,
               "%d (%s) R 1 1 1 0 -1 4194304 0 0 0 0 %d 0 0 0 20 0 1 0 %d 1 1\n", pid,
               comm, ticks, start);
    snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    tree_write(tree, path, "%s --option", comm);
}

static void write_faults(const struct tree *tree, int faults, int swap_kib)
{
    tree_write(tree, "/proc/60/stat",
               "60 (db) S 1 1 1 0 -1 4194304 9 0 %d 0 5 0 0 0 20 0 1 0 10 1 1\n", faults);
    tree_write(tree, "/proc/60/status", "Name:\tdb\nVmRSS:\t 5124 kB\nVmSwap:\t%7d kB\n",
               swap_kib);
    tree_write(tree, "/proc/60/cmdline", "db");
}

/* A kernel thread, a process that hides its status, and one that is moved out. */
static void test_swap_and_major_faults(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    tree_write(&tree, "/proc/2/stat",
               "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 10 0 0\n");
    write_process(&tree, 50, "bare", 1, 10);
    write_faults(&tree, 100, 816);
    machine_init(&machine, tree.root);
    machine_start(&machine, "meminfo processes");
    machine_tick(&machine, 1);
    assert_double_equal(machine_process(&machine, 60)->major_faults_s, NAN, 0);
    assert_double_equal(machine_process(&machine, 60)->swap_bytes, 816 * 1024, 0);
    assert_double_equal(machine_process(&machine, 50)->swap_bytes, NAN, 0);
    assert_double_equal(machine_process(&machine, 2)->swap_bytes, 0, 0);
    write_faults(&tree, 150, 2048);
    machine_tick(&machine, 2);
    assert_double_equal(machine_process(&machine, 60)->major_faults_s, 25, 1e-9);
    assert_double_equal(machine_process(&machine, 60)->swap_bytes, 2048 * 1024, 0);
    assert_double_equal(machine_process(&machine, 50)->major_faults_s, 0, 0);
    /* Without swap space nobody is asked. */
    tree_write(&tree, "/proc/meminfo",
               "MemTotal: 8000 kB\nMemFree: 1 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
    machine_tick(&machine, 1);
    assert_double_equal(machine_process(&machine, 60)->swap_bytes, 0, 0);
    assert_double_equal(machine_process(&machine, 50)->swap_bytes, 0, 0);
    machine_release(&machine);
    tree_release(&tree);
}

static void test_pid_is_reused(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    write_process(&tree, 50, "old", 100000, 10);
    machine_init(&machine, tree.root);
    machine_start(&machine, "processes");
    machine_tick(&machine, 1);
    machine_tick(&machine, 1);
    write_process(&tree, 50, "new", 30, 99);
    machine_tick(&machine, 1);
    assert_string_equal(machine_process(&machine, 50)->comm, "new");
    assert_string_equal(machine_process(&machine, 50)->command, "new --option");
    assert_double_equal(machine_process(&machine, 50)->cpu_percent, 30, 1e-9);
    /* exec: the same process under another name. */
    write_process(&tree, 50, "other", 40, 99);
    machine_tick(&machine, 1);
    assert_string_equal(machine_process(&machine, 50)->command, "other --option");
    assert_double_equal(machine_process(&machine, 50)->cpu_percent, 10, 1e-9);
    machine_release(&machine);
    tree_release(&tree);
}

static void test_garbage_is_no_process(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    write_process(&tree, 50, "good", 1, 1);
    tree_write(&tree, "/proc/51/stat", "garbage");
    tree_write(&tree, "/proc/52/stat", "%s", "");
    tree_write(&tree, "/proc/53/cmdline", "no stat here");
    tree_write(&tree, "/proc/99999999999/stat", "1 (x) R 1");
    machine_init(&machine, tree.root);
    machine_start(&machine, "processes");
    machine_tick(&machine, 1);
    assert_int_equal(machine.sample.processes->n, 1);
    tree_remove(&tree, "/proc/50");
    machine_tick(&machine, 1);
    assert_int_equal(machine.sample.processes->n, 0);
    machine_release(&machine);
    tree_release(&tree);
}

/* ---- processes that are hidden ---- */

static void test_hidden_option(void **state)
{
    static const struct {
        const char *mounts, *option; /* "" = hides nothing */
    } lists[] = {
        {"proc /proc proc rw,nosuid,hidepid=2 0 0\n", "hidepid=2"},
        {"proc /proc proc rw,hidepid=invisible,gid=27 0 0\n", "hidepid=invisible"},
        {"none /proc proc hidepid=1 0 0", "hidepid=1"},
        {"proc /proc proc rw,gid=27,hidepid=ptraceable,subset=pid 0 0\n",
         "hidepid=ptraceable"},
        {"proc /proc proc rw,hidepid=\033[2J 0 0\n", "hidepid="},
        {"proc /proc proc rw,relatime 0 0\n", ""},
        {"proc /proc proc rw,hidepid=0 0 0\n", ""},
        {"proc /proc proc rw,hidepid=off 0 0\n", ""},
        {"proc /proc proc rw,xhidepid=2 0 0\n", ""},
        {"proc /jail/proc proc rw,hidepid=2 0 0\n", ""},
        {"hidepid=2 /proc tmpfs rw,hidepid=2 0 0\n", ""},
        /* The last one is on top. */
        {"proc /proc proc rw,hidepid=2 0 0\nproc /proc proc rw 0 0\n", ""},
        {"proc /proc proc rw 0 0\nproc /proc proc rw,hidepid=4 0 0\n", "hidepid=4"},
        {"proc /proc", ""},
        {"", ""},
    };
    char option[48];

    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        bool hides = collect_hidden_option(lists[i].mounts, strlen(lists[i].mounts),
                                           option, sizeof option);

        assert_string_equal(option, lists[i].option);
        assert_int_equal(hides, lists[i].option[0] != '\0');
    }
}

/* Of a recording, only the mount tells: most have no process 1. */
static void test_hidden_below_a_root(void **state)
{
    static const char without[] = "proc /proc proc rw 0 0\n";
    static const char with[] = "proc /proc proc rw,hidepid=invisible 0 0\n";
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    write_process(&tree, 50, "own", 1, 10);
    tree_write(&tree, "/proc/mounts", without);
    machine_init(&machine, tree.root);
    machine_start(&machine, "processes");
    machine_tick(&machine, 1);
    assert_string_equal(machine_error(&machine, "processes"), "");
    tree_write(&tree, "/proc/mounts", with);
    for (int i = 0; i < 16; i++)
        machine_tick(&machine, 1);
    assert_string_equal(machine_error(&machine, "processes"),
                        "other users' processes are hidden (hidepid=invisible): the "
                        "process behind an event may be missing from its suspects");
    assert_double_equal(machine_value(&machine, "processes"), 1, 0);
    /* As a member of the group of gid= would see it. */
    write_process(&tree, 1, "init", 1, 10);
    for (int i = 0; i < 16; i++)
        machine_tick(&machine, 1);
    assert_string_equal(machine_error(&machine, "processes"), "");
    machine_release(&machine);
    tree_release(&tree);
}

/* ---- this machine ---- */

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Ticks in real time. */
static void tick_now(struct machine *machine)
{
    static double last;
    double now = seconds_now();

    machine_tick(machine, last > 0 ? now - last : 1);
    last = now;
}

static pid_t start_child(void (*body)(void))
{
    pid_t pid = fork();

    if (pid == 0) {
        body();
        _exit(0);
    }
    assert_true(pid > 0);
    return pid;
}

static void spin_for_ever(void)
{
    for (volatile unsigned i = 0;; i++)
        ;
}

static void sleep_then_spin(void)
{
    sleep(3);
    spin_for_ever();
}

/* A process that starts is there on the next tick, one that ends is gone, and one that
 * was quiet for long and then runs is noticed at once although quiet ones take turns. */
static void test_live_children(void **state)
{
    struct timespec pause = {0, 100000000};
    struct machine machine;
    double started, share = 0;
    pid_t pid;

    (void)state;
    machine_init(&machine, "");
    machine_start(&machine, "stat processes");
    tick_now(&machine);
    pid = start_child(sleep_then_spin);
    tick_now(&machine);
    assert_non_null(machine_process(&machine, pid));
    assert_int_equal(machine_process(&machine, pid)->parent, getpid());
    assert_int_equal(machine_process(&machine, pid)->uid, getuid());
    started = seconds_now();
    while (!(share > 10) && seconds_now() - started < 30) {
        nanosleep(&pause, NULL);
        tick_now(&machine);
        share = machine_process(&machine, pid)->cpu_percent;
    }
    assert_true(share > 10);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    tick_now(&machine);
    assert_null(machine_process(&machine, pid));
    machine_release(&machine);
}

static void *sleep_in_thread(void *context)
{
    (void)context;
    pause();
    return NULL;
}

static void start_threads(void)
{
    pthread_t thread;

    for (int i = 0; i < 3; i++)
        pthread_create(&thread, NULL, sleep_in_thread, NULL);
    pause();
}

static bool holds(const struct collect_process_table *table, int pid)
{
    for (size_t i = 0; i < table->n; i++)
        if (table->own[i].pid == pid)
            return true;
    return false;
}

/* What is found between two listings is what a listing finds: every process, no thread.
 */
static void test_found_without_listing(void **state)
{
    struct collect_process_list list, fresh;
    struct collect_process_table table = {0}, listed = {0};
    struct timespec pause_time = {0, 20000000};
    pid_t pid;
    bool found = false;

    (void)state;
    assert_int_equal(collect_process_list_init(&list, ""), VD_OK);
    assert_int_equal(collect_process_list_init(&fresh, ""), VD_OK);
    assert_int_equal(collect_process_list_update(&list, &table, NULL), VD_OK);
    pid = start_child(start_threads);
    nanosleep(&pause_time, NULL);
    assert_int_equal(collect_process_list_update(&list, &table, NULL), VD_OK);
    assert_int_equal(collect_process_list_update(&fresh, &listed, NULL), VD_OK);
    for (size_t i = 0; i < table.n; i++) {
        char path[64];

        found |= table.own[i].pid == pid;
        snprintf(path, sizeof path, "/proc/%d/task/%d", pid, table.own[i].pid);
        if (table.own[i].pid != pid)
            assert_int_not_equal(access(path, F_OK), 0);
    }
    assert_true(found);
    /* What has a lower pid than the child began before both. */
    for (size_t i = 0; i < listed.n && listed.own[i].pid <= pid; i++)
        assert_true(holds(&table, listed.own[i].pid));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    collect_process_table_release(&table);
    collect_process_table_release(&listed);
    collect_process_list_release(&list);
    collect_process_list_release(&fresh);
}

/* A process that is older than the collector is not charged with its past. */
static void test_past_is_not_charged(void **state)
{
    struct machine machine;

    (void)state;
    machine_init(&machine, "");
    machine_start(&machine, "processes");
    tick_now(&machine);
    assert_double_equal(machine_process(&machine, 1)->cpu_percent, NAN, 0);
    machine_release(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stat_names),
        cmocka_unit_test(test_stat_faults),
        cmocka_unit_test(test_command),
        cmocka_unit_test(test_io_and_pss),
        cmocka_unit_test(test_table_update),
        cmocka_unit_test(test_table_random),
        cmocka_unit_test(test_laptop),
        cmocka_unit_test(test_swap_and_major_faults),
        cmocka_unit_test(test_pid_is_reused),
        cmocka_unit_test(test_garbage_is_no_process),
        cmocka_unit_test(test_hidden_option),
        cmocka_unit_test(test_hidden_below_a_root),
        cmocka_unit_test(test_live_children),
        cmocka_unit_test(test_found_without_listing),
        cmocka_unit_test(test_past_is_not_charged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
