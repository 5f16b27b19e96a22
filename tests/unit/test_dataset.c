/* src/batch/dataset, without files: features, labels, places, memory that runs out. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fault.h"
#include "batch/dataset.h"

static const char good[] = "time,a,note,b,label\n"
                           "1,2,\"x\ny\",3,0\n"
                           "\n"
                           "2,nan,z,4,1\n"
                           "3,5,19\",6,1\n";

static enum vd_status take(struct batch_dataset *data, const char *text,
                           struct vd_error *err)
{
    return batch_dataset_take(data, text, strlen(text), "t.csv", NULL, err);
}

static enum vd_status settle(struct batch_dataset *data)
{
    return batch_dataset_settle_labels(&data, 1, "t.csv", 0, NULL);
}

static void features_are_the_columns_of_numbers(void **state)
{
    struct batch_dataset data, normal;

    (void)state;
    assert_int_equal(take(&data, good, NULL), VD_OK);
    assert_int_equal(data.x.n, 2);
    assert_int_equal(data.x.d, 2);
    assert_string_equal(data.name[0], "a");
    assert_string_equal(data.name[1], "b");
    assert_double_equal(data.x.at[0], 2, 0);
    assert_double_equal(data.x.at[3], 6, 0);
    assert_int_equal(settle(&data), VD_OK);
    assert_int_equal(data.label[0], 0);
    assert_int_equal(data.label[1], 1);
    assert_int_equal(data.lost.rows, 1);
    assert_string_equal(data.lost.worst, "a");
    assert_int_equal(batch_dataset_normal_rows(&normal, &data), VD_OK);
    assert_int_equal(normal.x.n, 1);
    batch_dataset_release(&normal);
    batch_dataset_release(&data);
}

/* A quote is one where a field begins, blanks apart. */
static void quotes_inside_a_field_are_text(void **state)
{
    struct batch_dataset data;

    (void)state;
    assert_int_equal(take(&data, "a 19\"; \"b;c\";label\n1;2;0\n3; \"4\";1\n", NULL),
                     VD_OK);
    assert_int_equal(data.x.d, 2);
    assert_int_equal(data.x.n, 2);
    assert_string_equal(data.name[0], "a 19\"");
    assert_string_equal(data.name[1], "b;c");
    assert_double_equal(data.x.at[3], 4, 0);
    batch_dataset_release(&data);
}

