/* The loads of `vedette burn`: each does what it says, keeps to its rate, and leaves
 * nothing behind. */
#include "unit.h"

#include <dirent.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "burn/work.h"
#include "os/clock.h"
#include "tree.h"

struct job {
    struct burn_plan plan;
    struct burn_worker worker;
    atomic_bool stop;
    void (*work)(struct burn_worker *worker);
    pthread_t thread;
    int64_t start_ns;
};

static void *run(void *context)
{
    struct job *job = context;

    job->work(&job->worker);
    return NULL;
}

static void start(struct job *job, void (*work)(struct burn_worker *worker))
{
    job->work = work;
    job->worker.plan = &job->plan;
    job->worker.stop = &job->stop;
    job->start_ns = os_clock_mono_ns();
    assert_int_equal(pthread_create(&job->thread, NULL, run, job), 0);
}

/* Until that much is done; ends the test after 20 seconds. */
static void wait_done(const struct job *job, unsigned long long done)
{
    struct timespec pause = {0, 2000000};

    while (atomic_load(&job->worker.done) < done) {
        assert_true(os_clock_mono_ns() - job->start_ns < 20000000000);
        nanosleep(&pause, NULL);
    }
}

/* Stops and returns the seconds since the start. */
static double stop(struct job *job)
{
    int64_t asked = os_clock_mono_ns();

    atomic_store(&job->stop, true);
    pthread_join(job->thread, NULL);
    assert_true(os_clock_mono_ns() - asked < 5000000000);
    return (double)(os_clock_mono_ns() - job->start_ns) * 1e-9;
}

static void test_cpu(void **state)
{
    struct job job = {.plan = {.load = 20}};
    double seconds, used;

    (void)state;
    start(&job, burn_cpu);
    wait_done(&job, 200000000);
    seconds = stop(&job);
    used = (double)atomic_load(&job.worker.done) * 1e-9;
    /* It may get less on a busy machine, never much more than the share it asked for. */
    assert_true(used / seconds < 0.35);
    assert_int_equal(job.worker.err.status, VD_OK);
}

static double resident_bytes(void)
{
    long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &size, &resident), 2);
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static void test_memory(void **state)
{
    struct job job = {.plan = {.amount = 64 << 20, .rate = 200e6}};
    double before = resident_bytes(), seconds;

    (void)state;
    start(&job, burn_memory);
    wait_done(&job, 64 << 20);
    assert_true(resident_bytes() - before > 60 << 20);
    seconds = stop(&job);
    assert_true(seconds > 0.3); /* 64 MiB at 200 MB a second */
    assert_true(resident_bytes() - before < 16 << 20);
    assert_int_equal(atomic_load(&job.worker.done), 64 << 20);
}

static size_t entries(const char *path)
{
    DIR *folder = opendir(path);
    size_t n = 0;

    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir(folder);
    return n;
}

static void test_disk(void **state)
{
    struct tree tree;
    struct job job = {.plan = {.amount = 4 << 20}};

    (void)state;
    tree_init(&tree);
    job.plan.folder = tree.root;
    start(&job, burn_disk);
    wait_done(&job, 10 << 20); /* written, read back, and again */
    assert_int_equal(entries(tree.root), 0);
    stop(&job);
    assert_int_equal(job.worker.err.status, VD_OK);
    tree_release(&tree);
}

static void test_disk_fails(void **state)
{
    struct job job = {.plan = {.amount = 1 << 20, .folder = "/nowhere"}};

    (void)state;
    start(&job, burn_disk);
    pthread_join(job.thread, NULL);
    assert_int_equal(job.worker.err.status, VD_ERR_IO);
    assert_non_null(strstr(job.worker.err.text, "file"));
}

static void test_network_through_loopback(void **state)
{
    struct job job = {.plan = {.rate = 20e6}};
    double seconds;

    (void)state;
    start(&job, burn_network);
    wait_done(&job, 10000000);
    seconds = stop(&job);
    assert_true(seconds > 0.4); /* 10 MB at 20 MB a second */
    assert_int_equal(job.worker.err.status, VD_OK);
}

/* Datagrams arrive where they were sent to. */
static void test_network_datagrams(void **state)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST};
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    struct timeval patience = {10, 0};
    struct addrinfo *to;
    struct job job = {.plan = {.rate = 1e6}};
    char datagram[2048];
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    (void)state;
    assert_int_equal(getaddrinfo("127.0.0.1", "0", &hints, &to), 0);
    assert_int_equal(bind(fd, to->ai_addr, to->ai_addrlen), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    memcpy(to->ai_addr, &address, to->ai_addrlen);
    job.plan.to = to;
    start(&job, burn_network);
    for (int i = 0; i < 20; i++)
        assert_int_equal(recv(fd, datagram, sizeof datagram, 0), 1400);
    stop(&job);
    close(fd);
    freeaddrinfo(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpu),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_disk),
        cmocka_unit_test(test_disk_fails),
        cmocka_unit_test(test_network_through_loopback),
        cmocka_unit_test(test_network_datagrams),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
