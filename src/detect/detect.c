/* Joins the layers: reads the baseline, the univariate and the multivariate layer and the
 * supervised detectors into one verdict, combines their surprises, and decides from the
 * answer of the host what may be learned. Trainings are begun, run and ended in three
 * steps, of which the second is the worker's. */
#include "detect/detect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detect/baseline.h"
#include "detect/combine.h"
#include "detect/univariate.h"
#include "os/clock.h"
#include "vedette/calibration.h"
#include "vedette/detector.h"
#include "vedette/page_hinkley.h"

/* A training that has little new to learn from is waste: it waits for so many new rows,
 * and for so large a part of the rows that are known. */
enum { NEW_ROWS_MIN = 50, NEW_ROWS_PART = 16 };

/* A normal event: its rows are learned as labels, by a bounded share and until that is
 * undone. A sample that is like them is not learned a second time as itself. */
struct released {
    int64_t event_id;
    double middle[DETECT_MULTIVARIATE_COLUMNS];
};

struct detect_set {
    struct detect_config config;
    struct detect_baseline baseline;
    detect_univariate *univariate;
    detect_multivariate *multivariate;
    detect_supervised *supervised;
    struct detect_labels labels;
    struct released *released; /* owned: one for each normal event of the labels */
    size_t n_released;
    double
        middle[DETECT_MULTIVARIATE_COLUMNS]; /* of the window, as of the last training */
    size_t n_like; /* samples on end that were like a released one */
    struct vd_page_hinkley drift;
    int64_t first_ns;         /* monotonic: the first row */
    int64_t time_ns, mono_ns; /* of the row read last */
    int64_t training_due_ns;  /* monotonic */
    size_t trainings;
    bool awaited;    /* somebody waits for the next training */
    size_t new_rows; /* learned since the last training */
};

struct detect_config detect_config_default(void)
{
    return (struct detect_config){
        .multivariate = detect_multivariate_config_default(),
        .interval_s = 1,
        .warm_up_s = 60,
        .retrain_s = 300,
        .training_share = 1,
        .streams_max = 160,
    };
}

enum vd_status detect_set_new(detect_set **out, const struct detect_config *config,
                              struct vd_error *err)
{
    detect_set *set = calloc(1, sizeof *set);
    enum vd_status status;

    *out = NULL;
    if (set == NULL)
        return VD_ERR_MEMORY;
    set->config = *config;
    set->training_due_ns = INT64_MAX;
    vd_page_hinkley_init(&set->drift, NULL);
    status = detect_multivariate_new(&set->multivariate, &config->multivariate);
    if (status == VD_OK)
        status = detect_univariate_new(&set->univariate, config->streams_max,
                                       config->interval_s);
    if (status == VD_OK)
        status = detect_supervised_new(&set->supervised, &config->multivariate,
                                       config->bundle, err);
    if (status != VD_OK) {
        detect_set_free(set);
        return status;
    }
    *out = set;
    return VD_OK;
}

void detect_set_free(detect_set *set)
{
    if (set == NULL)
        return;
    detect_baseline_release(&set->baseline);
    detect_univariate_free(set->univariate);
    detect_multivariate_free(set->multivariate);
    detect_supervised_free(set->supervised);
    detect_labels_release(&set->labels);
    free(set->released);
    free(set);
}

/* The largest |z| of the multivariate layer's columns; NaN while none has one. */
static double largest_z(const detect_set *set, const struct record_schema *schema)
{
    double largest = NAN;
    size_t n;
    const size_t *index = detect_multivariate_columns(set->multivariate, schema, &n);

    for (size_t c = 0; c < n; c++)
        if (index[c] < set->baseline.n)
            largest = fmax(largest, fabs(set->baseline.z[index[c]]));
    return largest;
}

/* From so many of its own sigmas on, floors among them, a metric is far out. */
static const double FAR_OUT = 15;

