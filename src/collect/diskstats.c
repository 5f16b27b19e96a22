/* A disk is what has a folder of its own in /sys/block (partitions do not) and is neither
 * memory (ram, zram) nor a file (loop) nor a drive without a medium. What is made of
 * other disks (LVM, RAID, multipath: a folder `slaves` that is not empty) would count the
 * same traffic twice and is left out.
 */
#include "collect/diskstats.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "collect/collectors.h"
#include "collect/file.h"

#define MIB_OF_SECTOR (512.0 / (1024 * 1024))

/* BUSY last: busy times of several disks add up to no share of anything, so the machine
 * as a whole has all rows but this one. */
enum { READ, WRITE, READ_OPS, WRITE_OPS, LATENCY, BUSY, ROWS };

static const struct record_metric rows[ROWS] = {
    [READ] = COLLECT_ROW_OF("device", "disk_read_mb", "MB/s", RATE, MIB_OF_SECTOR,
                            "Data read from disks."),
    [WRITE] = COLLECT_ROW_OF("device", "disk_write_mb", "MB/s", RATE, MIB_OF_SECTOR,
                             "Data written to disks."),
    [READ_OPS] =
        COLLECT_ROW_OF("device", "disk_read_ops", "1/s", RATE, 1, "Reads done by disks."),
    [WRITE_OPS] = COLLECT_ROW_OF("device", "disk_write_ops", "1/s", RATE, 1,
                                 "Writes done by disks."),
    [BUSY] = COLLECT_ROW_OF("device", "disk_busy_percent", "%", RATE, 0.1,
                            "Time in which the disk had work to do."),
    [LATENCY] = COLLECT_ROW_OF("device", "disk_latency_ms", "ms", RATIO, 1,
                               "Mean time that a read or write took."),
};

struct diskstats_collector {
    struct collect_file file;
    struct collect_buffer buffer;
    char block[COLLECT_PATH_MAX]; /* "/sys/block/" below the root */
    struct collect_devices devices;
    size_t total[ROWS];
};

/*  254  0 vda 65050 10893 3422114 26426 23333 8127 2454480 6451 0 18440 33495 ...
 * major minor name; reads: done, merged, sectors, ms; writes: the same; in flight; busy
 * ms; weighted ms. Later kernels add discards and flushes. */
static bool parse_line(struct collect_text *t, struct collect_diskstats *disk)
{
    uint64_t field[10], skip;

    if (!collect_text_u64(t, &skip) || !collect_text_u64(t, &skip) ||
        !collect_text_word(t, disk->name, sizeof disk->name) || disk->name[0] == '\0')
        return false;
    for (int i = 0; i < 10; i++)
        if (!collect_text_u64(t, &field[i]))
            return false;
    disk->counter[COLLECT_DISK_READS] = (double)field[0];
    disk->counter[COLLECT_DISK_READ_SECTORS] = (double)field[2];
    disk->counter[COLLECT_DISK_WRITES] = (double)field[4];
    disk->counter[COLLECT_DISK_WRITTEN_SECTORS] = (double)field[6];
    disk->counter[COLLECT_DISK_BUSY_MS] = (double)field[9];
    disk->counter[COLLECT_DISK_TOTAL_MS] = (double)field[3] + (double)field[7];
    return true;
}

bool collect_diskstats_next(struct collect_text *t, struct collect_diskstats *disk)
{
    bool good = false;

    while (!good && t->at < t->end) {
        good = parse_line(t, disk);
        collect_text_next_line(t);
    }
    return good;
}

