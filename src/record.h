/* The one vocabulary that the stages of the program share: metric, sample, process,
 * score, event, record. Plain data only; every stage takes and gives these structs.
 *
 *     collect -> feature -> detect -> explain -> alert -> store
 *                                                     \-> show
 *
 * Absent is NaN everywhere: a number that this machine does not have, or did not give on
 * this tick. All strings are terminated UTF-8 or what the kernel gave, cut to fit.
 */
#ifndef VD_RECORD_H
#define VD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/status.h"

/* ---- metrics ---- */

/* How the feature stage turns what a collector read into the value people see. Rates are
 * made there and nowhere else. `raw` and `base` are what the collector filled in. */
enum record_kind {
    RECORD_GAUGE, /* value = scale * raw                                */
    RECORD_RATE,  /* value = scale * delta(raw) / seconds between       */
    RECORD_RATIO, /* value = scale * delta(raw) / delta(base)           */
};

/* What a metric is about. */
enum record_group {
    RECORD_GROUP_OTHER, /* nobody said */
    /* Resources: what a machine has and processes use, so that an event has a cause. */
    RECORD_GROUP_CPU,
    RECORD_GROUP_MEMORY,
    RECORD_GROUP_DISK,
    RECORD_GROUP_NETWORK,
    RECORD_GROUP_TEMPERATURE,
    RECORD_GROUP_GPU,
    /* And the rest. */
    RECORD_GROUP_PROCESSES,
    RECORD_GROUP_SERVICES, /* units of systemd and containers */
    RECORD_GROUP_KERNEL,   /* its clock, its tables, its page faults */
    RECORD_GROUP_SELF,     /* this program */
    RECORD_GROUPS
};

static inline bool record_group_is_resource(enum record_group group)
{
    return group >= RECORD_GROUP_CPU && group <= RECORD_GROUP_GPU;
}

/* "cpu", "memory" ...: as the API has it. */
const char *record_group_name(enum record_group group);

enum {
    RECORD_METRICS_MAX = 4096, /* metrics of one host; later ones are dropped, and said */
    RECORD_NAME_MAX = 48,
    RECORD_LABEL_MAX = 80,
    RECORD_REST_S = 2 * 3600, /* more than any average of the store spans */
};

/* A row of a collector's metric table, and of the schema. */
struct record_metric {
    const char *name; /* family: "disk_read_mb"; static */
    const char *unit; /* "%", "MB/s", "GB", "C", "MHz", "1/s", "" ; static */
    const char *help; /* one sentence for people; static */
    enum record_kind kind;
    enum record_group group;
    double scale;
    double most; /* a value above is cut to it; 0 = no bound */
    /* In `unit`: below a few of these no engineer calls it a deviation. 0 = nobody knows,
     * and then it is a share of what is expected. */
    double sigma_floor;
    bool is_byte_rate;  /* data per time: it comes in bursts, by orders of magnitude */
    bool less_is_worse; /* memory_available_gb: it falls when there is more load */
    bool fills;         /* filesystem_percent: whoever filled it may be at rest by now */
    bool core;          /* one of the core features of the multivariate layer */
    const char *label_key;        /* "device", "cpu", "mount"; NULL = no label; static */
    char label[RECORD_LABEL_MAX]; /* "sda"; "" = no label; see record_label */
    uint32_t serial;              /* of the schema; another one = another metric */
    int64_t given_back_ns;        /* monotonic; 0 = somebody fills it in */
};

/* The metrics of this host. Grows when a device appears; a device that went away gives
 * NaN. A metric that its collector gave back rests for RECORD_REST_S, always NaN: by then
 * no queue, window or average holds anything of it. After that a new one may take its
 * index, with a new serial number. Whoever keeps something by index compares those. */
struct record_schema {
    struct record_metric *metric; /* owned, RECORD_METRICS_MAX allocated on demand */
    size_t n, capacity;
    size_t dropped;  /* how often a metric was asked for and there was no room */
    uint32_t serial; /* of the newest metric: while it stands still, so does the schema */
    int64_t mono_ns; /* of the tick that is read */
    char **own_name; /* owned: names that are not static (columns of a file) */
    size_t n_own_names;
};

