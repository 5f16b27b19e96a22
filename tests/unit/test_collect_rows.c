/* The metric tables of all collectors: each row says what is known of its metric, so that
 * no stage has to guess it from the name. */
#include "unit.h"

#include <string.h>

#include "collect/collectors.h"
#include "collect/fill.h"

/* Calls `look` with every row that some collector may register. */
static void each_row(void (*look)(const struct record_metric *row))
{
    size_t n;
    const struct collect_type *const *types = collect_table(&n);

    for (size_t i = 0; i < COLLECT_CORE_METRICS; i++)
        look(&collect_core_metrics[i]);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < COLLECT_TABLES; k++)
            for (size_t r = 0; r < types[i]->rows[k].n; r++)
                if (types[i]->rows[k].at[r].name != NULL) /* a core metric's place */
                    look(&types[i]->rows[k].at[r]);
}

static void look_at_group(const struct record_metric *row)
{
    if (row->group == RECORD_GROUP_OTHER)
        fail_msg("%s belongs to no group", row->name);
    assert_non_null(record_group_name(row->group));
}

static void every_metric_is_about_something(void **state)
{
    (void)state;
    each_row(look_at_group);
}

/* Limits do not move by themselves, and time held back has no scale of its own. */
static bool may_lack_a_floor(const struct record_metric *row)
{
    return strcmp(row->unit, "cores") == 0 || strcmp(row->unit, "ms/s") == 0;
}

static void look_at_floor(const struct record_metric *row)
{
    if (!(row->sigma_floor > 0) && !may_lack_a_floor(row))
        fail_msg("%s has no sigma floor", row->name);
}

static void every_metric_has_a_floor(void **state)
{
    (void)state;
    each_row(look_at_floor);
}

static void look_at_bytes(const struct record_metric *row)
{
    if (row->is_byte_rate != (strcmp(row->unit, "MB/s") == 0))
        fail_msg("%s: its unit and is_byte_rate do not agree", row->name);
}

static void data_per_time_is_marked(void **state)
{
    (void)state;
    each_row(look_at_bytes);
}

static void look_at_text(const struct record_metric *row)
{
    size_t length = strlen(row->help);

    if (length == 0 || row->help[length - 1] != '.')
        fail_msg("%s: its help is no sentence", row->name);
    assert_true(row->scale > 0);
    assert_true(strlen(row->name) < RECORD_NAME_MAX);
}

static void every_metric_is_explained(void **state)
{
    (void)state;
    each_row(look_at_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_metric_is_about_something),
        cmocka_unit_test(every_metric_has_a_floor),
        cmocka_unit_test(data_per_time_is_marked),
        cmocka_unit_test(every_metric_is_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
