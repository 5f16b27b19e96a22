/* /proc/diskstats: traffic of disks. */
#ifndef VD_COLLECT_DISKSTATS_H
#define VD_COLLECT_DISKSTATS_H

#include "collect/devices.h"
#include "format/scan.h"

enum {
    COLLECT_DISK_READ_SECTORS, /* of 512 bytes, whatever the disk's own are */
    COLLECT_DISK_WRITTEN_SECTORS,
    COLLECT_DISK_READS,
    COLLECT_DISK_WRITES,
    COLLECT_DISK_BUSY_MS,  /* time with at least one request under way */
    COLLECT_DISK_TOTAL_MS, /* time of all reads and writes added up */
    COLLECT_DISK_COUNTERS
};

struct collect_diskstats {
    char name[RECORD_LABEL_MAX];
    double counter[COLLECT_DISK_COUNTERS]; /* since the device appeared; NaN = not told */
};

/* The next well-formed line; false at the end of the text. */
bool collect_diskstats_next(struct format_scan *t, struct collect_diskstats *disk);

#endif
