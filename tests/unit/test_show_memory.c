/* src/show without memory: the k-th allocation fails, for every k. What was there before
 * stays as it was, what failed says so, and the next try works. After the first round
 * nothing is allocated at all. */
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fault.h"
#include "show/changes.h"
#include "show/encode.h"
#include "show/snapshot.h"

enum { METRICS = 40, PROCESSES = 60 };

struct fixture {
    struct record_schema schema;
    double value[METRICS];
    struct record_process process[PROCESSES];
    struct record_processes processes;
    struct record_event event;
    struct record record;
};

static void fill(struct fixture *f)
{
    static const struct record_metric row = {
        .name = "disk_busy_percent", .unit = "%", .help = "", .label_key = "device"};

    memset(f, 0, sizeof *f);
    for (int i = 0; i < METRICS; i++) {
        char label[16];

        snprintf(label, sizeof label, "sd%d", i);
        record_schema_add(&f->schema, &row, label);
        f->value[i] = i;
    }
    for (int i = 0; i < PROCESSES; i++) {
        f->process[i].pid = i + 1;
        f->process[i].cpu_percent = i;
        strcpy(f->process[i].comm, "name");
    }
    f->processes =
        (struct record_processes){.at = f->process, .n = PROCESSES, .threads = 99};
    f->event = (struct record_event){.id = 1, .start_ns = 1, .kind = RECORD_ANOMALY};
    f->record = (struct record){.time_ns = 1700000000000000000,
                                .tick = 3,
                                .schema = &f->schema,
                                .value = f->value,
                                .processes = &f->processes,
                                .event = &f->event,
                                .change = RECORD_EVENT_OPENED};
}

static void encode_all(struct show_json *j, const struct show_snapshot *s)
{
    struct show_view view = {.all_metrics = true, .detectors = true, .top = true};
    struct show_told told = {0};

    show_json_clear(j);
    show_json_open(j, NULL, '[');
    show_encode_metrics(j, NULL, s->schema == NULL ? NULL : &s->schema->metrics);
    show_encode_tick(j, NULL, s);
    show_encode_processes(j, s);
    show_encode_process_changes(j, s);
    show_encode_changes(j, s, &view, &told, true);
    show_encode_changes(j, s, &view, &told, false);
    show_encode_event(j, NULL, &s->event, s->schema, NULL, 0);
    show_json_close(j, ']');
}

static void a_tick_that_fails_leaves_the_last_one(void **state)
{
    struct fixture *f = malloc(sizeof *f);
    bool grew = false;
    long k;

    (void)state;
    fill(f);
    for (k = 1;; k++) {
        struct show_snapshot s = {0};
        enum vd_status status;
        bool failed;

        alloc_fault_at(k);
        status = show_snapshot_take(&s, &f->record, &grew);
        failed = alloc_fault_happened();
        alloc_fault_at(0);
        /* Without room for its processes a tick comes without them. */
        assert_true(status == VD_OK ? s.filled : !s.filled && failed);
        assert_int_equal(show_snapshot_take(&s, &f->record, &grew), VD_OK);
        assert_int_equal(s.schema->metrics.n, METRICS);
        assert_int_equal(s.n_processes, PROCESSES);
        assert_true(s.value[METRICS - 1] == METRICS - 1);
        show_snapshot_release(&s);
        if (!failed)
            break;
    }
    assert_true(k > 4);
    record_schema_release(&f->schema);
    free(f);
}

static void text_that_fails_says_so(void **state)
{
    struct fixture *f = malloc(sizeof *f);
    struct show_snapshot s = {0};
    struct show_json whole = {0}, j = {0};
    bool grew = false;
    long k;

    (void)state;
    fill(f);
    assert_int_equal(show_snapshot_take(&s, &f->record, &grew), VD_OK);
    encode_all(&whole, &s);
    assert_false(whole.failed);
    for (k = 1;; k++) {
        alloc_fault_at(k);
        encode_all(&j, &s);
        assert_int_equal(j.failed, alloc_fault_happened());
        if (!j.failed)
            break;
        show_json_release(&j);
    }
    alloc_fault_at(0);
    assert_true(k > 3);
    assert_int_equal(j.size, whole.size);
    assert_memory_equal(show_json_text(&j), show_json_text(&whole), whole.size);
    show_json_release(&j);
    show_json_release(&whole);
    show_snapshot_release(&s);
    record_schema_release(&f->schema);
    free(f);
}

static void a_tick_allocates_nothing(void **state)
{
    struct fixture *f = malloc(sizeof *f);
    struct show_snapshot s = {0};
    struct show_json j = {0};
    bool grew = false;

    (void)state;
    fill(f);
    for (int i = 0; i < 2; i++) /* there are two tables: this tick's and the last one's */
        assert_int_equal(show_snapshot_take(&s, &f->record, &grew), VD_OK);
    encode_all(&j, &s);
    alloc_fault_at(0);
    for (int i = 0; i < 100; i++) {
        f->processes.n = (size_t)(PROCESSES - i % 7);
        f->value[0] = i % 2 ? NAN : i;
        f->record.tick++;
        assert_int_equal(show_snapshot_take(&s, &f->record, &grew), VD_OK);
        encode_all(&j, &s);
        assert_false(j.failed);
    }
    assert_int_equal(alloc_fault_count(), 0);
    show_json_release(&j);
    show_snapshot_release(&s);
    record_schema_release(&f->schema);
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tick_that_fails_leaves_the_last_one),
        cmocka_unit_test(text_that_fails_says_so),
        cmocka_unit_test(a_tick_allocates_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
