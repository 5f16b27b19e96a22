/* Both sources are short, and asked a few times a minute. An array or pool that is gone
 * gives its metrics back.
 */
#include "collect/raid.h"

#include <stdio.h>
#include <stdlib.h>

#include "collect/collectors.h"
#include "collect/file.h"
#include "collect/fill.h"
#include "format/scan.h"

enum { MISSING, SYNC, ARRAY_ROWS };

static const struct record_metric array_rows[ARRAY_ROWS] = {
    [MISSING] = COLLECT_ROW_OF("array", "raid_missing_disks", "", DISK, 0.5, GAUGE, 1,
                               "Disks that this array should have and has not; of one "
                               "that does not run, all."),
    [SYNC] = COLLECT_ROW_OF("array", "raid_sync_percent", "%", DISK, 100, GAUGE, 1,
                            "How far a rebuild or check of this array is."),
};

static const struct record_metric pool_row =
    COLLECT_ROW_OF("pool", "zfs_pool_fault", "", DISK, 0.5, GAUGE, 1,
                   "0 = all well, 1 = disks of this pool are missing or failing, 2 = it "
                   "cannot be used.");

enum { POOLS_MAX = 64 };

/* Arrays lose disks seldom, and a rebuild takes minutes at the least. */
static const int64_t period_ns = 5000000000;

/* An array or pool that has metrics. */
struct shown {
    char name[COLLECT_ARRAY_NAME_MAX];
    double value[ARRAY_ROWS];
    size_t id[ARRAY_ROWS]; /* of a pool, the first alone */
    bool listed;           /* by the read that goes on */
};

struct raid_collector {
    bool live;
    struct collect_file mdstat;
    struct collect_buffer buffer;
    char pools[COLLECT_PATH_MAX];
    struct shown array[COLLECT_ARRAYS_MAX], pool[POOLS_MAX];
    size_t n_arrays, n_pools;
    size_t left_out; /* beyond those */
    int64_t read_ns; /* 0 = never */
};

/* ---- /proc/mdstat ---- */

/* Takes the first line of an array and counts its disks; false when it is none:
 * md0 : active (auto-read-only) raid1 sda1[0] sdb1[1](F) */
static bool parse_head(struct format_scan *t, struct collect_array *array, bool *runs,
                       size_t *disks, size_t *failed)
{
    char word[COLLECT_ARRAY_NAME_MAX];

    if (!format_scan_word(t, array->name, sizeof array->name) || array->name[0] == '\0' ||
        !format_scan_word(t, word, sizeof word) || strcmp(word, ":") != 0 ||
        !format_scan_word(t, word, sizeof word))
        return false;
    *runs = strcmp(word, "active") == 0;
    if (!*runs && strcmp(word, "inactive") != 0 && strcmp(word, "broken") != 0)
        return false;
    for (*disks = *failed = 0; format_scan_word(t, word, sizeof word);) {
        *disks += strchr(word, '[') != NULL;
        *failed += strstr(word, "(F)") != NULL;
    }
    return true;
}

/*       5860147464 blocks super 1.2 level 6, 64k chunk, algorithm 2 [8/7] [UUUUUUU_]
 * The first number in brackets is of the disks wanted, the second of those in use. */
static double missing_of(struct format_scan *t)
{
    uint64_t wanted, used;

    while (format_scan_skip_word(t)) {
        format_scan_skip_blanks(t);
        if (format_scan_skip(t, "[") && format_scan_u64(t, &wanted) &&
            format_scan_skip(t, "/") && format_scan_u64(t, &used))
            return used <= wanted ? (double)(wanted - used) : 0;
    }
    return NAN;
}

/*       [=>...]  recovery =  8.5% (16775552/195310144) finish=17.0min speed=259783K/sec
 */
static double sync_of(struct format_scan *t)
{
    double percent;

    while (format_scan_skip_word(t)) {
        format_scan_skip_blanks(t);
        if (format_scan_skip(t, "=") && format_scan_number(t, &percent))
            return percent >= 0 && percent <= 100 ? percent : NAN;
    }
    return NAN;
}

/* Tells whether a word of this line, but the first, begins so. Takes a copy of the cursor
 * and leaves the caller's where it was. */
static bool has_word(struct format_scan t, const char *begin)
{
    while (format_scan_skip_word(&t)) {
        format_scan_skip_blanks(&t);
        if (format_scan_skip(&t, begin))
            return true;
    }
    return false;
}

