/* A moment is made in two passes over the process table: all that were active, busiest
 * first when there is no room for all, then the largest in memory. Names live in a table
 * with one slot per (pid, start time); a slot is taken over by a new process only when
 * the old one has left the ring, so an entry's name is never another's. */
#include "explain/recorder.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sets the sizes of the ring. Some moments more than the two spans are kept, as ticks may
 * come early. */
enum {
    MOMENTS = RECORDER_BEFORE_S + RECORDER_AFTER_S + 10,
    WIDTH = 64,   /* processes kept per moment */
    LARGEST = 12, /* of them, kept for their memory alone */
    NAMES = 512,
};

/* Holds what does not change from moment to moment in the life of a process. */
struct name {
    int pid, parent;
    uint32_t uid;
    uint64_t start_ticks;
    int64_t last_seen_ns; /* 0 = free slot */
    char state;
    char comm[RECORD_COMM_MAX];
    char command[RECORD_COMMAND_MAX];
};

/* Holds what a process used in one moment. Floats are enough to tell who was busy, and
 * there are thousands of entries. `name` is an index of the table of names. */
struct entry {
    float use[RECORD_RESOURCES];
    float gpu_percent, gpu_bytes;
    float swap_bytes, major_faults_s;
    uint32_t threads;
    uint32_t name;
};

struct moment {
    int64_t time_ns; /* wall clock */
    int64_t mono_ns;
    double machine_cpu; /* percent of one core; NaN = not known */
    size_t n;
    struct entry entry[WIDTH];
};

/* Is one block of fixed size, so that recording allocates nothing. */
struct explain_recorder {
    struct moment moment[MOMENTS];
    size_t newest, n;
    struct name name[NAMES];
};

enum vd_status explain_recorder_new(explain_recorder **out)
{
    *out = calloc(1, sizeof **out);
    return *out == NULL ? VD_ERR_MEMORY : VD_OK;
}

void explain_recorder_free(explain_recorder *recorder)
{
    free(recorder);
}

/* Gives the k-th newest moment; 0 is the newest, and k must be below n. */
static const struct moment *moment_at(const explain_recorder *r, size_t k)
{
    assert(k < r->n);
    return &r->moment[(r->newest + MOMENTS - k) % MOMENTS];
}

/* Compares pid and start time, since the kernel gives pids again. */
static bool same_process(const struct name *name, const struct record_process *p)
{
    return name->last_seen_ns != 0 && name->pid == p->pid &&
           name->start_ticks == p->start_ticks;
}

/* Finds the slot of the process, made or taken over when needed; NAMES when all are in
 * use by processes that the ring still shows. The slots are searched from the one that
 * the pid hashes to. */
static uint32_t name_of(explain_recorder *r, const struct record_process *p,
                        int64_t now_ns)
{
    int64_t oldest_ns = r->n == 0 ? 0 : moment_at(r, r->n - 1)->mono_ns;
    uint32_t first = (uint32_t)((unsigned)p->pid * 2654435761U) % NAMES;
    uint32_t free_slot = NAMES;

    for (uint32_t k = 0; k < NAMES; k++) {
        uint32_t slot = (first + k) % NAMES;

        if (same_process(&r->name[slot], p)) {
            free_slot = slot;
            break;
        }
        if (free_slot == NAMES && r->name[slot].last_seen_ns < oldest_ns)
            free_slot = slot;
        if (r->name[slot].last_seen_ns == 0)
            break;
    }
    if (free_slot == NAMES && r->name[first].last_seen_ns == 0)
        free_slot = first;
    if (free_slot < NAMES) {
        struct name *name = &r->name[free_slot];

        name->pid = p->pid;
        name->parent = p->parent;
        name->uid = p->uid;
        name->start_ticks = p->start_ticks;
        name->last_seen_ns = now_ns;
        name->state = p->state;
        memcpy(name->comm, p->comm, sizeof name->comm);
        memcpy(name->command, p->command, sizeof name->command);
    }
    return free_slot;
}

