/* Tracked connections are counted once the firewall's module is loaded. Randomness is
 * counted in a pool of 4096 bits up to Linux 5.17; since then the pool is 256 bits and
 * always full, which says nothing and is left out.
 */
#include "collect/limits.h"

#include <stdlib.h>

#include "collect/collectors.h"
#include "collect/file.h"
#include "collect/fill.h"
#include "format/scan.h"

enum { FILES_USED, FILES_PERCENT, FILE_ROWS };
enum { TRACKED, TRACKED_PERCENT, TRACK_ROWS };

static const struct record_metric file_rows[FILE_ROWS] = {
    [FILES_USED] = COLLECT_ROW("file_handles", "", KERNEL, 500, GAUGE, 1,
                               "Files, pipes and sockets that programs have open."),
    [FILES_PERCENT] = COLLECT_ROW("file_handles_percent", "%", KERNEL, 2, GAUGE, 1,
                                  "Open files, of all that the kernel allows."),
};

static const struct record_metric track_rows[TRACK_ROWS] = {
    [TRACKED] = COLLECT_ROW("conntrack_entries", "", NETWORK, 500, GAUGE, 1,
                            "Connections that the firewall keeps in mind."),
    [TRACKED_PERCENT] =
        COLLECT_ROW("conntrack_percent", "%", NETWORK, 2, GAUGE, 1,
                    "Connections that the firewall keeps in mind, of all it can."),
};

static const struct record_metric entropy_row =
    COLLECT_ROW("entropy_bits", "bit", KERNEL, 500, GAUGE, 1,
                "Randomness the kernel has left.", .less_is_worse = true);

enum { HANDLES, COUNT, MAX, ENTROPY, POOL, FILES };

/* Some machines lack all but the first: the firewall's are there once its module is
 * loaded. */
static const char *const paths[FILES] = {
    [HANDLES] = "/proc/sys/fs/file-nr",
    [COUNT] = "/proc/sys/net/netfilter/nf_conntrack_count",
    [MAX] = "/proc/sys/net/netfilter/nf_conntrack_max",
    [ENTROPY] = "/proc/sys/kernel/random/entropy_avail",
    [POOL] = "/proc/sys/kernel/random/poolsize",
};

/* In bits: more than the pool of new kernels has, fewer than that of old ones. */
enum { POOL_THAT_COUNTS = 1024 };

struct limits_collector {
    struct collect_file file[FILES];
    struct collect_buffer buffer;
    size_t handles[FILE_ROWS], track[TRACK_ROWS], entropy;
    bool tracks, counts_entropy; /* those metrics exist */
};

/* Takes the numbers of file-nr:
 * 1467	0	2466174
 * in use, unused (always 0), limit: larger than 2^53 when there is none in practice */
void collect_file_handles_parse(const char *text, size_t size,
                                struct collect_file_handles *files)
{
    struct format_scan t = format_scan_of(text, size);
    uint64_t used, unused, limit;

    *files = (struct collect_file_handles){NAN, NAN};
    if (!format_scan_u64(&t, &used) || !format_scan_u64(&t, &unused) || unused > used)
        return;
    files->used = (double)(used - unused);
    if (format_scan_u64(&t, &limit))
        files->limit = (double)limit;
}

double collect_limit_percent(double used, double limit)
{
    return used >= 0 && limit > 0 && used <= limit ? 100 * used / limit : NAN;
}

/* Reads the one number of a file; NaN when the file is absent, which is no error. Sets
 * *status when reading fails otherwise. */
static double number_of(struct limits_collector *self, int i, enum vd_status *status,
                        struct vd_error *err)
{
    enum vd_status one = collect_file_read(&self->file[i], &self->buffer, err);
    double number;

    if (one != VD_OK) {
        if (one != VD_ERR_UNAVAILABLE)
            *status = one;
        return NAN;
    }
    number = format_scan_only_number(self->buffer.at, self->buffer.size);
    return number >= 0 ? number : NAN;
}

static enum vd_status read_handles(struct limits_collector *self,
                                   struct record_sample *sample, struct vd_error *err)
{
    struct collect_file_handles files;
    enum vd_status status = collect_file_read(&self->file[HANDLES], &self->buffer, err);

    if (status != VD_OK)
        return status;
    collect_file_handles_parse(self->buffer.at, self->buffer.size, &files);
    collect_put(sample, self->handles[FILES_USED], files.used);
    collect_put(sample, self->handles[FILES_PERCENT],
                collect_limit_percent(files.used, files.limit));
    return isnan(files.used) ? VD_ERR_FORMAT : VD_OK;
}

/* Registers the metrics when connections are tracked for the first time, and keeps them:
 * a firewall that is loaded anew is not another one. */
static void read_tracked(struct limits_collector *self, struct record_sample *sample,
                         enum vd_status *status, struct vd_error *err)
{
    double count = number_of(self, COUNT, status, err), max;

    if (!self->tracks && isnan(count))
        return;
    max = number_of(self, MAX, status, err);
    if (!self->tracks)
        collect_add_rows_now(sample, track_rows, TRACK_ROWS, NULL, self->track);
    self->tracks = true;
    collect_put(sample, self->track[TRACKED], count);
    collect_put(sample, self->track[TRACKED_PERCENT], collect_limit_percent(count, max));
}

/* Registers the metric when the pool is one that counts. Its size is not asked again
 * then, as it does not change while the kernel runs. */
static void read_entropy(struct limits_collector *self, struct record_sample *sample,
                         enum vd_status *status, struct vd_error *err)
{
    if (!self->counts_entropy) {
        if (!(number_of(self, POOL, status, err) >= POOL_THAT_COUNTS))
            return;
        collect_add_rows_now(sample, &entropy_row, 1, NULL, &self->entropy);
        self->counts_entropy = true;
    }
    collect_put(sample, self->entropy, number_of(self, ENTROPY, status, err));
}

static enum vd_status read_limits(void *context, struct record_sample *sample,
                                  struct vd_error *err)
{
    struct limits_collector *self = context;
    enum vd_status status = read_handles(self, sample, err);

    read_tracked(self, sample, &status, err);
    read_entropy(self, sample, &status, err);
    return status;
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct limits_collector *self = calloc(1, sizeof *self);

    (void)err;
    if (self == NULL)
        return VD_ERR_MEMORY;
    for (int i = 0; i < FILES; i++)
        collect_file_init(&self->file[i], config->root, paths[i]);
    collect_add_rows(schema, file_rows, FILE_ROWS, NULL, self->handles);
    *out = self;
    return VD_OK;
}

static void destroy(void *context)
{
    struct limits_collector *self = context;

    if (self == NULL)
        return;
    for (int i = 0; i < FILES; i++)
        collect_file_release(&self->file[i]);
    collect_buffer_release(&self->buffer);
    free(self);
}

const struct collect_type collect_limits = {
    .name = "limits",
    .summary = "what the kernel has only so many of: open files, tracked connections",
    .rows = {COLLECT_TABLE(file_rows), COLLECT_TABLE(track_rows), {&entropy_row, 1}},
    .create = create,
    .read = read_limits,
    .destroy = destroy,
};
