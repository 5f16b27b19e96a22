/* Reads several tables as one. A column that a later table has not is missing there, as
 * the columns of a GPU are on a machine without one. */
#include "batch/analyse_rows.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "os/log.h"
#include "vedette/detector.h"

static const struct {
    const char *name, *note, *needs[3];
} derived_columns[BATCH_DERIVED] = {
    [BATCH_PSS_RATE] = {"pss_rate", "kB/s: how fast pss grows", {"pss", NULL}},
    [BATCH_PSS_PER_PROCESS] = {"pss_per_process",
                               "pss / nprocs",
                               {"pss", "nprocs", NULL}},
    [BATCH_CPU_EFFICIENCY] = {"cpu_efficiency",
                              "(utime + stime) / wtime",
                              {"utime", "stime"}},
    [BATCH_IO_RATE] = {"io_rate",
                       "bytes/s: rates of rchar and wchar",
                       {"rchar", "wchar"}},
};

/* Of a longer table out of order, the rows stay as they are: 96 MB for their places. */
enum { SORT_MAX = 4000000 };

static enum vd_status no_memory(struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the columns");
}

/* ---- columns ---- */

size_t batch_rows_find(const struct batch_rows *rows, const char *name)
{
    for (size_t c = 0; c < rows->n_columns; c++)
        if (strcmp(rows->column[c].name, name) == 0)
            return c;
    return SIZE_MAX;
}

static size_t find_in(const struct format_table *t, const char *name)
{
    for (size_t c = 0; c < t->n_columns; c++)
        if (strcasecmp(t->column[c].name, name) == 0)
            return c;
    return SIZE_MAX;
}

/* Tells whether the table is the history of the original program, which wrote most
 * samples twice: as they came, and again with their score. */
static bool has_doubles(const struct format_table *t)
{
    return t->place != NULL && t->time < t->n_columns &&
           strcmp(t->column[t->time].name, "timestamp") == 0 &&
           find_in(t, "anomaly_score") != SIZE_MAX &&
           find_in(t, "is_anomaly") != SIZE_MAX;
}

/* Takes the columns of the first table. What is no metric keeps its reason. */
static void take_columns(struct batch_rows *rows)
{
    const struct format_table *t = &rows->table[0];
    bool raw = rows->options->counters == BATCH_COUNTERS_RAW;

    for (size_t c = 0; c < t->n_columns; c++) {
        struct batch_rows_column *column = &rows->column[rows->n_columns++];

        snprintf(column->name, sizeof column->name, "%s", t->column[c].name);
        snprintf(column->why, sizeof column->why, "%s",
                 t->column[c].why == NULL ? "" : t->column[c].why);
        column->counts = t->column[c].role == FORMAT_COUNTER && !raw;
        if (t->column[c].role == FORMAT_COUNTER)
            snprintf(column->note, sizeof column->note, "%s",
                     raw ? "a counter, as it stands" : "a counter: its rate");
    }
    for (int k = 1; rows->is_prmon && !raw && k < BATCH_DERIVED; k++) {
        struct batch_rows_column *column = &rows->column[rows->n_columns];
        bool there = batch_rows_find(rows, derived_columns[k].name) == SIZE_MAX;

        for (size_t i = 0; i < 3 && derived_columns[k].needs[i] != NULL; i++)
            there =
                there && batch_rows_find(rows, derived_columns[k].needs[i]) != SIZE_MAX;
        if (!there)
            continue;
        snprintf(column->name, sizeof column->name, "%s", derived_columns[k].name);
        snprintf(column->note, sizeof column->note, "%s", derived_columns[k].note);
        column->derived = k;
        rows->n_columns++;
    }
}

/* Finds each column in each table, by its name. */
static void place_columns(struct batch_rows *rows)
{
    for (size_t i = 0; i < rows->n_tables; i++) {
        const struct format_table *t = &rows->table[i];

        for (size_t c = 0; c < rows->n_columns; c++) {
            size_t place =
                i == 0 && c < t->n_columns ? c : find_in(t, rows->column[c].name);

            if (rows->column[c].derived != BATCH_AS_IT_IS ||
                (place != SIZE_MAX && rows->column[c].why[0] == '\0' &&
                 t->column[place].why != NULL))
                place = SIZE_MAX;
            rows->place[i * rows->n_columns + c] = place;
            if (place == SIZE_MAX && rows->column[c].derived == BATCH_AS_IT_IS &&
                rows->column[c].why[0] == '\0')
                os_log_warning("%s: no numbers in a column \"%s\": missing there",
                               t->path, rows->column[c].name);
        }
        rows->doubles[i] = has_doubles(t);
        rows->phase[i] = find_in(t, "phase");
        rows->task[i] = find_in(t, "task_status");
    }
}

