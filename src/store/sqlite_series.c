/* A span is cut into steps. The coarsest tier that is still as fine as a step is read;
 * before its first row the coarser tiers fill in, after its last row the finer ones (the
 * minute that is not over yet). Rows finer than a step are averaged by their counts; a
 * coarser row is repeated over the steps it covers.
 */
#include "store/sqlite_series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"

/* One query at work. The arrays are owned, but for those of `out`. */
struct reading {
    sqlite3 *db;
    const struct history_query *query;
    struct history_series *out;
    enum store_tier tier; /* the one to read first */
    int64_t origin_ns, step_ns;
    double *weight;   /* n_metrics x n: rows in out->mean so far ... */
    uint8_t *tier_of; /* ... and the tier that they came from */
    uint32_t *metric; /* the database's ids of the metrics asked for, 0 = none */
    struct store_layout layout; /* of the row being read */
    size_t *position;           /* of each metric in it, SIZE_MAX = not there */
};

/* Looks up where each metric stands in the rows of the layout that was just loaded. */
static void find_positions(struct reading *r)
{
    for (size_t k = 0; k < r->query->n_metrics; k++) {
        r->position[k] = SIZE_MAX;
        for (size_t i = 0; i < r->layout.n && r->metric[k] != 0; i++) {
            if (r->layout.metric[i] == r->metric[k]) {
                r->position[k] = i;
                break;
            }
        }
    }
}

/* Adds a cell to a step. One that a finer tier has filled is not filled again by a
 * coarser one: the same time would count twice. */
static void add(struct reading *r, enum store_tier tier, size_t k, size_t step,
                struct store_cell cell)
{
    size_t i = k * r->out->n + step;

    if (r->weight[i] == 0) {
        r->out->mean[i] = 0;
        r->out->min[i] = cell.min;
        r->out->max[i] = cell.max;
        r->tier_of[i] = (uint8_t)tier;
    } else if (tier > (enum store_tier)r->tier_of[i]) {
        return;
    }
    r->out->mean[i] += (double)cell.mean * cell.count;
    r->out->min[i] = fmin(r->out->min[i], cell.min);
    r->out->max[i] = fmax(r->out->max[i], cell.max);
    r->weight[i] += cell.count;
}

/* Adds a row to the steps that it covers within [from, to). */
static void add_row(struct reading *r, enum store_tier tier, int64_t time_ns,
                    const int64_t limit_ns[2], sqlite3_stmt *s)
{
    int64_t end_ns = time_ns + store_tier_seconds(tier) * 1000000000;
    const void *blob = sqlite3_column_blob(s, 2);
    size_t size = (size_t)sqlite3_column_bytes(s, 2);
    int64_t first, last;

    if (end_ns > limit_ns[1])
        end_ns = limit_ns[1];
    first = ((time_ns > limit_ns[0] ? time_ns : limit_ns[0]) - r->origin_ns) / r->step_ns;
    last =
        end_ns - time_ns > r->step_ns ? (end_ns - 1 - r->origin_ns) / r->step_ns : first;
    if (last >= (int64_t)r->out->n)
        last = (int64_t)r->out->n - 1;
    for (size_t k = 0; k < r->query->n_metrics; k++) {
        struct store_cell cell;

        if (r->position[k] == SIZE_MAX)
            continue;
        cell = store_cell_read(tier, blob, size, r->position[k]);
        for (int64_t step = first; cell.count > 0 && step <= last; step++)
            add(r, tier, k, (size_t)step, cell);
    }
}

/* Adds all rows of a tier that reach into [from, to). `*end_ns` becomes the end of the
 * last one, but for raw rows, which have no length. */
