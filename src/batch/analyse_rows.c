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

/* Names the columns that are added to a table of prmon. */
enum derived { AS_IT_IS, PSS_RATE, PSS_PER_PROCESS, CPU_EFFICIENCY, IO_RATE, DERIVED };

static const struct {
    const char *name, *note, *needs[3];
} derived_columns[DERIVED] = {
    [PSS_RATE] = {"pss_rate", "kB/s: how fast pss grows", {"pss", NULL}},
    [PSS_PER_PROCESS] = {"pss_per_process", "pss / nprocs", {"pss", "nprocs", NULL}},
    [CPU_EFFICIENCY] = {"cpu_efficiency", "(utime + stime) / wtime", {"utime", "stime"}},
    [IO_RATE] = {"io_rate", "bytes/s: rates of rchar and wchar", {"rchar", "wchar"}},
};

static enum vd_status no_memory(struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the columns");
}

/* ---- columns ---- */

static size_t find_column(const struct batch_rows *rows, const char *name)
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
    for (int k = 1; rows->is_prmon && !raw && k < DERIVED; k++) {
        struct batch_rows_column *column = &rows->column[rows->n_columns];
        bool there = find_column(rows, derived_columns[k].name) == SIZE_MAX;

        for (size_t i = 0; i < 3 && derived_columns[k].needs[i] != NULL; i++)
            there = there && find_column(rows, derived_columns[k].needs[i]) != SIZE_MAX;
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

            if (rows->column[c].derived != AS_IT_IS ||
                (place != SIZE_MAX && rows->column[c].why[0] == '\0' &&
                 t->column[place].why != NULL))
                place = SIZE_MAX;
            rows->place[i * rows->n_columns + c] = place;
            if (place == SIZE_MAX && rows->column[c].derived == AS_IT_IS &&
                rows->column[c].why[0] == '\0')
                os_log_warning("%s: no numbers in a column \"%s\": missing there",
                               t->path, rows->column[c].name);
        }
        rows->phase[i] = find_in(t, "phase");
        rows->task[i] = find_in(t, "task_status");
    }
}

/* Leaves out what --columns does not name. A name that is not there is an error. */
static enum vd_status choose_asked(struct batch_rows *rows, struct vd_error *err)
{
    const struct batch_analyse_options *o = rows->options;

