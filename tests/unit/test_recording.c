/* The parts of a recording that need no process: what a signal is for, phases, the
 * verdict, the hardware of made-up machines. */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "burn/phases.h"
#include "collect/hardware.h"
#include "recording/files.h"
#include "recording/phases.h"
#include "recording/signals.h"
#include "recording/verdict.h"
#include "tree.h"

static void test_what_a_signal_is_for(void **state)
{
    static const struct {
        struct recording_signal signal;
        enum recording_act act;
    } cases[] = {
        {{SIGCHLD, 0, true, false}, RECORDING_REAP},
        {{SIGCHLD, 0, false, false}, RECORDING_REAP},
        {{SIGPIPE, SI_USER, true, false}, RECORDING_IGNORE},
        /* Of the terminal, the command has it already. */
        {{SIGINT, SI_KERNEL, true, false}, RECORDING_IGNORE},
        {{SIGWINCH, SI_KERNEL, true, false}, RECORDING_IGNORE},
        {{SIGINT, SI_USER, true, false}, RECORDING_FORWARD},
        {{SIGTERM, SI_TKILL, true, false}, RECORDING_FORWARD},
        {{SIGHUP, SI_QUEUE, true, false}, RECORDING_FORWARD},
        {{SIGUSR2, SI_USER, true, false}, RECORDING_FORWARD},
        {{SIGUSR1, SI_USER, true, true}, RECORDING_FORWARD},
        {{SIGUSR1, SI_USER, true, false}, RECORDING_STOP},
        /* Without a command, or when it has ended, they are for the recording. */
        {{SIGINT, SI_KERNEL, false, false}, RECORDING_STOP},
        {{SIGTERM, SI_USER, false, false}, RECORDING_STOP},
        {{SIGUSR1, SI_USER, false, false}, RECORDING_STOP},
        {{SIGUSR2, SI_USER, false, false}, RECORDING_IGNORE},
        {{SIGWINCH, SI_KERNEL, false, false}, RECORDING_IGNORE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(recording_signal_act(&cases[i].signal), cases[i].act);
}

static void test_lists_of_phases(void **state)
{
    struct recording_phases phases = {0};
    struct vd_error err = {0};
    char many[2000] = "cpu", longer[200];

    (void)state;
    assert_int_equal(recording_phases_parse(&phases, "baseline,io,recovery,io", &err),
                     VD_OK);
    assert_int_equal(phases.n, 4);
    assert_string_equal(phases.name[3], "io");
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    for (int i = 0; i < RECORDING_PHASES_MAX; i++)
        strcat(many, ",cpu");
    const char *const bad[] = {"", ",", "cpu,", ",cpu", "cpu io", "CPU", many, longer};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        vd_error_clear(&err);
        assert_int_equal(recording_phases_parse(&phases, bad[i], &err), VD_ERR_ARGUMENT);
        assert_true(strncmp(err.text, "--phases: ", 10) == 0);
    }
    assert_true(burn_phase_of("baseline") >= 0 && burn_phase_of("disk") >= 0);
    assert_int_equal(burn_phase_of("sleep"), -1);
}

/* Rows of a job that takes 100 MB, and 1 s of CPU time in 2 s. */
static void row_of(double value[FORMAT_PRMON_COLUMNS], int i, double pss)
{
    for (int c = 0; c < FORMAT_PRMON_COLUMNS; c++)
        value[c] = 0;
    value[FORMAT_PRMON_PSS] = pss + i % 7;
    value[FORMAT_PRMON_RSS] = pss + 2000 + i % 5;
    value[FORMAT_PRMON_UTIME] = 0.5 * i + 0.003 * (i % 3);
    value[FORMAT_PRMON_NPROCS] = value[FORMAT_PRMON_NTHREADS] = 3;
    /* Whose traffic it is nobody knows. */
    value[FORMAT_PRMON_RX_BYTES] = 1e6 * i * i;
}

static enum recording_change judge(recording_verdict *verdict, int i, double pss)
{
    double value[FORMAT_PRMON_COLUMNS];

    row_of(value, i, pss);
    return recording_verdict_read(verdict, value,
                                  INT64_C(1795170852) * SECOND + i * SECOND, i * SECOND);
}

/* It says nothing of a steady job, says within five rows that memory doubled, says once
 * that it ended, and takes a level that stays for the normal one. */
static void test_the_verdict(void **state)
{
    struct format_prmon prmon = {0};
    struct vd_error err = {0};
    recording_verdict *verdict;
    int i = 0, began = 0, ended = 0;

    (void)state;
    for (int c = 0; c < FORMAT_PRMON_ELAPSED; c++)
        prmon.shown[c] = true;
    assert_int_equal(recording_verdict_new(&verdict, &prmon, 1, &err), VD_OK);
    for (; i < 100; i++) {
        assert_int_equal(judge(verdict, i, 102400), RECORDING_SAME);
        assert_string_equal(recording_verdict_text(verdict),
                            i < 30 ? "learning" : "normal");
    }
    for (; i < 105; i++)
        began += judge(verdict, i, 204800) == RECORDING_ODD_BEGAN;
    assert_int_equal(began, 1);
    assert_non_null(strstr(recording_verdict_text(verdict), "unusual: "));
    for (; i < 120; i++)
        ended += judge(verdict, i, 102400) == RECORDING_ODD_ENDED;
    assert_int_equal(ended, 1);
    assert_string_equal(recording_verdict_text(verdict), "normal");
    assert_int_equal(json_array_size(recording_verdict_list(verdict)), 1);
    for (ended = 0; i < 600; i++)
        ended += judge(verdict, i, 409600) == RECORDING_ODD_ENDED;
    assert_int_equal(ended, 1);
    assert_int_equal(json_array_size(recording_verdict_list(verdict)), 2);
    recording_verdict_free(verdict);
}

static void test_the_hardware(void **state)
{
    struct collect_hardware hardware;
    struct tree tree;
    char path[96];

    (void)state;
    tree_init(&tree);
    collect_hardware_read(&hardware, tree.root);
    assert_int_equal(hardware.cpus + hardware.sockets + hardware.threads_per_core, 0);
    assert_string_equal(hardware.model, "");
    assert_double_equal(hardware.memory_kib, NAN, 0);
    /* Two sockets of two cores with two threads; the last one is off. */
    for (int cpu = 0; cpu < 8; cpu++) {
        if (cpu == 7) {
            tree_write(&tree, "/sys/devices/system/cpu/cpu7/online", "0\n");
            break;
        }
        snprintf(path, sizeof path,
                 "/sys/devices/system/cpu/cpu%d/topology/physical_package_id", cpu);
        tree_write(&tree, path, "%d\n", cpu / 2 % 2);
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/core_id",
                 cpu);
        tree_write(&tree, path, "%d\n", cpu % 2);
    }
    tree_write(&tree, "/proc/cpuinfo",
               "processor\t: 0\nmodel name\t: A Model @ 2.50GHz\nmodel name\t: B\n");
    tree_write(&tree, "/proc/meminfo", "MemTotal:       24684092 kB\nMemFree: 1 kB\n");
    collect_hardware_read(&hardware, tree.root);
    assert_int_equal(hardware.cpus, 8);
    assert_int_equal(hardware.sockets, 2);
    assert_int_equal(hardware.cores_per_socket, 2);
    assert_string_equal(hardware.model, "A Model @ 2.50GHz");
    assert_double_equal(hardware.memory_kib, 24684092, 0);
    tree_release(&tree);
}

