/* Plays a table of numbers as if it were this machine: one row a tick. Columns are
 * metrics by their names; a column that is a label or somebody's verdict is left out, so
 * nothing learns from it. Counters of prmon's files become rates; every other column is a
 * gauge.
 *
 * Time comes from a column that is called so. Rows that share a time (prmon writes whole
 * seconds, whatever its rate) are spread evenly up to the next one. Without such a column
 * rows are one second apart and begin at the time of the first tick.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/collectors.h"
#include "collect/fill.h"
#include "format/csv.h"
#include "vedette/stats.h"

enum { COLUMNS_MAX = 1024, LOOK_AHEAD = 100, PACE_ROWS = 1000 };

static const int64_t second_ns = 1000000000;
static const long long file_max = 2LL << 30;

struct replay_collector {
    char *text; /* owned: the whole file */
    struct collect_text t;
    char separator;
    bool ended;
    double interval_s;  /* between rows; NaN = they have no time */
    size_t n;           /* columns */
    size_t time_column; /* SIZE_MAX = none */
    size_t id[COLUMNS_MAX];
    bool started;
    int64_t time_ns, mono_ns; /* of the last row */
    int64_t step_ns;          /* between rows that share a time */
    size_t left;              /* rows that still share it */
};

/* ---- columns ---- */

static bool is_in(const char *name, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcasecmp(name, *list) == 0)
            return true;
    return false;
}

static bool is_time(const char *name)
{
    static const char *const names[] = {"timestamp", "time", "datetime", "date",
                                        "ds",        "ts",   NULL};

    return is_in(name, names);
}

/* What somebody said about the row, or what this program wrote about its own work. */
static bool is_no_metric(const char *name)
{
    static const char *const names[] = {
        "label",     "anomaly",        "is_anomaly",  "anomaly_score",
        "score",     "prediction",     "changepoint", "severity",
        "reason",    "phase",          "elapsed_s",   "inference_latency_ms",
        "jitter_ms", "drift_detected", "wtime",       NULL};

    return is_in(name, names);
}

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);

    return length >= tail && strcmp(name + length - tail, end) == 0;
}

