/* Whether the processes of other users are hidden from us: a /proc that was mounted with
 * `hidepid`, or a kernel that does the same by itself. The first process is always there
 * and belongs to root, so whoever does not see it does not see the others. */
#ifndef VD_COLLECT_HIDDEN_H
#define VD_COLLECT_HIDDEN_H

#include "collect/file.h"
#include "collect/process_table.h"

struct collect_hidden {
    struct collect_file mounts;
    bool recorded; /* below a root: of a recording, pid 1 may be missing as it is */
    bool yes;
    char option[48]; /* "hidepid=invisible"; "" = nothing that the mount says */
};

/* The option of the last /proc in a list of mounts: "hidepid=2". False when it is mounted
 * without, or with one that hides nothing (0, off). */
bool collect_hidden_option(const char *text, size_t size, char *option, size_t room);

void collect_hidden_init(struct collect_hidden *hidden, const char *root);

/* Looks at a table that was just read. `buffer` is the caller's, to read into. */
void collect_hidden_look(struct collect_hidden *hidden,
                         const struct collect_process_table *table,
                         struct collect_buffer *buffer);

/* VD_OK when nothing is hidden, else VD_ERR_LIMIT and `err` says what that means. */
enum vd_status collect_hidden_tell(const struct collect_hidden *hidden,
                                   struct vd_error *err);

void collect_hidden_release(struct collect_hidden *hidden);

#endif
