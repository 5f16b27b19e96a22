/* The collector of systemd's units against a bus of our own making: what it does when
 * nobody answers, and what becomes of the metrics of units that are well again. The bus
 * itself is tried with a real systemd (tests/system/test_systemd.py). */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/sdbus.h"
#include "machine.h"

/* ---- the bus, in place of src/collect/sdbus.c ---- */

enum { UNITS_MAX = 600 };

struct collect_sdbus {
    bool closed;
};

static struct {
    bool deaf; /* nobody listens */
    bool mute; /* a question is not answered */
    int opened, closed;
    size_t n_failed; /* units called f0.service, f1.service ... */
    size_t n_services;
    uint32_t restarts[UNITS_MAX];
} bus;

static struct collect_sdbus connection;

enum vd_status collect_sdbus_open(collect_sdbus **out, struct vd_error *err)
{
    if (bus.deaf)
        return vd_error_set(err, VD_ERR_IO, NULL, "nobody listens");
    bus.opened++;
    *out = &connection;
    return VD_OK;
}

static void each_of(size_t n, char letter, collect_sdbus_each *each, void *context)
{
    char name[32], path[32];

    for (size_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "%c%zu.service", letter, i);
        snprintf(path, sizeof path, "/%zu", i);
        each(context, name, "running", path);
    }
}

enum vd_status collect_sdbus_failed(collect_sdbus *one, collect_sdbus_each *each,
                                    void *context, struct vd_error *err)
{
    assert_ptr_equal(one, &connection);
    if (bus.mute)
        return vd_error_set(err, VD_ERR_IO, NULL, "no answer");
    each_of(bus.n_failed, 'f', each, context);
    return VD_OK;
}

enum vd_status collect_sdbus_services(collect_sdbus *one, collect_sdbus_each *each,
                                      void *context, struct vd_error *err)
{
    (void)err;
    assert_ptr_equal(one, &connection);
    each_of(bus.n_services, 's', each, context);
    return VD_OK;
}

bool collect_sdbus_restarts(collect_sdbus *one, const char *path, uint32_t *restarts)
{
    assert_ptr_equal(one, &connection);
    *restarts = bus.restarts[atoi(path + 1)];
    return true;
}

void collect_sdbus_close(collect_sdbus *one)
{
    bus.closed += one != NULL;
}

/* ---- the tests ---- */

static void same(double value, double expected)
{
    if (isnan(expected) ? !isnan(value) : value != expected)
        fail_msg("%g instead of %g", value, expected);
}

static void start(struct machine *machine)
{
    memset(&bus, 0, sizeof bus);
    setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere", 1);
    machine_init(machine, "");
    machine_start(machine, "systemd");
}

/* Nobody listens, somebody does, an answer does not come, and it comes: each failure is
 * told and is followed by a connection of its own. */
static void it_asks_again_after_every_failure(void **state)
{
    struct machine machine;

    (void)state;
    start(&machine);
    bus.deaf = true;
    bus.n_failed = 1;
    for (int i = 0; i < 3; i++) {
        machine_tick(&machine, 5);
        assert_string_equal(machine_error(&machine, "systemd"), "nobody listens");
        assert_false(machine_has(&machine, "units_failed"));
    }
    bus.deaf = false;
    machine_tick(&machine, 5);
    assert_string_equal(machine_error(&machine, "systemd"), "");
    same(machine_value(&machine, "units_failed"), 1);
    same(machine_value(&machine, "unit_failed{f0.service}"), 1);
    assert_int_equal(bus.opened, 1);
    bus.mute = true;
    machine_tick(&machine, 5);
    assert_string_equal(machine_error(&machine, "systemd"), "no answer");
    same(machine_value(&machine, "units_failed"), NAN);
    same(machine_value(&machine, "unit_failed{f0.service}"), NAN);
    assert_int_equal(bus.closed, 1);
    bus.mute = false;
    machine_tick(&machine, 5);
    assert_string_equal(machine_error(&machine, "systemd"), "");
    same(machine_value(&machine, "unit_failed{f0.service}"), 1);
    assert_int_equal(bus.opened, 2);
    machine_release(&machine);
    assert_int_equal(bus.closed, 2);
}

/* Between two questions the last answer holds. */
static void it_asks_every_five_seconds(void **state)
{
    struct machine machine;

    (void)state;
    start(&machine);
    machine_tick(&machine, 1);
    bus.n_failed = 2;
    for (int i = 0; i < 4; i++) {
        machine_tick(&machine, 1);
        same(machine_value(&machine, "units_failed"), 0);
    }
    machine_tick(&machine, 1);
    same(machine_value(&machine, "units_failed"), 2);
    machine_release(&machine);
}

/* Ten minutes after it was in trouble last, a unit has no metrics any more; in trouble
 * again, it has. */