/* Takes the lines of one array, from its head to the next line that is not indented.
 * Arrays of metadata elsewhere ("super external:imsm") hold the disks of others and never
 * run. */
static bool parse_array(struct format_scan *t, struct collect_array *array)
{
    bool runs, outside = false;
    size_t disks, failed;
    double missing = NAN;

    if (!parse_head(t, array, &runs, &disks, &failed))
        return false;
    array->sync_percent = NAN;
    while (format_scan_next_line(t) && (*t->at == ' ' || *t->at == '\t')) {
        struct format_scan line = *t;

        outside |= has_word(line, "external:") && !has_word(line, "external:/");
        if (isnan(missing))
            missing = missing_of(&line);
        line = *t;
        if (isnan(array->sync_percent))
            array->sync_percent = sync_of(&line);
    }
    /* Striped disks have no spare, and no brackets. */
    array->missing = !isnan(missing) ? missing : (double)failed;
    if (!runs)
        array->missing = outside ? 0 : (double)(disks > 0 ? disks : 1);
    return true;
}

/* Lists the arrays, and returns how many there are, also beyond the room for them:
 * Personalities : [raid1] [raid6]
 * md0 : active raid1 sda1[0] sdb1[1](F)
 *       292945152 blocks super 1.2 [2/1] [U_]
 *       [=>...]  recovery =  8.5% (16775552/195310144) finish=17.0min speed=259783K/sec
 *
 * unused devices: <none> */
size_t collect_mdstat_parse(const char *text, size_t size,
                            struct collect_array array[COLLECT_ARRAYS_MAX])
{
    struct format_scan t = format_scan_of(text, size);
    struct collect_array beyond;
    size_t n = 0;

    while (t.at < t.end) {
        struct format_scan line = t;

        if (format_scan_skip(&line, "Personalities") || *t.at == ' ' || *t.at == '\t' ||
            !parse_array(&line, n < COLLECT_ARRAYS_MAX ? &array[n] : &beyond)) {
            format_scan_next_line(&t);
            continue;
        }
        t = line;
        n++;
    }
    return n;
}

/* ---- ZFS ---- */

/* Returns 0, 1 or 2 for the state of a pool as ZFS names it, NaN for a word unknown:
 * ONLINE */
double collect_zfs_state_parse(const char *text, size_t size)
{
    static const struct {
        const char *word;
        double state;
    } states[] = {{"ONLINE", 0},  {"DEGRADED", 1}, {"FAULTED", 2},  {"OFFLINE", 2},
                  {"REMOVED", 2}, {"UNAVAIL", 2},  {"SUSPENDED", 2}};
    struct format_scan t = format_scan_of(text, size);
    char word[16];

    if (!format_scan_word(&t, word, sizeof word))
        return NAN;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(states[i].word, word) == 0)
            return states[i].state;
    return NAN;
}

/* ---- the collector ---- */

/* Finds the entry of that name, or makes one with new metrics; NULL when there is no
 * room. */
static struct shown *shown_of(struct shown *shown, size_t *n, size_t max,
                              struct record_sample *sample, const char *name,
                              const struct record_metric *rows, size_t n_rows)
{
    size_t i = 0;

    while (i < *n && strcmp(shown[i].name, name) != 0)
        i++;
    if (i == max)
        return NULL;
    if (i == *n) {
        if (!collect_show(sample, rows, n_rows, name, shown[i].id))
            return NULL;
        snprintf(shown[i].name, sizeof shown[i].name, "%s", name);
        ++*n;
    }
    shown[i].listed = true;
    return &shown[i];
}

static enum vd_status read_arrays(struct raid_collector *self,
                                  struct record_sample *sample, struct vd_error *err)
{
    struct collect_array array[COLLECT_ARRAYS_MAX];
    enum vd_status status = collect_file_read(&self->mdstat, &self->buffer, err);
    size_t n;

    if (status != VD_OK)
        return status == VD_ERR_UNAVAILABLE ? VD_OK : status;
    n = collect_mdstat_parse(self->buffer.at, self->buffer.size, array);
    for (size_t i = 0; i < n && i < COLLECT_ARRAYS_MAX; i++) {
        struct shown *shown = shown_of(self->array, &self->n_arrays, COLLECT_ARRAYS_MAX,
                                       sample, array[i].name, array_rows, ARRAY_ROWS);

        if (shown == NULL) {
            self->left_out++;
            continue;
        }
        shown->value[MISSING] = array[i].missing;
        shown->value[SYNC] = array[i].sync_percent;
    }
    self->left_out += n > COLLECT_ARRAYS_MAX ? n - COLLECT_ARRAYS_MAX : 0;
    return VD_OK;
}