/* `whole` as a label: a text that does not fit keeps its beginning and its end, with a
 * number between them that tells two such texts apart. Returns label. */
char *record_label(char label[RECORD_LABEL_MAX], const char *whole);

/* The index of the metric `row` with label `label` (NULL = none), added when it is new.
 * SIZE_MAX when the table is full or there is no memory: the caller leaves it out. */
size_t record_schema_add(struct record_schema *schema, const struct record_metric *row,
                         const char *label);

/* Does the same for a name that comes from outside: the schema keeps a copy, cut to
 * RECORD_NAME_MAX - 1 bytes; row->name is not used. */
size_t record_schema_add_named(struct record_schema *schema,
                               const struct record_metric *row, const char *name,
                               const char *label);

/* Nobody fills metric `i` in any more (SIZE_MAX is allowed), until it is added again. */
void record_schema_give_back(struct record_schema *schema, size_t i);

/* Whether a new metric would find room now. */
bool record_schema_has_room(const struct record_schema *schema);

/* The index by name as people write it: "cpu_percent", "disk_busy_percent{sda}" (also
 * `{device="sda"}`). Other names of the core metrics ("memory_percent", "cpu_frequency")
 * are understood. SIZE_MAX when there is none. */
size_t record_schema_find(const struct record_schema *schema, const char *name);

/* Whether `name` is this metric: `name`, `name{label}`, `name{key=label}` or
 * `name{key="label"}`. */
bool record_metric_is_named(const struct record_metric *metric, const char *name);

/* "disk_busy_percent{sda}" into `text`; returns text. */
char *record_metric_label(const struct record_metric *metric, char *text, size_t size);

void record_schema_release(struct record_schema *schema);

/* ---- what collect gives ---- */

enum { RECORD_COMM_MAX = 64, RECORD_COMMAND_MAX = 256, RECORD_KILLED_MAX = 8 };

/* A process that the kernel killed because memory ran out. */
struct record_killed {
    int pid;
    char name[RECORD_COMM_MAX]; /* hostile: may hold any byte but NUL */
};

struct record_sample {
    int64_t time_ns;   /* wall clock, ns since 1970, UTC */
    int64_t mono_ns;   /* monotonic clock: all differences are taken from this one */
    int64_t jitter_ns; /* how late the tick began */
    struct record_schema *schema; /* borrowed */
    double *raw;  /* schema->n values, NaN = not available; room for schema->capacity */
    double *base; /* the denominators of RECORD_RATIO */
    struct record_processes *processes; /* owned by the process collector; NULL = none */
    const struct record_killed *killed; /* of this tick; owned by the kernel log's */
    size_t n_killed;
    bool killed_known; /* the kernel's log may be read: it names all that are killed */
    /* Gives the proportional set size of a process in bytes, NaN = unknown; NULL = this
     * source cannot say. */
    double (*pss)(void *context, int pid);
    void *pss_context;
};

/* ---- processes ---- */

/* One process on one tick. Identity is (pid, start_ticks): a reused pid is another one.
 */
struct record_process {
    int pid, parent;
    uint64_t start_ticks; /* start time in clock ticks since boot */
    uint32_t uid;
    uint32_t threads;
    char state;                       /* R S D Z T I ... */
    char comm[RECORD_COMM_MAX];       /* hostile: may hold any byte but NUL */
    char command[RECORD_COMMAND_MAX]; /* command line, arguments parted by spaces; "" for
                                         kernel threads */
    double cpu_percent;               /* of ONE core: 250 = two and a half cores */
    double rss_bytes, pss_bytes;      /* pss NaN unless it was a suspect */
    double swap_bytes;                /* of it, moved out to swap; read in turns */
    double major_faults_s;            /* page faults that waited for a disk, per second */
    double read_bytes_s, write_bytes_s; /* to and from storage, bytes per second */
    double gpu_percent, gpu_bytes;
};

