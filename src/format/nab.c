/* Reading NAB's files trusts nothing in them; result files keep the text of time and
 * value as it was, so that NAB's own program finds the rows again.
 */
#include "format/nab.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "format/number.h"
#include "format/time.h"
#include "os/file.h"
#include "os/output.h"

/* Bounds how deep folders are searched, which ends loops of links, and the fields of a
 * row that are looked at. */
enum { DEPTH_MAX = 8, FIELDS_MAX = 8 };

/* Bounds a file in bytes, far above any series of the benchmark. */
static const size_t FILE_MAX = (size_t)1 << 30;

static enum vd_status no_memory(struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory to read the series");
}

/* ---- the list of series ---- */

/* Adds a copy of the name, and counts it even when the copy fails: the list is then
 * released. */
static enum vd_status list_add(struct format_nab_list *list, const char *name,
                               struct vd_error *err)
{
    if (list->n == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
        char **grown = realloc(list->name, capacity * sizeof *grown);

        if (grown == NULL)
            return no_memory(err);
        list->name = grown;
        list->capacity = capacity;
    }
    list->name[list->n] = strdup(name);
    return list->name[list->n++] == NULL ? no_memory(err) : VD_OK;
}

static bool is_csv(const char *name)
{
    size_t size = strlen(name);

    return size > 4 && strcmp(name + size - 4, ".csv") == 0;
}

/* Searches dir/below and what lies deeper. Hidden files and what cannot be looked at are
 * passed over. */
