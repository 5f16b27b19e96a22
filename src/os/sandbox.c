/* Capabilities by the system calls themselves: five lines, and no library for them. */
#include "os/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Gives up all capabilities but those of `keep` (a bit each), for good: also what a
 * program that is started could get back. */
static bool keep_capabilities(uint64_t keep)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct set[2] = {{0}};

    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (int cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        if ((keep >> cap & 1) == 0)
            prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* needs CAP_SETPCAP: root has it */
    if (syscall(SYS_capget, &head, set) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        set[i].permitted &= (uint32_t)(keep >> 32 * i);
        set[i].effective = set[i].permitted;
        set[i].inheritable = 0;
    }
    return syscall(SYS_capset, &head, set) == 0;
}

/* Appends a text behind a comma and returns the new length; what does not fit is cut. */
static size_t put(char *said, size_t size, size_t at, const char *text)
{
    int n = snprintf(said + at, size - at, "%s%s", at == 0 ? "" : ", ", text);

    return n < 0 || at + (size_t)n >= size ? size - 1 : at + (size_t)n;
}

/* Keeps to this order: dropping capabilities takes one, and Landlock and seccomp take
 * either a capability or no_new_privs. */
void os_sandbox_enter(const struct os_sandbox *sandbox, char *said, size_t size)
{
    uint64_t keep = sandbox->low_port ? UINT64_C(1) << CAP_NET_BIND_SERVICE : 0;
    int version = os_landlock_version();
    const char *why;
    char text[160];
    size_t at = 0;

    said[0] = '\0';
    at = put(said, size, at,
             !keep_capabilities(keep) ? "capabilities could not be given up"
             : sandbox->low_port      ? "no capability but that of a low port"
                                      : "no capability");
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (version == 0)
        snprintf(text, sizeof text, "no Landlock in this kernel");
    else if (os_landlock_enter(sandbox))
        snprintf(text, sizeof text, "Landlock %d (%s)", version,
                 sandbox->data_dir >= 0 ? "writes to the data directory alone"
                                        : "writes nothing");
    else
        snprintf(text, sizeof text, "Landlock failed: %s", strerror(errno));
    at = put(said, size, at, text);
    why = os_seccomp_enter();
    if (why == NULL)
        snprintf(text, sizeof text, "seccomp (starts no program)");
    else
        snprintf(text, sizeof text, "no seccomp: %s", why);
    put(said, size, at, text);
}

/* Keeps what reading /proc/PID/io and smaps_rollup of other users takes. Landlock would
 * forbid just that: a process in a domain may not look into those outside. */
void os_sandbox_enter_helper(void)
{
    keep_capabilities(UINT64_C(1) << CAP_SYS_PTRACE | UINT64_C(1) << CAP_DAC_READ_SEARCH);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    os_seccomp_enter();
}
