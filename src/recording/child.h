/* The command that is recorded: its start, its end, and those that it leaves behind. */
#ifndef VD_RECORDING_CHILD_H
#define VD_RECORDING_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "vedette/status.h"

enum { RECORDING_NOT_EXECUTABLE = 126, RECORDING_NOT_FOUND = 127 };

/* Zero-initialise. */
struct recording_child {
    pid_t pid;          /* 0 = none */
    bool ended;         /* the command itself */
    int status;         /* as wait(2) has it, then */
    bool all_ended;     /* nothing that came from it is left */
    double max_rss_kib; /* of any single process that was waited for */
};

/* Makes this process the one that orphans of the command are given to (a subreaper), and
 * starts it without a shell, with the signal mask `mask`. When it cannot be executed,
 * *code is 126 or 127, as shells have it. */
enum vd_status recording_child_start(struct recording_child *child, char *const *command,
                                     const sigset_t *mask, int *code,
                                     struct vd_error *err);

/* Does the same with a function of this program, which gets `fd` and ends the process by
 * returning. It is killed when this process ends. */
enum vd_status recording_child_fork(struct recording_child *child, int (*run)(void *),
                                    void *context, const sigset_t *mask,
                                    struct vd_error *err);

/* Waits for all that have ended, without waiting for one to end. */
void recording_child_reap(struct recording_child *child);

/* What to exit with: the command's own code, or 128 and the signal's number. */
int recording_child_exit_code(const struct recording_child *child);

/* Whether the command has a handler for the signal. */
bool recording_child_catches(const struct recording_child *child, int number);

#endif
