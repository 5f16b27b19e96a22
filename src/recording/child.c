/* A pipe that closes with a successful execve(2) tells whether the command was started:
 * it brings errno or nothing. */
#include "recording/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collect/file.h"
#include "format/scan.h"

/* Becomes the command. Only errno goes back, when that fails. */
static void become(char *const *command, const sigset_t *mask, int report)
{
    int code;

    sigprocmask(SIG_SETMASK, mask, NULL);
    execvp(command[0], command);
    code = errno;
    while (write(report, &code, sizeof code) < 0 && errno == EINTR)
        ;
    _exit(RECORDING_NOT_FOUND);
}

/* Waits until the command was executed or could not be. Returns errno, or 0. */
static int wait_for_exec(int report)
{
    int code = 0;
    ssize_t got;

    do
        got = read(report, &code, sizeof code);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof code ? code : 0;
}

/* Adopts what the command will leave behind. */
static void become_subreaper(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

enum vd_status recording_child_start(struct recording_child *child, char *const *command,
                                     const sigset_t *mask, int *code,
                                     struct vd_error *err)
{
    int report[2], failed;

    *code = RECORDING_NOT_EXECUTABLE;
    if (pipe2(report, O_CLOEXEC) != 0)
        return vd_error_set(err, VD_ERR_IO, NULL, "no pipe: %s", strerror(errno));
    become_subreaper();
    child->pid = fork();
    if (child->pid == 0)
        become(command, mask, report[1]);
    failed = child->pid < 0 ? errno : 0;
    close(report[1]);
    if (failed == 0)
        failed = wait_for_exec(report[0]);
    close(report[0]);
    if (failed == 0)
        return VD_OK;
    if (child->pid > 0)
        waitpid(child->pid, NULL, 0);
    child->pid = 0;
    *code = failed == ENOENT ? RECORDING_NOT_FOUND : RECORDING_NOT_EXECUTABLE;
    return vd_error_set(err, VD_ERR_IO, NULL, "cannot run %s: %s", command[0],
                        strerror(failed));
}

enum vd_status recording_child_fork(struct recording_child *child, int (*run)(void *),
                                    void *context, const sigset_t *mask,
                                    struct vd_error *err)
{
    pid_t parent = getpid();

    become_subreaper();
    child->pid = fork();
    if (child->pid < 0)
        return vd_error_set(err, VD_ERR_IO, NULL, "cannot fork: %s", strerror(errno));
    if (child->pid > 0)
        return VD_OK;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    sigprocmask(SIG_SETMASK, mask, NULL);
    _exit(getppid() == parent ? run(context) : 1);
}

void recording_child_reap(struct recording_child *child)
{
    struct rusage usage;
    int status;
    pid_t pid;

    do {
        pid = wait4(-1, &status, WNOHANG, &usage);
        if (pid > 0 && (double)usage.ru_maxrss > child->max_rss_kib)
            child->max_rss_kib = (double)usage.ru_maxrss;
        if (pid > 0 && pid == child->pid) {
            child->ended = true;
            child->status = status;
        }
    } while (pid > 0 || (pid < 0 && errno == EINTR));
    child->all_ended = pid < 0 && errno == ECHILD;
}

int recording_child_exit_code(const struct recording_child *child)
{
    if (WIFSIGNALED(child->status))
        return 128 + WTERMSIG(child->status);
    return WEXITSTATUS(child->status);
}

/* SigCgt:	0000000180014a07, bit 0 is signal 1. */
bool recording_child_catches(const struct recording_child *child, int number)
{
    char path[64], text[4096];
    const char *line;
    long got;

    snprintf(path, sizeof path, "/proc/%d/status", (int)child->pid);
    got = collect_file_small(path, text, sizeof text);
    line = got > 0 ? strstr(text, "\nSigCgt:") : NULL;
    return line != NULL && (strtoull(line + 8, NULL, 16) >> (number - 1) & 1) != 0;
}
