/* Bytes that come once and are read more than once: of a pipe, or unpacked. */
#ifndef VD_FORMAT_SPOOL_H
#define VD_FORMAT_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "vedette/status.h"

/* Bytes of a spool that are held in memory; more of them go to a file that nobody sees,
 * in TMPDIR or /tmp. */
enum { FORMAT_SPOOL_MEMORY = 32 << 20 };

/* Begin with {.name = ..., .fd = -1}. */
struct format_spool {
    const char *name; /* borrowed; for messages */
    char *text;       /* owned: all bytes, while there is no file */
    size_t used, capacity;
    int fd; /* owned: the file; -1 = there is none */
    uint64_t size;
};

/* Appends. VD_ERR_LIMIT when hardly any room would be left on the disk, VD_ERR_IO,
 * VD_ERR_MEMORY. */
enum vd_status format_spool_put(struct format_spool *spool, const char *bytes,
                                size_t size, struct vd_error *err);

/* Frees what a spool holds that nobody took over. */
void format_spool_release(struct format_spool *spool);

#endif