static bool has_prefix(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* "vda1" beside "vda", "nvme0n1p2" beside "nvme0n1". The kernel lists disks first. */
static bool is_named_partition(const struct collect_devices *devices, const char *name)
{
    size_t length = strlen(name), stem = length;

    while (stem > 0 && name[stem - 1] >= '0' && name[stem - 1] <= '9')
        stem--;
    if (stem == length)
        return false;
    for (size_t i = 0; i < devices->n; i++) {
        const char *disk = devices->at[i].name;
        size_t size = strlen(disk);

        if (size > 0 && strncmp(disk, name, size) == 0 &&
            (size == stem || (size + 1 == stem && name[size] == 'p')))
            return true;
    }
    return false;
}

static bool is_disk(const struct collect_devices *devices, const char *block,
                    const char *name)
{
    static const char *const no_disks[] = {"loop", "ram", "zram", "fd", "sr"};
    char entry[COLLECT_DEVICE_NAME_MAX], folder[COLLECT_PATH_MAX],
        slaves[COLLECT_PATH_MAX], slave[64];
    struct stat info;

    for (size_t i = 0; i < sizeof no_disks / sizeof *no_disks; i++)
        if (has_prefix(name, no_disks[i]))
            return false;
    /* Some containers have no /sys: the names are then all there is to go by. */
    if (stat(block, &info) != 0)
        return !is_named_partition(devices, name);
    /* What is '/' in a name (cciss/c0d0) is '!' in /sys. */
    snprintf(entry, sizeof entry, "%s", name);
    for (char *c = entry; *c != '\0'; c++)
        if (*c == '/')
            *c = '!';
    if (!collect_path(folder, NULL, block, entry) || stat(folder, &info) != 0)
        return false;
    return !collect_path(slaves, NULL, folder, "/slaves") ||
           collect_folder(slaves, slave, sizeof slave, 1) == 0;
}

static void put(struct record_sample *sample, const size_t *id, const double *counter)
{
    collect_put(sample, id[READ], counter[COLLECT_DISK_READ_SECTORS]);
    collect_put(sample, id[WRITE], counter[COLLECT_DISK_WRITTEN_SECTORS]);
    collect_put(sample, id[READ_OPS], counter[COLLECT_DISK_READS]);
    collect_put(sample, id[WRITE_OPS], counter[COLLECT_DISK_WRITES]);
    collect_put(sample, id[BUSY], counter[COLLECT_DISK_BUSY_MS]);
    collect_put_ratio(sample, id[LATENCY], counter[COLLECT_DISK_TOTAL_MS],
                      counter[COLLECT_DISK_READS] + counter[COLLECT_DISK_WRITES]);
}

static void take(struct diskstats_collector *self, struct record_sample *sample,
                 const struct collect_diskstats *disk)
{
    struct collect_device *device = collect_devices_find(&self->devices, disk->name);

    if (device == NULL)
        return;
    if (!device->known) {
        device->known = true;
        device->shown = device->summed =
            is_disk(&self->devices, self->block, device->name);
        if (device->shown)
            collect_add_rows_now(sample, rows, ROWS, device->name, device->id);
    }
    if (!device->shown)
        return;
    collect_devices_count(&self->devices, device, disk->counter, COLLECT_DISK_COUNTERS);
    put(sample, device->id, disk->counter);
}

static enum vd_status read_diskstats(void *context, struct record_sample *sample,
                                     struct vd_error *err)
{
    struct diskstats_collector *self = context;
    struct collect_diskstats disk;
    struct collect_text t;
    enum vd_status status = collect_file_read(&self->file, &self->buffer, err);

    if (status != VD_OK)
        return status;
    t = collect_text_of(self->buffer.at, self->buffer.size);
    collect_devices_begin(&self->devices);
    while (collect_diskstats_next(&t, &disk))
        take(self, sample, &disk);
    collect_devices_end(&self->devices);
    put(sample, self->total, self->devices.total);
    return VD_OK;
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct diskstats_collector *self = calloc(1, sizeof *self);

    (void)err;
    if (self == NULL)
        return VD_ERR_MEMORY;
    collect_file_init(&self->file, config->root, "/proc/diskstats");
    collect_path(self->block, config->root, "/sys/block/", NULL);
    collect_add_rows(schema, rows, BUSY, NULL, self->total);
    self->total[BUSY] = COLLECT_NO_METRIC;
    *out = self;
    return VD_OK;
}

static void destroy(void *context)
{
    struct diskstats_collector *self = context;

    if (self == NULL)
        return;
    collect_file_release(&self->file);
    collect_buffer_release(&self->buffer);
    collect_devices_release(&self->devices);
    free(self);
}

const struct collect_type collect_diskstats = {
    .name = "diskstats",
    .summary = "traffic, load and latency of whole disks",
    .rows = {COLLECT_TABLE(rows)},
    .create = create,
    .read = read_diskstats,
    .destroy = destroy,
};