/* The summary takes the place of the old one at the end, and not before. */
static void test_the_summarys_files(void **state)
{
    struct recording_summary summary = {0};
    struct vd_error err = {0};
    struct tree tree;
    char path[160], old[192];
    json_t *root = json_pack("{s:i}", "Max", 1);

    (void)state;
    tree_init(&tree);
    snprintf(path, sizeof path, "%s/p.json", tree.root);
    snprintf(old, sizeof old, "%s/p.json_snapshot", tree.root);
    tree_write(&tree, "/p.json", "old");
    tree_write(&tree, "/p.json_snapshot", "old");
    assert_int_equal(recording_summary_open(&summary, path, &err), VD_OK);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_not_equal(access(old, F_OK), 0);
    assert_true(recording_summary_is_due(&summary, 0));
    recording_summary_snapshot(&summary, root, 5 * SECOND);
    assert_false(recording_summary_is_due(&summary, 5 * SECOND + SECOND / 2));
    assert_true(recording_summary_is_due(&summary, 6 * SECOND));
    assert_int_equal(access(old, F_OK), 0);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(recording_summary_close(&summary, root, &err), VD_OK);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_not_equal(access(old, F_OK), 0);
    assert_int_equal(recording_summary_open(&summary, "/dev/null", &err), VD_OK);
    assert_false(recording_summary_is_due(&summary, 0));
    assert_int_equal(recording_summary_close(&summary, root, &err), VD_OK);
    assert_int_equal(recording_summary_open(&summary, "/nowhere/p", &err), VD_ERR_IO);
    json_decref(root);
    tree_release(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_signal_is_for),
        cmocka_unit_test(test_lists_of_phases),
        cmocka_unit_test(test_the_verdict),
        cmocka_unit_test(test_the_hardware),
        cmocka_unit_test(test_the_summarys_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
