/* Graphics processors: the stand-in for NVIDIA's library, and cards in /sys. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/gpu_sysfs.h"
#include "collect/nvml.h"
#include "machine.h"
#include "tree.h"

static int forget_environment(void **state)
{
    (void)state;
    unsetenv("VEDETTE_NVML_COUNT");
    unsetenv("VEDETTE_NVML_FAIL");
    return 0;
}

static void start(struct machine *machine, const char *root)
{
    machine_init(machine, root);
    machine->config.nvml_library = NVML_STUB;
    machine_start(machine, "gpu");
    machine_tick(machine, 1);
}

static void test_one(void **state)
{
    struct machine machine;

    (void)state;
    start(&machine, "/nowhere");
    assert_double_equal(machine_value(&machine, "gpu_percent"), 87, 0);
    assert_double_equal(machine_value(&machine, "gpu_memory"), 25, 1e-12);
    assert_double_equal(machine_value(&machine, "gpu_temp"), 71, 0);
    assert_false(machine_has(&machine, "gpu_percent{0}"));
    machine_release(&machine);
}

static void test_two(void **state)
{
    struct machine machine;

    (void)state;
    setenv("VEDETTE_NVML_COUNT", "2", 1);
    start(&machine, "/nowhere");
    assert_double_equal(machine_value(&machine, "gpu_percent"), 87, 0);
    assert_double_equal(machine_value(&machine, "gpu_percent{1}"), 47, 0);
    assert_double_equal(machine_value(&machine, "gpu_memory"), 100 / 3.0, 1e-9);
    assert_double_equal(machine_value(&machine, "gpu_temp"), 72, 0);
    assert_double_equal(machine_value(&machine, "gpu_power{1}"), 95.501, 1e-9);
    /* One falls off the bus. */
    setenv("VEDETTE_NVML_COUNT", "1", 1);
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "gpu_percent{1}"), NAN, 0);
    assert_double_equal(machine_value(&machine, "gpu_percent{0}"), 87, 0);
    /* More than anyone has: the first ones. */
    setenv("VEDETTE_NVML_COUNT", "4000000000", 1);
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "gpu_percent{0}"), 87, 0);
    machine_release(&machine);
}

static void test_functions_fail(void **state)
{
    static const struct {
        const char *function, *metric;
    } cases[] = {
        {"nvmlDeviceGetUtilizationRates", "gpu_percent"},
        {"nvmlDeviceGetMemoryInfo", "gpu_memory"},
        {"nvmlDeviceGetTemperature", "gpu_temp"},
        {"nvmlDeviceGetHandleByIndex_v2", "gpu_temp"},
        {"nvmlDeviceGetCount_v2", "gpu_percent"},
        {"nvmlInit_v2", "gpu_percent"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct machine machine;

        setenv("VEDETTE_NVML_FAIL", cases[i].function, 1);
        start(&machine, "/nowhere");
        assert_double_equal(machine_value(&machine, cases[i].metric), NAN, 0);
        unsetenv("VEDETTE_NVML_FAIL");
        machine_tick(&machine, 61);
        /* The library itself is tried again by the real clock, once a minute. */
        if (strcmp(cases[i].function, "nvmlInit_v2") != 0)
            assert_false(isnan(machine_value(&machine, cases[i].metric)));
        machine_release(&machine);
    }
}

static void test_no_library(void **state)
{
    struct machine machine;
    collect_nvml *nvml;
    struct vd_error err = {0};

    (void)state;
    machine_init(&machine, "/nowhere");
    machine.config.nvml_library = "/nowhere/libnvidia-ml.so";
    machine_start(&machine, "gpu");
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "gpu_percent"), NAN, 0);
    assert_string_equal(machine_error(&machine, "gpu"), "");
    machine_release(&machine);
    /* A library, but another one: the function that is missing is named. */
    assert_int_equal(collect_nvml_open(&nvml, "libm.so.6", &err), VD_ERR_FORMAT);
    assert_non_null(strstr(err.text, "nvmlInit_v2"));
    assert_null(nvml);
}

