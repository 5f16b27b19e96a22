/* vedette burn: a real load of a known kind, for phases with a label and for tests. */
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "burn/work.h"
#include "cmd/commands.h"
#include "os/clock.h"

/* Holds what the options say: seconds, percent of a core, bytes, and bytes a second.
 * Texts are NULL when they are not given. */
struct burn_settings {
    double duration, load, amount, rate;
    long workers;
    char *folder, *to;
};

#define AT(FIELD) offsetof(struct burn_settings, FIELD)

/* Bounds the threads, so that the crew is one allocation of a known size. It is far more
 * than the cores of the machines that are watched. */
enum { WORKERS_MAX = 1024 };

static const struct os_option options[] = {
    {.name = "duration",
     .letter = 'd',
     .type = OS_OPTION_DURATION,
     .value = "TIME",
     .fallback = "30s",
     .min = 0.01,
     .max = 7 * 86400.0,
     .help = "How long",
     .offset = AT(duration)},
    {.name = "workers",
     .letter = 'w',
     .type = OS_OPTION_INTEGER,
     .value = "N",
     .fallback = "1",
     .min = 1,
     .max = WORKERS_MAX,
     .help = "Threads that do it, each the whole amount",
     .offset = AT(workers)},
    {.name = "load",
     .letter = 'l',
     .type = OS_OPTION_NUMBER,
     .value = "PERCENT",
     .fallback = "100",
     .min = 1,
     .max = 100,
     .help = "cpu: share of one core for each worker",
     .offset = AT(load)},
    {.name = "amount",
     .letter = 'a',
     .type = OS_OPTION_SIZE,
     .value = "SIZE",
     .fallback = "256MiB",
     .min = 1 << 20,
     .max = 1e15,
     .help = "memory: what each worker takes; leak: what it has taken after the whole "
             "duration, without --rate; disk: size of its file",
     .offset = AT(amount)},
    {.name = "rate",
     .letter = 'r',
     .type = OS_OPTION_SIZE,
     .value = "SIZE",
     .fallback = "0",
     .help =
         "memory, leak, disk, network: this much a second for each worker, 0 = all it "
         "can",
     .offset = AT(rate)},
    {.name = "folder",
     .letter = 'f',
     .type = OS_OPTION_TEXT,
     .value = "DIR",
     .fallback = ".",
     .help = "disk: where the file without a name is made",
     .offset = AT(folder)},
    {.name = "to",
     .type = OS_OPTION_TEXT,
     .value = "HOST[:PORT]",
     .help =
         "network: send datagrams there (port 9, discard) instead of through loopback",
     .offset = AT(to)},
    {.name = NULL},
};

/* Lists the kinds of load. `work` runs in a thread of its own until its worker is told to
 * stop; `unit` divides what the worker counted, to give a number that people can read. */
static const struct kind {
    const char *name;
    void (*work)(struct burn_worker *worker);
    double unit; /* of `done`, for people */
    const char *unit_name;
} kinds[] = {
    {"cpu", burn_cpu, 1e9, "s of CPU time"},
    {"memory", burn_memory, 1 << 20, "MiB taken"},
    {"leak", burn_leak, 1 << 20, "MiB leaked"},
    {"disk", burn_disk, 1 << 20, "MiB written and read"},
    {"network", burn_network, 1 << 20, "MiB sent"},
};

/* Holds the threads of one run. The workers point into it (plan and stop), so it must
 * stay where it is until all of them are joined. */
struct crew {
    const struct kind *kind;
    struct burn_plan plan;
    atomic_bool stop;
    size_t n;
    struct burn_worker worker[WORKERS_MAX];
    pthread_t thread[WORKERS_MAX];
};

/* Carries the two arguments of a new thread. It is allocated by start() and freed by the
 * thread itself. */
struct thread_task {
    const struct kind *kind;
    struct burn_worker *worker;
};

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

/* Turns "host", "host:port" or "[::1]:port" into addresses. The port is 9 when none is
 * given: by convention what comes there is thrown away. The caller frees the list with
 * freeaddrinfo(). */