/* The raw scores of the live members for one row. */
static void read_live(detect_set *set, const struct record_schema *schema,
                      const double *value, int64_t time_ns, double live[DETECT_LIVE])
{
    /* Without memory for a new metric the others are still watched. */
    detect_baseline_read(&set->baseline, schema, value);
    live[DETECT_LIVE_Z] = largest_z(set, schema);
    live[DETECT_LIVE_UNIVARIATE] =
        detect_univariate_read(set->univariate, schema, value, set->baseline.z, time_ns);
}

/* An ensemble repeats what others say: it is held back with them, and is no voice. Robust
 * z needs no second voice where a metric is far out. */
static struct detect_voice voice_of(const struct record_verdict *verdict, size_t i)
{
    const struct record_score *score = &verdict->detector[i];
    const struct vd_detector_info *info = vd_detector_find(score->name);

    return (struct detect_voice){
        .surprise = score->surprise,
        .repeats = info != NULL && info->combines,
        .may_be_alone = verdict->far_out &&
                        score->name == detect_multivariate_live_name[DETECT_LIVE_Z],
    };
}

static void combine(struct record_verdict *verdict, double threshold)
{
    struct detect_voice voice[RECORD_DETECTORS_MAX];

    for (size_t i = 0; i < verdict->n; i++) {
        struct record_score *score = &verdict->detector[i];

        voice[i] = voice_of(verdict, i);
        score->score = vd_score_of_surprise(score->surprise, threshold);
    }
    verdict->surprise = detect_combine(voice, verdict->n);
    verdict->score = vd_score_of_surprise(verdict->surprise, threshold);
}

/* A sample that came late is none that was left out. */
static const double LATE_INTERVALS = 1.5;

static bool is_next(const detect_set *set, int64_t from_ns, int64_t to_ns)
{
    double s = (double)(to_ns - from_ns) * 1e-9;

    return s >= 0 && s < LATE_INTERVALS * set->config.interval_s;
}

/* While the machine sleeps the monotonic clock stands still; the other one may be set. */
static void note_gap(detect_set *set, int64_t time_ns, int64_t mono_ns)
{
    if (!is_next(set, set->time_ns, time_ns) || !is_next(set, set->mono_ns, mono_ns))
        detect_multivariate_gap(set->multivariate);
    set->time_ns = time_ns;
    set->mono_ns = mono_ns;
}

void detect_set_read(detect_set *set, const struct record_schema *schema,
                     const double *value, int64_t time_ns, int64_t mono_ns,
                     double threshold, struct record_verdict *verdict)
{
    int64_t start = os_clock_mono_ns();
    double live[DETECT_LIVE];

    *verdict = (struct record_verdict){
        .confidence = detect_multivariate_confidence(set->multivariate)};
    if (set->first_ns == 0) {
        set->first_ns = mono_ns;
        if (set->training_due_ns == INT64_MAX)
            set->training_due_ns = mono_ns + (int64_t)(set->config.warm_up_s * 1e9);
    }
    note_gap(set, time_ns, mono_ns);
    read_live(set, schema, value, time_ns, live);
    detect_multivariate_read(set->multivariate, schema, value, live, verdict);
    detect_supervised_read(set->supervised, detect_multivariate_row(set->multivariate),
                           detect_multivariate_is_log(set->multivariate), verdict);
    verdict->far_out = live[DETECT_LIVE_Z] >= FAR_OUT;
    combine(verdict, threshold);
    verdict->drift = vd_page_hinkley_push(&set->drift, verdict->score) == VD_DRIFT_DOWN;
    verdict->latency_us = (double)(os_clock_mono_ns() - start) * 1e-3;
}

/* A state that lasts longer is the new normal, whatever was said of a moment of it. */
static const double LIKE_RELEASED_S = 900;

/* Whether the row read last is known by a label already. */
static bool is_like_released(detect_set *set)
{
    bool like = false;

    for (size_t i = 0; !like && i < set->n_released; i++)
        like = detect_multivariate_is_nearer(detect_multivariate_row(set->multivariate),
                                             set->middle, set->released[i].middle);
    set->n_like = like ? set->n_like + 1 : 0;
    return like && (double)set->n_like * set->config.interval_s <= LIKE_RELEASED_S;
}

