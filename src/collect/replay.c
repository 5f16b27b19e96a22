/* Plays a table of numbers as if it were this machine: one row a tick. Columns are
 * metrics by their names; what is no metric (format/columns.h) is left out, so nothing
 * learns from it. Counters of prmon's files become rates; every other column is a gauge.
 *
 * The rows come in order of time. Without a column of times they are one second apart and
 * begin at the time of the first tick.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/collectors.h"
#include "collect/fill.h"
#include "format/table.h"
#include "metrics.h"
#include "os/log.h"

static const int64_t SECOND_NS = 1000000000;

struct replay_collector {
    struct format_table table;
    bool ended;
    size_t *id; /* owned: metric of each column, SIZE_MAX = none */
    bool started;
    int64_t time_ns, mono_ns; /* of the last row */
};

/* ---- columns ---- */

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);

    return length >= tail && strcmp(name + length - tail, end) == 0;
}

/* Makes the metric of a column. One that bears a name of ours is that metric, but its
 * values are already as people see them, so neither rate nor unit is applied again. */
static struct record_metric metric_of(const struct format_column *column,
                                      const char *name)
{
    const struct record_metric *ours = collect_find(name);
    bool counts = column->role == FORMAT_COUNTER;
    struct record_metric metric;

    if (ours == NULL || counts)
        return metrics_guess(name, counts);
    metric = *ours;
    metric.kind = RECORD_GAUGE;
    metric.scale = 1;
    return metric;
}

/* Splits "disk_busy_percent{sda}" into its name and its label ("" = none). */
static void split_name(char *name, char *label, size_t size)
{
    char *brace = strchr(name, '{');
    size_t length;

    label[0] = '\0';
    if (brace == NULL || !ends_with(brace, "}"))
        return;
    *brace = '\0';
    snprintf(label, size, "%s", brace + 1);
    length = strlen(label);
    if (length > 0)
        label[length - 1] = '\0';
}

/* Cuts a name that is too long at its beginning, as its end says most. */
static void shorten(char *name)
{
    size_t length = strlen(name), most = RECORD_NAME_MAX - 1;

    if (length <= most)
        return;
    memmove(name + 2, name + length - (most - 2), most - 1);
    name[0] = name[1] = '.';
}

/* Refuses a second column of the same metric: one of the two would be lost silently. */
static enum vd_status check_taken(const struct replay_collector *self, size_t c,
                                  struct vd_error *err)
{
    for (size_t i = 0; i < c; i++)
        if (self->id[i] == self->id[c])
            return vd_error_set(err, VD_ERR_DATA, "leave one of them out",
                                "%s: columns \"%s\" and \"%s\" are the same metric",
                                self->table.path, self->table.column[i].name,
                                self->table.column[c].name);
    return VD_OK;
}

/* Finds or registers the metric of column c. It stays SIZE_MAX, without an error, when
 * the schema is full. */
static enum vd_status add_column(struct replay_collector *self, size_t c,
                                 struct record_schema *schema, struct vd_error *err)
{
    const struct format_column *column = &self->table.column[c];
    char name[FORMAT_NAME_MAX], label[RECORD_LABEL_MAX];
    struct record_metric metric;

    self->id[c] = record_schema_find(schema, column->name);
    if (self->id[c] != SIZE_MAX)
        return check_taken(self, c, err);
    snprintf(name, sizeof name, "%s", column->name);
    split_name(name, label, sizeof label);
    shorten(name);
    if (name[0] == '\0')
        return VD_OK;
    metric = metric_of(column, name);
    self->id[c] = record_schema_add_named(schema, &metric, name, label);
    if (self->id[c] == SIZE_MAX && schema->n < RECORD_METRICS_MAX)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the columns");
    return self->id[c] == SIZE_MAX ? VD_OK : check_taken(self, c, err);
}

static enum vd_status add_columns(struct replay_collector *self,
                                  struct record_schema *schema, struct vd_error *err)
{
    const struct format_table *table = &self->table;
    enum vd_status status = VD_OK;
    size_t lost = 0;