/* What a few processes use, as a recording has it. Of the stand-in's two, 4200 has both
 * lists and two samples; what 4300 holds is not told. */
static void test_use_of_processes(void **state)
{
    static const int none[] = {1, 4199}, one[] = {7, 4200}, both[] = {4200, 4300};
    struct collect_gpu_use use;
    struct vd_error err = {0};
    collect_nvml *nvml;

    (void)state;
    setenv("VEDETTE_NVML_COUNT", "1", 1);
    assert_int_equal(collect_nvml_open(&nvml, NVML_STUB, &err), VD_OK);
    collect_nvml_use(nvml, none, 2, SECOND, &use);
    assert_false(use.found);
    assert_double_equal(use.bytes, 0, 0);
    assert_double_equal(use.gpus, 0, 0);
    collect_nvml_use(nvml, one, 2, 2 * SECOND, &use);
    assert_true(use.found);
    assert_double_equal(use.bytes, 2147483648.0, 0);
    assert_double_equal(use.percent, 64, 0);
    assert_double_equal(use.memory_percent, 10, 0);
    assert_double_equal(use.gpus, 1, 0);
    collect_nvml_use(nvml, both, 2, 3 * SECOND, &use);
    assert_double_equal(use.bytes, NAN, 0);
    assert_double_equal(use.percent, 64, 0);
    /* A part of a processor has no load of its own: unknown, and not 0. */
    setenv("VEDETTE_NVML_FAIL", "nvmlDeviceGetProcessUtilization", 1);
    collect_nvml_use(nvml, one, 2, 4 * SECOND, &use);
    assert_double_equal(use.percent, NAN, 0);
    assert_double_equal(use.bytes, 2147483648.0, 0);
    setenv("VEDETTE_NVML_FAIL", "nvmlDeviceGetCount_v2", 1);
    collect_nvml_use(nvml, one, 2, 5 * SECOND, &use);
    assert_double_equal(use.gpus, NAN, 0);
    unsetenv("VEDETTE_NVML_FAIL");
    collect_nvml_close(nvml);
}

static void write_status(const struct tree *tree, int device, const char *status)
{
    char path[128];

    snprintf(path, sizeof path,
             "/sys/bus/pci/drivers/nvidia/0000:0%d:00.0/power/runtime_status", device);
    tree_write(tree, path, "%s\n", status);
}

/* The stand-in answers at any time, so what it says not being shown is proof that it was
 * not asked. */
static void test_all_asleep(void **state)
{
    static const struct {
        const char *first, *second;
        double percent;
    } cases[] = {{"active", "active", 87},      {"suspended", "suspended", 0},
                 {"suspended", "active", 87},   {"suspending", "suspended", 0},
                 {"unsupported", "active", 87}, {"suspended", "resuming", 87}};
    struct machine machine;
    struct tree tree;

    (void)state;
    setenv("VEDETTE_NVML_COUNT", "2", 1);
    tree_init(&tree);
    tree_write(&tree, "/sys/bus/pci/drivers/nvidia/uevent", "\n");
    write_status(&tree, 1, "active");
    start(&machine, tree.root);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_status(&tree, 1, cases[i].first);
        write_status(&tree, 2, cases[i].second);
        machine_tick(&machine, 1);
        assert_double_equal(machine_value(&machine, "gpu_percent"), cases[i].percent, 0);
        assert_double_equal(machine_value(&machine, "gpu_temp"),
                            cases[i].percent > 0 ? 72 : NAN, 0);
    }
    machine_release(&machine);
    tree_release(&tree);
}

/* The driver is unloaded under the library, and comes back. */
static void test_driver_goes(void **state)
{
    struct machine machine;

    (void)state;
    start(&machine, "/nowhere");
    assert_double_equal(machine_value(&machine, "gpu_percent"), 87, 0);
    for (int i = 0; i < 3; i++) {
        setenv("VEDETTE_NVML_FAIL", "nvmlDeviceGetCount_v2", 1);
        machine_tick(&machine, 1);
        assert_double_equal(machine_value(&machine, "gpu_percent"), NAN, 0);
        assert_string_equal(machine_error(&machine, "gpu"), "");
        unsetenv("VEDETTE_NVML_FAIL");
        machine_tick(&machine, 61);
        assert_double_equal(machine_value(&machine, "gpu_percent"), 87, 0);
    }
    machine_release(&machine);
}

