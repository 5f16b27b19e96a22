/* Reads the members first, parents before children, and looks for new ones then. So a
 * process that ends in between is missing for a moment (its parent was read before it
 * inherited) and never counted twice; what is missing is a debt (tree_account.h).
 */
#include "collect/process_tree.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "collect/tree_process.h"
#include "collect/tree_search.h"

/* What the sum of proportional sizes may be wrong by before all are read again, and the
 * samples after which they are in any case: who shares pages from outside is not seen. */
static const double CHANGE_MAX = 0.01;
enum { ALL_EVERY = 10 };

struct collect_tree {
    struct collect_tree_config config;
    int self; /* never a member */
    struct collect_tree_proc proc;
    struct collect_tree_search search;
    struct collect_tree_process *member; /* owned; parents before their children */
    size_t n, capacity;
    struct collect_tree_part waited; /* the adopter: who is nobody's else */
    bool waited_known, io_known;
    double most[COLLECT_TREE_COUNTERS]; /* that was told */
    long since_all;                     /* samples since all memory was read */
    double start_s;                     /* of the first process, since boot */
    bool has_root;
    int *pid; /* owned: room for capacity */
    size_t n_pids;
};

/* ---- members ---- */

/* Looks among all members, those that have just gone as well: the last that was added
 * under that number. */
static struct collect_tree_process *find(collect_tree *tree, int pid)
{
    for (size_t i = tree->n; i-- > 0;)
        if (tree->member[i].stat.pid == pid)
            return &tree->member[i];
    return NULL;
}

static bool make_room(collect_tree *tree)
{
    size_t capacity = tree->capacity == 0 ? 64 : 2 * tree->capacity;
    struct collect_tree_process *member;
    int *pid;

    if (tree->n < tree->capacity)
        return true;
    member = realloc(tree->member, capacity * sizeof *member);
    if (member != NULL)
        tree->member = member;
    pid = realloc(tree->pid, capacity * sizeof *pid);
    if (pid != NULL)
        tree->pid = pid;
    if (member == NULL || pid == NULL)
        return false;
    tree->capacity = capacity;
    return true;
}

/* Adds a process and reads it. One that ended before it could be read is no member: what
 * it used is in the counters of whoever waited for it. */
static bool add(collect_tree *tree, int pid)
{
    struct collect_tree_process *process;

    if (!make_room(tree))
        return false;
    process = &tree->member[tree->n];
    collect_tree_process_init(process, pid);
    if (collect_tree_process_read(process, &tree->proc) == COLLECT_TREE_GONE) {
        collect_tree_process_close(process, &tree->proc);
        return false;
    }
    tree->n++;
    return true;
}

static bool belongs(collect_tree *tree, const struct collect_tree_newborn *newborn)
{
    const struct collect_tree_process *same, *parent;

    if (newborn->pid == tree->self)
        return false;
    same = find(tree, newborn->pid);
    if (same != NULL && !same->gone)
        return false;
    if (tree->config.adopter != 0 && newborn->parent == tree->config.adopter)
        return true;
    parent = find(tree, newborn->parent);
    return parent != NULL && !parent->gone;
}

/* Adds the new processes whose parents are members, until no more come: a parent may be
 * new itself, and have a higher number than its child. */
static void add_newborn(collect_tree *tree)
{
    bool added = true;

    collect_tree_search_look(&tree->search, &tree->proc);
    while (added) {
        added = false;
        for (size_t i = 0; i < tree->search.n_newborn; i++)
            if (belongs(tree, &tree->search.newborn[i]))
                added |= add(tree, tree->search.newborn[i].pid);
    }
}

static void read_members(collect_tree *tree)
{
    for (size_t i = 0; i < tree->n; i++)
        tree->member[i].gone =
            collect_tree_process_read(&tree->member[i], &tree->proc) == COLLECT_TREE_GONE;
}

/* Takes out the members that are gone; the others keep their order. */
static void sweep(collect_tree *tree)
{
    size_t kept = 0;

    for (size_t i = 0; i < tree->n; i++)
        if (tree->member[i].gone)
            collect_tree_process_close(&tree->member[i], &tree->proc);
        else
            tree->member[kept++] = tree->member[i];
    tree->n = kept;
}

/* ---- counters ---- */

