/* Tables that cannot be read as they are: what comes through a pipe, and JSON. They
 * become a table in a temporary file without a name, so that memory stays small however
 * much comes, and nothing is left behind. */
#ifndef VD_BATCH_SPOOL_H
#define VD_BATCH_SPOOL_H

#include <stdio.h>

#include "vedette/status.h"

/* Zero-initialise. */
struct batch_spool {
    FILE *file;    /* owned; NULL = the path can be read as it is */
    char path[32]; /* what to open instead */
};

/* Spools what `path` names when it has to: "-" is standard input. JSON lines, a list of
 * objects, and objects one after the other become a CSV whose columns are all keys, those
 * of objects within with a point between: "metrics.cpu_percent". VD_ERR_IO, VD_ERR_DATA
 * with the line. */
enum vd_status batch_spool_open(struct batch_spool *spool, const char *path,
                                struct vd_error *err);

/* Makes an empty one that the caller fills, and then finishes. */
enum vd_status batch_spool_make(struct batch_spool *spool, struct vd_error *err);
enum vd_status batch_spool_finish(struct batch_spool *spool, struct vd_error *err);

void batch_spool_close(struct batch_spool *spool);

#endif
