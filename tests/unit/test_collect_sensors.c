/* Temperatures: which sensors there are, what they are called, which belong to a CPU. A
 * chip or zone is one row: folder, name, and pairs of label (or NULL) and number. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "collect/sensors.h"
#include "machine.h"
#include "tree.h"

enum { INPUTS = 6 };

struct chip_row {
    const char *folder; /* "hwmon3", "thermal_zone0" */
    const char *name;   /* NULL = it has none */
    const char *device; /* what its link points to; NULL = no link */
    struct {
        const char *label;
        long value;
    } input[INPUTS];
};

static void write_chip(const struct tree *tree, const struct chip_row *row)
{
    bool zone = strncmp(row->folder, "thermal", 7) == 0;
    char path[256];

    if (zone) {
        snprintf(path, sizeof path, "/sys/class/thermal/%s/type", row->folder);
        tree_write(tree, path, "%s\n", row->name);
        snprintf(path, sizeof path, "/sys/class/thermal/%s/temp", row->folder);
        tree_write(tree, path, "%ld\n", row->input[0].value);
        return;
    }
    snprintf(path, sizeof path, "/sys/class/hwmon/%s/name", row->folder);
    if (row->name != NULL)
        tree_write(tree, path, "%s\n", row->name);
    snprintf(path, sizeof path, "/sys/class/hwmon/%s/device", row->folder);
    if (row->device != NULL)
        tree_link(tree, path, row->device);
    for (int i = 0; i < INPUTS && row->input[i].value != 0; i++) {
        snprintf(path, sizeof path, "/sys/class/hwmon/%s/temp%d_label", row->folder,
                 i + 1);
        if (row->input[i].label != NULL)
            tree_write(tree, path, "%s\n", row->input[i].label);
        snprintf(path, sizeof path, "/sys/class/hwmon/%s/temp%d_input", row->folder,
                 i + 1);
        tree_write(tree, path, "%ld\n", row->input[i].value);
    }
}

struct board {
    const char *what;
    struct chip_row row[5];
    double cpu_temp;
    struct {
        const char *sensor;
        double celsius;
    } shown[6];
    const char *absent;
};