    for (size_t i = 0; i < o->n_columns; i++) {
        size_t c = find_column(rows, o->column[i]);

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

static enum vd_status open_tables(struct batch_rows *rows, const char *const *file,
                                  size_t n, struct vd_error *err)
{
    struct format_options options = rows->options->table;

    options.need_label = true;
    rows->table = calloc(n, sizeof *rows->table);
    if (rows->table == NULL)
        return no_memory(err);
    rows->timed = true;
    for (size_t i = 0; i < n; i++) {
        enum vd_status status =
            format_table_open(&rows->table[rows->n_tables++], file[i], &options, err);

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
    size_t n = rows->table[0].n_columns + DERIVED;

    rows->column = calloc(n, sizeof *rows->column);
    rows->place = calloc(n * rows->n_tables, sizeof *rows->place);
    rows->used = calloc(n, sizeof *rows->used);
    rows->now = calloc(n, sizeof *rows->now);
    rows->past.value = calloc(n * BATCH_LAG_MAX, sizeof *rows->past.value);
    rows->phase = calloc(rows->n_tables, sizeof *rows->phase);
    rows->task = calloc(rows->n_tables, sizeof *rows->task);
    return rows->column != NULL && rows->place != NULL && rows->used != NULL &&
           rows->now != NULL && rows->past.value != NULL && rows->phase != NULL &&
           rows->task != NULL;
}

/* Takes names that say what a phase is meant to be: quiet, or with a load. */
static bool is_quiet_phase(const char *text, size_t size)
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
    const char *path = rows->table[table].path, *slash;

    if (rows->options->title != NULL)
        return rows->options->title[table];
    slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* Several tables of prmon, some named after quiet phases and some not, are labelled by
 * their names. */
static void find_phases(struct batch_rows *rows)
{
    size_t quiet = 0;

    for (size_t i = 0; i < rows->n_tables; i++) {
        const char *title = batch_rows_title(rows, i);

        quiet += is_quiet_phase(title, strlen(title));
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
        size_t c = find_column(rows, name[k]);

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

/* ---- rows ---- */

/* Gives how far back the rate of a counter reaches: prmon's clock counts whole seconds,
 * so rows that come faster have no rates of their own. */
static size_t lag_of(const struct batch_rows *rows)
{
    double pace = rows->table[rows->at].order.pace_s;

    if (!rows->is_prmon || !(pace > 0) || pace >= 1)
        return 1;
    return (size_t)fmin(ceil(1 / pace), BATCH_LAG_MAX - 1);
}

/* Gives the growth of a column over the last rows, a second; NaN for the first row and
 * for a counter that was reset. */
static double rate_of(const struct batch_rows *rows, size_t c, bool may_fall)
{
    const struct batch_rows_past *past = &rows->past;
    size_t lag = lag_of(rows), back = past->n < lag ? past->n : lag;
    size_t from = (past->n - back) % BATCH_LAG_MAX;
    double step, seconds;

    if (back == 0)
        return NAN;
    step = rows->now[c] - past->value[from * rows->n_columns + c];
    seconds =
        rows->timed ? (double)(rows->time_ns - past->time_ns[from]) * 1e-9 : (double)back;
    return (step >= 0 || may_fall) && seconds > 0 ? step / seconds : NAN;
}

static double now_of(const struct batch_rows *rows, const char *name)
{
    size_t c = find_column(rows, name);

    return c == SIZE_MAX ? NAN : rows->now[c];
}

/* Divides; of nothing there is no share. */
static double share(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

static double derive(const struct batch_rows *rows, enum derived what)
{
    switch (what) {
    case PSS_RATE:
        return rate_of(rows, find_column(rows, "pss"), true);
    case PSS_PER_PROCESS:
        return share(now_of(rows, "pss"), now_of(rows, "nprocs"));
    case CPU_EFFICIENCY:
        return share(now_of(rows, "utime") + now_of(rows, "stime"),
                     now_of(rows, "wtime"));
    case IO_RATE:
        return rate_of(rows, find_column(rows, "rchar"), false) +
               rate_of(rows, find_column(rows, "wchar"), false);
    default:
        assert(false);
        return NAN;
    }
}

/* Reads all columns of the row as they stand, when a rate needs the row before; else
 * those that are values. */
static void read_now(struct batch_rows *rows)
{
    const struct format_table *t = &rows->table[rows->at];
    const size_t *place = rows->place + rows->at * rows->n_columns;

    if (!rows->is_prmon) {
        for (size_t k = 0; k < rows->d; k++) {
            size_t from = place[rows->used[k]];

            rows->now[rows->used[k]] =
                from == SIZE_MAX ? NAN : format_table_value(t, from);
        }
        return;
    }
    for (size_t c = 0; c < rows->n_columns; c++)
        rows->now[c] = place[c] == SIZE_MAX ? NAN : format_table_value(t, place[c]);
}

/* Keeps the row for the rates of those behind it. */
static void remember(struct batch_rows *rows)
{
    struct batch_rows_past *past = &rows->past;
    size_t at = past->n % BATCH_LAG_MAX;

    if (!rows->is_prmon)
        return;
    memcpy(past->value + at * rows->n_columns, rows->now,
           rows->n_columns * sizeof *rows->now);
    past->time_ns[at] = rows->time_ns;
    past->n++;
}

static struct format_csv_field field_of(const struct batch_rows *rows, size_t column)
{
    const struct format_rows *r = &rows->table[rows->at].rows;

    return column < r->n ? r->field[column] : (struct format_csv_field){"", 0};
}

/* Reads what the row itself says of being odd: its label, or its phase. */
static int label_of(const struct batch_rows *rows)
{
    const struct format_table *t = &rows->table[rows->at];
    bool minus = t->label_line[2] > 0 || (t->own_labels && t->label_line[0] == 0) ||
                 rows->options->anomaly_label < 0;
    const char *title;

    if (t->label != SIZE_MAX)
        return minus ? t->row_label < 0 : t->row_label == 1;
    if (rows->phase[rows->at] != SIZE_MAX) {
        struct format_csv_field phase = field_of(rows, rows->phase[rows->at]);

        return phase.size == 0 ? -1 : !is_quiet_phase(phase.at, phase.size);
    }
    title = batch_rows_title(rows, rows->at);
    return rows->labelled ? !is_quiet_phase(title, strlen(title)) : -1;
}

/* Notes a task that failed: it is odd whatever the numbers say. */
static void read_task(struct batch_rows *rows)
{
    static const char *const failed[] = {"failed", "failure", "timeout",
                                         "error",  "crashed", NULL};
    struct format_csv_field field;

    rows->task_text[0] = '\0';
    if (rows->task[rows->at] == SIZE_MAX)
        return;
    field = field_of(rows, rows->task[rows->at]);
    if (format_csv_is_word(field, failed))
        snprintf(rows->task_text, sizeof rows->task_text, "%.*s", (int)field.size,
                 field.at);
}

static void read_values(struct batch_rows *rows, double *value)
{
    for (size_t k = 0; k < rows->d; k++) {
        size_t c = rows->used[k];
        const struct batch_rows_column *column = &rows->column[c];

        value[k] = column->derived != AS_IT_IS ? derive(rows, column->derived)
                   : column->counts            ? rate_of(rows, c, false)
                                               : rows->now[c];
        if (!(fabs(value[k]) <= VD_VALUE_MAX))
            value[k] = NAN;
    }
}

enum vd_status batch_rows_skip(struct batch_rows *rows, bool *more, struct vd_error *err)
{
    enum vd_status status = format_table_next(&rows->table[rows->at], more, err);

    while (status == VD_OK && !*more && rows->at + 1 < rows->n_tables) {
        rows->past.n = 0;
        status = format_table_next(&rows->table[++rows->at], more, err);
    }
    rows->row += status == VD_OK && *more;
    return status;
}

enum vd_status batch_rows_next(struct batch_rows *rows, double *value, bool *more,
                               struct vd_error *err)
{
    enum vd_status status = batch_rows_skip(rows, more, err);

    if (status != VD_OK || !*more)
        return status;
    rows->time_ns = rows->timed ? rows->table[rows->at].time_ns : 0;
    read_now(rows);
    read_values(rows, value);
    remember(rows);
    rows->label = label_of(rows);
    read_task(rows);
    return VD_OK;
}

const struct format_table *batch_rows_table(const struct batch_rows *rows)
{
    return &rows->table[rows->at];
}

void batch_rows_rewind(struct batch_rows *rows)
{
    for (size_t i = 0; i < rows->n_tables; i++)
        format_table_rewind(&rows->table[i]);
    rows->at = 0;
    rows->row = 0;
    rows->past.n = 0;
}

void batch_rows_close(struct batch_rows *rows)
{
    for (size_t i = 0; i < rows->n_tables; i++)
        format_table_close(&rows->table[i]);
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
