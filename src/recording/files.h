/* The two files of a recording. Whatever ends it, and whenever: the table ends with a
 * whole line, and the summary is whole or not there. */
#ifndef VD_RECORDING_FILES_H
#define VD_RECORDING_FILES_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vedette/status.h"

/* The table. Zero-initialise. */
struct recording_table {
    const char *path;
    int fd;
    off_t size;    /* of the whole lines */
    bool regular;  /* it can be cut */
    size_t lost;   /* lines that could not be written */
    char why[128]; /* the first reason */
};

/* Makes the file, or begins it anew. */
enum vd_status recording_table_open(struct recording_table *table, const char *path,
                                    struct vd_error *err);

/* Writes a line at once. What was written of it is taken back when the disk is full. */
void recording_table_write(struct recording_table *table, const char *line, size_t size);

void recording_table_close(struct recording_table *table);

/* The summary: PATH_snapshot while the recording runs, PATH at its end. */
struct recording_summary {
    char path[PATH_MAX], snapshot[PATH_MAX], beside[PATH_MAX];
    bool in_place;       /* a pipe or a device: it is written to once, at the end */
    int64_t snapshot_ns; /* monotonic: the last one */
};

/* Removes what an earlier recording left under these names. */
enum vd_status recording_summary_open(struct recording_summary *summary, const char *path,
                                      struct vd_error *err);

/* Whether a snapshot is due: not more than one a second. */
bool recording_summary_is_due(const struct recording_summary *summary, int64_t mono_ns);
void recording_summary_snapshot(struct recording_summary *summary, const json_t *root,
                                int64_t mono_ns);

/* Writes the file and removes the snapshot. */
enum vd_status recording_summary_close(struct recording_summary *summary,
                                       const json_t *root, struct vd_error *err);

#endif