/* Leaves out what --columns does not name. A name that is not there is an error. */
static enum vd_status choose_asked(struct batch_rows *rows, struct vd_error *err)
{
    const struct batch_analyse_options *o = rows->options;

    for (size_t i = 0; i < o->n_columns; i++) {
        size_t c = batch_rows_find(rows, o->column[i]);

        if (c == SIZE_MAX || rows->column[c].why[0] != '\0')
            return vd_error_set(err, VD_ERR_ARGUMENT, "name a column of numbers",
                                "%s: --columns: \"%.60s\" is %s%s", rows->table[0].path,
                                o->column[i], c == SIZE_MAX ? "no column" : "left out: ",
                                c == SIZE_MAX ? "" : rows->column[c].why);
    }
    for (size_t c = 0; o->n_columns > 0 && c < rows->n_columns; c++) {
        bool asked = false;

        for (size_t i = 0; i < o->n_columns; i++)
            asked = asked || strcmp(o->column[i], rows->column[c].name) == 0;
        if (!asked && rows->column[c].why[0] == '\0')
            snprintf(rows->column[c].why, sizeof rows->column[c].why, "not asked for");
    }
    return VD_OK;
}

/* Makes the list of the columns that are values. */
static void list_used(struct batch_rows *rows)
{
    rows->d = 0;
    for (size_t c = 0; c < rows->n_columns; c++)
        if (rows->column[c].why[0] == '\0')
            rows->used[rows->d++] = c;
}

/* ---- opening ---- */

/* Gives what a file is called: the tables to train on go by their paths. */
static const char *name_of(const struct batch_rows *rows, size_t i)
{
    const struct batch_analyse_options *o = rows->options;

    if (o->title != NULL && rows->file == o->file)
        return o->title[i];
    return strcmp(rows->file[i], "-") == 0 ? "standard input" : rows->file[i];
}

static enum vd_status open_tables(struct batch_rows *rows, const char *const *file,
                                  size_t n, struct vd_error *err)
{
    struct format_options options = rows->options->table;

    options.need_label = true;
    options.threads = rows->options->threads;
    options.sample = n == 1 ? BATCH_SAMPLED : 0;
    options.seed = rows->options->seed;
    options.sort_max = SORT_MAX;
    rows->table = calloc(n, sizeof *rows->table);
    rows->spool = calloc(n, sizeof *rows->spool);
    rows->after = calloc(n, sizeof *rows->after);
    if (rows->table == NULL || rows->spool == NULL || rows->after == NULL)
        return no_memory(err);
    rows->file = file;
    rows->timed = true;
    for (size_t i = 0; i < n; i++) {
        struct batch_spool *spool = &rows->spool[i];
        enum vd_status status = batch_spool_open(spool, file[i], err);

        options.title =
            spool->file != NULL || rows->options->title != NULL ? name_of(rows, i) : NULL;
        rows->table[rows->n_tables++].input.fd = -1;
        if (status == VD_OK)
            status = format_table_open(&rows->table[i],
                                       spool->file != NULL ? spool->path : file[i],
                                       &options, err);
        if (status != VD_OK)
            return status;
        format_table_say(&rows->table[i]);
        rows->n += rows->table[i].n;
        rows->timed = rows->timed && format_table_has_time(&rows->table[i]);
        rows->labelled = rows->labelled || rows->table[i].label != SIZE_MAX;
    }
    rows->pace_s = rows->table[0].order.pace_s;
    rows->is_prmon =
        rows->table[0].n_columns > 1 &&
        format_is_prmon(rows->table[0].separator, rows->table[0].column[1].name);
    return VD_OK;
}

static bool make_room(struct batch_rows *rows)
{
    size_t n = rows->table[0].n_columns + BATCH_DERIVED;

    rows->column = calloc(n, sizeof *rows->column);
    rows->place = calloc(n * rows->n_tables, sizeof *rows->place);
    rows->used = calloc(n, sizeof *rows->used);
    rows->now = calloc(n, sizeof *rows->now);
    rows->past.value = calloc(n * BATCH_LAG_MAX, sizeof *rows->past.value);
    rows->phase = calloc(rows->n_tables, sizeof *rows->phase);
    rows->task = calloc(rows->n_tables, sizeof *rows->task);
    rows->doubles = calloc(rows->n_tables, sizeof *rows->doubles);
    return rows->column != NULL && rows->place != NULL && rows->used != NULL &&
           rows->now != NULL && rows->past.value != NULL && rows->phase != NULL &&
           rows->task != NULL && rows->doubles != NULL;
}