void detect_set_learn(detect_set *set, const double *value)
{
    if (is_like_released(set))
        return;
    detect_baseline_learn(&set->baseline, value);
    detect_multivariate_learn(set->multivariate);
    set->new_rows++;
}

void detect_set_retrain(detect_set *set, int64_t mono_ns, double wait_s)
{
    int64_t due_ns = mono_ns + (int64_t)(wait_s * 1e9);

    set->awaited = true;
    if (due_ns < set->training_due_ns)
        set->training_due_ns = due_ns;
}

void detect_set_learn_past(detect_set *set, const struct record_schema *schema,
                           const double *value, int64_t time_ns)
{
    struct record_verdict unused = {0};
    double live[DETECT_LIVE];

    note_gap(set, time_ns, time_ns);
    read_live(set, schema, value, time_ns, live);
    detect_multivariate_read(set->multivariate, schema, value, live, &unused);
    detect_set_learn(set, value);
    if ((double)detect_multivariate_rows(set->multivariate) * set->config.interval_s >=
        set->config.warm_up_s)
        set->training_due_ns = 0;
}

const double *detect_set_expected(const detect_set *set)
{
    return set->baseline.expected;
}

void detect_set_worst(const detect_set *set, const struct record_schema *schema,
                      double worst[RECORD_GROUPS])
{
    size_t n;
    const size_t *index = detect_multivariate_columns(set->multivariate, schema, &n);

    for (int g = 0; g < RECORD_GROUPS; g++)
        worst[g] = NAN;
    for (size_t c = 0; c < n; c++) {
        const struct record_metric *metric;

        if (index[c] >= set->baseline.n)
            continue;
        metric = &schema->metric[index[c]];
        worst[metric->group] =
            fmax(worst[metric->group], metric->less_is_worse ? -set->baseline.z[index[c]]
                                                             : set->baseline.z[index[c]]);
    }
}

double detect_set_weight(const detect_set *set, const struct record_schema *schema,
                         const double *value)
{
    return detect_baseline_weight(&set->baseline, schema, value);
}

const double *detect_set_z(const detect_set *set)
{
    return set->baseline.z;
}

int64_t detect_set_training_due(const detect_set *set)
{
    size_t part = detect_multivariate_rows(set->multivariate) / NEW_ROWS_PART;
    size_t least = part > NEW_ROWS_MIN ? part : NEW_ROWS_MIN;
    bool waits = set->trainings > 0 && !set->awaited && set->new_rows < least;

    return waits ? INT64_MAX : set->training_due_ns;
}

static void find_middle(detect_set *set)
{
    size_t n = 0;
    struct detect_multivariate_row *row =
        set->n_released == 0 ? NULL
                             : detect_multivariate_window(set->multivariate, NULL, 0, &n);

    if (row != NULL)
        detect_multivariate_middle(row, n, set->middle);
    free(row);
}

/* The normal events of the labels, with the middle of the rows of each. */
static void find_released(detect_set *set)
{
    const struct detect_labels *labels = &set->labels;
    struct released *list = malloc((labels->n + 1) * sizeof *list);
    struct detect_multivariate_row row[DETECT_LABELS_EVENT];
    size_t n = 0;

    for (size_t i = 0, k; list != NULL && i < labels->n; i = k) {
        size_t rows = 0;

        for (k = i; k < labels->n && labels->at[k].event_id == labels->at[i].event_id;
             k++)
            if (rows < DETECT_LABELS_EVENT && labels->at[k].label == DETECT_LABEL_NORMAL)
                row[rows++] = labels->at[k].row;
        list[n].event_id = labels->at[i].event_id;
        if (rows > 0 && detect_multivariate_middle(row, rows, list[n].middle) == VD_OK)
            n++;
    }
    free(set->released);
    set->released = list;
    set->n_released = list == NULL ? 0 : n;
    find_middle(set);
}