static enum vd_status resolve(const char *to, struct addrinfo **found,
                              struct vd_error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
    char host[256];
    const char *port = "9", *colon = strrchr(to, ':'), *bracket = strrchr(to, ']');
    size_t length = strlen(to);
    int code;

    /* Takes what follows the last colon for the port. Without brackets that must be the
     * only colon, since an IPv6 address has several; with brackets it must stand behind
     * them. */
    if (colon != NULL && (bracket == NULL ? strchr(to, ':') == colon : colon > bracket)) {
        length = (size_t)(colon - to);
        port = colon + 1;
    }
    if (length >= 2 && to[0] == '[' && to[length - 1] == ']') {
        to++;
        length -= 2;
    }
    if (length >= sizeof host)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "--to: the name is too long");
    memcpy(host, to, length);
    host[length] = '\0';
    code = getaddrinfo(host, port, &hints, found);
    if (code != 0)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "--to: %s: %s", host,
                            gai_strerror(code));
    return VD_OK;
}

/* Refuses to take more than half of the free space. A burner that fills the disk would be
 * no test but an accident, for the monitor's own store as well. */
static enum vd_status check_room(const struct burn_settings *settings,
                                 struct vd_error *err)
{
    struct statvfs info;
    double room;

    if (statvfs(settings->folder, &info) != 0)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "--folder: cannot use %s",
                            settings->folder);
    room = (double)info.f_bavail * (double)info.f_frsize;
    if (settings->amount * (double)settings->workers > room / 2)
        return vd_error_set(err, VD_ERR_ARGUMENT, "take less with --amount",
                            "that is more than half of the %.0f MiB that are free in %s",
                            room / (1 << 20), settings->folder);
    return VD_OK;
}

/* Checks what only one kind of load needs. *to is set for datagrams alone; the caller
 * frees it. */
static enum vd_status check(const struct kind *kind, const struct burn_settings *settings,
                            struct addrinfo **to, struct vd_error *err)
{
    if (kind->work == burn_disk)
        return check_room(settings, err);
    if (kind->work == burn_network && settings->to != NULL)
        return resolve(settings->to, to, err);
    return VD_OK;
}

/* Runs one worker. The task is copied first, so that it can be freed however long the
 * work lasts. */
static void *run_thread(void *context)
{
    struct thread_task task = *(struct thread_task *)context;

    free(context);
    task.kind->work(task.worker);
    return NULL;
}

/* Starts the workers. After a failure crew->n says how many threads run, and finish()
 * must still be called to join them. */
static enum vd_status start(struct crew *crew, size_t workers, struct vd_error *err)
{
    for (; crew->n < workers; crew->n++) {
        struct thread_task *task = malloc(sizeof *task);

        crew->worker[crew->n].plan = &crew->plan;
        crew->worker[crew->n].stop = &crew->stop;
        if (task == NULL)
            return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for a worker");
        *task = (struct thread_task){crew->kind, &crew->worker[crew->n]};
        if (pthread_create(&crew->thread[crew->n], NULL, run_thread, task) != 0) {
            free(task);
            return vd_error_set(err, VD_ERR_MEMORY, NULL, "cannot start a worker");
        }
    }
    return VD_OK;
}

/* Stops and joins all workers. It returns the failure of the last worker that had one;
 * one reason is enough, since all workers do the same. */
static enum vd_status finish(struct crew *crew, struct vd_error *err)
{
    enum vd_status status = VD_OK;

    atomic_store(&crew->stop, true);
    for (size_t i = 0; i < crew->n; i++) {
        pthread_join(crew->thread[i], NULL);
        if (crew->worker[i].err.status == VD_OK)
            continue;
        status = crew->worker[i].err.status;
        vd_error_set(err, status, crew->worker[i].err.hint, "%s",
                     crew->worker[i].err.text);
    }
    return status;
}

/* Prints how much was done so far. `end` is a carriage return for a line that the next
 * one overwrites, and a newline for the last line. */
static void report(const struct crew *crew, double seconds, FILE *out, const char *end)
{
    double done = 0;

    for (size_t i = 0; i < crew->n; i++)
        done += (double)atomic_load(&crew->worker[i].done);
    fprintf(out, "burn %s: %.1f s, %zu worker%s, %.1f %s%s", crew->kind->name, seconds,
            crew->n, crew->n == 1 ? "" : "s", done / crew->kind->unit,
            crew->kind->unit_name, end);
    fflush(out);
}

