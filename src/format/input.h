/* A file of a table, read piece by piece and as often as it takes. */
#ifndef VD_FORMAT_INPUT_H
#define VD_FORMAT_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "vedette/status.h"

struct format_input {
    const char *path; /* borrowed; for the messages */
    int fd;           /* -1 = it is in memory */
    const char *text; /* fd -1: its bytes */
    char *owned;      /* of a pipe, or unpacked; NULL = the text is borrowed */
    uint64_t size;    /* what a file gains after it was opened is left out */
};

/* Opens a regular file, which messages call `title` (NULL = by its path), or with "-",
 * /dev/stdin or /dev/fd/N a pipe, which is read to its end. What is compressed with gzip
 * or zstd is unpacked. What comes through a pipe or is unpacked is held in memory up to
 * FORMAT_SPOOL_MEMORY, else in a file without a name in TMPDIR or /tmp, of which a
 * twentieth stays free. Folders, devices, sockets and FIFOs that are named are refused,
 * and so are files that are known not to be text tables (packed otherwise, a spreadsheet,
 * JSON, a database); the message says what they are. To be released after a failure, too.
 */
enum vd_status format_input_open(struct format_input *in, const char *path,
                                 const char *title, struct vd_error *err);

/* Opens a text in memory, borrowed, with the same checks. */
enum vd_status format_input_of(struct format_input *in, const char *text, size_t size,
                               const char *name, struct vd_error *err);

/* Up to `size` bytes from `offset` on; *got is less only where the input ends. */
enum vd_status format_input_read(const struct format_input *in, uint64_t offset, char *to,
                                 size_t size, size_t *got, struct vd_error *err);

void format_input_release(struct format_input *in);

#endif