static void what_is_wrong_has_its_line(void **state)
{
    static const char *const wrong[][2] = {
        {"", "t.csv: it is empty"},
        {"a,b\n", "t.csv: no rows"},
        {"1,2\n3,4\n", "first line has to name"},
        {"a,label\n1,0\n\"x\ny\",1\n2,7\n", "t.csv:5: this label"},
        {"a,label\n1,0\n2,1\n\n3,-1\n", "t.csv:5: a label of -1, and in line 2 one of 0"},
        {"a,label\n1,-1\n3,0\n", "t.csv:3: a label of 0, and in line 2 one of -1"},
        {"a,label\n1,0\n2\n", "t.csv:3: the row has no label: 1 fields"},
        {"a,label\n1,0\n2,1,3\n", "t.csv:3: the row has 3 fields, the first line 2"},
        {"a,label\n1,0\n2,\"1\n3,0\n", "t.csv:3: a quote is not closed"},
        {"a,label\n1e200,0\n", "column \"a\" 1 values are missing"},
        {"a,b,a,label\n1,2,3,0\n", "t.csv: two columns are called \"a\""},
        {"a,label\nx,0\n", "no rows with numeric columns: \"a\" (text)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct vd_error err = {0};
        struct batch_dataset data;

        assert_int_equal(take(&data, wrong[i][0], &err), VD_ERR_DATA);
        if (strstr(err.text, wrong[i][1]) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", wrong[i][1], err.text);
        assert_null(data.x.at);
    }
}

static void no_memory_is_told_and_leaks_nothing(void **state)
{
    struct batch_dataset data;

    (void)state;
    for (long k = 1;; k++) {
        enum vd_status status;

        alloc_fault_at(k);
        status = take(&data, good, NULL);
        if (!alloc_fault_happened()) {
            alloc_fault_at(0);
            assert_int_equal(status, VD_OK);
            batch_dataset_release(&data);
            break;
        }
        assert_int_equal(status, VD_ERR_MEMORY);
    }
}

static const struct {
    const char *text[2];
    int anomaly;           /* what the user says */
    const char *labels[2]; /* what they are then; NULL = it is refused */
} codings[] = {
    {{"a,label\n1,0\n2,1\n", "a,label\n1,1\n2,1\n"}, 0, {"01", "11"}},
    {{"a,label\n1,-1\n2,1\n", "a,label\n1,1\n2,1\n"}, 0, {"10", "00"}},
    {{"a,label\n1,1\n2,1\n", "a,label\n1,-1\n2,-1\n"}, 0, {"00", "11"}},
    {{"a,label\n1,0\n2,0\n", "a,label\n1,0\n2,0\n"}, 0, {"00", "00"}},
    {{"a,label\n1,1\n2,1\n", "a,label\n1,1\n2,1\n"}, 0, {NULL, NULL}},
    {{"a,label\n1,1\n2,1\n", "a,label\n1,1\n2,1\n"}, 1, {"11", "11"}},
    {{"a,label\n1,1\n2,1\n", "a,label\n1,1\n2,1\n"}, -1, {"00", "00"}},
    {{"a,label\n1,0\n2,1\n", "a,label\n1,-1\n2,1\n"}, 0, {NULL, NULL}},
    {{"a,is_anomaly\n1,True\n2,True\n", "a,label\n1,1\n2,1\n"}, 0, {"11", "11"}},
    {{"a,label\n1,normal\n2,anomaly\n", "a,label\n1,1\n2,1\n"}, 0, {"01", "11"}},
    {{"a,anomaly,inference_latency_ms\n1,1,0\n2,1,0\n",
      "a,anomaly,inference_latency_ms\n1,1,0\n2,1,0\n"},
     0,
     {"00", "00"}},
};

static void labels_are_decided_over_all_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) {
        struct batch_dataset data[2], *all[] = {&data[0], &data[1]};
        bool refused = codings[i].labels[0] == NULL;

        for (size_t k = 0; k < 2; k++)
            assert_int_equal(take(&data[k], codings[i].text[k], NULL), VD_OK);
        assert_int_equal(
            batch_dataset_settle_labels(all, 2, "t", codings[i].anomaly, NULL),
            refused ? VD_ERR_DATA : VD_OK);
        for (size_t k = 0; k < 2; k++) {
            for (size_t row = 0; !refused && row < 2; row++)
                if (data[k].label[row] != codings[i].labels[k][row] - '0')
                    fail_msg("case %zu, file %zu, row %zu", i, k, row);
            batch_dataset_release(&data[k]);
        }
    }
}

/* As a replay has them: the first row has no rate. */
static void counters_are_learned_as_rates(void **state)
{
    struct batch_dataset data;

    (void)state;
    assert_int_equal(take(&data,
                          "Time\twtime\tpss\trchar\n100\t0\t5\t1000\n102\t2\t6\t1500\n"
                          "103\t3\t7\t1500\n",
                          NULL),
                     VD_OK);
    assert_int_equal(data.x.n, 2);
    assert_int_equal(data.x.d, 2);
    assert_double_equal(data.x.at[1], 250, 1e-9);
    assert_double_equal(data.x.at[3], 0, 0);
    batch_dataset_release(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_are_the_columns_of_numbers),
        cmocka_unit_test(quotes_inside_a_field_are_text),
        cmocka_unit_test(what_is_wrong_has_its_line),
        cmocka_unit_test(labels_are_decided_over_all_files),
        cmocka_unit_test(counters_are_learned_as_rates),
        cmocka_unit_test(no_memory_is_told_and_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
