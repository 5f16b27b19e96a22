/* A text file that only grows by whole lines, and is right again after a crash.
 *
 * Lines are gathered and go out with one write each flush. When the disk is full the file
 * is cut back to its last whole line and the caller writes the same lines again later.
 */
#ifndef VD_STORE_FILE_H
#define VD_STORE_FILE_H

#include <limits.h>

#include "os/data_dir.h"
#include "store/sink.h"
#include "vedette/bytes.h"

struct store_file {
    const struct store_config *config;
    const char *name;    /* "performance_log.csv"; static */
    const char *header;  /* first line with its end; NULL = none; static or the owner's */
    const char *close;   /* what stands after the last line ("\n]\n"); NULL = nothing.
                            Overwritten by the next line, so that the file is whole at any
                            moment */
    char path[PATH_MAX]; /* for messages */
    int fd;              /* -1 = opened by the next flush */
    int64_t size;        /* whole, without `close` */
    struct vd_writer pending; /* lines that are not in the file yet */
};

enum {
    STORE_FILE_MAX_BYTES = 64 << 20, /* then it is set aside and a new one begins */
    STORE_FILE_KEEP = 3,             /* so many older ones stay */
};

/* Opens or creates DIR/name (config->folder). A torn last line is cut off. A file with
 * another header is renamed to NAME.DATE-TIME.EXT and a new one is begun. */
enum vd_status store_file_open(struct store_file *file, const struct store_config *config,
                               const char *name, const char *header, const char *close,
                               struct vd_error *err);

/* Does the same on the heap, as the whole state of a sink: *out is a struct store_file,
 * to be given to store_file_free. */
enum vd_status store_file_new(void **out, const struct store_config *config,
                              const char *name, const char *header, const char *close,
                              struct vd_error *err);

/* Writes `pending`, whole or not at all; STORE_RETRY has forgotten it. These two take a
 * struct store_file and may stand in a sink's row. */
enum store_result store_file_flush(void *file, struct vd_error *err);

/* Closes the file; the next flush opens it by its name (SIGHUP). */
void store_file_reopen(void *file);

/* Writes to the disk and closes; a file that was never opened is fine. */
void store_file_close(struct store_file *file);
void store_file_free(void *file);

/* DIR/`name` with these bytes, by way of a temporary file and a rename. */
enum vd_status store_file_replace(const struct os_data_dir *dir, const char *name,
                                  const void *bytes, size_t size, struct vd_error *err);

#endif