/* Adds a process to the moment. One for whose name there is no slot is left out. */
static void add_entry(explain_recorder *r, struct moment *m,
                      const struct record_process *p)
{
    struct entry *e = &m->entry[m->n];
    uint32_t name = name_of(r, p, m->mono_ns);

    assert(m->n < WIDTH);
    if (name == NAMES)
        return;
    *e = (struct entry){
        .use = {(float)p->cpu_percent, (float)p->rss_bytes, (float)p->read_bytes_s,
                (float)p->write_bytes_s},
        .gpu_percent = (float)p->gpu_percent,
        .gpu_bytes = (float)p->gpu_bytes,
        .swap_bytes = (float)p->swap_bytes,
        .major_faults_s = (float)p->major_faults_s,
        .threads = p->threads,
        .name = name,
    };
    m->n++;
}

/* Says how busy a process is on one scale: percent of a core, and disk traffic where 1
 * MB/s weighs like one percent. NaN counts as nothing. */
static double activity(const struct record_process *p)
{
    double cpu = isnan(p->cpu_percent) ? 0 : p->cpu_percent;
    double read = isnan(p->read_bytes_s) ? 0 : p->read_bytes_s;
    double write = isnan(p->write_bytes_s) ? 0 : p->write_bytes_s;

    return cpu + (read + write) / 1e6;
}

/* One wanted process: its index and what it is ranked by. */
struct rank {
    double key;
    size_t index;
};

/* Keeps the `max` largest keys in order; rank[0] is the smallest of them. A heap would be
 * more code for a list this short. */
static void keep_largest(struct rank *rank, size_t *n, size_t max, double key,
                         size_t index)
{
    size_t i;

    assert(max > 0 && *n <= max);
    if (*n == max && key <= rank[0].key)
        return;
    if (*n == max)
        memmove(rank, rank + 1, --*n * sizeof *rank);
    for (i = *n; i > 0 && rank[i - 1].key > key; i--)
        rank[i] = rank[i - 1];
    rank[i] = (struct rank){key, index};
    ++*n;
}

/* Adds a moment, at most about one a second however short the interval is, or the ring
 * would not reach back a minute. */
void explain_recorder_add(explain_recorder *r, int64_t time_ns, int64_t mono_ns,
                          const struct record_processes *processes)
{
    struct rank active[WIDTH - LARGEST], large[LARGEST];
    size_t n_active = 0, n_large = 0;
    struct moment *m;

    if (processes == NULL)
        return;
    if (r->n > 0 && mono_ns - moment_at(r, 0)->mono_ns < 900000000)
        return;
    for (size_t i = 0; i < processes->n; i++) {
        const struct record_process *p = &processes->at[i];
        double busy = activity(p);

        if (busy > 0)
            keep_largest(active, &n_active, WIDTH - LARGEST, busy, i);
        else if (p->rss_bytes > 0)
            keep_largest(large, &n_large, LARGEST, p->rss_bytes, i);
    }
    r->newest = (r->newest + 1) % MOMENTS;
    if (r->n < MOMENTS)
        r->n++;
    m = &r->moment[r->newest];
    m->time_ns = time_ns;
    m->mono_ns = mono_ns;
    m->machine_cpu = processes->machine_cpu_percent;
    m->n = 0;
    for (size_t i = n_active; i > 0; i--)
        add_entry(r, m, &processes->at[active[i - 1].index]);
    for (size_t i = n_large; i > 0; i--)
        add_entry(r, m, &processes->at[large[i - 1].index]);
}

/* Makes a process of an entry and its name. What was not recorded is NaN. */
static void fill_process(const explain_recorder *r, const struct entry *e,
                         struct record_process *p)
{
    const struct name *name = &r->name[e->name];

    *p = (struct record_process){
        .pid = name->pid,
        .parent = name->parent,
        .start_ticks = name->start_ticks,
        .uid = name->uid,
        .threads = e->threads,
        .state = name->state,
        .cpu_percent = e->use[RECORD_CPU],
        .rss_bytes = e->use[RECORD_MEMORY],
        .pss_bytes = NAN,
        .read_bytes_s = e->use[RECORD_DISK_READ],
        .write_bytes_s = e->use[RECORD_DISK_WRITE],
        .gpu_percent = e->gpu_percent,
        .gpu_bytes = e->gpu_bytes,
        .swap_bytes = e->swap_bytes,
        .major_faults_s = e->major_faults_s,
    };
    memcpy(p->comm, name->comm, sizeof p->comm);
    memcpy(p->command, name->command, sizeof p->command);
}