struct record_processes {
    struct record_process *at; /* sorted by pid */
    size_t n;
    size_t threads; /* all threads of the machine */
    size_t dropped; /* processes beyond the table's limit */
    /* CPU time that the whole machine used, in percent of one core, also by processes
     * that began and ended between two ticks; NaN = not known. */
    double machine_cpu_percent;
};

/* What a process takes of the machine, as it is counted for each of them. */
enum record_resource {
    RECORD_CPU,
    RECORD_MEMORY,
    RECORD_DISK_READ,
    RECORD_DISK_WRITE,
    RECORD_RESOURCES
};

/* Returns "cpu", "memory", "disk_read" or "disk_write"; static. */
const char *record_resource_name(enum record_resource resource);

/* Finds the resource of that name; RECORD_RESOURCES when there is none. */
enum record_resource record_resource_of(const char *name);

/* Why a process is on a list of suspects. */
struct record_suspect {
    struct record_process process; /* at the peak of the event */
    double before;                 /* its use of the resource before the event */
    double during;                 /* and during it */
    double share;                  /* of the excess over before, 0 .. 1 */
    bool of_use;                   /* of all use now: there was no excess to share */
    enum record_resource resource;
};

/* ---- what detect gives ---- */

enum { RECORD_DETECTORS_MAX = 16, RECORD_TOP = 3, RECORD_SUSPECTS = 5 };

struct record_score {
    const char *name;  /* "isolation_forest"; static */
    bool ready;        /* false: everything below is NaN */
    double raw;        /* higher = more anomalous */
    double surprise;   /* -log10 p */
    double score;      /* calibrated, -1 .. 1, negative = anomalous */
    double latency_us; /* what scoring this row took */
};

enum record_severity {
    RECORD_NORMAL,
    RECORD_LOW,      /* score 0 .. -0.3 */
    RECORD_MEDIUM,   /* -0.3 .. -0.5 */
    RECORD_HIGH,     /* -0.5 .. -0.7 */
    RECORD_CRITICAL, /* below -0.7 */
};

enum record_severity record_severity_of(double score);
const char *record_severity_name(enum record_severity severity);

/* Returns a score in the middle of that severity, for what has no score of its own. */
double record_score_of(enum record_severity severity);

struct record_verdict {
    struct record_score detector[RECORD_DETECTORS_MAX];
    size_t n;
    double surprise;   /* combined */
    double score;      /* combined, calibrated; NaN while nothing is ready */
    double confidence; /* 0 .. 1: how much of the warm-up has been seen */
    double latency_us; /* all of detect on this row */
    bool far_out;      /* a core metric is, by its own baseline alone */
    bool drift;        /* Page-Hinkley fired on this row */
};

/* One metric that deviates: `gpu_memory: 14.2 (high, expected ≈9.4, z=1.9)`. */
struct record_deviation {
    size_t metric; /* index in the schema; SIZE_MAX = this run does not have it */
    double value, expected, z;
    char name[RECORD_NAME_MAX + RECORD_LABEL_MAX]; /* as record_metric_label gives it */
    enum record_group group; /* as its metric has them; the store does not keep them */
    bool less_is_worse, fills;
};

/* Fills in what the metric says of itself: name, group, less_is_worse and fills. */
void record_deviation_name(struct record_deviation *deviation,
                           const struct record_metric *metric);

/* Something that should be heard and is not. */
enum record_silence_kind {
    RECORD_SILENCE_GONE,   /* the metric was there and is NaN now */
    RECORD_SILENCE_FROZEN, /* a sensor that used to move does not move any more */
    RECORD_SILENCE_GAP,    /* no samples at all for a while: suspended or starved */
};

struct record_silence {
    enum record_silence_kind kind;
    size_t metric;  /* SIZE_MAX for a gap */
    double seconds; /* for how long */
};

/* ---- events ---- */

/* What a person may say of an event. */
enum record_feedback {
    RECORD_UNSAID,
    RECORD_SAID_NORMAL,   /* a false alarm */
    RECORD_SAID_EXPECTED, /* no alarm at that time of day */
    RECORD_SAID_REAL,     /* worth knowing */
    RECORD_FEEDBACKS
};