static const struct board boards[] = {
    {"two sockets with the same labels",
     {{"hwmon0",
       "coretemp",
       "../../coretemp.0",
       {{"Physical id 0", 55000}, {"Core 0", 54000}}},
      {"hwmon1",
       "coretemp",
       "../../coretemp.1",
       {{"Physical id 0", 61000}, {"Core 0", 60000}}}},
     61,
     {{"coretemp Physical id 0 (coretemp.0)", 55},
      {"coretemp Physical id 0 (coretemp.1)", 61},
      {"coretemp Core 0 (coretemp.1)", 60}},
     "coretemp Physical id 0"},
    {"two sockets, labels of their own",
     {{"hwmon0", "coretemp", "../../coretemp.0", {{"Package id 0", 55000}}},
      {"hwmon1", "coretemp", "../../coretemp.1", {{"Package id 1", 44000}}}},
     55,
     {{"coretemp Package id 0", 55}, {"coretemp Package id 1", 44}},
     "coretemp Package id 0 (coretemp.0)"},
    {"drives",
     {{"hwmon3", "nvme", "../../nvme0", {{"Composite", 40850}, {"Sensor 1", 41850}}},
      {"hwmon4", "nvme", "../../nvme1", {{"Composite", 79850}}},
      {"hwmon5", "drivetemp", "../../../2:0:0:0", {{NULL, 31000}}},
      {"hwmon6", "drivetemp", "../../../3:0:0:0", {{NULL, 32000}}}},
     NAN,
     {{"nvme Composite (nvme0)", 40.85},
      {"nvme Composite (nvme1)", 79.85},
      {"nvme Sensor 1", 41.85},
      {"drivetemp temp1 (2:0:0:0)", 31},
      {"drivetemp temp1 (3:0:0:0)", 32}},
     "nvme Composite"},
    {"one chip gives one label twice",
     {{"hwmon0",
       "nct6779",
       "../../nct6775.656",
       {{"TEMP", 30000}, {"TEMP", 31000}, {"OTHER", 32000}}}},
     NAN,
     {{"nct6779 TEMP (nct6775.656 temp1)", 30},
      {"nct6779 TEMP (nct6775.656 temp2)", 31},
      {"nct6779 OTHER", 32}},
     "nct6779 TEMP"},
    {"chips without a name",
     {{"hwmon4", NULL, NULL, {{"foosensor", 55000}, {NULL, 45000}}},
      {"hwmon5", NULL, "../../applesmc.768", {{"TC0P", 46000}}}},
     NAN,
     {{"hwmon4 foosensor", 55}, {"hwmon4 temp2", 45}, {"applesmc.768 TC0P", 46}},
     NULL},
    {"AMD with an offset, die hotter than one of its chiplets",
     {{"hwmon0", "k10temp", NULL, {{"Tctl", 90000}, {"Tdie", 63000}, {"Tccd1", 61000}}}},
     63,
     {{"k10temp Tctl", 90}},
     NULL},
    {"AMD without Tdie",
     {{"hwmon0", "k10temp", NULL, {{"Tctl", 50000}, {"Tccd1", 57250}}}},
     57.25,
     {{NULL, 0}},
     NULL},
    {"AMD, two sockets, each with an offset",
     {{"hwmon0", "zenpower", NULL, {{"Tdie", 50000}, {"Tctl", 77000}}},
      {"hwmon1", "zenpower", NULL, {{"Tdie", 52000}, {"Tctl", 79000}}}},
     52,
     {{"zenpower Tdie (hwmon1)", 52}},
     NULL},
    {"no package sensor",
     {{"hwmon0", "coretemp", NULL, {{NULL, 39000}, {"Core 0", 40000}, {"Core 1", 43000}}},
      {"hwmon1", "acpitz", NULL, {{NULL, 27800}}}},
     43,
     {{"acpitz temp1", 27.8}},
     NULL},
    {"inputs without a diode, or off",
     {{"hwmon0", "k10temp", NULL, {{"Tctl", -273150}}},
      {"hwmon1",
       "nct6775",
       NULL,
       {{"SYSTIN", 127500}, {"AUXTIN", -128000}, {"PCH", 255000}, {"CPUTIN", 33000}}}},
     NAN,
     {{"nct6775 CPUTIN", 33}},
     "nct6775 SYSTIN"},
    {"only the board's chip knows",
     {{"hwmon0",
       "dell_smm",
       NULL,
       {{"CPU", 47000}, {"SODIMM", 61000}, {"Other", 66000}}}},
     47,
     {{"dell_smm SODIMM", 61}},
     NULL},
    {"a driver and the board's chip",
     {{"hwmon0", "asusec", NULL, {{"CPU", 80000}}},
      {"hwmon1", "k10temp", NULL, {{"Tctl", 47000}}}},
     47,
     {{"asusec CPU", 80}},
     NULL},
    {"whole degrees",
     {{"thermal_zone0", "cpu-thermal", NULL, {{NULL, 47}}},
      {"thermal_zone1", "gpu-thermal", NULL, {{NULL, 51}}}},
     47,
     {{"gpu-thermal", 51}},
     NULL},
    {"zones of one name",
     {{"thermal_zone0", "cpu-thermal", NULL, {{NULL, 47000}}},
      {"thermal_zone1", "cpu-thermal", NULL, {{NULL, 51000}}}},
     51,
     {{"cpu-thermal (thermal_zone0)", 47}, {"cpu-thermal (thermal_zone1)", 51}},
     "cpu-thermal"},
    {"a zone that is a chip too",
     {{"hwmon0", "gpu_thermal", NULL, {{NULL, 50000}}},
      {"thermal_zone0", "gpu-thermal", NULL, {{NULL, 50000}}},
      {"thermal_zone1", "soc-thermal", NULL, {{NULL, 52000}}}},
     52,
     {{"gpu_thermal temp1", 50}, {"soc-thermal", 52}},
     "gpu-thermal"},
    {"big and little cores, and the power chip",
     {{"thermal_zone0", "BCPU-therm", NULL, {{NULL, 41000}}},
      {"thermal_zone1", "MCPU-therm", NULL, {{NULL, 43000}}},
      {"thermal_zone2", "GPU-therm", NULL, {{NULL, 60000}}},
      {"thermal_zone3", "PMIC-Die", NULL, {{NULL, 100000}}}},
     43,
     {{"GPU-therm", 60}},
     "PMIC-Die"},
};