/* Copies the moments between two monotonic times, oldest first. The caller frees them. */
enum vd_status explain_recorder_span(const explain_recorder *r, int64_t from_ns,
                                     int64_t to_ns, struct history_moment **out,
                                     size_t *n)
{
    struct history_moment *moment = calloc(MOMENTS, sizeof *moment);

    *out = NULL;
    *n = 0;
    if (moment == NULL)
        return VD_ERR_MEMORY;
    for (size_t k = r->n; k > 0; k--) {
        const struct moment *m = moment_at(r, k - 1);
        struct history_moment *to = &moment[*n];

        if (m->mono_ns < from_ns || m->mono_ns > to_ns)
            continue;
        to->process = calloc(m->n + 1, sizeof *to->process);
        if (to->process == NULL) {
            history_moments_free(moment, *n);
            *n = 0;
            return VD_ERR_MEMORY;
        }
        to->time_ns = m->time_ns;
        to->n = m->n;
        for (size_t i = 0; i < m->n; i++)
            fill_process(r, &m->entry[i], &to->process[i]);
        ++*n;
    }
    *out = moment;
    return VD_OK;
}

/* Sums of one process' use before and since. */
struct sums {
    double before, since;
    const struct entry *last;
};

/* The same of all processes, and how many moments there were before and since. */
struct tally {
    struct sums of[NAMES];
    struct sums machine; /* CPU time, also of processes that nobody saw; NaN = unknown */
    size_t n_before, n_since;
};

/* Adds the use of each process in one moment. */
static void add_moment(struct tally *tally, const struct moment *m, bool since,
                       enum record_resource resource)
{
    *(since ? &tally->n_since : &tally->n_before) += 1;
    *(since ? &tally->machine.since : &tally->machine.before) += m->machine_cpu;
    for (size_t i = 0; i < m->n; i++) {
        const struct entry *e = &m->entry[i];
        struct sums *sums = &tally->of[e->name];
        double use = isnan(e->use[resource]) ? 0 : (double)e->use[resource];

        assert(e->name < NAMES);
        if (since) {
            sums->since += use;
            sums->last = e;
        } else {
            sums->before += use;
        }
    }
}

/* Adds up the moments before and since the time. Before reaches back as far as the
 * recorder is made for. */
static void add_up(const explain_recorder *r, int64_t since_ns,
                   enum record_resource resource, struct tally *tally)
{
    *tally = (struct tally){0};
    for (size_t k = r->n; k > 0; k--) {
        const struct moment *m = moment_at(r, k - 1);

        if (m->mono_ns >= since_ns - (int64_t)RECORDER_BEFORE_S * 1000000000)
            add_moment(tally, m, m->mono_ns >= since_ns, resource);
    }
}

/* Gives the mean use since the start. Memory is a level that a process holds, so its last
 * value counts, not the mean of the moments. */
static double use_of(const struct sums *s, enum record_resource resource, size_t n_since)
{
    if (s->last == NULL || n_since == 0)
        return 0;
    return resource == RECORD_MEMORY ? fmax((double)s->last->use[resource], 0)
                                     : s->since / (double)n_since;
}

/* Gives the mean use before; 0 where there was no moment. */
static double before_of(const struct sums *s, size_t n_before)
{
    return n_before == 0 ? 0 : s->before / (double)n_before;
}

/* Gives the share of all use that was not there before, 0 to 1; NaN when the time before
 * is not in the ring. */
double explain_recorder_excess(const explain_recorder *r, int64_t since_ns,
                               enum record_resource resource)
{
    struct tally t;
    double excess = 0, use = 0;

    add_up(r, since_ns, resource, &t);
    for (size_t i = 0; i < NAMES; i++) {
        double now = use_of(&t.of[i], resource, t.n_since);

        use += now;
        excess += fmax(now - before_of(&t.of[i], t.n_before), 0);
    }
    if (t.n_before == 0)
        return NAN;
    return use > 0 ? excess / use : 0;
}

int64_t explain_recorder_newest_ns(const explain_recorder *r)
{
    return r->n == 0 ? 0 : moment_at(r, 0)->mono_ns;
}

/* Tells whether the process is still in the table. */
static bool is_in(const struct record_processes *table, const struct name *name)
{
    for (size_t i = 0; i < table->n; i++)
        if (same_process(name, &table->at[i]))
            return true;
    return false;
}

/* Finds the largest processes of the moment before that are gone now: the kernel kills
 * the large ones. Those below half of the largest are no candidates. */
