/* One datagram each way (SOCK_SEQPACKET): a question has a number, and an answer that
 * comes too late for its question is known by it and thrown away.
 */
#include "os/peek.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/log.h"
#include "os/sandbox.h"

struct os_peek {
    int fd;
    pid_t pid;
    uint32_t number;
    bool gone; /* which was said */
};

/* The two kinds of datagrams. Both ends are one program, so bytes need no fixed order. */
struct question {
    uint32_t number;
    int32_t pid, what;
};

struct answer {
    uint32_t number;
    int32_t size; /* of text; negative: an errno */
    char text[OS_PEEK_MAX];
};

/* ---- the helper ---- */

/* Reads one file of one process. A read is enough: both files fit into one. */
static void look(int proc, const struct question *question, struct answer *answer)
{
    char path[32];
    ssize_t size = -1;
    int fd;

    snprintf(path, sizeof path, "%d/%s", (int)question->pid,
             question->what == OS_PEEK_IO ? "io" : "smaps_rollup");
    fd = openat(proc, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0)
        size = read(fd, answer->text, sizeof answer->text);
    answer->size = size < 0 ? -errno : (int32_t)size;
    if (fd >= 0)
        close(fd);
}

/* Answers questions until the other end is closed. Runs in the helper process, which
 * keeps the right to look at foreign processes; it opens two files of /proc and nothing
 * else, whatever it is asked. */
static void serve(int fd)
{
    int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct question question;

    while (recv(fd, &question, sizeof question, 0) == (ssize_t)sizeof question) {
        struct answer answer = {.number = question.number, .size = -EINVAL};

        if (question.pid > 0 &&
            (question.what == OS_PEEK_IO || question.what == OS_PEEK_MEMORY))
            look(proc, &question, &answer);
        send(fd, &answer,
             offsetof(struct answer, text) + (answer.size > 0 ? (size_t)answer.size : 0),
             MSG_NOSIGNAL);
    }
}

/* Becomes the helper. A signal to the whole group (Ctrl-C) means the program that was
 * started; the helper ignores it and ends with that program, when the socket is closed.
 * The kernel kills it should the program die first; if that happened before it was asked
 * to, the parent is another one now. */
static _Noreturn void be_helper(int fd, pid_t parent)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    prctl(PR_SET_NAME, "vedette-peek");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0);
    /* A process that keeps rights must hold nothing else that it could be made to use, so
     * all descriptors but the socket are closed. */
    if (dup2(fd, 3) != 3)
        _exit(1);
    close_range(4, ~0U, 0);
    os_sandbox_enter_helper();
    serve(3);
    _exit(0);
}

/* ---- our side ---- */

/* Must be called while this process still has the rights that the helper keeps. */
enum vd_status os_peek_start(os_peek **out, struct vd_error *err)
{
    /* A tick waits no longer than this for an answer. */
    const struct timeval patience = {.tv_sec = 1};
    os_peek *peek = calloc(1, sizeof *peek);
    pid_t parent = getpid();
    int ends[2];

    *out = NULL;
    if (peek == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        free(peek);
        return vd_error_set(err, VD_ERR_IO, NULL, "no helper: %s", strerror(errno));
    }
    fflush(NULL);
    peek->pid = fork();
    if (peek->pid == 0)
        be_helper(ends[1], parent);
    close(ends[1]);
    peek->fd = ends[0];
    if (peek->pid < 0) {
        vd_error_set(err, VD_ERR_IO, NULL, "no helper: %s", strerror(errno));
        os_peek_stop(peek);
        return VD_ERR_IO;
    }
    setsockopt(peek->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    *out = peek;
    return VD_OK;
}

/* Receives the answer to the last question and returns its size; -1 with errno, EPIPE
 * when the helper is gone. Answers to earlier questions, which came too late, are thrown
 * away. */
static ssize_t receive(os_peek *peek, struct answer *answer)
{
    ssize_t got;

    do {
        got = recv(peek->fd, answer, sizeof *answer, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < (ssize_t)offsetof(struct answer, text)) {
            if (got >= 0)
                errno = EPIPE;
            else if (errno == EAGAIN)
                errno = ETIMEDOUT;
            return -1;
        }
    } while (got < 0 || answer->number != peek->number);
    if (answer->size < 0) {
        errno = -answer->size;
        return -1;
    }
    if (answer->size > got - (ssize_t)offsetof(struct answer, text)) {
        errno = EPIPE;
        return -1;
    }
    return answer->size;
}

/* Tells once that the helper is gone. Another one cannot be made, since this process gave
 * up its rights after the first. */
static void say_gone(os_peek *peek)
{
    if (!peek->gone)
        os_log_warning(
            "the helper that looks into processes is gone: the I/O of processes "
            "is not known until the next start");
    peek->gone = true;
}

/* Sends a question and waits for its answer for a short while; a helper that is stuck
 * must not hold up a tick. */
static ssize_t ask(os_peek *peek, int pid, enum os_peek_what what, char *text,
                   size_t size)
{
    struct question question = {++peek->number, pid, what};
    struct answer answer;
    ssize_t got;

    if (send(peek->fd, &question, sizeof question, MSG_NOSIGNAL | MSG_DONTWAIT) !=
        (ssize_t)sizeof question) {
        errno = errno == EAGAIN ? ETIMEDOUT : EPIPE;
        return -1;
    }
    got = receive(peek, &answer);
    if (got > 0) {
        if ((size_t)got > size)
            got = (ssize_t)size;
        memcpy(text, answer.text, (size_t)got);
    }
    return got;
}

ssize_t os_peek_read(os_peek *peek, int pid, enum os_peek_what what, char *text,
                     size_t size)
{
    ssize_t got = ask(peek, pid, what, text, size);
    int error = errno;

    if (got < 0 && error == EPIPE)
        say_gone(peek);
    errno = error;
    return got;
}

/* Closes the socket, which is how the helper learns to end, and waits for that. */
void os_peek_stop(os_peek *peek)
{
    if (peek == NULL)
        return;
    close(peek->fd);
    if (peek->pid > 0)
        waitpid(peek->pid, NULL, 0);
    free(peek);
}