static enum vd_status search(struct format_nab_list *list, const char *dir,
                             const char *below, int depth, struct vd_error *err)
{
    char path[PATH_MAX], name[PATH_MAX];
    enum vd_status status = VD_OK;
    struct dirent *entry;
    DIR *open;

    snprintf(path, sizeof path, "%s/%s", dir, below);
    open = opendir(path);
    if (open == NULL)
        return vd_error_set(err, VD_ERR_IO, NULL, "%s: %s", path, strerror(errno));
    while (status == VD_OK && (entry = readdir(open)) != NULL) {
        struct stat info;
        int size;

        if (entry->d_name[0] == '.')
            continue;
        size = snprintf(name, sizeof name, "%s%s%s", below, *below == '\0' ? "" : "/",
                        entry->d_name);
        if (size < 0 || (size_t)size >= sizeof name ||
            (size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path ||
            stat(path, &info) != 0)
            continue;
        if (S_ISDIR(info.st_mode) && depth < DEPTH_MAX)
            status = search(list, dir, name, depth + 1, err);
        else if (S_ISREG(info.st_mode) && is_csv(entry->d_name))
            status = list_add(list, name, err);
    }
    closedir(open);
    return status;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

enum vd_status format_nab_list_find(struct format_nab_list *list, const char *dir,
                                    struct vd_error *err)
{
    enum vd_status status;

    *list = (struct format_nab_list){0};
    status = search(list, dir, "", 0, err);
    if (status == VD_OK && list->n == 0)
        status = vd_error_set(err, VD_ERR_DATA, "give the folder with NAB's data",
                              "%s: no .csv file in it", dir);
    if (status != VD_OK)
        format_nab_list_release(list);
    else
        qsort(list->name, list->n, sizeof *list->name, by_name);
    return status;
}

void format_nab_list_release(struct format_nab_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->name[i]);
    free(list->name);
    *list = (struct format_nab_list){0};
}

/* ---- one series ---- */

/* Finds a column by its exact name. */
static size_t column_of(const struct format_csv_field *field, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (field[i].size == strlen(name) &&
            memcmp(field[i].at, name, field[i].size) == 0)
            return i;
    return SIZE_MAX;
}

/* Reads the rows, for which there is room for one a line: "timestamp,value" and then
 * "2014-04-01 00:05:00,20.0". Texts of a row point into the file's, which the series
 * keeps. */
static enum vd_status parse(struct format_nab_series *series, size_t size,
                            const char *path, struct vd_error *err)
{
    struct format_scan text = format_scan_of(series->text, size);
    char separator = format_csv_separator(series->text, size);
    struct format_csv_field field[FIELDS_MAX];
    size_t n = format_csv_row(&text, separator, field, FIELDS_MAX);
    size_t time = column_of(field, n, "timestamp"), value = column_of(field, n, "value");

    if (time == SIZE_MAX || value == SIZE_MAX)
        return vd_error_set(err, VD_ERR_FORMAT,
                            "a series begins with the line 'timestamp,value'",
                            "%s: not a series of NAB", path);
    while ((n = format_csv_row(&text, separator, field, FIELDS_MAX)) > 0) {
        struct format_nab_row *row = &series->row[series->n++];
        int64_t ns;

        if (n <= time || n <= value || !format_time(field[time], &ns))
            return vd_error_set(err, VD_ERR_FORMAT, NULL,
                                "%s:%zu: no time stamp and value", path, series->n + 1);
        *row = (struct format_nab_row){
            .time = field[time].at,
            .value = field[value].at,
            .time_size = (int)field[time].size,
            .value_size = (int)field[value].size,
            .time_s = ns / 1000000000,
            .x = format_number(field[value], '.'),
        };
    }
    return VD_OK;
}

enum vd_status format_nab_series_read(struct format_nab_series *series, const char *path,
                                      struct vd_error *err)
{
    enum vd_status status;
    size_t size = 0, lines = 1;

    *series = (struct format_nab_series){0};
    status = os_file_read(path, FILE_MAX, &series->text, &size, err);
    if (status != VD_OK)
        return status;
    for (size_t i = 0; i < size; i++)
        lines += series->text[i] == '\n';
    series->row = malloc(lines * sizeof *series->row);
    status = series->row == NULL ? no_memory(err) : parse(series, size, path, err);
    if (status != VD_OK)
        format_nab_series_release(series);
    return status;
}

void format_nab_series_release(struct format_nab_series *series)
{
    free(series->text);
    free(series->row);
    free(series->window);
    *series = (struct format_nab_series){0};
}

/* ---- labels ---- */

/* Finds the first of the places where labels lie beside their series; "" when none is
 * there. */
static void find_labels(char *path, size_t size, const char *dir)
{
    static const char *const places[] = {
        "windows.json",    "combined_windows.json",    "labels/combined_windows.json",
        "../windows.json", "../combined_windows.json", "../labels/combined_windows.json"};

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct stat info;

        snprintf(path, size, "%s/%s", dir, places[i]);
        if (stat(path, &info) == 0)
            return;
    }
    *path = '\0';
}

enum vd_status format_nab_labels_read(format_nab_labels **out, const char *dir,
                                      const char *file, struct vd_error *err)
{
    char path[PATH_MAX], *text;
    enum vd_status status;
    json_error_t wrong;
    size_t size = 0;

    *out = NULL;
    if (file == NULL)
        find_labels(path, sizeof path, dir);
    else
        snprintf(path, sizeof path, "%s", file);
    if (file == NULL && *path == '\0')
        return VD_OK;
    status = os_file_read(path, FILE_MAX, &text, &size, err);
    if (status == VD_OK)
        *out = json_loadb(text, size, JSON_REJECT_DUPLICATES, &wrong);
    free(text);
    if (status != VD_OK || json_is_object(*out))
        return status;
    if (*out != NULL)
        snprintf(wrong.text, sizeof wrong.text, "not an object");
    wrong.line = wrong.line < 1 ? 1 : wrong.line;
    format_nab_labels_free(*out);
    *out = NULL;
    return vd_error_set(err, VD_ERR_FORMAT,
                        "it holds {\"series.csv\": [[from, to], ...]}", "%s: line %d: %s",
                        path, wrong.line, wrong.text);
}

void format_nab_labels_free(format_nab_labels *labels)
{
    json_decref(labels);
}

/* Finds the windows of a series. Labels are named by folder and file, wherever the
 * folders lie, so "data/realTraffic/speed_7578.csv" is tried without its first parts as
 * well. */