size_t explain_recorder_gone(const explain_recorder *r,
                             const struct record_processes *now,
                             struct record_killed *out, size_t max)
{
    struct rank rank[RECORD_KILLED_MAX];
    const struct moment *before;
    double largest = 0;
    size_t n = 0;

    if (r->n < 2 || now == NULL || max == 0)
        return 0;
    if (max > RECORD_KILLED_MAX)
        max = RECORD_KILLED_MAX;
    before = moment_at(r, 1);
    for (size_t i = 0; i < before->n; i++)
        largest = fmax(largest, (double)before->entry[i].use[RECORD_MEMORY]);
    for (size_t i = 0; i < before->n; i++) {
        const struct entry *e = &before->entry[i];

        if (e->use[RECORD_MEMORY] > 0 && (double)e->use[RECORD_MEMORY] >= largest / 2 &&
            !is_in(now, &r->name[e->name]))
            keep_largest(rank, &n, max, (double)e->use[RECORD_MEMORY], e->name);
    }
    for (size_t i = 0; i < n; i++) {
        const struct name *name = &r->name[rank[n - 1 - i].index];

        out[i].pid = name->pid;
        memcpy(out[i].name, name->comm, sizeof out[i].name);
    }
    return n;
}

/* Gives what a process has to use more than before to be a cause of anything: percent of
 * a core, bytes, bytes a second. */
static const double excess_least[RECORD_RESOURCES] = {
    [RECORD_CPU] = 5,
    [RECORD_MEMORY] = 16 << 20,
    [RECORD_DISK_READ] = 256 << 10,
    [RECORD_DISK_WRITE] = 256 << 10,
};

/* Gives what the process is ranked by. */
static double key_of(const struct tally *t, size_t i, enum record_resource resource,
                     enum explain_rank by)
{
    double before = by == EXPLAIN_BY_EXCESS ? before_of(&t->of[i], t->n_before) : 0;

    return fmax(use_of(&t->of[i], resource, t->n_since) - before, 0);
}

/* Gives the CPU time to be explained: all that the machine used, or used more. Processes
 * that began and ended between two ticks had a part in it, and the others, this program
 * among them, are not to be blamed for it. 0 = not known. */
static double machine_key(const struct tally *t, enum explain_rank by)
{
    double since = t->machine.since / (double)t->n_since;
    double before = by == EXPLAIN_BY_EXCESS ? before_of(&t->machine, t->n_before) : 0;

    return t->n_since == 0 ? 0 : fmax(since - before, 0);
}

/* Fills in a suspect with its key as a share of the whole. */
static void fill_suspect(const explain_recorder *r, const struct tally *t,
                         enum record_resource resource, struct rank rank, double whole,
                         struct record_suspect *suspect)
{
    const struct sums *s = &t->of[rank.index];

    assert(s->last != NULL && rank.key <= whole);
    *suspect = (struct record_suspect){
        .before = t->n_before == 0 ? NAN : before_of(s, t->n_before),
        .during = use_of(s, resource, t->n_since),
        .share = rank.key / whole,
        .resource = resource,
    };
    fill_process(r, s->last, &suspect->process);
}

/* Ranks the processes by their excess or by their use and fills in the largest. One with
 * less than a twentieth of the whole is no suspect. */
size_t explain_recorder_suspects(const explain_recorder *r, int64_t since_ns,
                                 enum record_resource resource, enum explain_rank by,
                                 struct record_suspect *out, size_t max)
{
    double least = by == EXPLAIN_BY_EXCESS ? excess_least[resource] : 0, whole = 0;
    struct tally t;
    struct rank rank[RECORD_SUSPECTS];
    size_t n = 0, written = 0;

    assert(resource < RECORD_RESOURCES);
    if (max > RECORD_SUSPECTS)
        max = RECORD_SUSPECTS;
    add_up(r, since_ns, resource, &t);
    for (size_t i = 0; i < NAMES; i++) {
        double key = key_of(&t, i, resource, by);

        whole += key;
        if (key > least && max > 0)
            keep_largest(rank, &n, max, key, i);
    }
    if (resource == RECORD_CPU)
        whole = fmax(whole, machine_key(&t, by));
    for (; n > 0 && rank[n - 1].key >= 0.05 * whole; n--) {
        fill_suspect(r, &t, resource, rank[n - 1], whole, &out[written]);
        out[written++].of_use = by == EXPLAIN_BY_USE;
    }
    return written;
}
