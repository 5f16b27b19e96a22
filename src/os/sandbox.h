/* Giving up what is not needed, before the first socket is opened and the first thread
 * started: all that comes later inherits it, and there is no way back. */
#ifndef VD_OS_SANDBOX_H
#define VD_OS_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

struct os_sandbox {
    int data_dir;            /* descriptor of the folder that is written to; -1 = none */
    const char *const *read; /* files and folders of the user that are read as well;
                                NULL entries are skipped */
    size_t n_read;
    bool low_port; /* keep the right to listen below port 1024 */
};

/* 1. No capability. 2. No way to gain any (no_new_privs). 3. Landlock: writes below the
 * folder alone, reads of what a program of this kind reads. 4. seccomp: no program is
 * started, no mount, no tracing, no module. What this kernel or this build does not have
 * is left out. `said` is one line about what holds. */
void os_sandbox_enter(const struct os_sandbox *sandbox, char *said, size_t size);

/* Does the same for the helper that looks into other processes: keeps CAP_SYS_PTRACE and
 * CAP_DAC_READ_SEARCH where it has them. Not Landlock: that forbids the very looking. */
void os_sandbox_enter_helper(void);

/* ---- the parts ---- */

/* The version that this kernel has, 0 = none. */
int os_landlock_version(void);

/* False with errno when it could not be. */
bool os_landlock_enter(const struct os_sandbox *sandbox);

/* NULL = it holds; else why not. */
const char *os_seccomp_enter(void);

#endif