    self->id = malloc((table->n_columns + 1) * sizeof *self->id);
    if (self->id == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the columns");
    for (size_t c = 0; c < table->n_columns; c++)
        self->id[c] = SIZE_MAX;
    for (size_t c = 0; status == VD_OK && c < table->n_columns; c++)
        if (table->column[c].why == NULL) {
            status = add_column(self, c, schema, err);
            lost += self->id[c] == SIZE_MAX;
        }
    if (lost > 0)
        os_log_warning("%s: %zu columns are left out: at most %d metrics are watched",
                       table->path, lost, RECORD_METRICS_MAX);
    return status;
}

/* ---- rows ---- */

/* Sets the sample's times by the row. The monotonic clock follows the rows, so that rates
 * are those of the recorded time, however fast it is played. */
static void set_time(struct replay_collector *self, struct record_sample *sample)
{
    int64_t time = self->time_ns + SECOND_NS;

    if (format_table_has_time(&self->table))
        time = self->table.time_ns;
    else if (!self->started)
        time = sample->time_ns;
    if (!self->started)
        self->mono_ns = sample->mono_ns;
    else /* Rows of one time are still two ticks. */
        self->mono_ns += time > self->time_ns ? time - self->time_ns : 1;
    self->started = true;
    self->time_ns = time;
    sample->time_ns = self->time_ns;
    sample->mono_ns = self->mono_ns;
    sample->jitter_ns = 0;
}

/* Tells what was found of the table, when it is played and not before: a check of the
 * settings opens it, too, and is silent. */
static void say(const struct replay_collector *self)
{
    format_table_say(&self->table);
    if (!format_table_has_time(&self->table))
        os_log_warning("%s: no column of times was found (--time-column names one): its "
                       "rows count as a second apart, from now on",
                       self->table.path);
}

static enum vd_status read_replay(void *context, struct record_sample *sample,
                                  struct vd_error *err)
{
    struct replay_collector *self = context;
    enum vd_status status;
    bool more;

    if (!self->started)
        say(self);
    status = format_table_next(&self->table, &more, err);
    self->ended = !more || status != VD_OK;
    if (self->ended)
        return status;
    set_time(self, sample);
    for (size_t c = 0; c < self->table.n_columns; c++)
        if (self->id[c] != SIZE_MAX)
            collect_put(sample, self->id[c], format_table_value(&self->table, c));
    return VD_OK;
}

/* ---- the collector ---- */

static void destroy(void *context)
{
    struct replay_collector *self = context;

    if (self == NULL)
        return;
    format_table_close(&self->table);
    free(self->id);
    free(self);
}

/* Makes gauges of the core metrics: they are counters on a machine, and values here. */
static void make_gauges(struct record_schema *schema)
{
    for (size_t i = 0; i < schema->n; i++) {
        schema->metric[i].kind = RECORD_GAUGE;
        schema->metric[i].scale = 1;
    }
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct replay_collector *self;
    enum vd_status status;

    if (config->replay == NULL)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "no file to play was given");
    self = calloc(1, sizeof *self);
    if (self == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for %s", config->replay);
    make_gauges(schema);
    status = format_table_open(&self->table, config->replay, config->table, err);
    if (status == VD_OK)
        status = add_columns(self, schema, err);
    if (status != VD_OK) {
        destroy(self);
        return status;
    }
    *out = self;
    return VD_OK;
}

static struct collect_course course(const void *context)
{
    const struct replay_collector *self = context;

    return (struct collect_course){
        .ended = self->ended,
        .done = (double)self->table.at / fmax((double)self->table.n, 1),
        .interval_s = self->table.order.pace_s,
    };
}

const struct collect_type collect_replay = {
    .name = "replay",
    .summary = "the rows of a CSV or prmon file instead of this machine",
    .create = create,
    .read = read_replay,
    .destroy = destroy,
    .course = course,
};