enum { BOARDS = sizeof boards / sizeof *boards };

static void check_board(const struct machine *machine, const struct board *board)
{
    char name[128];

    if (!(fabs(machine_value(machine, "cpu_temp") - board->cpu_temp) < 1e-9) &&
        !(isnan(board->cpu_temp) && isnan(machine_value(machine, "cpu_temp"))))
        fail_msg("%s: cpu_temp = %g, not %g", board->what,
                 machine_value(machine, "cpu_temp"), board->cpu_temp);
    for (int i = 0; i < 6 && board->shown[i].sensor != NULL; i++) {
        snprintf(name, sizeof name, "temperature{%s}", board->shown[i].sensor);
        if (!(fabs(machine_value(machine, name) - board->shown[i].celsius) < 1e-9))
            fail_msg("%s: %s = %g", board->what, name, machine_value(machine, name));
    }
    snprintf(name, sizeof name, "temperature{%s}",
             board->absent == NULL ? "" : board->absent);
    if (machine_has(machine, name))
        fail_msg("%s: there is %s", board->what, name);
}

static void test_boards(void **state)
{
    (void)state;
    for (int i = 0; i < BOARDS; i++) {
        struct machine machine;
        struct tree tree;

        tree_init(&tree);
        for (int k = 0; k < 5 && boards[i].row[k].folder != NULL; k++)
            write_chip(&tree, &boards[i].row[k]);
        machine_init(&machine, tree.root);
        machine_start(&machine, "thermal");
        machine_tick(&machine, 1);
        check_board(&machine, &boards[i]);
        machine_tick(&machine, 1);
        check_board(&machine, &boards[i]);
        machine_release(&machine);
        tree_release(&tree);
    }
}

static void test_names(void **state)
{
    static const char *const processors[] = {"coretemp",
                                             "k10temp",
                                             "k8temp",
                                             "zenpower",
                                             "via_cputemp",
                                             "cpu_thermal",
                                             "cpu-thermal",
                                             "cpu0-thermal",
                                             "cpu-0-0-usr",
                                             "cpu0-silver-usr",
                                             "cpuss-1-thermal",
                                             "soc-thermal",
                                             "soc_thermal",
                                             "soc_dts1",
                                             "bigcore0_thermal",
                                             "littlecore-thermal",
                                             "package-thermal",
                                             "x86_pkg_temp",
                                             "bcm2835_thermal",
                                             "bcm2711_thermal",
                                             "imx_thermal_zone",
                                             "CPU-therm",
                                             "MCPU-therm",
                                             "mtktscpu",
                                             "TCPU",
                                             "cpu_big0",
                                             "CPU",
                                             "CPU Package",
                                             "BIG",
                                             "LITTLE",
                                             "cluster1-thermal"};
    static const char *const others[] = {"nvme",
                                         "acpitz",
                                         "iwlwifi_1",
                                         "gpu-thermal",
                                         "ddr-thermal",
                                         "amdgpu",
                                         "drivetemp",
                                         "pch_skylake",
                                         "CPUTIN",
                                         "SYSTIN",
                                         "AO-therm",
                                         "PLL-therm",
                                         "npu-thermal",
                                         "cpu-gpu-skin",
                                         "CPU fan",
                                         "CPU VRM",
                                         "battery",
                                         "INT3400 Thermal",
                                         "center-thermal",
                                         "",
                                         "thermal-fan-est",
                                         "SODIMM",
                                         "socket",
                                         "cpufreq"};

    (void)state;
    for (size_t i = 0; i < sizeof processors / sizeof *processors; i++)
        if (!collect_sensor_is_processor(processors[i]))
            fail_msg("%s does not belong to a CPU", processors[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (collect_sensor_is_processor(others[i]))
            fail_msg("%s belongs to a CPU", others[i]);
}

/* Kernel 3.10: everything is below device/. */
static void test_old_layout(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    for (int i = 0; i < 2; i++) {
        char path[128];

        snprintf(path, sizeof path, "/sys/class/hwmon/hwmon%d/device/name", i);
        tree_write(&tree, path, "coretemp\n");
        snprintf(path, sizeof path, "/sys/class/hwmon/hwmon%d/device/temp1_label", i);
        tree_write(&tree, path, "Physical id %d\n", i);
        snprintf(path, sizeof path, "/sys/class/hwmon/hwmon%d/device/temp1_input", i);
        tree_write(&tree, path, "%d\n", 60000 + 1000 * i);
    }
    machine_init(&machine, tree.root);
    machine_start(&machine, "thermal");
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "cpu_temp"), 61, 1e-9);
    assert_double_equal(machine_value(&machine, "temperature{coretemp Physical id 0}"),
                        60, 1e-9);
    machine_release(&machine);
    tree_release(&tree);
}

