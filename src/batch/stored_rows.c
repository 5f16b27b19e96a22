/* The samples come first and the events after them, so that each event that a sample can
 * belong to is known. Events go newest first: what was said last of a sample holds. */
#include "batch/stored_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detect/labels.h"
#include "store/inspect.h"

/* Says what a sample is used for. The order matters: up to LEFT_OUT nothing was said of
 * it, and from NORMAL on it has a label. */
enum use { QUIET, UNJUDGED, LEFT_OUT, NORMAL, EXPECTED, REAL };

/* A column needs to be there in this share of the rows. */
static const double PRESENT = 0.9;

/* Holds all samples of the span while the events are laid over them. */
struct samples {
    const char
        *name[DETECT_MULTIVARIATE_COLUMNS + 1]; /* the metrics, and last the score */
    size_t d;                                   /* metrics */
    size_t n, capacity;
    int64_t *time_ns;
    double *value; /* n x (d + 1) */
    enum use *use;
    size_t column[DETECT_MULTIVARIATE_COLUMNS]; /* metrics that are columns of the data
                                                   set */
    size_t n_columns;
};

static void samples_release(struct samples *s)
{
    free(s->time_ns);
    free(s->value);
    free(s->use);
}

/* Gives the values of a sample: the metrics and behind them the score. */
static double *row_of(const struct samples *s, size_t i)
{
    return s->value + i * (s->d + 1);
}

/* ---- samples ---- */

/* Doubles the room. What was grown before a failure stays valid. */
static bool grow(struct samples *s)
{
    size_t capacity = s->capacity == 0 ? 4096 : 2 * s->capacity;
    int64_t *time_ns = realloc(s->time_ns, capacity * sizeof *time_ns);
    double *value = NULL;

    if (time_ns != NULL) {
        s->time_ns = time_ns;
        value = realloc(s->value, capacity * (s->d + 1) * sizeof *value);
    }
    if (value == NULL)
        return false;
    s->value = value;
    s->capacity = capacity;
    return true;
}

/* Takes one sample from the store, in the order of time. */
static enum vd_status take_sample(void *context, int64_t time_ns, const double *value,
                                  struct vd_error *err)
{
    struct samples *s = context;

    if (s->n == s->capacity && !grow(s))
        return vd_error_set(err, VD_ERR_MEMORY, "give a shorter --last",
                            "no memory for the samples");
    s->time_ns[s->n] = time_ns;
    memcpy(row_of(s, s->n++), value, (s->d + 1) * sizeof *value);
    return VD_OK;
}

/* Reads the core metrics, and the score with them: it tells which samples made an event
 * one. */
static enum vd_status read_samples(struct samples *s, const char *dir, double last_s,
                                   struct vd_error *err)
{
    struct detect_multivariate_config host = detect_multivariate_config_default();
    const struct store_newest what = {.dir = dir,
                                      .metric = s->name,
                                      .n_metrics = host.n_columns + 1,
                                      .last_ns = (int64_t)(last_s * 1e9)};
    enum vd_status status;

    s->d = host.n_columns;
    memcpy(s->name, host.column, s->d * sizeof *s->name);
    s->name[s->d] = "score";
    status = store_newest_read(&what, take_sample, s, err);
    if (status != VD_OK)
        return status;
    s->use = calloc(s->n + 1, sizeof *s->use);
    return s->use != NULL ? VD_OK : vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory");
}

/* ---- events ---- */

/* Turns what was said of an event into the use of its samples. */
static enum use use_of(const struct record_event *event)
{
    switch (detect_event_label(event)) {
    case DETECT_LABEL_ANOMALY:
        return REAL;
    case DETECT_LABEL_EXPECTED:
        return EXPECTED;
    default:
        return NORMAL;
    }
}