/* Finds who inherits: the nearest ancestor that is still there, else the adopter. */
static struct collect_tree_part *heir_of(collect_tree *tree,
                                         const struct collect_tree_process *gone)
{
    const struct collect_tree_process *at = gone;

    for (size_t steps = 0; steps < tree->n; steps++) {
        struct collect_tree_process *parent = find(tree, at->stat.parent);

        if (parent == NULL || parent == at)
            break;
        if (!parent->gone)
            return &parent->part;
        at = parent;
    }
    return &tree->waited;
}

/* Settles the debts of those that are gone: each heir pays its own, and what the adopter
 * inherited beyond its debts pays those of others, whose children it was given. */
static void settle(collect_tree *tree, const double waited[COLLECT_TREE_COUNTERS])
{
    double rest[COLLECT_TREE_COUNTERS];

    for (size_t i = 0; i < tree->n; i++)
        if (tree->member[i].gone)
            collect_tree_bequeath(heir_of(tree, &tree->member[i]), &tree->member[i].part);
    for (size_t i = 0; i < tree->n; i++)
        collect_tree_settle(&tree->member[i].part, rest);
    if (waited != NULL) {
        collect_tree_take(&tree->waited, waited, waited, !tree->waited_known);
        tree->waited_known = true;
        tree->io_known |= !isnan(waited[COLLECT_TREE_READ_CHARS]);
    }
    collect_tree_settle(&tree->waited, rest);
    for (size_t i = 0; i < tree->n; i++)
        collect_tree_pay(&tree->member[i].part, rest);
}

/* Sums up. The counters of I/O are unknown as long as nobody's could be read. */
static void sum_counters(collect_tree *tree, struct collect_tree_use *use)
{
    memset(use->counter, 0, sizeof use->counter);
    for (size_t i = 0; i < tree->n; i++)
        if (!tree->member[i].gone)
            collect_tree_add(use->counter, &tree->member[i].part);
    collect_tree_add(use->counter, &tree->waited);
    for (int i = 0; i < COLLECT_TREE_COUNTERS; i++) {
        tree->most[i] = fmax(tree->most[i], use->counter[i]);
        use->counter[i] =
            i >= COLLECT_TREE_READ_CHARS && !tree->io_known ? NAN : tree->most[i];
    }
}

static void count_processes(collect_tree *tree, struct collect_tree_use *use)
{
    use->processes = use->threads = use->io_refused = 0;
    use->vmem = 0;
    for (size_t i = 0; i < tree->n; i++) {
        const struct collect_tree_process *member = &tree->member[i];

        tree->io_known |= member->io_known;
        use->io_refused += member->io_refused;
        if (!collect_tree_process_lives(member))
            continue;
        use->processes++;
        use->threads += member->stat.threads;
        use->vmem += (double)member->stat.vsize;
    }
}

/* ---- memory ---- */

/* Decides whether the memory of all members is read. */
static bool is_all_due(collect_tree *tree)
{
    double change = 0, rss = 0;

    tree->since_all++;
    if (tree->config.pss_every > 0)
        return tree->since_all >= tree->config.pss_every;
    for (size_t i = 0; i < tree->n; i++) {
        const struct collect_tree_process *member = &tree->member[i];

        double bytes = (double)member->stat.rss_pages * tree->proc.page_bytes;

        rss += member->gone ? 0 : bytes;
        change += member->gone ? bytes : collect_tree_process_change(member, &tree->proc);
    }
    return tree->since_all >= ALL_EVERY || change > CHANGE_MAX * rss;
}

/* Reads what is due. Between two full readings those that changed are read alone, when
 * the program decides; when the user did, nobody is. */
static void read_memory(collect_tree *tree)
{
    bool all = is_all_due(tree);

    for (size_t i = 0; i < tree->n; i++) {
        struct collect_tree_process *member = &tree->member[i];
        bool changed = tree->config.pss_every == 0 &&
                       collect_tree_process_change(member, &tree->proc) > 0;

        if (collect_tree_process_lives(member) && (all || changed))
            collect_tree_process_read_memory(member, &tree->proc);
    }
    if (all)
        tree->since_all = 0;
}

/* Sums the memory. Of a process whose file is refused the resident size stands in for the
 * proportional one, which is never more; when all are refused it is unknown. */