/* Takes names that say what a phase is meant to be: quiet, or with a load. */
bool batch_phase_is_quiet(const char *text, size_t size)
{
    static const char *const words[] = {"baseline", "recovery", "normal", "idle",
                                        "quiet",    "warmup",   "warm-up"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (size_t k = 0, n = strlen(words[i]); k + n <= size; k++)
            if (strncasecmp(text + k, words[i], n) == 0)
                return true;
    return false;
}

const char *batch_rows_title(const struct batch_rows *rows, size_t table)
{
    const char *name = name_of(rows, table), *slash = strrchr(name, '/');

    return slash == NULL ? name : slash + 1;
}

/* Several tables of prmon, some named after quiet phases and some not, are labelled by
 * their names. */
static void find_phases(struct batch_rows *rows)
{
    size_t quiet = 0;

    for (size_t i = 0; i < rows->n_tables; i++) {
        const char *title = batch_rows_title(rows, i);

        quiet += batch_phase_is_quiet(title, strlen(title));
        rows->labelled = rows->labelled || rows->phase[i] != SIZE_MAX;
    }
    rows->labelled =
        rows->labelled || (rows->is_prmon && quiet > 0 && quiet < rows->n_tables);
}

enum vd_status batch_rows_open(struct batch_rows *rows,
                               const struct batch_analyse_options *options,
                               const char *const *file, size_t n_files,
                               struct vd_error *err)
{
    enum vd_status status;

    *rows = (struct batch_rows){.options = options, .pace_s = NAN};
    status = open_tables(rows, file, n_files, err);
    if (status != VD_OK)
        return status;
    if (!make_room(rows))
        return no_memory(err);
    take_columns(rows);
    place_columns(rows);
    find_phases(rows);
    return VD_OK;
}

enum vd_status batch_rows_use(struct batch_rows *rows, const char *const *name, size_t n,
                              struct vd_error *err)
{
    size_t *used = calloc(n + rows->n_columns + 1, sizeof *used);

    if (used == NULL)
        return no_memory(err);
    free(rows->used);
    rows->used = used;
    rows->d = n;
    for (size_t k = 0; k < n; k++) {
        size_t c = batch_rows_find(rows, name[k]);

        if (c == SIZE_MAX || rows->column[c].why[0] != '\0')
            return vd_error_set(err, VD_ERR_SCHEMA,
                                "what is learned is looked at in all files: leave the "
                                "column out with --columns",
                                "%s: no numbers in a column called \"%.60s\"",
                                rows->table[0].path, name[k]);
        used[k] = c;
    }
    return VD_OK;
}

enum vd_status batch_rows_align(struct batch_rows *rows, const struct batch_rows *like,
                                struct vd_error *err)
{
    const char **name = calloc(like->d + 1, sizeof *name);
    enum vd_status status;

    if (name == NULL)
        return no_memory(err);
    for (size_t k = 0; k < like->d; k++)
        name[k] = like->column[like->used[k]].name;
    status = batch_rows_use(rows, name, like->d, err);
    free(name);
    return status;
}

enum vd_status batch_rows_choose(struct batch_rows *rows, struct vd_error *err)
{
    enum vd_status status = choose_asked(rows, err);

    list_used(rows);
    return status;
}

void batch_rows_leave_out(struct batch_rows *rows, size_t k, const char *why)
{
    struct batch_rows_column *column = &rows->column[rows->used[k]];

    snprintf(column->why, sizeof column->why, "%s", why);
    memmove(rows->used + k, rows->used + k + 1, (rows->d - k - 1) * sizeof *rows->used);
    rows->d--;
}

void batch_rows_rewind(struct batch_rows *rows)
{
    for (size_t i = 0; i < rows->n_tables; i++)
        format_table_rewind(&rows->table[i]);
    for (size_t i = 0; i < rows->n_tables; i++)
        rows->after[i] = 0;
    rows->at = 0;
    rows->row = 0;
    rows->past.n = 0;
}

void batch_rows_close(struct batch_rows *rows)
{
    for (size_t i = 0; i < rows->n_tables; i++)
        format_table_close(&rows->table[i]);
    for (size_t i = 0; i < rows->n_tables; i++)
        batch_spool_close(&rows->spool[i]);
    free(rows->spool);
    free(rows->after);
    free(rows->doubles);
    free(rows->table);
    free(rows->column);
    free(rows->place);
    free(rows->used);
    free(rows->now);
    free(rows->past.value);
    free(rows->phase);
    free(rows->task);
    *rows = (struct batch_rows){0};
}