/* Finds the first sample at or after a time; n when there is none. */
static size_t find_time(const struct samples *s, int64_t time_ns)
{
    size_t low = 0, high = s->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->time_ns[middle] < time_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Tells whether what was said of the event is said of sample i, too. A sample with a
 * label keeps it: events come newest first. */
static bool is_said(const struct samples *s, const struct record_event *event, size_t i)
{
    return s->use[i] <= LEFT_OUT && detect_event_is_sample(event, row_of(s, i)[s->d]);
}

/* Marks the samples of an event of which something was said. Of a long one every k-th is
 * taken, as the monitor does, so that one event does not outweigh all others. */
static void mark_said(struct samples *s, const struct record_event *event, size_t first,
                      size_t end)
{
    size_t n = 0, k = 0, step;

    for (size_t i = first; i < end; i++)
        n += is_said(s, event, i);
    step = (n + DETECT_LABELS_EVENT - 1) / DETECT_LABELS_EVENT;
    for (size_t i = first; i < end; i++)
        if (is_said(s, event, i))
            s->use[i] = k++ % step == 0 ? use_of(event) : LEFT_OUT;
}

/* Marks the samples of one event. Of an anomaly of which nobody said anything it is not
 * known what they are. */
static void mark_event(struct samples *s, const struct record_event *event)
{
    bool is_anomaly = event->kind == RECORD_ANOMALY;
    bool is_judged = event->feedback[0] != '\0' && detect_event_has_samples(event);
    size_t first = find_time(s, event->start_ns);
    size_t end = event->end_ns == 0 ? s->n : find_time(s, event->end_ns + 1);

    if (is_judged)
        mark_said(s, event, first, end);
    for (size_t i = first; is_anomaly && i < end; i++)
        if (s->use[i] == QUIET)
            s->use[i] = is_judged ? LEFT_OUT : UNJUDGED;
}

/* Marks the samples of all events that began before the last sample, page by page. An
 * open event has no end to choose by, so the beginning decides. */
static enum vd_status mark_events(struct samples *s, const char *dir,
                                  struct vd_error *err)
{
    struct history_event_query query = {.to_ns = s->time_ns[s->n - 1], .limit = 1000};
    struct history_reader history;
    struct store_reader reader;
    enum vd_status status = store_reader_open(&reader, dir, err);
    size_t n = query.limit;

    history = store_reader_history(&reader);
    while (status == VD_OK && n == query.limit) {
        struct record_event *event = NULL;

        status = history.events(history.context, &query, &event, &n, err);
        for (size_t i = 0; status == VD_OK && i < n; i++)
            mark_event(s, &event[i]);
        if (status == VD_OK && n > 0)
            query.before_id = event[n - 1].id;
        free(event);
    }
    store_reader_close(&reader);
    return status;
}

/* ---- the data sets ---- */

/* Tells whether the sample becomes a row. */
static bool is_used(const struct samples *s, size_t i)
{
    return s->use[i] == QUIET || s->use[i] >= NORMAL;
}

/* Tells whether a metric is there in nearly all rows and moves. */
static bool says_anything(const struct samples *s, size_t c)
{
    double least = INFINITY, most = -INFINITY;
    size_t used = 0, there = 0;

    for (size_t i = 0; i < s->n; i++) {
        double x = row_of(s, i)[c];

        if (!is_used(s, i))
            continue;
        used++;
        there += !isnan(x);
        least = fmin(least, x);
        most = fmax(most, x);
    }
    return (double)there >= PRESENT * (double)used && most > least;
}

static void choose_columns(struct samples *s)
{
    for (size_t c = 0; c < s->d; c++)
        if (says_anything(s, c))
            s->column[s->n_columns++] = c;
}

static bool is_complete(const struct samples *s, size_t i)
{
    for (size_t k = 0; k < s->n_columns; k++)
        if (!(fabs(row_of(s, i)[s->column[k]]) <= VD_VALUE_MAX))
            return false;
    return true;
}

/* Leaves out what has gaps and, evenly, what is too much. It counts what becomes of every
 * sample, for the message. */
static void thin(struct samples *s, struct batch_stored_count *count)
{
    size_t seen = 0, step;

    for (size_t i = 0; i < s->n; i++) {
        count->unjudged += s->use[i] == UNJUDGED;
        if (is_used(s, i) && !is_complete(s, i)) {
            s->use[i] = LEFT_OUT;
            count->incomplete++;
        }
        count->quiet_all += s->use[i] == QUIET;
    }
    step = (count->quiet_all + BATCH_STORED_MAX - 1) / BATCH_STORED_MAX;
    for (size_t i = 0; i < s->n; i++) {
        if (s->use[i] == QUIET && seen++ % step != 0)
            s->use[i] = LEFT_OUT;
        count->quiet += s->use[i] == QUIET;
        count->normal += s->use[i] == NORMAL;
        count->expected += s->use[i] == EXPECTED;
        count->real += s->use[i] == REAL;
    }
}

/* Adds a sample to a data set, with its label where the set has labels. */
static void add_row(struct batch_dataset *data, const struct samples *s, size_t i)
{
    double *row = vd_matrix_row(&data->x, data->x.n);

    for (size_t k = 0; k < s->n_columns; k++)
        row[k] = row_of(s, i)[s->column[k]];
    if (data->label != NULL)
        data->label[data->x.n] = s->use[i] == REAL;
    data->x.n++;
}

/* Makes room for n rows and copies the names of the columns. */
static enum vd_status reserve(struct batch_dataset *data, const struct samples *s,
                              size_t n)
{
    enum vd_status status = vd_matrix_init(&data->x, n, s->n_columns);

    data->x.n = 0;
    data->name = calloc(s->n_columns, sizeof *data->name);
    if (status != VD_OK || data->name == NULL)
        return VD_ERR_MEMORY;
    for (size_t k = 0; k < s->n_columns; k++)
        strncpy(data->name[k], s->name[s->column[k]], BATCH_NAME_MAX - 1);
    return VD_OK;
}

/* Fills both sets. Without a real event there is nothing to part: both have the same
 * rows. */
static enum vd_status fill(struct batch_dataset *data, struct batch_dataset *normal,
                           const struct samples *s,
                           const struct batch_stored_count *count, struct vd_error *err)
{
    size_t common = count->quiet + count->normal;
    size_t all = common + count->expected + count->real;

    if (count->real > 0)
        data->label = calloc(all, 1);
    if (reserve(data, s, all) != VD_OK || reserve(normal, s, common) != VD_OK ||
        (count->real > 0 && data->label == NULL))
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the rows");
    for (size_t i = 0; i < s->n; i++) {
        bool is_common = s->use[i] == QUIET || s->use[i] == NORMAL;

        if (is_common)
            add_row(normal, s, i);
        if (is_used(s, i) && (is_common || count->real > 0))
            add_row(data, s, i);
    }
    return VD_OK;
}

/* Makes both data sets of what was marked, or says what there is too little of. */
static enum vd_status make_sets(struct batch_dataset *data, struct batch_dataset *normal,
                                struct samples *s, struct batch_stored_count *count,
                                const char *dir, struct vd_error *err)
{
    choose_columns(s);
    thin(s, count);
    if (count->quiet < BATCH_STORED_MIN)
        return vd_error_set(err, VD_ERR_DATA,
                            "let the monitor run longer, or give a longer --last",
                            "%s: %zu quiet samples: at least %d are needed", dir,
                            count->quiet, BATCH_STORED_MIN);
    if (s->n_columns == 0)
        return vd_error_set(err, VD_ERR_DATA, "vedette probe shows what is read",
                            "%s: none of the core metrics moves", dir);
    return fill(data, normal, s, count, err);
}

enum vd_status batch_stored_rows_read(struct batch_dataset *data,
                                      struct batch_dataset *normal,
                                      struct batch_stored_count *count, const char *dir,
                                      double last_s, struct vd_error *err)
{
    struct samples s = {.n = 0};
    enum vd_status status;

    *data = *normal = (struct batch_dataset){0};
    *count = (struct batch_stored_count){0};
    status = read_samples(&s, dir, last_s, err);
    if (status == VD_OK && s.n > 0)
        status = mark_events(&s, dir, err);
    if (status == VD_OK)
        status = make_sets(data, normal, &s, count, dir, err);
    if (status != VD_OK) {
        batch_dataset_release(data);
        batch_dataset_release(normal);
    }
    samples_release(&s);
    return status;
}