/* Released rows may be a tenth of the window: more of one event would make it what is
 * common here. */
static detect_multivariate_job *train_begin(detect_set *set)
{
    size_t most = detect_multivariate_rows(set->multivariate) / 10;
    struct detect_multivariate_row *row = malloc((most + 1) * sizeof *row);
    size_t n = row == NULL ? 0 : detect_labels_released(&set->labels, row, most);
    detect_multivariate_job *job =
        detect_multivariate_train_begin(set->multivariate, row, n);

    free(row);
    find_middle(set);
    return job;
}

detect_multivariate_job *detect_set_training_begin(detect_set *set, int64_t mono_ns)
{
    /* The first models see little: they are renewed after two and after five warm-ups,
     * then at the pace that was asked for. */
    double wait = set->trainings == 0   ? set->config.warm_up_s
                  : set->trainings == 1 ? 3 * set->config.warm_up_s
                                        : set->config.retrain_s;
    bool awaited = set->awaited || set->trainings == 0;
    detect_multivariate_job *job;

    set->awaited = false;
    set->trainings++;
    wait = fmin(wait, set->config.retrain_s);
    set->new_rows = 0;
    set->training_due_ns = mono_ns + (int64_t)(wait * 1e9);
    job = train_begin(set);
    if (job != NULL && !awaited)
        detect_multivariate_train_calmly(job, set->config.training_share);
    return job;
}

enum vd_status detect_set_training_end(detect_set *set, detect_multivariate_job *job,
                                       struct vd_error *err)
{
    return detect_multivariate_train_end(set->multivariate, job, err);
}

/* ---- labels ---- */

/* What was released is learned with the next training, and that is now. */
static void labels_changed(detect_set *set, bool undone)
{
    find_released(set);
    detect_supervised_changed(set->supervised, undone);
    if (set->trainings > 0) {
        set->awaited = true;
        set->training_due_ns = 0;
    }
}

enum vd_status detect_set_label(detect_set *set, const struct record_schema *schema,
                                int64_t event_id, enum detect_label label,
                                const double *value, size_t n)
{
    size_t d = set->config.multivariate.n_columns;
    float *rows = calloc((n + 1) * DETECT_MULTIVARIATE_COLUMNS, sizeof *rows);
    enum vd_status status = VD_ERR_MEMORY;

    for (size_t i = 0; rows != NULL && i < n; i++)
        detect_multivariate_convert(set->multivariate, schema, value + i * d,
                                    rows + i * DETECT_MULTIVARIATE_COLUMNS);
    if (rows != NULL)
        status = detect_labels_add(&set->labels, event_id, label, rows, n);
    free(rows);
    if (status == VD_OK && n > 0)
        labels_changed(set, false);
    return status;
}

void detect_set_relabel(detect_set *set, int64_t event_id, enum detect_label label)
{
    if (detect_labels_change(&set->labels, event_id, label))
        labels_changed(set, true);
}

void detect_set_forget_labels(detect_set *set, int64_t event_id)
{
    if (detect_labels_forget(&set->labels, event_id))
        labels_changed(set, true);
}

bool detect_set_has_labels(const detect_set *set, int64_t event_id)
{
    return detect_labels_has(&set->labels, event_id);
}

static bool is_among(const int64_t *event_id, size_t n, int64_t wanted)
{
    for (size_t i = 0; i < n; i++)
        if (event_id[i] == wanted)
            return true;
    return false;
}

void detect_set_keep_labels(detect_set *set, const int64_t *event_id, size_t n)
{
    size_t i = 0;

    while (i < set->labels.n) {
        if (is_among(event_id, n, set->labels.at[i].event_id)) {
            i++;
            continue;
        }
        detect_labels_forget(&set->labels, set->labels.at[i].event_id);
        labels_changed(set, true);
    }
}