static enum vd_status scan(struct reading *r, enum store_tier tier, int64_t from_ns,
                           int64_t to_ns, int64_t *end_ns, struct vd_error *err)
{
    const int64_t limit_ns[2] = {from_ns, to_ns};
    int64_t wide = store_tier_seconds(tier) * 1000000000;
    enum vd_status status = VD_OK;
    sqlite3_stmt *s = NULL;
    char sql[128];
    int code = SQLITE_DONE;

    if (from_ns >= to_ns)
        return VD_OK;
    sqlite3_snprintf(sizeof sql, sql,
                     "SELECT time, layout, value FROM %s WHERE time>=? AND time<?"
                     " ORDER BY time",
                     store_tier_table[tier]);
    if (sqlite3_prepare_v2(r->db, sql, -1, &s, NULL) != SQLITE_OK)
        return store_db_failed(r->db, "read a span", err);
    /* A minute or an hour that began before the span may reach into it. */
    sqlite3_bind_int64(s, 1, wide > 0 ? from_ns - wide + 1 : from_ns);
    sqlite3_bind_int64(s, 2, to_ns);
    while (status == VD_OK && (code = sqlite3_step(s)) == SQLITE_ROW) {
        int64_t time_ns = sqlite3_column_int64(s, 0);
        int64_t id = sqlite3_column_int64(s, 1);

        if (id != r->layout.id) {
            status = store_layout_load(r->db, id, &r->layout, err);
            find_positions(r);
        }
        add_row(r, tier, time_ns, limit_ns, s);
        if (tier != STORE_RAW)
            *end_ns = time_ns + wide;
    }
    if (status == VD_OK && code != SQLITE_DONE)
        status = store_db_failed(r->db, "read a span", err);
    sqlite3_finalize(s);
    return status;
}

/* Returns the time of the oldest row, INT64_MAX when the tier is empty. */
static int64_t first_row(sqlite3 *db, enum store_tier tier)
{
    char sql[64];

    sqlite3_snprintf(sizeof sql, sql, "SELECT min(time) FROM %s", store_tier_table[tier]);
    return store_db_number(db, sql, INT64_MAX);
}

/* Reads the chosen tier, then of the finer ones what is newer than its last row, then of
 * the coarser ones what is older than its first. The coarser come last, since `add` keeps
 * them out of steps that have a number already. */
static enum vd_status scan_tiers(struct reading *r, struct vd_error *err)
{
    const enum store_tier tier = r->tier;
    int64_t from_ns = r->origin_ns, to_ns = r->query->to_ns, begin_ns = INT64_MAX;
    int64_t end_ns = INT64_MIN, ignored;
    enum vd_status status = scan(r, tier, from_ns, to_ns, &end_ns, err);

    /* What is newer than the last row of the tier, the finer ones know. */
    for (int k = (int)tier - 1; k >= STORE_RAW && status == VD_OK; k--)
        status = scan(r, (enum store_tier)k, end_ns > from_ns ? end_ns : from_ns, to_ns,
                      &end_ns, err);
    /* What is older than its first row, the coarser ones. */
    for (int k = (int)tier + 1; k < STORE_TIERS && status == VD_OK; k++) {
        int64_t first_ns = first_row(r->db, (enum store_tier)(k - 1));
        int64_t wide = store_tier_seconds((enum store_tier)k) * 1000000000;

        begin_ns = first_ns < begin_ns ? first_ns : begin_ns;
        /* Where its first row is the one that holds them, recording began in it: before
         * them there was nothing. */
        if (begin_ns == INT64_MAX ||
            first_row(r->db, (enum store_tier)k) > begin_ns - wide)
            continue;
        status = scan(r, (enum store_tier)k, from_ns, begin_ns < to_ns ? begin_ns : to_ns,
                      &ignored, err);
    }
    return status;
}

/* Chooses the coarsest tier whose rows are not longer than a step. */
static enum store_tier choose_tier(double step_s)
{
    return step_s >= 3600 ? STORE_HOUR : step_s >= 60 ? STORE_MINUTE : STORE_RAW;
}

/* Counts the steps from where the first one begins to the end of the query. */
static size_t count_steps(const struct reading *r)
{
    int64_t from_ns = r->origin_ns > r->query->from_ns ? r->origin_ns : r->query->from_ns;

    /* The minutes and hours begin at their own marks, so one more may be needed. */
    if (r->tier != STORE_RAW)
        from_ns = r->origin_ns;
    return (size_t)((r->query->to_ns - from_ns + r->step_ns - 1) / r->step_ns);
}

/* Chooses where the first step begins so that ticks lie in the middle of their steps: one
 * that is a little late or early must not leave one step empty and give another two. */