/* Returns the word: "", "normal", "expected", "real". */
const char *record_feedback_name(enum record_feedback feedback);

/* Finds what a word means; false when it is none of them. "" is RECORD_UNSAID. */
bool record_feedback_of(const char *word, enum record_feedback *feedback);

enum record_event_state { RECORD_EVENT_OPEN, RECORD_EVENT_CLOSED };

enum record_event_kind {
    RECORD_ANOMALY, /* the detectors agree that this is not normal */
    RECORD_RULE,    /* one metric exceeds a hard limit */
    RECORD_SILENCE, /* something that should be heard is not */
    RECORD_DRIFT,   /* what is normal has changed */
    RECORD_EVENT_KINDS
};

/* "anomaly", "rule", "silence", "drift". */
const char *record_event_kind_name(enum record_event_kind kind);

/* The kind of that name; RECORD_EVENT_KINDS when there is none. */
enum record_event_kind record_event_kind_of(const char *name);

enum { RECORD_RULE_MAX = 192, RECORD_NOTE_MAX = 192 };

/* What a rule says of a metric, around its label: "Unit " ssh " has failed". Static. */
struct record_words {
    const char *before, *after; /* NULL = nothing, numbers do */
};

/* The hard limit that an event of kind RECORD_RULE is about. */
struct record_limit {
    char rule[RECORD_RULE_MAX]; /* as people write it: "cpu_percent > 95 for 10 s"; "" =
                                   the event has no limit */
    bool above;                 /* else the value has to fall below it */
    double value, for_s;
    int64_t since_ns; /* wall clock: exceeded since then, but for breaks of seconds */
};

/* Returns how far the value is beyond a limit: above it, or else below it. */
static inline double record_beyond_limit(bool above, double limit, double value)
{
    return above ? value - limit : limit - value;
}

/* What people are told about. One struct serves store, page, alert and log. */
struct record_event {
    int64_t id;                        /* unique in one store, growing; 0 = none */
    int64_t start_ns, peak_ns, end_ns; /* wall clock; end 0 while open */
    enum record_event_state state;
    enum record_severity severity; /* at the peak */
    double score;                  /* at the peak, calibrated */
    double confidence;
    bool alerted; /* true: went out as an alert; false: seen, kept back by the budget */
    bool alerts_now; /* with this very change */
    enum record_event_kind kind;
    char pattern[24]; /* "spike", "step", "leak", "contention", "silence", ... */
    char reason[256]; /* in words: "High CPU usage detected | ..." */
    char note[RECORD_NOTE_MAX]; /* one sentence: why it does not alert, or what the alert
                                   cost; "" = there is nothing to say */
    struct record_limit limit;
    struct record_deviation top[RECORD_TOP];
    char explanation[RECORD_TOP][128]; /* the deviations as text; "" = fewer */
    char factor[RECORD_TOP][64];       /* severity factors: "CPU: 85.7%" */
    size_t n_top;
    struct record_suspect suspect[RECORD_SUSPECTS];
    size_t n_suspects;
    char feedback[24];   /* a word of enum record_feedback */
    int64_t feedback_ns; /* when it was said; 0 = nothing was */
};

/* What one more thing that is said of an event would have changed in the past. */
enum { RECORD_PREVIEW_MAX = 32 };
struct record_preview {
    char text[256];                      /* one sentence */
    int64_t changed[RECORD_PREVIEW_MAX]; /* ids: they would alert now, or not any more */
    size_t n_changed;
};

/* ---- one tick, whole ---- */

enum record_event_change {
    RECORD_EVENT_NONE,
    RECORD_EVENT_OPENED,
    RECORD_EVENT_UPDATED,
    RECORD_EVENT_ENDED
};

struct record {
    int64_t time_ns, mono_ns, jitter_ns;
    uint64_t tick; /* 0, 1, 2 ... since start */
    const struct record_schema *schema;
    const double *value;                      /* schema->n values as people see them */
    const struct record_processes *processes; /* NULL = none */
    struct record_verdict verdict;
    const struct record_event
        *event; /* the event this tick opened, kept or closed; or NULL */
    enum record_event_change change;
};

#endif