static const char *unit_of(const char *name)
{
    static const struct {
        const char *end, *unit;
    } known[] = {{"_percent", "%"},   {"pct", "%"},        {"_mb", "MB/s"},
                 {"_gb", "GB"},       {"_ms", "ms"},       {"_temp", "C"},
                 {"cpu_memory", "%"}, {"gpu_memory", "%"}, {"cpu_freq", "MHz"},
                 {"gpu_power", "W"}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (ends_with(name, known[i].end))
            return known[i].unit;
    return "";
}

/* Columns of prmon that only grow. Times are in seconds, sizes in bytes. */
static bool is_prmon_counter(const char *name)
{
    static const char *const names[] = {
        "utime",      "stime",    "rchar",       "wchar",      "read_bytes", "rx_bytes",
        "rx_packets", "tx_bytes", "write_bytes", "tx_packets", NULL};

    return is_in(name, names);
}

static struct record_metric metric_of(const char *name, bool prmon)
{
    struct record_metric metric = {.unit = unit_of(name),
                                   .help = "A column of the file that is played.",
                                   .kind = RECORD_GAUGE,
                                   .scale = 1};

    if (prmon && is_prmon_counter(name)) {
        metric.kind = RECORD_RATE;
        metric.unit = ends_with(name, "time") ? "s/s" : "1/s";
    }
    return metric;
}

/* "disk_busy_percent{sda}" -> its name and its label ("" = none). */
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

static enum vd_status add_column(struct replay_collector *self, size_t i,
                                 const char *text, bool prmon,
                                 struct record_schema *schema)
{
    char name[RECORD_NAME_MAX + RECORD_LABEL_MAX], label[RECORD_LABEL_MAX];
    struct record_metric metric;

    self->id[i] = record_schema_find(schema, text);
    if (self->id[i] != SIZE_MAX)
        return VD_OK;
    snprintf(name, sizeof name, "%s", text);
    split_name(name, label, sizeof label);
    if (name[0] == '\0')
        return VD_OK;
    metric = metric_of(name, prmon);
    self->id[i] = record_schema_add_named(schema, &metric, name, label);
    return self->id[i] == SIZE_MAX && schema->n < RECORD_METRICS_MAX ? VD_ERR_MEMORY
                                                                     : VD_OK;
}

/* Which columns hold a number in one of the first rows. */
static void find_numbers(const struct replay_collector *self, bool *numeric)
{
    struct format_csv_field field[COLUMNS_MAX];
    struct collect_text t = self->t;

    for (int row = 0; row < LOOK_AHEAD; row++) {
        size_t n = format_csv_row(&t, self->separator, field, COLUMNS_MAX);

        if (n == 0)
            return;
        for (size_t i = 0; i < n && i < self->n; i++)
            numeric[i] |= !isnan(format_csv_number(field[i]));
    }
}

static enum vd_status read_header(struct replay_collector *self, const char *path,
                                  struct record_schema *schema, struct vd_error *err)
{
    struct format_csv_field field[COLUMNS_MAX];
    bool numeric[COLUMNS_MAX] = {false}, prmon, any = false;
    char name[RECORD_NAME_MAX + RECORD_LABEL_MAX];

    collect_text_skip(&self->t, "\xef\xbb\xbf"); /* a byte order mark */
    self->separator =
        format_csv_separator(self->t.at, (size_t)(self->t.end - self->t.at));
    self->n = format_csv_row(&self->t, self->separator, field, COLUMNS_MAX);
    if (self->n > COLUMNS_MAX)
        self->n = COLUMNS_MAX;
    find_numbers(self, numeric);
    prmon = self->n > 1 && self->separator == '\t' && field[1].size == 5 &&
            strncmp(field[1].at, "wtime", 5) == 0;
    self->time_column = SIZE_MAX;
    for (size_t i = 0; i < self->n; i++) {
        self->id[i] = SIZE_MAX;
        snprintf(name, sizeof name, "%.*s", (int)field[i].size, field[i].at);
        if (self->time_column == SIZE_MAX && is_time(name))
            self->time_column = i;
        else if (numeric[i] && !is_no_metric(name)) {
            if (add_column(self, i, name, prmon, schema) != VD_OK)
                return vd_error_set(err, VD_ERR_MEMORY, NULL,
                                    "no memory for the columns");
            any = true;
        }
    }
    if (!any)
        return vd_error_set(err, VD_ERR_FORMAT,
                            "the first line names the columns, the others hold numbers",
                            "%s: there is no column of numbers", path);
    return VD_OK;
}

/* ---- time ---- */

/* The common distance of two rows: the median between times that differ, shared by the
 * rows that have the same time. */
static double find_pace(const struct replay_collector *self)
{
    struct format_csv_field field[COLUMNS_MAX];
    struct collect_text t = self->t;
    double gap[PACE_ROWS];
    size_t rows = 0, gaps = 0;
    int64_t before = INT64_MIN;

    for (; rows < PACE_ROWS; rows++) {
        size_t n = format_csv_row(&t, self->separator, field, COLUMNS_MAX);
        int64_t now;

        if (n <= self->time_column || !format_csv_time(field[self->time_column], &now))
            break;
        if (before != INT64_MIN && now > before)
            gap[gaps++] = (double)(now - before) * 1e-9;
        before = now;
    }
    return gaps == 0 ? NAN : vd_median(gap, gaps) * (double)gaps / (double)(rows - 1);
}

/* How many of the rows to come have the same time as this one, and the time after it. */
static void look_ahead(struct replay_collector *self, int64_t now)
{
    struct format_csv_field field[COLUMNS_MAX];
    struct collect_text t = self->t;
    int64_t next = now;

    self->left = 0;
    for (;;) {
        size_t n = format_csv_row(&t, self->separator, field, COLUMNS_MAX);

        if (n == 0)
            break;
        if (n <= self->time_column || !format_csv_time(field[self->time_column], &next))
            next = now + second_ns;
        if (next != now)
            break;
        self->left++;
    }
    /* The last ones of the file go on at the pace of those before. */
    if (next > now)
        self->step_ns = (next - now) / (int64_t)(self->left + 1);
    if (self->step_ns <= 0)
        self->step_ns =
            self->left > 0 ? second_ns / (int64_t)(self->left + 1) : second_ns;
}

static int64_t pace_ns(const struct replay_collector *self)
{
    return isnan(self->interval_s) ? second_ns : (int64_t)(self->interval_s * 1e9);
}

static void set_time(struct replay_collector *self, struct record_sample *sample,
                     const struct format_csv_field *field, size_t n)
{
    int64_t time = self->time_ns + second_ns, step;
    bool stated =
        self->time_column < n && format_csv_time(field[self->time_column], &time);

    if (!self->started && !stated)
        time = sample->time_ns;
    if (stated && self->left > 0) {
        self->left--;
        time = self->time_ns + self->step_ns;
    } else if (stated) {
        look_ahead(self, time);
    }
    step = time - self->time_ns;
    if (!self->started)
        self->mono_ns = sample->mono_ns;
    else /* Where the clock was set back the rows went on at their pace. */
        self->mono_ns += step > 0 ? step : pace_ns(self);
    self->started = true;
    self->time_ns = time;
    sample->time_ns = self->time_ns;
    sample->mono_ns = self->mono_ns;
    sample->jitter_ns = 0;
}

/* ---- the collector ---- */

static enum vd_status read_replay(void *context, struct record_sample *sample,
                                  struct vd_error *err)
{
    struct replay_collector *self = context;
    struct format_csv_field field[COLUMNS_MAX];
    size_t n = format_csv_row(&self->t, self->separator, field, COLUMNS_MAX);

    (void)err;
    if (n == 0) {
        self->ended = true;
        return VD_OK;
    }
    if (n > self->n)
        n = self->n;
    set_time(self, sample, field, n);
    for (size_t i = 0; i < n; i++)
        if (self->id[i] != SIZE_MAX)
            collect_put(sample, self->id[i], format_csv_number(field[i]));
    return VD_OK;
}

static enum vd_status read_file(struct replay_collector *self, int fd, const char *path,
                                struct vd_error *err)
{
    struct stat info;
    size_t size, got = 0;
    ssize_t one = 1;

    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return vd_error_set(err, VD_ERR_IO, NULL, "%s is not a file", path);
    if (info.st_size > file_max)
        return vd_error_set(err, VD_ERR_LIMIT, "play a part of it",
                            "%s is larger than 2 GiB", path);
    size = (size_t)info.st_size;
    self->text = malloc(size + 1);
    if (self->text == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for %s", path);
    while (got < size && one > 0) {
        one = read(fd, self->text + got, size - got);
        if (one < 0 && errno == EINTR)
            one = 1;
        else if (one < 0)
            return vd_error_set(err, VD_ERR_IO, NULL, "cannot read %s: %s", path,
                                strerror(errno));
        else
            got += (size_t)one;
    }
    self->t = collect_text_of(self->text, got);
    return VD_OK;
}

static void destroy(void *context)
{
    struct replay_collector *self = context;

    if (self == NULL)
        return;
    free(self->text);
    free(self);
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct replay_collector *self;
    enum vd_status status;
    int fd;

    if (config->replay == NULL)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "no file to play was given");
    fd = open(config->replay, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return vd_error_set(err, VD_ERR_IO, NULL, "cannot open %s: %s", config->replay,
                            strerror(errno));
    self = calloc(1, sizeof *self);
    status = self == NULL ? VD_ERR_MEMORY : read_file(self, fd, config->replay, err);
    close(fd);
    if (status == VD_OK) {
        /* The core metrics are counters on a machine; here they are values already. */
        for (size_t i = 0; i < schema->n; i++) {
            schema->metric[i].kind = RECORD_GAUGE;
            schema->metric[i].scale = 1;
        }
        status = read_header(self, config->replay, schema, err);
        if (status == VD_OK)
            self->interval_s = find_pace(self);
    }
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
    double left = (double)(self->t.end - self->t.at);

    return (struct collect_course){
        .ended = self->ended,
        .done = 1 - left / fmax((double)(self->t.end - self->text), 1),
        .interval_s = self->interval_s,
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