static void write_core(const struct tree *tree, int socket, int core, int of)
{
    char path[128];

    snprintf(path, sizeof path, "/sys/class/hwmon/hwmon%d/temp%d_label", socket,
             core + 2);
    tree_write(tree, path, "Core %d\n", core);
    for (int i = 0; i < of; i++) { /* what else coretemp has of each */
        static const char *const files[] = {"input", "max", "crit", "crit_alarm"};

        snprintf(path, sizeof path, "/sys/class/hwmon/hwmon%d/temp%d_%s", socket,
                 core + 2, files[i]);
        tree_write(tree, path, "%d\n", 40000 + 10 * core);
    }
}

/* Two sockets of 96 cores, and a drive behind them. */
static void test_many_cores(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    for (int socket = 0; socket < 2; socket++) {
        struct chip_row row = {
            socket == 0 ? "hwmon0" : "hwmon1",
            "coretemp",
            NULL,
            {{socket == 0 ? "Package id 0" : "Package id 1", 50000 + 20000 * socket}}};

        write_chip(&tree, &row);
        for (int core = 0; core < 96; core++)
            write_core(&tree, socket, core, 4);
    }
    write_chip(&tree, &(struct chip_row){"hwmon2", "nvme", NULL, {{"Composite", 33000}}});
    machine_init(&machine, tree.root);
    machine_start(&machine, "thermal");
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "cpu_temp"), 70, 1e-9);
    assert_double_equal(machine_value(&machine, "temperature{nvme Composite}"), 33, 1e-9);
    assert_double_equal(machine_value(&machine, "temperature{coretemp Core 95}"), 40.95,
                        1e-9);
    machine_release(&machine);
    tree_release(&tree);
}

/* More than there is room for: the rest is told of. */
static void test_too_many(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    for (int i = 0; i < 200; i++) {
        char folder[16];
        struct chip_row row = {
            folder, "drivetemp", NULL, {{"a", 30000}, {"b", 31000}, {"c", 32000}}};

        snprintf(folder, sizeof folder, "hwmon%d", i);
        write_chip(&tree, &row);
    }
    machine_init(&machine, tree.root);
    machine_start(&machine, "thermal");
    machine_tick(&machine, 1);
    assert_string_equal(machine_error(&machine, "thermal"),
                        "88 sensors have no metrics of their own: there are too many");
    assert_double_equal(machine_value(&machine, "temperature{drivetemp c (hwmon0)}"), 32,
                        1e-9);
    machine_release(&machine);
    tree_release(&tree);
}

