/* What a recording has to say: on the console, in prmon's log file, and in the summary.
 */
#ifndef VD_RECORDING_NOTES_H
#define VD_RECORDING_NOTES_H

#include <jansson.h>
#include <stdio.h>

#include "os/log.h"

/* Zero-initialise. */
struct recording_notes {
    FILE *file;   /* NULL = none */
    json_t *list; /* of texts; owned */
};

/* Opens the log file, which is begun anew. `path` NULL = none. */
enum vd_status recording_notes_open(struct recording_notes *notes, const char *path,
                                    struct vd_error *err);

/* Says one sentence, everywhere. printf-like. */
void recording_note(struct recording_notes *notes, enum os_log_level level,
                    const char *format, ...) __attribute__((format(printf, 3, 4)));

void recording_notes_close(struct recording_notes *notes);

#endif