static const json_t *find_windows(const json_t *labels, const char *name)
{
    const json_t *windows = NULL;

    while (name != NULL && (windows = json_object_get(labels, name)) == NULL) {
        name = strchr(name, '/');
        name = name == NULL ? NULL : name + 1;
    }
    return windows;
}

/* Reads a time of the labels. The benchmark works in whole seconds. */
static bool time_of(const json_t *text, int64_t *time_s)
{
    struct format_csv_field field;
    int64_t ns;

    if (!json_is_string(text))
        return false;
    field = (struct format_csv_field){json_string_value(text), json_string_length(text)};
    if (!format_time(field, &ns))
        return false;
    *time_s = ns / 1000000000;
    return true;
}

/* Finds the rows from `from` to `to`, both included; false when there are none. */
static bool rows_between(const struct format_nab_series *series, int64_t from, int64_t to,
                         struct vd_nab_window *window)
{
    bool found = false;

    for (size_t i = 0; i < series->n; i++) {
        if (series->row[i].time_s < from || series->row[i].time_s > to)
            continue;
        if (!found)
            window->first = i;
        window->last = i;
        found = true;
    }
    return found;
}

/* Turns the windows of times into windows of rows. They must be in order and apart, since
 * each alarm may count for one window only. */
enum vd_status format_nab_labels_apply(const format_nab_labels *labels, const char *name,
                                       struct format_nab_series *series,
                                       struct vd_error *err)
{
    const json_t *windows = find_windows(labels, name), *pair;
    size_t i, after = 0;

    if (windows == NULL || json_array_size(windows) == 0)
        return VD_OK;
    series->window = calloc(json_array_size(windows), sizeof *series->window);
    if (series->window == NULL)
        return no_memory(err);
    json_array_foreach(windows, i, pair)
    {
        struct vd_nab_window window;
        int64_t from, to;

        if (!time_of(json_array_get(pair, 0), &from) ||
            !time_of(json_array_get(pair, 1), &to))
            return vd_error_set(err, VD_ERR_FORMAT, NULL,
                                "%s: window %zu is not a pair of times", name, i + 1);
        if (!rows_between(series, from, to, &window))
            continue;
        if (window.first < after)
            return vd_error_set(err, VD_ERR_FORMAT, NULL,
                                "%s: window %zu begins within the one before", name,
                                i + 1);
        after = window.last + 1;
        series->window[series->n_windows++] = window;
    }
    return VD_OK;
}

/* ---- results ---- */

/* Writes the rows. Windows are in order, so one index follows them. */
static void write_rows(FILE *file, const struct format_nab_series *series,
                       const double *score)
{
    size_t k = 0;

    fputs("timestamp,value,anomaly_score,label\n", file);
    for (size_t i = 0; i < series->n; i++) {
        const struct format_nab_row *row = &series->row[i];

        while (k < series->n_windows && i > series->window[k].last)
            k++;
        fprintf(file, "%.*s,%.*s,%.6f,%d\n", row->time_size, row->time, row->value_size,
                row->value, score[i],
                k < series->n_windows && i >= series->window[k].first);
    }
}

enum vd_status format_nab_result_write(const char *out, const char *name,
                                       const struct format_nab_series *series,
                                       const double *score, struct vd_error *err)
{
    const char *slash = strrchr(name, '/'), *base = slash == NULL ? name : slash + 1;
    struct os_output output;
    char path[PATH_MAX];
    enum vd_status status;
    int folder =
        snprintf(path, sizeof path, "%s/vedette/%.*s", out, (int)(base - name), name);

    if (folder < 0 || (size_t)folder + strlen(base) + sizeof "vedette_" > sizeof path)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "%s: name too long", out);
    status = os_folder_make(path, err);
    snprintf(path + folder, sizeof path - (size_t)folder, "vedette_%s", base);
    if (status == VD_OK)
        status = os_output_open(&output, path, err);
    if (status != VD_OK)
        return status;
    write_rows(output.file, series, score);
    return os_output_close(&output, err);
}