/* The link of a radio says no more than "../..": the folder has its name. */
static void test_device_by_its_folder(void **state)
{
    static const char base[] = "/sys/devices/soc/wifi/ieee80211";
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    for (int i = 0; i < 2; i++) {
        char path[256], link[64];

        snprintf(path, sizeof path, "%s/phy%d/hwmon/hwmon%d/name", base, i, i);
        tree_write(&tree, path, "mt7996\n");
        snprintf(path, sizeof path, "%s/phy%d/hwmon/hwmon%d/temp1_input", base, i, i);
        tree_write(&tree, path, "%d\n", 50000 + 1000 * i);
        snprintf(path, sizeof path, "%s/phy%d/hwmon/hwmon%d/device", base, i, i);
        tree_link(&tree, path, "../..");
        snprintf(path, sizeof path, "/sys/class/hwmon/hwmon%d", i);
        snprintf(link, sizeof link,
                 "../../devices/soc/wifi/ieee80211/phy%d/hwmon/hwmon%d", i, i);
        tree_link(&tree, path, link);
    }
    machine_init(&machine, tree.root);
    machine_start(&machine, "thermal");
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "temperature{mt7996 temp1 (phy0)}"), 50,
                        1e-9);
    assert_double_equal(machine_value(&machine, "temperature{mt7996 temp1 (phy1)}"), 51,
                        1e-9);
    machine_release(&machine);
    tree_release(&tree);
}

/* A second drive is plugged in: the first keeps its name, and the numbers are not mixed.
 */
static void test_a_name_stays(void **state)
{
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    write_chip(&tree, &(struct chip_row){
                          "hwmon0", "nvme", "../../nvme0", {{"Composite", 40000}}});
    machine_init(&machine, tree.root);
    machine_start(&machine, "thermal");
    machine_tick(&machine, 1);
    write_chip(&tree, &(struct chip_row){
                          "hwmon1", "nvme", "../../nvme1", {{"Composite", 50000}}});
    for (int i = 0; i < 61; i++)
        machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "temperature{nvme Composite}"), 40, 1e-9);
    assert_double_equal(machine_value(&machine, "temperature{nvme Composite (nvme1)}"),
                        50, 1e-9);
    tree_remove(&tree, "/sys/class/hwmon/hwmon0");
    for (int i = 0; i < 61; i++)
        machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, "temperature{nvme Composite}"), NAN, 0);
    assert_double_equal(machine_value(&machine, "temperature{nvme Composite (nvme1)}"),
                        50, 1e-9);
    machine_release(&machine);
    tree_release(&tree);
}

/* Reading the sensor of a graphics card that sleeps would wake it. The tree cannot tell
 * whether its file was read, but a number that is there and not shown was not taken. */
static void test_a_device_sleeps(void **state)
{
    static const char status[] = "/sys/class/hwmon/hwmon0/device/power/runtime_status";
    static const char name[] = "temperature{amdgpu edge}";
    struct machine machine;
    struct tree tree;

    (void)state;
    tree_init(&tree);
    write_chip(&tree, &(struct chip_row){"hwmon0", "amdgpu", NULL, {{"edge", 45000}}});
    tree_write(&tree, status, "suspended\n");
    machine_init(&machine, tree.root);
    machine_start(&machine, "thermal");
    machine_tick(&machine, 1);
    assert_false(machine_has(&machine, name));
    tree_write(&tree, status, "active\n");
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, name), 45, 1e-9);
    tree_write(&tree, status, "suspending\n");
    machine_tick(&machine, 1);
    assert_double_equal(machine_value(&machine, name), NAN, 0);
    machine_release(&machine);
    tree_release(&tree);
}

static void test_celsius(void **state)
{
    static const struct {
        const char *text;
        double celsius;
    } cases[] = {{"47000\n", 47},
                 {"47\n", 47},
                 {"-5000\n", -5},
                 {"0\n", NAN},
                 {"200\n", 0.2},
                 {"199\n", NAN},
                 {"127000\n", NAN},
                 {"126000\n", 126},
                 {"-40000\n", NAN},
                 {"255000\n", NAN},
                 {"\n", NAN},
                 {"err\n", NAN},
                 {"99999999999999999999\n", NAN},
                 {"-1 -1\n", NAN},
                 {"-12\n", -12}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_double_equal(collect_sensor_celsius(cases[i].text, strlen(cases[i].text)),
                            cases[i].celsius, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boards),       cmocka_unit_test(test_names),
        cmocka_unit_test(test_old_layout),   cmocka_unit_test(test_many_cores),
        cmocka_unit_test(test_a_name_stays), cmocka_unit_test(test_a_device_sleeps),
        cmocka_unit_test(test_too_many),     cmocka_unit_test(test_device_by_its_folder),
        cmocka_unit_test(test_celsius),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
