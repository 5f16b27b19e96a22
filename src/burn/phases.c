/* Each load is a thread of the one process, so that what a phase takes is given back by
 * the next one and the number of processes tells nothing. */
#include "burn/phases.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static const struct phase {
    const char *name;
    void (*work)(struct burn_worker *worker); /* NULL = nothing */
} phases[] = {
    {"baseline", NULL},      {"recovery", NULL},        {"cpu", burn_cpu},
    {"memory", burn_memory}, {"leak", burn_leak},       {"io", burn_disk},
    {"disk", burn_disk},     {"network", burn_network},
};

enum { PHASES = sizeof phases / sizeof *phases };

int burn_phase_of(const char *name)
{
    for (int i = 0; i < PHASES; i++)
        if (strcmp(phases[i].name, name) == 0)
            return i;
    return -1;
}

/* The load that runs. */
struct load {
    const struct phase *phase; /* NULL = none */
    struct burn_worker worker;
    atomic_bool stop;
    pthread_t thread;
};

static void *work(void *context)
{
    struct load *load = context;

    load->phase->work(&load->worker);
    return NULL;
}

static bool begin(struct load *load, const struct phase *phase,
                  const struct burn_plan *plan)
{
    atomic_store(&load->stop, false);
    load->worker = (struct burn_worker){.plan = plan, .stop = &load->stop};
    load->phase = phase->work == NULL ? NULL : phase;
    if (load->phase == NULL || pthread_create(&load->thread, NULL, work, load) == 0)
        return true;
    load->phase = NULL;
    return false;
}

/* Ends the load; false when it had failed, and says so. */
static bool end(struct load *load)
{
    if (load->phase == NULL)
        return true;
    atomic_store(&load->stop, true);
    pthread_join(load->thread, NULL);
    if (load->worker.err.status != VD_OK)
        fprintf(stderr, "vedette: phase %s: %s\n", load->phase->name,
                load->worker.err.text);
    load->phase = NULL;
    return load->worker.err.status == VD_OK;
}

int burn_phases_run(int control, const struct burn_plan *plan)
{
    struct load load = {.phase = NULL};
    signed char kind;
    bool good = true;
    ssize_t got;

    prctl(PR_SET_NAME, "vedette-burn");
    do {
        got = read(control, &kind, 1);
        if (got < 0 && errno == EINTR)
            continue;
        good = end(&load) && good;
        if (got == 1 && kind >= 0 && kind < PHASES)
            good = begin(&load, &phases[kind], plan) && good;
    } while (got != 0);
    return good ? 0 : 1;
}