/* Reads the state of each pool. A few folders here are no pools; those have no state. */
static void read_pools(struct raid_collector *self, struct record_sample *sample)
{
    char names[POOLS_MAX][COLLECT_ARRAY_NAME_MAX], path[COLLECT_PATH_MAX], text[32];
    size_t n = collect_folder(self->pools, names[0], sizeof names[0], POOLS_MAX);

    for (size_t i = 0; i < n; i++) {
        char file[COLLECT_ARRAY_NAME_MAX + 8];
        struct shown *pool;
        long length;

        snprintf(file, sizeof file, "%s/state", names[i]);
        if (!collect_path(path, NULL, self->pools, file))
            continue;
        length = collect_file_small(path, text, sizeof text);
        if (length <= 0)
            continue;
        pool = shown_of(self->pool, &self->n_pools, POOLS_MAX, sample, names[i],
                        &pool_row, 1);
        if (pool == NULL)
            self->left_out++;
        else
            pool->value[0] = collect_zfs_state_parse(text, (size_t)length);
    }
}

static void forget(struct shown *shown, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        shown[i].listed = false;
        for (int k = 0; k < ARRAY_ROWS; k++)
            shown[i].value[k] = NAN;
    }
}

/* Drops the entries that are not listed any more, and gives their metrics back. */
static void dismiss(struct record_schema *schema, struct shown *shown, size_t *n,
                    size_t n_rows)
{
    size_t kept = 0;

    for (size_t i = 0; i < *n; i++) {
        if (!shown[i].listed)
            collect_hide(schema, shown[i].id, n_rows);
        else if (kept++ != i)
            shown[kept - 1] = shown[i];
    }
    *n = kept;
}

static enum vd_status read_both(struct raid_collector *self, struct record_sample *sample,
                                struct vd_error *err)
{
    enum vd_status status;

    self->left_out = 0;
    forget(self->array, self->n_arrays);
    forget(self->pool, self->n_pools);
    status = read_arrays(self, sample, err);
    read_pools(self, sample);
    /* Arrays that could not be asked for keep their metrics, without a number. */
    if (status == VD_OK)
        dismiss(sample->schema, self->array, &self->n_arrays, ARRAY_ROWS);
    dismiss(sample->schema, self->pool, &self->n_pools, 1);
    return status;
}

static enum vd_status read_raid(void *context, struct record_sample *sample,
                                struct vd_error *err)
{
    struct raid_collector *self = context;
    enum vd_status status = VD_OK;

    if (!self->live || self->read_ns == 0 ||
        sample->mono_ns - self->read_ns >= period_ns) {
        self->read_ns = sample->mono_ns;
        status = read_both(self, sample, err);
    }
    for (size_t i = 0; i < self->n_arrays; i++)
        for (int k = 0; k < ARRAY_ROWS; k++)
            collect_put(sample, self->array[i].id[k], self->array[i].value[k]);
    for (size_t i = 0; i < self->n_pools; i++)
        collect_put(sample, self->pool[i].id[0], self->pool[i].value[0]);
    return status != VD_OK ? status
                           : collect_left_out(err, "arrays and pools", self->left_out);
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct raid_collector *self = calloc(1, sizeof *self);

    (void)schema;
    (void)err;
    if (self == NULL)
        return VD_ERR_MEMORY;
    self->live = collect_root_is_live(config->root);
    collect_file_init(&self->mdstat, config->root, "/proc/mdstat");
    collect_path(self->pools, config->root, "/proc/spl/kstat/zfs/", NULL);
    *out = self;
    return VD_OK;
}

static void destroy(void *context)
{
    struct raid_collector *self = context;

    if (self == NULL)
        return;
    collect_file_release(&self->mdstat);
    collect_buffer_release(&self->buffer);
    free(self);
}

const struct collect_type collect_raid = {
    .name = "raid",
    .summary = "arrays and pools of disks: what is missing, rebuilding or faulted",
    .rows = {COLLECT_TABLE(array_rows), {&pool_row, 1}},
    .create = create,
    .read = read_raid,
    .destroy = destroy,
};