static void what_is_well_again_is_let_go(void **state)
{
    const char *name = "unit_failed{f0.service}";
    struct machine machine;

    (void)state;
    start(&machine);
    bus.n_failed = 1;
    machine_tick(&machine, 5);
    bus.n_failed = 0;
    machine_tick(&machine, 5);
    same(machine_value(&machine, name), 0);
    machine_tick(&machine, 590);
    same(machine_value(&machine, name), 0);
    machine_tick(&machine, 10);
    same(machine_value(&machine, name), NAN);
    bus.n_failed = 1;
    machine_tick(&machine, 5);
    same(machine_value(&machine, name), 1);
    same(machine_value(&machine, "units_failed"), 1);
    machine_release(&machine);
}

/* What it did before it was seen first does not count; ten minutes later neither does
 * what was seen. A counter that begins again is no restart. */
static void restarts_count_for_ten_minutes(void **state)
{
    const char *name = "unit_restarts{s0.service}";
    struct machine machine;

    (void)state;
    start(&machine);
    bus.n_services = 2;
    bus.restarts[0] = 100;
    machine_tick(&machine, 5);
    assert_false(machine_has(&machine, name));
    bus.restarts[0] = 103;
    machine_tick(&machine, 5);
    same(machine_value(&machine, name), 3);
    bus.restarts[0] = 1;
    machine_tick(&machine, 300);
    same(machine_value(&machine, name), 3);
    bus.restarts[0] = 2;
    machine_tick(&machine, 200);
    same(machine_value(&machine, name), 4);
    machine_tick(&machine, 105);
    same(machine_value(&machine, name), 1);
    assert_false(machine_has(&machine, "unit_restarts{s1.service}"));
    /* Between two starts it is in no list for a while, and is not forgotten. */
    bus.n_services = 0;
    machine_tick(&machine, 5);
    bus.n_services = 2;
    bus.restarts[0] = 5;
    machine_tick(&machine, 5);
    same(machine_value(&machine, name), 4);
    machine_release(&machine);
}

/* Beyond the table they are counted together, and nothing is lost of the sum. */
static void too_many_are_counted_together(void **state)
{
    struct machine machine;

    (void)state;
    start(&machine);
    bus.n_failed = 70;
    bus.n_services = UNITS_MAX;
    machine_tick(&machine, 5);
    same(machine_value(&machine, "units_failed"), 70);
    same(machine_value(&machine, "unit_failed{f63.service}"), 1);
    same(machine_value(&machine, "unit_failed{(others)}"), 6);
    assert_string_equal(machine_error(&machine, "systemd"),
                        "88 services beyond 512: their restarts are not counted");
    bus.n_failed = 1;
    bus.n_services = 1;
    machine_tick(&machine, 5);
    same(machine_value(&machine, "unit_failed{(others)}"), 0);
    assert_string_equal(machine_error(&machine, "systemd"), "");
    machine_release(&machine);
}

static void fill_schema(struct machine *machine, size_t free_metrics)
{
    static const struct record_metric row = {.name = "temperature",
                                             .label_key = "sensor"};
    char label[24];

    for (int i = 0; machine->schema.n < RECORD_METRICS_MAX - free_metrics; i++) {
        snprintf(label, sizeof label, "filler %d", i);
        record_schema_add(&machine->schema, &row, label);
    }
}

/* A unit that finds no room is told of, and has its metrics when there is some. */
static void who_finds_no_room_is_tried_again(void **state)
{
    struct machine machine;
    size_t filler;

    (void)state;
    start(&machine);
    machine_tick(&machine, 5);
    fill_schema(&machine, 2);
    filler = record_schema_find(&machine.schema, "temperature{filler 7}");
    assert_true(filler != SIZE_MAX);
    bus.n_failed = 2;
    machine_tick(&machine, 5);
    same(machine_value(&machine, "unit_failed{f0.service}"), 1);
    assert_false(machine_has(&machine, "unit_failed{f1.service}"));
    same(machine_value(&machine, "units_failed"), 2);
    assert_string_equal(machine_error(&machine, "systemd"),
                        "1 units in trouble have no metrics of their own: there are too "
                        "many");
    record_schema_give_back(&machine.schema, filler);
    record_schema_give_back(&machine.schema, filler + 1);
    machine_tick(&machine, RECORD_REST_S + 1);
    machine_tick(&machine, 5);
    same(machine_value(&machine, "unit_failed{f1.service}"), 1);
    assert_string_equal(machine_error(&machine, "systemd"), "");
    machine_release(&machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_asks_again_after_every_failure),
        cmocka_unit_test(it_asks_every_five_seconds),
        cmocka_unit_test(what_is_well_again_is_let_go),
        cmocka_unit_test(restarts_count_for_ten_minutes),
        cmocka_unit_test(too_many_are_counted_together),
        cmocka_unit_test(who_finds_no_room_is_tried_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
