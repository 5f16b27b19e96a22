/* A disk is what has a folder of its own in /sys/block (partitions do not) and is neither
 * memory (ram, zram) nor a file (loop) nor a drive without a medium. What is made of
 * other disks (LVM, RAID, the volumes of a pool, the paths behind one device) would count
 * the same traffic twice and is left out while one of those is there. It has a folder
 * `slaves` that is not empty, or is known by its name.
 */
#include "collect/diskstats.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "collect/collectors.h"
#include "collect/file.h"

/* The kernel counts in sectors of 512 bytes here, whatever the disk's own are. */
#define MIB_OF_SECTOR (512.0 / (1024 * 1024))

/* Disks with metrics of their own. Where there are more, half of the room is kept for
 * those that are used. */
enum { SHOWN_MAX = 256 };

/* BUSY last: busy times of several disks add up to no share of anything, so the machine
 * as a whole has all rows but this one. */
enum { READ, WRITE, READ_OPS, WRITE_OPS, LATENCY, BUSY, ROWS };

static const struct record_metric rows[ROWS] = {
    [READ] = COLLECT_ROW_OF("device", "disk_read_mb", "MB/s", DISK, 1, RATE,
                            MIB_OF_SECTOR, "Data read from disks.", .is_byte_rate = true),
    [WRITE] =
        COLLECT_ROW_OF("device", "disk_write_mb", "MB/s", DISK, 1, RATE, MIB_OF_SECTOR,
                       "Data written to disks.", .is_byte_rate = true),
    [READ_OPS] = COLLECT_ROW_OF("device", "disk_read_ops", "1/s", DISK, 100, RATE, 1,
                                "Reads done by disks."),
    [WRITE_OPS] = COLLECT_ROW_OF("device", "disk_write_ops", "1/s", DISK, 100, RATE, 1,
                                 "Writes done by disks."),
    [BUSY] = COLLECT_SHARE_ROW_OF("device", "disk_busy_percent", DISK, 2, RATE, 0.1,
                                  "Time in which the disk had work to do."),
    [LATENCY] = COLLECT_ROW_OF("device", "disk_latency_ms", "ms", DISK, 5, RATIO, 1,
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
static bool parse_line(struct format_scan *t, struct collect_diskstats *disk)
{
    uint64_t number;
    double field[10];
    const char *name;

    if (!format_scan_u64(t, &number) || !format_scan_u64(t, &number))
        return false;
    format_scan_skip_blanks(t);
    name = t->at;
    if (!format_scan_skip_word(t) || *name == '\0' ||
        (size_t)(t->at - name) >= sizeof disk->name)
        return false;
    memcpy(disk->name, name, (size_t)(t->at - name));
    disk->name[t->at - name] = '\0';
    for (int i = 0; i < 10; i++)
        if (!format_scan_counter(t, &field[i]))
            return false;
    disk->counter[COLLECT_DISK_READS] = field[0];
    disk->counter[COLLECT_DISK_READ_SECTORS] = field[2];
    disk->counter[COLLECT_DISK_WRITES] = field[4];
    disk->counter[COLLECT_DISK_WRITTEN_SECTORS] = field[6];
    disk->counter[COLLECT_DISK_BUSY_MS] = field[9];
    disk->counter[COLLECT_DISK_TOTAL_MS] = field[3] + field[7];
    return true;
}

bool collect_diskstats_next(struct format_scan *t, struct collect_diskstats *disk)
{
    bool good = false;

    while (!good && t->at < t->end) {
        good = parse_line(t, disk);
        format_scan_next_line(t);
    }
    return good;
}

/* Returns what follows the number with which `name` goes on after `prefix`; NULL when it
 * does not begin so. */
static const char *after_number(const char *name, const char *prefix)
{
    size_t length = strlen(prefix);

    if (strncmp(name, prefix, length) != 0 || !isdigit((unsigned char)name[length]))
        return NULL;
    for (name += length; isdigit((unsigned char)*name); name++)
        ;
    return name;
}

/* Knows a single path to an NVMe device: "nvme0c1n1" is path 1 of nvme0n1. */
static bool is_named_path(const char *name)
{
    const char *rest = after_number(name, "nvme");

    rest = rest == NULL ? NULL : after_number(rest, "c");
    return rest != NULL && *rest == 'n';
}

/* Tells whether the name is one of the prefixes, which NULL ends, with a number behind
 * it. */
static bool is_one_of(const char *name, const char *const *prefix)
{
    for (; *prefix != NULL; prefix++)
        if (after_number(name, *prefix) != NULL)
            return true;
    return false;
}

/* Says what a name tells of a disk. A later kind is preferred to an earlier one when the
 * sum is chosen. */
enum kind { NO_DISK, OF_OTHERS, DISK };

/* Sorts a disk by its name: zd is a volume of a ZFS pool; emcpower, vpath and sddlm are
 * several paths to one disk, and have letters behind them instead of a number. */
static enum kind kind_by_name(const char *name)
{
    static const char *const none[] = {"loop", "ram", "zram",  "fd",
                                       "sr",   "scd", "nullb", NULL};
    static const char *const numbered[] = {"md",     "dm-",  "zd",  "md_d",
                                           "bcache", "drbd", "vdo", NULL};
    static const char *const paths[] = {"emcpower", "vpath", "sddlm"};

    if (is_one_of(name, none) || is_named_path(name))
        return NO_DISK;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (strncmp(name, paths[i], strlen(paths[i])) == 0)
            return OF_OTHERS;
    return is_one_of(name, numbered) ? OF_OTHERS : DISK;
}

static bool has_slaves(const char *folder)
{
    char slaves[COLLECT_PATH_MAX], slave[64];

    return collect_path(slaves, NULL, folder, "/slaves") &&
           collect_folder(slaves, slave, sizeof slave, 1) > 0;
}

/* Tells whether the kernel hides the disk: it does so with the single paths to an NVMe
 * device, whose traffic the device itself counts. */
static bool is_hidden(const char *folder)
{
    char hidden[COLLECT_PATH_MAX];

    return collect_path(hidden, NULL, folder, "/hidden") &&
           collect_file_number(hidden) == 1;
}

/* Gives the disk's folder in /sys, where a '/' of its name (cciss/c0d0) is written as
 * '!'. */
static bool folder_of(char folder[COLLECT_PATH_MAX], const char *block, const char *name)
{
    char entry[RECORD_LABEL_MAX];

    snprintf(entry, sizeof entry, "%s", name);
    for (char *c = entry; *c != '\0'; c++)
        if (*c == '/')
            *c = '!';
    return collect_path(folder, NULL, block, entry);
}

/* Tells whether the name is that of a listed disk and a number: "vda1" beside "vda",
 * "nvme0n1p2" beside "nvme0n1". The kernel lists a disk before its partitions. */
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

/* Sorts what is seen first. Partitions have no folder in /sys/block; some containers have
 * no /sys at all, and there the names are all there is to go by. */
static enum kind kind_of(const struct collect_devices *devices, const char *block,
                         const char *name)
{
    char folder[COLLECT_PATH_MAX];
    struct stat info;
    bool whole = stat(block, &info) != 0
                     ? !is_named_partition(devices, name)
                     : folder_of(folder, block, name) && stat(folder, &info) == 0 &&
                           !is_hidden(folder);

    return whole ? kind_by_name(name) : NO_DISK;
}

/* Looks for the disks below this one, on each tick: they come and go while it lives. */
static bool is_made_of_others(const char *block, const char *name)
{
    char folder[COLLECT_PATH_MAX];

    return folder_of(folder, block, name) && has_slaves(folder);
}

/* Puts the counters of one disk, or their sums. For the whole machine id[BUSY] is no
 * metric, which collect_put ignores. */
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

/* Counts one line. The kind of a disk is decided when it is seen first. */
static void take(struct diskstats_collector *self, const struct collect_diskstats *line)
{
    struct collect_device *disk = collect_devices_find(&self->devices, line->name);

    if (disk == NULL)
        return;
    if (!disk->known)
        disk->kind = (int)kind_of(&self->devices, self->block, disk->name);
    disk->known = true;
    collect_devices_count(&self->devices, disk, line->counter, COLLECT_DISK_COUNTERS);
}

/* Chooses what the sums are made of: the disks; or, where a container sees none of them,
 * what is made of disks. */
static void choose_summed(struct diskstats_collector *self)
{
    struct collect_devices *devices = &self->devices;
    int highest = OF_OTHERS;

    for (size_t i = 0; i < devices->n; i++) {
        struct collect_device *disk = &devices->at[i];

        disk->summed = disk->seen && disk->kind != NO_DISK &&
                       !is_made_of_others(self->block, disk->name);
        if (disk->summed && disk->kind > highest)
            highest = disk->kind;
    }
    for (size_t i = 0; i < devices->n; i++)
        devices->at[i].summed &= devices->at[i].kind == highest;
}

/* Tells whether the disk did anything since the tick before. What is unknown counts as
 * nothing. */
static bool is_used(const struct collect_device *disk)
{
    return disk->grown[COLLECT_DISK_READS] > 0 || disk->grown[COLLECT_DISK_WRITES] > 0;
}

/* Puts each disk's numbers, and gives metrics to those that have none while there is
 * room. Returns how many disks are left without. */
static size_t show(struct diskstats_collector *self, struct record_sample *sample)
{
    size_t shown = 0, disks = 0, left_out = 0, room;

    for (size_t i = 0; i < self->devices.n; i++) {
        /* How much room there is depends on how many disks there are, so they are counted
         * first. */
        shown += self->devices.at[i].shown;
        disks += self->devices.at[i].summed;
    }
    for (size_t i = 0; i < self->devices.n; i++) {
        struct collect_device *disk = &self->devices.at[i];

        if (!disk->summed)
            continue;
        room = disks <= SHOWN_MAX || is_used(disk) ? SHOWN_MAX : SHOWN_MAX / 2;
        if (!disk->shown && shown < room)
            shown += collect_devices_show(sample, disk, rows, ROWS);
        left_out += !disk->shown;
        if (disk->shown)
            put(sample, disk->id, disk->count);
    }
    return left_out;
}

static enum vd_status read_diskstats(void *context, struct record_sample *sample,
                                     struct vd_error *err)
{
    struct diskstats_collector *self = context;
    struct collect_diskstats disk;
    struct format_scan t;
    size_t left_out;
    enum vd_status status = collect_file_read(&self->file, &self->buffer, err);

    if (status != VD_OK)
        return status;
    t = format_scan_of(self->buffer.at, self->buffer.size);
    collect_devices_begin(&self->devices, sample->mono_ns);
    while (collect_diskstats_next(&t, &disk))
        take(self, &disk);
    choose_summed(self);
    collect_devices_sum(&self->devices, COLLECT_DISK_COUNTERS);
    left_out = show(self, sample) + self->devices.left_out;
    put(sample, self->total, self->devices.total);
    collect_devices_end(&self->devices, sample->schema);
    return collect_left_out(err, "disks", left_out);
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
