/* src/cmd/dataset and table, without files: spans, places, memory that runs out. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fault.h"
#include "cmd/dataset.h"

static const char good[] = "time,a,note,b,label\n"
                           "1,2,\"x\ny\",3,0\n"
                           "\n"
                           "2,nan,z,4,1\n"
                           "3,5,19\",6,1\n";

static enum vd_status take(struct dataset *data, const char *text, bool rows,
                           struct vd_error *err)
{
    size_t size = strlen(text);
    char *copy = malloc(size + 1);

    assert_non_null(copy);
    memcpy(copy, text, size);
    return dataset_take(data, copy, size, "t.csv", NULL, rows, err);
}

static void features_are_the_columns_of_numbers(void **state)
{
    struct dataset data, normal;

    (void)state;
    assert_int_equal(take(&data, good, false, NULL), VD_OK);
    assert_int_equal(data.x.n, 2);
    assert_int_equal(data.x.d, 2);
    assert_string_equal(data.name[0], "a");
    assert_string_equal(data.name[1], "b");
    assert_double_equal(data.x.at[0], 2, 0);
    assert_double_equal(data.x.at[3], 6, 0);
    assert_int_equal(data.label[0], 0);
    assert_int_equal(data.label[1], 1);
    assert_int_equal(data.lost.rows, 1);
    assert_string_equal(data.lost.worst, "a");
    assert_string_equal(data.lost.columns.text, "\"note\" (text)");
    assert_int_equal(dataset_normal_rows(&normal, &data), VD_OK);
    assert_int_equal(normal.x.n, 1);
    dataset_release(&normal);
    dataset_release(&data);
}

static void rows_keep_their_bytes(void **state)
{
    static const char *const row[] = {"1,2,\"x\ny\",3,0\n", "2,nan,z,4,1\n",
                                      "3,5,19\",6,1\n"};
    struct dataset data;

    (void)state;
    assert_int_equal(take(&data, good, true, NULL), VD_OK);
    assert_int_equal(data.x.n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(data.row[i].end - data.row[i].at, strlen(row[i]));
        assert_memory_equal(data.row[i].at, row[i], strlen(row[i]));
        assert_int_equal(data.label[i], i > 0);
    }
    assert_int_equal(data.head.end - data.head.at, strlen("time,a,note,b,label\n"));
    dataset_release(&data);
}

/* A quote is one where a field begins, blanks apart. */
static void quotes_inside_a_field_are_text(void **state)
{
    struct dataset data;

    (void)state;
    assert_int_equal(
        take(&data, "a 19\"; \"b;c\";label\n1;2;0\n3; \"4\";1\n", false, NULL), VD_OK);
    assert_int_equal(data.x.d, 2);
    assert_int_equal(data.x.n, 2);
    assert_string_equal(data.name[0], "a 19\"");
    assert_string_equal(data.name[1], "b;c");
    assert_double_equal(data.x.at[3], 4, 0);
    dataset_release(&data);
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
        struct dataset data;

        assert_int_equal(take(&data, wrong[i][0], false, &err), VD_ERR_DATA);
        if (strstr(err.text, wrong[i][1]) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", wrong[i][1], err.text);
        assert_null(data.x.at);
    }
}

/* More names than a message holds are counted. */
static void a_message_names_what_it_has_room_for(void **state)
{
    static char text[1 << 16];
    struct dataset data;
    size_t used = 0, named = 0, more;

    (void)state;
    for (int c = 0; c < 1000; c++)
        used += (size_t)sprintf(text + used, "column_%d,", c);
    used += (size_t)sprintf(text + used, "a\n");
    for (int c = 0; c < 1000; c++)
        text[used++] = ',';
    strcpy(text + used, "7\n");
    assert_int_equal(take(&data, text, false, NULL), VD_OK);
    assert_int_equal(data.x.d, 1);
    for (const char *at = data.lost.columns.text; (at = strstr(at, "(empty)")); at++)
        named++;
    assert_int_equal(
        sscanf(strstr(data.lost.columns.text, " and "), " and %zu more", &more), 1);
    assert_int_equal(named + more, 1000);
    dataset_release(&data);
}

static void no_memory_is_told_and_leaks_nothing(void **state)
{
    struct dataset data;

    (void)state;
    for (int rows = 0; rows < 2; rows++)
        for (long k = 1;; k++) {
            char *copy = malloc(sizeof good);
            enum vd_status status;

            assert_non_null(copy);
            memcpy(copy, good, sizeof good);
            alloc_fault_at(k);
            status =
                dataset_take(&data, copy, sizeof good - 1, "t.csv", NULL, rows, NULL);
            if (!alloc_fault_happened()) {
                alloc_fault_at(0);
                assert_int_equal(status, VD_OK);
                dataset_release(&data);
                break;
            }
            assert_int_equal(status, VD_ERR_MEMORY);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_are_the_columns_of_numbers),
        cmocka_unit_test(rows_keep_their_bytes),
        cmocka_unit_test(quotes_inside_a_field_are_text),
        cmocka_unit_test(what_is_wrong_has_its_line),
        cmocka_unit_test(a_message_names_what_it_has_room_for),
        cmocka_unit_test(no_memory_is_told_and_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