static void sum_memory(collect_tree *tree, struct collect_tree_use *use)
{
    bool sparse = tree->config.pss_every > 1;
    size_t known = 0;

    use->pss = use->rss = use->swap = 0;
    use->memory_refused = 0;
    for (size_t i = 0; i < tree->n; i++) {
        const struct collect_tree_process *member = &tree->member[i];
        double rss = (double)member->stat.rss_pages * tree->proc.page_bytes;

        if (!collect_tree_process_lives(member))
            continue;
        use->memory_refused += member->memory_refused;
        known += member->memory_known;
        use->pss += member->memory_known ? member->memory.pss_bytes : rss;
        use->swap += member->memory.swap_bytes;
        use->rss += member->memory_known && !sparse ? member->memory.rss_bytes : rss;
    }
    if (known == 0 && use->memory_refused > 0)
        use->pss = use->swap = NAN;
}

/* ---- the whole ---- */

static double seconds_since_boot(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void look_for_root(collect_tree *tree)
{
    const struct collect_tree_process *root = tree->n > 0 ? &tree->member[0] : NULL;

    tree->has_root = tree->has_root && root->stat.pid == tree->config.pid &&
                     collect_tree_process_lives(root);
}

void collect_tree_read(collect_tree *tree, const double waited[COLLECT_TREE_COUNTERS],
                       struct collect_tree_use *use)
{
    read_members(tree);
    add_newborn(tree);
    read_memory(tree);
    settle(tree, waited);
    look_for_root(tree);
    count_processes(tree, use);
    sum_counters(tree, use);
    sum_memory(tree, use);
    sweep(tree);
    use->age_s = seconds_since_boot() - tree->start_s;
    use->has_root = tree->has_root;
}

static int by_number(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;

    return (x > y) - (x < y);
}

const int *collect_tree_pids(collect_tree *tree, size_t *n)
{
    for (size_t i = 0; i < tree->n; i++)
        tree->pid[i] = tree->member[i].stat.pid;
    qsort(tree->pid, tree->n, sizeof *tree->pid, by_number);
    *n = tree->n;
    return tree->pid;
}

/* Prepares the place where processes are. Half of the descriptors that this process may
 * have are for files that stay open; those of a made-up tree are replaced by renaming. */
static enum vd_status open_proc(collect_tree *tree, struct vd_error *err)
{
    struct rlimit files = {.rlim_cur = 256};
    char rollup[COLLECT_PATH_MAX];
    enum vd_status status =
        collect_tree_search_init(&tree->search, tree->config.root, err);

    if (status != VD_OK)
        return status;
    getrlimit(RLIMIT_NOFILE, &files);
    snprintf(rollup, sizeof rollup, "%d/smaps_rollup", tree->config.pid);
    tree->proc = (struct collect_tree_proc){
        .folder = dirfd(tree->search.folder),
        .ticks_per_s = (double)sysconf(_SC_CLK_TCK),
        .page_bytes = (double)sysconf(_SC_PAGESIZE),
        .open_max = !tree->search.live         ? 0
                    : files.rlim_cur > 1 << 20 ? 1 << 19
                                               : files.rlim_cur / 2,
    };
    tree->proc.memory =
        faccessat(tree->proc.folder, rollup, F_OK, 0) == 0 ? "smaps_rollup" : "smaps";
    return VD_OK;
}

enum vd_status collect_tree_new(collect_tree **out,
                                const struct collect_tree_config *config,
                                struct vd_error *err)
{
    collect_tree *tree = calloc(1, sizeof *tree);
    enum vd_status status;

    *out = NULL;
    if (tree == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the tree");
    tree->config = *config;
    tree->self = collect_root_is_live(config->root) ? (int)getpid() : 0;
    tree->since_all = ALL_EVERY + config->pss_every;
    status = open_proc(tree, err);
    if (status == VD_OK && !add(tree, config->pid))
        status =
            vd_error_set(err, VD_ERR_DATA, NULL, "there is no process %d", config->pid);
    if (status != VD_OK) {
        collect_tree_free(tree);
        return status;
    }
    tree->has_root = true;
    tree->start_s = (double)tree->member[0].stat.start_ticks / tree->proc.ticks_per_s;
    *out = tree;
    return VD_OK;
}

void collect_tree_free(collect_tree *tree)
{
    if (tree == NULL)
        return;
    for (size_t i = 0; i < tree->n; i++)
        collect_tree_process_close(&tree->member[i], &tree->proc);
    collect_tree_search_release(&tree->search);
    collect_buffer_release(&tree->proc.buffer);
    free(tree->member);
    free(tree->pid);
    free(tree);
}