static void write_card(const struct tree *tree, const char *file, const char *text)
{
    char path[128] = "/sys/class/drm/card0/";

    strcat(path, file);
    tree_write(tree, path, "%s", text);
}

static void test_amd(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    write_card(&tree, "device/vendor", "0x1002\n");
    write_card(&tree, "device/gpu_busy_percent", "40\n");
    write_card(&tree, "device/mem_info_vram_used", "1073741824\n");
    write_card(&tree, "device/mem_info_vram_total", "8589934592\n");
    write_card(&tree, "device/hwmon/hwmon5/temp1_input", "66000\n");
    machine_init(&machine, tree.root);
    machine_start(&machine, "gpu");
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "gpu_percent"), 40, 0);
    assert_double_equal(machine_value(&machine, "gpu_memory"), 12.5, 1e-12);
    assert_double_equal(machine_value(&machine, "gpu_temp"), 66, 0);
    /* Asleep: it is not woken to be asked how warm it is. */
    write_card(&tree, "device/power/runtime_status", "suspended\n");
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "gpu_percent"), 0, 0);
    assert_double_equal(machine_value(&machine, "gpu_temp"), NAN, 0);
    write_card(&tree, "device/power/runtime_status", "active\n");
    /* Nonsense is no value. */
    write_card(&tree, "device/gpu_busy_percent", "-1\n");
    write_card(&tree, "device/mem_info_vram_used", "99589934592\n");
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "gpu_percent"), NAN, 0);
    assert_double_equal(machine_value(&machine, "gpu_memory"), NAN, 0);
    assert_double_equal(machine_value(&machine, "gpu_temp"), 66, 0);
    machine_release(&machine);
    tree_release(&tree);
}

static void test_intel(void **state)
{
    struct collect_gpu_slept slept[2] = {{0, 0}};
    struct collect_gpu_state gpu[2];
    struct tree tree;
    char drm[256];

    (void)state;
    tree_init(&tree);
    strcat(strcpy(drm, tree.root), "/sys/class/drm/");
    write_card(&tree, "device/vendor", "0x8086\n");
    write_card(&tree, "gt/gt0/rc6_residency_ms", "5000\n");
    assert_int_equal(collect_gpu_sysfs_read(drm, gpu, slept, 2, 1000000000), 1);
    assert_double_equal(gpu[0].percent, NAN, 0);
    /* 750 ms of a second asleep. */
    write_card(&tree, "gt/gt0/rc6_residency_ms", "5750\n");
    assert_int_equal(collect_gpu_sysfs_read(drm, gpu, slept, 2, 2000000000), 1);
    assert_double_equal(gpu[0].percent, 25, 1e-9);
    /* The counter may run a little ahead of the clock. */
    write_card(&tree, "gt/gt0/rc6_residency_ms", "6760\n");
    collect_gpu_sysfs_read(drm, gpu, slept, 2, 3000000000);
    assert_double_equal(gpu[0].percent, 0, 0);
    write_card(&tree, "gt/gt0/rc6_residency_ms", "10\n");
    collect_gpu_sysfs_read(drm, gpu, slept, 2, 4000000000);
    assert_double_equal(gpu[0].percent, NAN, 0);
    tree_release(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_one, forget_environment),
        cmocka_unit_test_setup(test_two, forget_environment),
        cmocka_unit_test_setup(test_functions_fail, forget_environment),
        cmocka_unit_test_setup(test_no_library, forget_environment),
        cmocka_unit_test_setup(test_use_of_processes, forget_environment),
        cmocka_unit_test_setup(test_all_asleep, forget_environment),
        cmocka_unit_test_setup(test_driver_goes, forget_environment),
        cmocka_unit_test_setup(test_amd, forget_environment),
        cmocka_unit_test_setup(test_intel, forget_environment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