/* Waits until the duration has passed or a signal comes, and returns the seconds that
 * passed. On a terminal it shows the progress twice a second. The signals must be blocked
 * already, else they would end the program instead. */
static double wait_for_end(const struct crew *crew, double duration,
                           const sigset_t *signals)
{
    int64_t start = os_clock_mono_ns();
    bool terminal = isatty(STDERR_FILENO);

    for (;;) {
        double passed = (double)(os_clock_mono_ns() - start) * 1e-9;
        double step = fmin(duration - passed, 0.5);
        struct timespec timeout;

        if (step <= 0)
            return passed;
        timeout.tv_sec = 0;
        timeout.tv_nsec = (long)(step * 1e9);
        if (sigtimedwait(signals, NULL, &timeout) > 0)
            return (double)(os_clock_mono_ns() - start) * 1e-9;
        if (terminal)
            report(crew, passed, stderr, "  \r");
    }
}

/* Checks everything before the first worker starts, and stops all workers again when one
 * cannot start. */
static int run_burn(void *context, int argc, char **argv)
{
    const struct burn_settings *settings = context;
    const struct kind *kind = argc == 1 ? find_kind(argv[0]) : NULL;
    struct crew *crew = calloc(1, sizeof *crew);
    struct addrinfo *to = NULL;
    struct vd_error err = {0};
    enum vd_status status;
    sigset_t signals;
    double passed;

    if (kind == NULL)
        status = vd_error_set(&err, VD_ERR_ARGUMENT, NULL,
                              "say what to burn: cpu, memory, leak, disk or network");
    else if (crew == NULL)
        status = vd_error_set(&err, VD_ERR_MEMORY, NULL, "no memory for the workers");
    else
        status = check(kind, settings, &to, &err);
    if (status != VD_OK)
        goto out;
    /* Blocks the signals before the first thread starts: threads inherit the mask, so
     * only wait_for_end() receives them. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    /* Gives the process a name of its own, so that an explanation does not blame
     * "vedette" for the load. */
    prctl(PR_SET_NAME, "vedette-burn");
    crew->kind = kind;
    crew->plan = (struct burn_plan){.load = settings->load,
                                    .amount = settings->amount,
                                    .rate = settings->rate,
                                    .seconds = settings->duration,
                                    .folder = settings->folder,
                                    .to = to};
    status = start(crew, (size_t)settings->workers, &err);
    passed = status == VD_OK ? wait_for_end(crew, settings->duration, &signals) : 0;
    if (finish(crew, &err) != VD_OK)
        status = err.status;
    report(crew, passed, stdout, "\n");
out:
    if (to != NULL)
        freeaddrinfo(to);
    free(crew);
    return status == VD_OK ? CMD_OK : cmd_failed(&err);
}

const struct cmd_command cmd_burn = {
    .name = "burn",
    .summary = "Make a real load: cpu, memory, leak, disk or network",
    .arguments = "KIND",
    .about =
        "Loads this machine in a known way, to see what the monitor makes of it and to "
        "record phases with a label. KIND is cpu (arithmetic), memory (takes it, touches "
        "it, keeps it), leak (takes small pieces, evenly and without end, and forgets "
        "them), disk (writes a file past the cache and reads it back) or network "
        "(a stream through loopback, or datagrams with --to).\n\n"
        "It ends by itself after --duration, or at once on SIGINT and SIGTERM. Nothing "
        "is "
        "left behind: the file on the disk never has a name.",
    .examples =
        "vedette burn cpu --workers 4 --duration 1min\n    four cores for a minute\n"
        "vedette burn memory --amount 2GiB --duration 2min\n"
        "    take 2 GiB at once and keep them\n"
        "vedette burn leak --rate 20MiB --duration 2min\n"
        "    a leak of 20 MiB a second\n"
        "vedette burn disk --rate 50MiB --folder /var/tmp\n"
        "    50 MiB a second to and from the disk of /var/tmp\n",
    .options = options,
    .settings_size = sizeof(struct burn_settings),
    .run = run_burn,
};