static int64_t raw_origin(struct reading *r, int64_t unit_ns)
{
    int64_t from_ns = r->query->from_ns, phase_ns;
    char sql[128];

    sqlite3_snprintf(sizeof sql, sql, "SELECT min(time) FROM sample WHERE time>=%lld",
                     (long long)from_ns);
    phase_ns = (store_db_number(r->db, sql, from_ns) - from_ns) % unit_ns;
    return from_ns + phase_ns - unit_ns / 2;
}

/* Chooses the tier, the length of a step (a whole number of the tier's own) and where the
 * first step begins, so that no more points come out than were asked for. */
static void choose_steps(struct reading *r, double interval_s)
{
    double span_s = (double)(r->query->to_ns - r->query->from_ns) / 1e9;
    double step_s = span_s / (double)r->query->points;
    double unit_s = interval_s > 0 ? interval_s : 1;

    r->tier = choose_tier(step_s);
    if (r->tier != STORE_RAW)
        unit_s = (double)store_tier_seconds(r->tier);
    step_s = fmax(1, ceil(step_s / unit_s - 1e-9)) * unit_s;
    r->step_ns = (int64_t)(step_s * 1e9);
    r->origin_ns = r->tier == STORE_RAW ? raw_origin(r, (int64_t)(unit_s * 1e9))
                                        : store_tier_floor(r->tier, r->query->from_ns);
    if (count_steps(r) > r->query->points)
        r->step_ns += (int64_t)(unit_s * 1e9);
}

/* Takes the memory for the answer and the work; the caller releases both, also after a
 * failure. */
static enum vd_status reserve(struct reading *r, struct vd_error *err)
{
    struct history_series *out = r->out;
    size_t m = r->query->n_metrics, n, cells;

    n = count_steps(r);
    cells = m * n + 1;
    *out = (struct history_series){
        .n = n, .n_metrics = m, .step_s = (double)r->step_ns / 1e9};
    out->time_ns = calloc(n + 1, sizeof *out->time_ns);
    out->mean = calloc(cells, sizeof *out->mean);
    out->min = calloc(cells, sizeof *out->min);
    out->max = calloc(cells, sizeof *out->max);
    r->weight = calloc(cells, sizeof *r->weight);
    r->tier_of = calloc(cells, sizeof *r->tier_of);
    r->metric = calloc(m + 1, sizeof *r->metric);
    r->position = calloc(m + 1, sizeof *r->position);
    if (out->time_ns == NULL || out->mean == NULL || out->min == NULL ||
        out->max == NULL || r->weight == NULL || r->tier_of == NULL ||
        r->metric == NULL || r->position == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for a span");
    for (size_t i = 0; i < n; i++)
        out->time_ns[i] = r->origin_ns + (int64_t)i * r->step_ns;
    for (size_t k = 0; k < m; k++)
        r->metric[k] =
            store_metric_id(r->db, metrics_canonical(r->query->metric[k]), NULL, NULL);
    return VD_OK;
}

/* Makes means of the sums; a step without any row is unknown. */
static void finish(struct reading *r)
{
    for (size_t i = 0; i < r->out->n * r->out->n_metrics; i++) {
        if (r->weight[i] > 0)
            r->out->mean[i] /= r->weight[i];
        else
            r->out->mean[i] = r->out->min[i] = r->out->max[i] = NAN;
    }
}

enum vd_status store_series_read(sqlite3 *db, double interval_s,
                                 const struct history_query *query,
                                 struct history_series *out, struct vd_error *err)
{
    struct reading r = {.db = db, .query = query, .out = out};
    enum vd_status status;

    /* The limits keep one question from taking all memory. */
    if (query->to_ns <= query->from_ns || query->points < 1 || query->points > 10000 ||
        query->n_metrics > 2 * RECORD_METRICS_MAX)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL,
                            "an impossible span was asked for");
    /* One picture of the database for all statements. */
    status = store_db_run(db, "BEGIN", err);
    if (status != VD_OK)
        return status;
    choose_steps(&r, interval_s);
    status = reserve(&r, err);
    if (status == VD_OK)
        status = scan_tiers(&r, err);
    if (status == VD_OK)
        finish(&r);
    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    store_layout_release(&r.layout);
    free(r.weight);
    free(r.tier_of);
    free(r.metric);
    free(r.position);
    return status;
}
