/* Each load does its work in small pieces and looks at *stop between them. The CPU's
 * share is of each tenth of a second; rates are kept by sleeping until what was done fits
 * the time that has passed. */
#include "burn/work.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"

/* Sets the bytes of one step, of one allocation that leaks, a datagram that no network
 * has to split, and the longest sleep (50 ms) before the stop is looked at. */
enum { PIECE = 1 << 20, LEAK_PIECE = 16 << 10, DATAGRAM = 1400, SLICE_NS = 50000000 };

/* Looks at the flag without ordering anything: it is only a flag, and it is read very
 * often. */
static bool is_stopped(const struct burn_worker *worker)
{
    return atomic_load_explicit(worker->stop, memory_order_relaxed);
}

static void sleep_ns(int64_t ns)
{
    struct timespec time = {ns / 1000000000, ns % 1000000000};

    if (ns > 0)
        nanosleep(&time, NULL);
}

/* Keeps the reason of errno for the main thread, which reads it after the join. */
static void fail(struct burn_worker *worker, const char *what)
{
    vd_error_set(&worker->err, VD_ERR_IO, NULL, "cannot %s: %s", what, strerror(errno));
}

/* Adds `bytes`, then waits until the rate allows more; 0 = no limit. `start` is when the
 * worker began. It sleeps in slices, so that a stop is seen soon. */
static void account_at(struct burn_worker *worker, int64_t start, size_t bytes,
                       double rate)
{
    double done = (double)(atomic_fetch_add(&worker->done, bytes) + bytes);

    while (rate > 0 && !is_stopped(worker)) {
        int64_t due = start + (int64_t)(done / rate * 1e9);
        int64_t left = due - os_clock_mono_ns();

        if (left <= 0)
            return;
        sleep_ns(left < SLICE_NS ? left : SLICE_NS);
    }
}

static void account(struct burn_worker *worker, int64_t start, size_t bytes)
{
    account_at(worker, start, bytes, worker->plan->rate);
}

/* ---- cpu ---- */

/* Computes for the planned share of each tenth of a second and sleeps for the rest. The
 * next tenth is counted from the schedule, so a late one is made up for. */
void burn_cpu(struct burn_worker *worker)
{
    const int64_t period = 100000000;
    int64_t busy = (int64_t)((double)period * worker->plan->load / 100);
    volatile uint64_t result = 1; /* keeps the arithmetic from being optimised away */
    int64_t next = os_clock_mono_ns();

    while (!is_stopped(worker)) {
        int64_t start = os_clock_mono_ns();

        while (os_clock_mono_ns() - start < busy && !is_stopped(worker))
            for (int i = 0; i < 20000; i++)
                result = result * 6364136223846793005u + 1442695040888963407u;
        next += period;
        if (worker->plan->load < 100)
            sleep_ns(next - os_clock_mono_ns());
        atomic_store(&worker->done, (unsigned long long)os_clock_thread_ns());
    }
}

/* ---- memory ---- */

/* Fills memory with numbers that are not all zero and not all alike, so that neither KSM
 * nor a compressed swap makes less of it. */
static void scribble(unsigned char *at, size_t size, uint64_t seed)
{
    for (size_t i = 0; i + 8 <= size; i += 8) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        memcpy(at + i, &seed, 8);
    }
}

/* Takes memory at the planned rate and keeps touching it, so that it stays in use and is
 * not swapped out unseen. MAP_NORESERVE lets it take more than is promised. */
void burn_memory(struct burn_worker *worker)
{
    size_t size = (size_t)worker->plan->amount, filled = 0;
    int64_t start = os_clock_mono_ns();
    unsigned char *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (at == MAP_FAILED) {
        fail(worker, "take that much memory");
        return;
    }
    while (filled < size && !is_stopped(worker)) {
        size_t piece = size - filled < PIECE ? size - filled : PIECE;

        scribble(at + filled, piece, filled + 1);
        filled += piece;
        account(worker, start, piece);
    }
    for (size_t i = 0; !is_stopped(worker); i = (i + 1) % (filled / 4096 + 1)) {
        at[i * 4096 < filled ? i * 4096 : 0]++;
        if (i % 256 == 0)
            sleep_ns(SLICE_NS);
    }
    munmap(at, size);
}

/* ---- leak ---- */

/* A piece that was taken and will not be used again: the first bytes lead to the one
 * before, so that all can be given back in the end. */
struct lost_piece {
    struct lost_piece *before;
    unsigned char bytes[LEAK_PIECE - sizeof(void *)];
};

void burn_leak(struct burn_worker *worker)
{
    const struct burn_plan *plan = worker->plan;
    double rate = plan->rate > 0      ? plan->rate
                  : plan->seconds > 0 ? plan->amount / plan->seconds
                                      : plan->amount;
    int64_t start = os_clock_mono_ns();
    struct lost_piece *last = NULL;

    while (!is_stopped(worker)) {
        struct lost_piece *piece = malloc(sizeof *piece);

        if (piece == NULL) {
            fail(worker, "take more memory");
            break;
        }
        scribble(piece->bytes, sizeof piece->bytes, (uint64_t)(uintptr_t)piece);
        piece->before = last;
        last = piece;
        account_at(worker, start, sizeof *piece, rate);
    }
    while (last != NULL) {
        struct lost_piece *before = last->before;

        free(last);
        last = before;
    }
}

