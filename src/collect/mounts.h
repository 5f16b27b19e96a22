/* /proc/mounts: what is mounted where. */
#ifndef VD_COLLECT_MOUNTS_H
#define VD_COLLECT_MOUNTS_H

#include <stdbool.h>

#include "format/scan.h"

struct collect_mount {
    char source[256]; /* "/dev/sda1", "server:/export" */
    char point[256];  /* "/home" */
    char type[32];    /* "ext4" */
};

/* The next well-formed line whose words fit; false at the end of the text. */
bool collect_mounts_next(struct collect_text *t, struct collect_mount *mount);

/* Whether it can fill up: made of a device, of a server's disk or of a pool, not of
 * memory or of kernel objects, and not an image (snap, CD) that is always full. */
bool collect_mount_is_storage(const struct collect_mount *mount);

#endif