detect_supervised_job *detect_set_supervised_begin(detect_set *set, int64_t mono_ns)
{
    struct detect_multivariate_row *quiet;
    size_t n;

    if (!detect_supervised_due(set->supervised, &set->labels,
                               detect_multivariate_rows(set->multivariate), mono_ns))
        return NULL;
    quiet = detect_multivariate_window(set->multivariate, NULL, 0, &n);
    if (quiet == NULL)
        return NULL;
    return detect_supervised_begin(set->supervised, quiet, n,
                                   detect_multivariate_is_log(set->multivariate),
                                   &set->labels, mono_ns);
}

void detect_set_supervised_end(detect_set *set, detect_supervised_job *job)
{
    detect_supervised_end(set->supervised, job);
}

size_t detect_set_supervised(const detect_set *set)
{
    return detect_supervised_ready(set->supervised);
}

void detect_set_save_labels(const detect_set *set, struct vd_writer *w)
{
    detect_labels_save(&set->labels, &set->config.multivariate, w);
}

enum vd_status detect_set_load_labels(detect_set *set, struct vd_reader *r,
                                      struct vd_error *err)
{
    enum vd_status status =
        detect_labels_load(&set->labels, &set->config.multivariate, r, err);

    if (status == VD_OK && set->labels.n > 0)
        labels_changed(set, true);
    return status;
}

size_t detect_set_rows(const detect_set *set)
{
    return detect_multivariate_rows(set->multivariate);
}

double detect_set_confidence(const detect_set *set)
{
    return detect_multivariate_confidence(set->multivariate);
}

/* ---- saved form: three sections, each with its length, so that one that does not fit is
 * skipped ---- */

enum { SAVED_MAGIC = 0x53444456 /* "VDDS" */, SAVED_VERSION = 2 };

static void write_section(struct vd_writer *w, struct vd_writer *section)
{
    if (section->status != VD_OK)
        w->status = section->status;
    vd_write_u64(w, section->size);
    vd_write_bytes(w, section->at, section->size);
    vd_writer_release(section);
}

void detect_set_save(const detect_set *set, const struct record_schema *schema,
                     struct vd_writer *w)
{
    struct vd_writer multivariate = {0}, baseline = {0}, univariate = {0};

    vd_write_u32(w, SAVED_MAGIC);
    vd_write_u32(w, SAVED_VERSION);
    vd_page_hinkley_save(&set->drift, w);
    detect_multivariate_save(set->multivariate, &multivariate);
    write_section(w, &multivariate);
    detect_baseline_save(&set->baseline, schema, &baseline);
    write_section(w, &baseline);
    detect_univariate_save(set->univariate, schema, &univariate);
    write_section(w, &univariate);
}

static bool read_section(struct vd_reader *r, struct vd_reader *section)
{
    size_t size = vd_read_count(r, 1);

    vd_reader_init(section, r->at, size);
    if (r->failed)
        return false;
    r->at += size;
    r->left -= size;
    return true;
}

enum vd_status detect_set_load(detect_set *set, const struct record_schema *schema,
                               struct vd_reader *r, struct vd_error *err)
{
    struct vd_reader section;
    enum vd_status status;

    if (vd_read_u32(r) != SAVED_MAGIC || vd_read_u32(r) != SAVED_VERSION) {
        r->failed = true; /* nobody knows where it ends */
        return vd_error_set(err, VD_ERR_VERSION, "everything is learnt anew",
                            "the saved models are not of this version");
    }
    status = vd_page_hinkley_load(&set->drift, r, err);
    if (status == VD_OK && read_section(r, &section))
        status = detect_multivariate_load(set->multivariate, &section, err);
    if (read_section(r, &section))
        detect_baseline_load(&set->baseline, schema, &section, err);
    if (read_section(r, &section))
        detect_univariate_load(set->univariate, schema, &section, err);
    if (status == VD_OK && detect_multivariate_confidence(set->multivariate) > 0) {
        /* Past the warm-up already: the next training is a common one. */
        set->trainings = 2;
        set->training_due_ns = 0;
    }
    return r->failed ? vd_error_set(err, VD_ERR_FORMAT, "what was read is kept",
                                    "the saved models end too early")
                     : status;
}
