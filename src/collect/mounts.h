/* /proc/mounts: what is mounted where. */
#ifndef VD_COLLECT_MOUNTS_H
#define VD_COLLECT_MOUNTS_H

#include <stdbool.h>

#include "format/scan.h"

struct collect_mount {
    char source[512]; /* "/dev/sda1", "server:/export" */
    char point[384];  /* "/home"; leaves room for a root before it */
    char type[64];    /* "ext4" */
    bool read_only;
};

/* The next well-formed line whose words fit; false at the end of the text. Lines whose
 * words do not fit are counted in *too_long (NULL: are left out). */
bool collect_mounts_next(struct format_scan *t, struct collect_mount *mount,
                         size_t *too_long);

/* Whether it can fill up: made of a device, of a server's disk or of a pool, not of
 * memory or of kernel objects, and not an image (snap, CD) that is always full. */
bool collect_mount_is_storage(const struct collect_mount *mount);

/* Whether `later`, which was mounted after it, hides `mount`: at the same place or above
 * it. */
bool collect_mount_hides(const struct collect_mount *later,
                         const struct collect_mount *mount);

/* Whether both show the same disk or the same folder of a server. What FUSE calls a
 * source ("rclone:", "1:2") may be anything, and tells nothing. */
bool collect_mount_is_same(const struct collect_mount *a, const struct collect_mount *b);

/* Whether both wait for the same server. */
bool collect_mount_same_server(const struct collect_mount *a,
                               const struct collect_mount *b);

#endif
