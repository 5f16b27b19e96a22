/* src/format/nab: series, labelled windows and results as files. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/nab.h"
#include "tree.h"

static const char *path_in(const struct tree *tree, const char *name)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/%s", tree->root, name);
    return path;
}

static void series_are_found_in_folders(void **state)
{
    struct format_nab_list list;
    struct tree tree;
    char name[64];

    (void)state;
    tree_init(&tree);
    assert_int_equal(format_nab_list_find(&list, tree.root, NULL), VD_ERR_DATA);
    assert_int_equal(list.n, 0);
    tree_write(&tree, "/b.csv", "x");
    tree_write(&tree, "/a/z.csv", "x");
    tree_write(&tree, "/a/.hidden.csv", "x");
    tree_write(&tree, "/.csv", "x");
    tree_write(&tree, "/x.csv.gz", "x");
    tree_write(&tree, "/csv", "x");
    tree_write(&tree, "/1/2/3/4/5/6/7/8/deep.csv", "x");
    tree_write(&tree, "/1/2/3/4/5/6/7/8/9/deeper.csv", "x");
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "/many/%02d.csv", i);
        tree_write(&tree, name, "x");
    }
    assert_int_equal(format_nab_list_find(&list, tree.root, NULL), VD_OK);
    assert_int_equal(list.n, 103);
    assert_string_equal(list.name[0], "1/2/3/4/5/6/7/8/deep.csv");
    assert_string_equal(list.name[1], "a/z.csv");
    assert_string_equal(list.name[2], "b.csv");
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "many/%02d.csv", i);
        assert_string_equal(list.name[3 + i], name);
    }
    format_nab_list_release(&list);
    assert_int_equal(format_nab_list_find(&list, path_in(&tree, "none"), NULL),
                     VD_ERR_IO);
    tree_release(&tree);
}

static void series_have_times_and_values(void **state)
{
    static const struct {
        const char *text;
        const char *wrong; /* what its error names; NULL = it is right */
    } known[] = {
        {"timestamp,value\n2014-04-01 00:05:00,20.0\n2014-04-01 00:10:00,x\n", NULL},
        {"timestamp,value\n2014-04-01 00:05:00,20.0\n2014-04-01 00:10:00,", NULL},
        {"a,b,value,c,d,e,f,timestamp\n,,20.0,,,,,2014-04-01 00:05:00\n"
         ",,,,,,,2014-04-01 00:10:00\n",
         NULL},
        {"time,value\n2014-04-01 00:05:00,20.0\n", "not a series"},
        {"timestamp,values\n2014-04-01 00:05:00,20.0\n", "not a series"},
        {"timestamp,value\n2014-04-01 00:05:00,20.0\nnow,1\n", ":3: no time"},
        {"timestamp,value\n2014-04-01 00:05:00\n", ":2: no time"},
        {"value,timestamp\n20.0\n", ":2: no time"},
        {"", "not a series"},
    };
    struct tree tree;

    (void)state;
    tree_init(&tree);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct format_nab_series series;
        struct vd_error err = {0};

        tree_write(&tree, "/s.csv", "%s", known[i].text);
        if (known[i].wrong != NULL) {
            assert_int_equal(
                format_nab_series_read(&series, path_in(&tree, "s.csv"), &err),
                VD_ERR_FORMAT);
            assert_non_null(strstr(err.text, known[i].wrong));
            assert_null(series.row);
            continue;
        }
        assert_int_equal(format_nab_series_read(&series, path_in(&tree, "s.csv"), &err),
                         VD_OK);
        assert_int_equal(series.n, 2);
        assert_true(series.row[0].time_s == 1396310700);
        assert_true(series.row[1].time_s == 1396311000);
        assert_double_equal(series.row[0].x, 20, 0);
        assert_true(isnan(series.row[1].x));
        assert_int_equal(series.row[0].value_size, 4);
        assert_memory_equal(series.row[0].value, "20.0", 4);
        assert_int_equal(series.row[0].time_size, 19);
        assert_memory_equal(series.row[0].time, "2014-04-01 00:05:00", 19);
        format_nab_series_release(&series);
    }
    tree_release(&tree);
}

/* One row a second, 0 .. 9. */
static void make_series(const struct tree *tree, struct format_nab_series *series)
{
    char text[512] = "timestamp,value\n";

    for (int i = 0; i < 10; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "2014-04-01 00:00:%02d,%d\n", i, i);
    tree_write(tree, "/s.csv", "%s", text);
    assert_int_equal(format_nab_series_read(series, path_in(tree, "s.csv"), NULL), VD_OK);
}

#define AT(s) "\"2014-04-01 00:00:" s ".000000\""

