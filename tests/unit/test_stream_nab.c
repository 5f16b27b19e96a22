/* The univariate layer on the Numenta Anomaly Benchmark: no look ahead, and the score
 * that the documents name. Skipped where the data is not there (VEDETTE_DATA). */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/nab.h"
#include "vedette/stream.h"

static const char *data_folder(void)
{
    static char path[4096];
    const char *data = getenv("VEDETTE_DATA");

    snprintf(path, sizeof path, "%s/nab",
             data != NULL ? data : TESTS_DIR "/../../shared/data");
    if (access(path, R_OK) == 0)
        return path;
    printf("skipped: no recorded data at %s (VEDETTE_DATA)\n", path);
    return NULL;
}

static struct vd_stream_verdict *verdicts_of(const struct format_nab_series *series,
                                             size_t rows)
{
    struct vd_stream_params params = vd_stream_params_default();
    struct vd_stream_verdict *v = calloc(rows, sizeof *v);
    vd_stream *stream;

    params.warm_up = params.memory = vd_nab_probation(series->n);
    assert_int_equal(vd_stream_new(&stream, &params), VD_OK);
    for (size_t i = 0; i < rows; i++)
        vd_stream_push(stream, series->row[i].time_s, series->row[i].x, &v[i]);
    vd_stream_free(stream);
    return v;
}

/* A prefix must give what the whole file gives, also when the rest of the file is
 * something else altogether. */
static void check_prefix(struct format_nab_series *series)
{
    struct vd_stream_verdict *whole = verdicts_of(series, series->n), *part;
    size_t cut = series->n / 3 * 2;

    for (size_t i = cut; i < series->n; i++) {
        series->row[i].x = 1e6 * (double)(i % 3);
        series->row[i].time_s += 12345;
    }
    part = verdicts_of(series, series->n);
    assert_memory_equal(whole, part, cut * sizeof *whole);
    free(part);
    part = verdicts_of(series, cut);
    assert_memory_equal(whole, part, cut * sizeof *whole);
    free(part);
    free(whole);
}

static void no_file_is_looked_ahead_in(void **state)
{
    const char *dir = data_folder();
    struct format_nab_list list;

    (void)state;
    if (dir == NULL)
        skip();
    assert_int_equal(format_nab_list_find(&list, dir, NULL), VD_OK);
    for (size_t i = 0; i < list.n; i++) {
        struct format_nab_series series;
        char path[4096];

        snprintf(path, sizeof path, "%s/%s", dir, list.name[i]);
        assert_int_equal(format_nab_series_read(&series, path, NULL), VD_OK);
        check_prefix(&series);
        format_nab_series_release(&series);
    }
    format_nab_list_release(&list);
}

static void score_series(const char *dir, const char *name,
                         const format_nab_labels *labels, struct vd_nab_result *total)
{
    struct format_nab_series series;
    struct vd_stream_verdict *v;
    uint8_t *detected;
    char path[4096];
    size_t n;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(format_nab_series_read(&series, path, NULL), VD_OK);
    assert_int_equal(format_nab_labels_apply(labels, name, &series, NULL), VD_OK);
    v = verdicts_of(&series, series.n);
    detected = calloc(series.n, 1);
    for (size_t i = 0; i < series.n; i++)
        detected[i] = v[i].score >= 0.5;
    vd_nab_score(detected, series.n, series.window, series.n_windows,
                 &vd_nab_profiles(&n)[0], total);
    free(detected);
    free(v);
    format_nab_series_release(&series);
}

static void score_is_what_the_documents_say(void **state)
{
    const char *dir = data_folder();
    struct vd_nab_result total = {0};
    struct format_nab_list list;
    format_nab_labels *labels;

    (void)state;
    if (dir == NULL)
        skip();
    assert_int_equal(format_nab_list_find(&list, dir, NULL), VD_OK);
    assert_int_equal(format_nab_labels_read(&labels, dir, NULL, NULL), VD_OK);
    assert_non_null(labels);
    for (size_t i = 0; i < list.n; i++)
        score_series(dir, list.name[i], labels, &total);
    printf("%zu series: %.2f\n", list.n, vd_nab_normalised(&total));
    assert_true(vd_nab_normalised(&total) >= 76);
    format_nab_labels_free(labels);
    format_nab_list_release(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_file_is_looked_ahead_in),
        cmocka_unit_test(score_is_what_the_documents_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
