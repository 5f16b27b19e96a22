/* A copy is made because the monitor reuses its tables on the next tick while requests
 * come at any time. 500 processes are 230 kB: about 20 microseconds once a tick. */
#include "show/snapshot.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Adds a user of the schema. Jobs hold it while a worker reads it; the count itself is
 * touched on the loop's thread only. */
struct show_schema *show_schema_hold(struct show_schema *schema)
{
    if (schema != NULL)
        schema->users++;
    return schema;
}

void show_schema_drop(struct show_schema *schema)
{
    if (schema == NULL || --schema->users > 0)
        return;
    record_schema_release(&schema->metrics);
    free(schema->first);
    free(schema->next);
    free(schema);
}

/* Compares the pointers first: metrics of one collector mostly share the text. */
static bool same_family(const struct record_metric *a, const struct record_metric *b)
{
    return a->name == b->name || strcmp(a->name, b->name) == 0;
}

/* Links the metrics of each family, so that a scrape finds them together. Metrics of one
 * family mostly follow each other, so the last family is tried first. */
static void link_families(struct show_schema *schema)
{
    const struct record_metric *metric = schema->metrics.metric;
    uint16_t last[RECORD_METRICS_MAX]; /* of each family, so far */

    for (size_t i = 0; i < schema->metrics.n && i < RECORD_METRICS_MAX; i++) {
        size_t k = schema->n_families;

        while (k > 0 && !same_family(&metric[schema->first[k - 1]], &metric[i]))
            k--;
        schema->next[i] = 0;
        if (k > 0) {
            schema->next[last[k - 1]] = (uint16_t)i;
            last[k - 1] = (uint16_t)i;
        } else {
            last[schema->n_families] = (uint16_t)i;
            schema->first[schema->n_families++] = (uint16_t)i;
        }
    }
}

/* Copies the schema, as the monitor may grow its own at any tick. */
static struct show_schema *copy_schema(const struct record_schema *schema)
{
    struct show_schema *copy = calloc(1, sizeof *copy);
    size_t room = schema->n > 0 ? schema->n : 1;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (copy == NULL)
        return NULL;
    copy->users = 1;
    copy->cores = cores > 0 ? (double)cores : 1;
    copy->metrics.metric = malloc(room * sizeof *copy->metrics.metric);
    copy->first = malloc(room * sizeof *copy->first);
    copy->next = malloc(room * sizeof *copy->next);
    if (copy->metrics.metric == NULL || copy->first == NULL || copy->next == NULL) {
        show_schema_drop(copy);
        return NULL;
    }
    if (schema->n > 0)
        memcpy(copy->metrics.metric, schema->metric, schema->n * sizeof *schema->metric);
    copy->metrics.n = copy->metrics.capacity = schema->n;
    copy->metrics.serial = schema->serial;
    copy->metrics.dropped = schema->dropped;
    link_families(copy);
    return copy;
}

/* Makes the values the previous ones, whose memory is written next. */
static void swap_values(struct show_snapshot *s)
{
    double *value = s->previous_value;
    size_t capacity = s->previous_value_capacity;

    s->previous_value = s->value;
    s->previous_value_capacity = s->value_capacity;
    s->value = value;
    s->value_capacity = capacity;
}

/* Makes room in the older table, which is written next. */
static enum vd_status reserve_values(struct show_snapshot *s, size_t n)
{
    double *value;

    if (n <= s->previous_value_capacity)
        return VD_OK;
    value = realloc(s->previous_value, n * sizeof *value);
    if (value == NULL)
        return VD_ERR_MEMORY;
    s->previous_value = value;
    s->previous_value_capacity = n;
    return VD_OK;
}

/* Takes the values of a tick, and the schema when it changed. After a change of the
 * schema no value has a previous one, because an index may be another metric's. */
static enum vd_status take_values(struct show_snapshot *s, const struct record *record,
                                  bool *grew)
{
    size_t n = record->schema->n;

    *grew = s->schema == NULL || s->schema->metrics.n != n ||
            s->schema->metrics.serial != record->schema->serial;
    /* The older of the two tables is the one that may be lost. */
    if (reserve_values(s, n) != VD_OK)
        return VD_ERR_MEMORY;
    if (*grew) {
        struct show_schema *schema = copy_schema(record->schema);

        if (schema == NULL)
            return VD_ERR_MEMORY;
        show_schema_drop(s->schema);
        s->schema = schema;
    }
    swap_values(s);
    s->n_previous_values = *grew ? 0 : n;
    if (n > 0)
        memcpy(s->value, record->value, n * sizeof *s->value);
    return VD_OK;
}