/* ---- disk ---- */

/* Opens a file that has no name, so that it is gone with the process whatever happens.
 * File systems without O_TMPFILE get a name for a moment. */
static int open_nameless(const char *folder)
{
    char path[4096];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
        return fd;
    if (snprintf(path, sizeof path, "%s/vedette-burn-XXXXXX", folder) >=
        (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

/* Goes over the file once; false when it failed or was stopped. */
static bool pass(struct burn_worker *worker, int fd, unsigned char *piece, bool write,
                 int64_t start)
{
    size_t size = (size_t)worker->plan->amount;

    for (size_t at = 0; at < size; at += PIECE) {
        ssize_t done;

        if (is_stopped(worker))
            return false;
        if (write)
            scribble(piece, PIECE, at + 1);
        done = write ? pwrite(fd, piece, PIECE, (off_t)at)
                     : pread(fd, piece, PIECE, (off_t)at);
        if (done < 0) {
            fail(worker, write ? "write to the disk" : "read from the disk");
            return false;
        }
        /* Only what has reached the disk counts, and only what is not cached is read
         * from it again. */
        if (write && at / PIECE % 8 == 7 && fdatasync(fd) != 0) {
            fail(worker, "write to the disk");
            return false;
        }
        account(worker, start, (size_t)done);
    }
    if (write)
        fdatasync(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    return true;
}

/* Writes the file and reads it back, again and again. */
void burn_disk(struct burn_worker *worker)
{
    unsigned char *piece = malloc(PIECE);
    int fd = open_nameless(worker->plan->folder);
    int64_t start = os_clock_mono_ns();

    if (piece == NULL || fd < 0) {
        fail(worker, "open a file to write to");
        goto out;
    }
    while (pass(worker, fd, piece, true, start) && pass(worker, fd, piece, false, start))
        ;
out:
    if (fd >= 0)
        close(fd);
    free(piece);
}

/* ---- network ---- */

/* Sends datagrams to an address. Nobody needs to listen there. */
static void send_datagrams(struct burn_worker *worker)
{
    const struct addrinfo *to = worker->plan->to;
    unsigned char datagram[DATAGRAM];
    int64_t start = os_clock_mono_ns();
    int fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, to->ai_addr, to->ai_addrlen) != 0) {
        fail(worker, "reach that address");
        goto out;
    }
    scribble(datagram, sizeof datagram, 1);
    while (!is_stopped(worker)) {
        /* Nobody listens, which comes back as ECONNREFUSED; a full queue as ENOBUFS. */
        if (send(fd, datagram, sizeof datagram, 0) > 0)
            account(worker, start, sizeof datagram);
        else if (errno == ENOBUFS || errno == EAGAIN)
            sleep_ns(1000000);
        else if (errno != ECONNREFUSED && errno != EINTR) {
            fail(worker, "send");
            break;
        }
    }
out:
    if (fd >= 0)
        close(fd);
}

/* Makes the two connected ends of a TCP stream through loopback. After a failure the
 * caller still closes what is open. */
static bool connect_to_self(int end[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = listener >= 0 &&
                bind(listener, (struct sockaddr *)&address, sizeof address) == 0 &&
                listen(listener, 1) == 0 &&
                getsockname(listener, (struct sockaddr *)&address, &length) == 0;

    end[0] = end[1] = -1;
    if (good) {
        end[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        good = end[0] >= 0 &&
               connect(end[0], (struct sockaddr *)&address, sizeof address) == 0;
    }
    if (good) {
        end[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        good = end[1] >= 0;
    }
    if (listener >= 0)
        close(listener);
    return good;
}

/* Sends and receives in turn on one thread, neither of which waits: a full buffer is
 * emptied by the next receive. */
static void stream_to_self(struct burn_worker *worker)
{
    unsigned char *piece = malloc(PIECE);
    int64_t start = os_clock_mono_ns();
    int end[2] = {-1, -1};

    if (piece == NULL || !connect_to_self(end)) {
        fail(worker, "open a connection through loopback");
        goto out;
    }
    scribble(piece, PIECE, 1);
    while (!is_stopped(worker)) {
        ssize_t sent = send(end[0], piece, PIECE / 16, MSG_DONTWAIT | MSG_NOSIGNAL);
        ssize_t got = recv(end[1], piece, PIECE, MSG_DONTWAIT);

        if ((sent < 0 && errno != EAGAIN && errno != EINTR) || got == 0) {
            fail(worker, "send through loopback");
            break;
        }
        if (got > 0)
            account(worker, start, (size_t)got);
    }
out:
    for (int i = 0; i < 2; i++)
        if (end[i] >= 0)
            close(end[i]);
    free(piece);
}

void burn_network(struct burn_worker *worker)
{
    if (worker->plan->to != NULL)
        send_datagrams(worker);
    else
        stream_to_self(worker);
}