static void windows_of_times_become_windows_of_rows(void **state)
{
    static const struct {
        const char *windows;
        size_t n;
        struct vd_nab_window window[2];
        const char *wrong;
    } known[] = {
        {"[[" AT("02") "," AT("04") "]]", 1, {{2, 4}}, NULL},
        {"[[" AT("00") "," AT("00") "],[" AT("01") "," AT("09") "]]",
         2,
         {{0, 0}, {1, 9}},
         NULL},
        {"[[\"2013-04-01\", " AT("01") "], [" AT("08") ", \"2015-01-01\"]]",
         2,
         {{0, 1}, {8, 9}},
         NULL},
        {"[[\"2013-04-01\", \"2013-04-02\"], [" AT("05") ", " AT("05") "]]",
         1,
         {{5, 5}},
         NULL},
        {"[]", 0, {{0, 0}}, NULL},
        {"[[" AT("00") "," AT("03") "],[" AT("03") "," AT("09") "]]",
         0,
         {{0, 0}},
         "window 2 begins within"},
        {"[[" AT("02") "," AT("03") "],[" AT("04") ",5]]",
         0,
         {{0, 0}},
         "window 2 is not"},
        {"[[\"now\"," AT("03") "]]", 0, {{0, 0}}, "window 1 is not"},
    };
    struct tree tree;

    (void)state;
    tree_init(&tree);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct format_nab_series series;
        format_nab_labels *labels;
        struct vd_error err = {0};
        enum vd_status status;

        make_series(&tree, &series);
        tree_write(&tree, "/labels.json", "{\"a/s.csv\": %s}", known[i].windows);
        assert_int_equal(
            format_nab_labels_read(&labels, "", path_in(&tree, "labels.json"), NULL),
            VD_OK);
        status = format_nab_labels_apply(labels, "data/a/s.csv", &series, &err);
        assert_int_equal(status, known[i].wrong == NULL ? VD_OK : VD_ERR_FORMAT);
        if (known[i].wrong != NULL)
            assert_non_null(strstr(err.text, known[i].wrong));
        for (size_t k = 0; known[i].wrong == NULL && k < known[i].n; k++) {
            assert_int_equal(series.n_windows, known[i].n);
            assert_int_equal(series.window[k].first, known[i].window[k].first);
            assert_int_equal(series.window[k].last, known[i].window[k].last);
        }
        format_nab_series_release(&series);
        make_series(&tree, &series);
        assert_int_equal(format_nab_labels_apply(labels, "s.csv", &series, NULL), VD_OK);
        assert_int_equal(series.n_windows, 0); /* the labels know another one */
        format_nab_series_release(&series);
        format_nab_labels_free(labels);
    }
    tree_release(&tree);
}

static void labels_lie_beside_their_series(void **state)
{
    static const char *const places[] = {
        "/d/windows.json", "/d/combined_windows.json", "/d/labels/combined_windows.json",
        "/windows.json",   "/combined_windows.json",   "/labels/combined_windows.json"};
    static const char *const wrong[] = {"[]", "{", "", "{\"a\": 1, \"a\": 2}"};
    format_nab_labels *labels;
    struct vd_error err = {0};
    struct tree tree;
    char dir[256];

    (void)state;
    tree_init(&tree);
    tree_write(&tree, "/d/x", "x");
    snprintf(dir, sizeof dir, "%s/d", tree.root);
    assert_int_equal(format_nab_labels_read(&labels, dir, NULL, NULL), VD_OK);
    assert_null(labels);
    assert_int_equal(format_nab_labels_read(&labels, dir, path_in(&tree, "none"), NULL),
                     VD_ERR_IO);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        tree_write(&tree, places[i], "{}");
        assert_int_equal(format_nab_labels_read(&labels, dir, NULL, NULL), VD_OK);
        assert_non_null(labels);
        format_nab_labels_free(labels);
        tree_remove(&tree, places[i]);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        memset(&err, 0, sizeof err);
        tree_write(&tree, "/windows.json", "%s", wrong[i]);
        assert_int_equal(format_nab_labels_read(&labels, dir, NULL, &err), VD_ERR_FORMAT);
        assert_null(labels);
        assert_non_null(strstr(err.text, "windows.json: line 1: "));
    }
    tree_release(&tree);
}

static void results_are_written_as_the_benchmark_reads_them(void **state)
{
    static const char wanted[] = "timestamp,value,anomaly_score,label\n"
                                 "2014-04-01 00:00:00,0,0.000000,0\n"
                                 "2014-04-01 00:00:01,1,0.125000,1\n"
                                 "2014-04-01 00:00:02,2,0.250000,1\n"
                                 "2014-04-01 00:00:03,3,0.375000,0\n"
                                 "2014-04-01 00:00:04,4,0.500000,0\n"
                                 "2014-04-01 00:00:05,5,0.625000,0\n"
                                 "2014-04-01 00:00:06,6,0.750000,0\n"
                                 "2014-04-01 00:00:07,7,0.875000,0\n"
                                 "2014-04-01 00:00:08,8,1.000000,1\n"
                                 "2014-04-01 00:00:09,9,1.125000,0\n";
    static const char *const names[][2] = {
        {"a/s.csv", "vedette/a/vedette_s.csv"},
        {"s.csv", "vedette/vedette_s.csv"},
    };
    struct format_nab_series series;
    struct tree tree;
    double score[10];

    (void)state;
    tree_init(&tree);
    make_series(&tree, &series);
    series.window = calloc(2, sizeof *series.window);
    assert_non_null(series.window);
    series.n_windows = 2;
    series.window[0] = (struct vd_nab_window){1, 2};
    series.window[1] = (struct vd_nab_window){8, 8};
    for (int i = 0; i < 10; i++)
        score[i] = i / 8.;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[sizeof wanted + 10];
        FILE *file;
        size_t n;

        assert_int_equal(
            format_nab_result_write(tree.root, names[i][0], &series, score, NULL), VD_OK);
        file = fopen(path_in(&tree, names[i][1]), "r");
        assert_non_null(file);
        n = fread(text, 1, sizeof text, file);
        fclose(file);
        assert_int_equal(n, strlen(wanted));
        assert_memory_equal(text, wanted, n);
    }
    format_nab_series_release(&series);
    tree_release(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_are_found_in_folders),
        cmocka_unit_test(series_have_times_and_values),
        cmocka_unit_test(windows_of_times_become_windows_of_rows),
        cmocka_unit_test(labels_lie_beside_their_series),
        cmocka_unit_test(results_are_written_as_the_benchmark_reads_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