/* Makes the table of processes the previous one, whose memory is written next. */
static void swap_tables(struct show_snapshot *s)
{
    struct record_process *process = s->previous;
    size_t capacity = s->previous_capacity;

    s->previous = s->process;
    s->previous_capacity = s->process_capacity;
    s->n_previous = s->n_processes;
    s->process = process;
    s->process_capacity = capacity;
}

/* Copies the table. Room is made with a quarter to spare, so that a machine that slowly
 * starts more processes does not allocate on each tick. Without memory the table is
 * cut. */
static void take_processes(struct show_snapshot *s, const struct record_processes *table)
{
    size_t n = table == NULL ? 0 : table->n;

    swap_tables(s);
    if (n > s->process_capacity) {
        size_t capacity = n + n / 4 + 32;
        struct record_process *process =
            realloc(s->process, capacity * sizeof *s->process);

        if (process == NULL)
            n = s->process_capacity;
        else {
            s->process = process;
            s->process_capacity = capacity;
        }
    }
    if (n > 0)
        memcpy(s->process, table->at, n * sizeof *s->process);
    s->has_processes = table != NULL;
    s->n_processes = n;
    s->n_threads = table == NULL ? 0 : table->threads;
    s->dropped_processes = table == NULL ? 0 : table->dropped;
}

/* Takes a tick over. The event stays until the next one comes: a page that connects in
 * between must see it. */
enum vd_status show_snapshot_take(struct show_snapshot *s, const struct record *record,
                                  bool *grew)
{
    enum vd_status status = take_values(s, record, grew);

    if (status != VD_OK)
        return status;
    s->time_ns = record->time_ns;
    s->mono_ns = record->mono_ns;
    s->jitter_ns = record->jitter_ns;
    s->tick = record->tick;
    s->verdict = record->verdict;
    take_processes(s, record->processes);
    if (record->event != NULL && record->change != RECORD_EVENT_NONE) {
        s->event = *record->event;
        s->has_event = true;
    }
    s->filled = true;
    return VD_OK;
}

void show_snapshot_release(struct show_snapshot *s)
{
    show_schema_drop(s->schema);
    free(s->value);
    free(s->previous_value);
    free(s->process);
    free(s->previous);
    *s = (struct show_snapshot){0};
}

static double or_zero(double x)
{
    return x > 0 ? x : 0; /* NaN too */
}

/* Gives what a process is ranked by. */
static double use_of(const struct record_process *p, enum show_rank rank)
{
    switch (rank) {
    case SHOW_RANK_CPU:
        return or_zero(p->cpu_percent);
    case SHOW_RANK_MEMORY:
        return or_zero(p->rss_bytes);
    case SHOW_RANK_IO:
        break;
    }
    return or_zero(p->read_bytes_s) + or_zero(p->write_bytes_s);
}

/* Finds the few largest by insertion into a short list, which is one pass without
 * memory. */
size_t show_snapshot_top(const struct show_snapshot *s, enum show_rank rank,
                         size_t top[SHOW_TOP])
{
    double use[SHOW_TOP];
    size_t n = 0;

    for (size_t i = 0; i < s->n_processes; i++) {
        double mine = use_of(&s->process[i], rank);
        size_t place = n;

        if (mine <= 0 || (n == SHOW_TOP && mine <= use[n - 1]))
            continue;
        while (place > 0 && use[place - 1] < mine)
            place--;
        if (n < SHOW_TOP)
            n++;
        for (size_t k = n - 1; k > place; k--) {
            use[k] = use[k - 1];
            top[k] = top[k - 1];
        }
        use[place] = mine;
        top[place] = i;
    }
    return n;
}

/* Calls a process suspicious when it takes half of all cores or 500 MB. */
bool show_is_suspicious(const struct record_process *process, double cores)
{
    return process->cpu_percent > 50 * cores || process->rss_bytes > 500 * SHOW_MB;
}
