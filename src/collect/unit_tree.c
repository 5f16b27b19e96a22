/* Which groups are units: services and scopes are, whatever is below them, but for a
 * user's own manager, which has units itself. Slices only hold others. Where somebody
 * else made the groups (container managers without systemd), those that hold no others
 * are, and those that bear the id of a container.
 */
#include "collect/unit_tree.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/unit_name.h"
#include "vedette/rate.h"

/* Levels of groups: units lie three or four below the top, pods some more. */
enum { DEPTH_MAX = 8 };

/* In bytes. Of a smaller unit, what might be dropped matters to nobody, and the kernel is
 * spared writing the long memory.stat. */
static const double MEMORY_TO_LOOK_AT = 16 << 20;

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);

    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Makes a number of the path, which finds the same group in the scan before faster, and
 * in less room, than the path would. */
static uint64_t key_of(const char *path)
{
    uint64_t sum = UINT64_C(14695981039346656037); /* FNV-1a */

    for (; *path != '\0'; path++)
        sum = (sum ^ (unsigned char)*path) * UINT64_C(1099511628211);
    return sum;
}

/* ---- one group ---- */

/* Tells whether the bytes of this device are counted once more at the disks below it. The
 * answer for a device is kept, as asking /sys for each group would be dear. */
static bool is_stacked(struct collect_unit_tree *tree, const struct collect_unit_io *io)
{
    const size_t max = sizeof tree->device / sizeof *tree->device;
    char path[COLLECT_PATH_MAX], name[64], below[1][32];
    bool stacked;

    for (size_t i = 0; i < tree->n_devices; i++)
        if (tree->device[i].major == io->major && tree->device[i].minor == io->minor)
            return tree->device[i].stacked;
    snprintf(name, sizeof name, "/sys/dev/block/%u:%u/slaves", (unsigned)io->major,
             (unsigned)io->minor);
    stacked = collect_path(path, tree->root, name, NULL) &&
              collect_folder(path, below[0], sizeof below[0], 1) > 0;
    if (tree->n_devices < max) {
        tree->device[tree->n_devices].major = io->major;
        tree->device[tree->n_devices].minor = io->minor;
        tree->device[tree->n_devices++].stacked = stacked;
    }
    return stacked;
}

/* Adds what is known to a sum that is NaN before the first number. */
static void add(double *sum, double value)
{
    if (!isnan(value))
        *sum = isnan(*sum) ? value : *sum + value;
}

static long read_file(const char *group, const char *name, char *text, size_t size)
{
    char path[COLLECT_PATH_MAX];

    return collect_path(path, NULL, group, name) ? collect_file_small(path, text, size)
                                                 : -1;
}

static void read_io(struct collect_unit_tree *tree, const char *group,
                    struct collect_unit_use *use)
{
    char text[4096];
    long length = read_file(group, "/io.stat", text, sizeof text);
    struct collect_unit_io io;
    struct format_scan t;

    use->read_bytes = use->written_bytes = NAN;
    if (length < 0)
        return;
    /* The file of a group that did nothing yet is empty. */
    use->read_bytes = use->written_bytes = 0;
    t = format_scan_of(text, (size_t)length);
    while (collect_unit_io_next(&t, &io))
        if (!is_stacked(tree, &io)) {
            add(&use->read_bytes, io.read_bytes);
            add(&use->written_bytes, io.written_bytes);
        }
}

/* Returns the bytes of a group without the files that can be dropped; NaN when it does
 * not count memory. */
static double read_memory(const char *group)
{
    char text[8192], path[COLLECT_PATH_MAX];
    double memory, cache;
    long length;

    if (!collect_path(path, NULL, group, "/memory.current"))
        return NAN;
    memory = collect_file_number(path);
    if (!(memory >= 0))
        return NAN;
    if (memory < MEMORY_TO_LOOK_AT)
        return memory;
    length = read_file(group, "/memory.stat", text, sizeof text);
    cache = length < 0 ? NAN : collect_unit_cache_parse(text, (size_t)length);
    return cache <= memory ? memory - cache : memory;
}

/* Adds a group with what it used. One without cpu.stat has just gone. */
static void read_group(struct collect_unit_tree *tree, const char *path, const char *name)
{
    struct collect_unit_group *unit;
    char text[1024];
    long length = read_file(path, "/cpu.stat", text, sizeof text);

    if (length < 0)
        return;
    if (tree->n == COLLECT_UNITS_MAX) {
        tree->left_out++;
        return;
    }
    unit = &tree->unit[tree->n++];
    unit->key = key_of(path);
    collect_unit_kind(name, unit->label);
    collect_unit_cpu_parse(text, (size_t)length, &unit->use);
    unit->use.memory = read_memory(path);
    read_io(tree, path, &unit->use);
}

/* ---- the tree ---- */

/* Knows units by the end of their names, and containers by their id of 64 digits.
 * "user@1000.service" is a user's manager: its units lie below it. */
static bool is_unit(const char *name)
{
    static const char *const kinds[] = {".service", ".scope", ".socket", ".mount",
                                        ".swap"};

    if (strncmp(name, "user@", 5) == 0)
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (ends_with(name, kinds[i]))
            return true;
    return strlen(name) == 64 && strspn(name, "0123456789abcdef") == 64;
}

/* Goes through what is in the group; returns whether there was any. */
static bool walk(struct collect_unit_tree *tree, const char *path, int depth)
{
    DIR *folder = depth < DEPTH_MAX ? opendir(path) : NULL;
    struct dirent *entry;
    bool any = false;

    if (folder == NULL)
        return false;
    while ((entry = readdir(folder)) != NULL) {
        const char *name = entry->d_name;
        char below[COLLECT_PATH_MAX];

        /* The file system of control groups tells the type of each entry, so none is
         * asked. */
        if (entry->d_type != DT_DIR || name[0] == '.' ||
            snprintf(below, sizeof below, "%s/%s", path, name) >= (int)sizeof below)
            continue;
        any = true;
        if (is_unit(name) ||
            (!walk(tree, below, depth + 1) && !ends_with(name, ".slice")))
            read_group(tree, below, name);
    }
    closedir(folder);
    return any;
}

static int by_key(const void *a, const void *b)
{
    uint64_t x = ((const struct collect_unit_group *)a)->key;
    uint64_t y = ((const struct collect_unit_group *)b)->key;

    return (x > y) - (x < y);
}

static int by_label(const void *a, const void *b)
{
    return strcmp(((const struct collect_unit_group *)a)->label,
                  ((const struct collect_unit_group *)b)->label);
}

/* Makes rates of what grew since the scan before. A group that was not there then has
 * none. */
static void fill_values(struct collect_unit_group *unit,
                        const struct collect_unit_group *before, double seconds)
{
    static const struct collect_unit_use unknown = {NAN, NAN, NAN, NAN, NAN, NAN};
    const struct collect_unit_use *then = before == NULL ? &unknown : &before->use;
    const struct collect_unit_use *now = &unit->use;
    double *value = unit->value;

    value[COLLECT_UNIT_CPU] = 1e-4 * vd_rate(now->cpu_us, then->cpu_us, seconds);
    value[COLLECT_UNIT_MEMORY] = now->memory;
    value[COLLECT_UNIT_READ] = vd_rate(now->read_bytes, then->read_bytes, seconds);
    value[COLLECT_UNIT_WRITE] = vd_rate(now->written_bytes, then->written_bytes, seconds);
    value[COLLECT_UNIT_THROTTLED] =
        100 * vd_ratio(now->throttled, then->throttled, now->periods, then->periods);
}

/* Groups of one name are one unit: use is added up, of the limits the worst is told. */
static void merge(struct collect_unit_tree *tree)
{
    size_t kept = 0;

    qsort(tree->unit, tree->n, sizeof *tree->unit, by_label);
    for (size_t i = 0; i < tree->n; i++) {
        struct collect_unit_group *to = &tree->unit[kept];
        const double *value = tree->unit[i].value;

        if (kept == 0 || strcmp(to[-1].label, tree->unit[i].label) != 0) {
            *to = tree->unit[i];
            kept++;
            continue;
        }
        for (int k = 0; k < COLLECT_UNIT_THROTTLED; k++)
            add(&to[-1].value[k], value[k]);
        to[-1].value[COLLECT_UNIT_THROTTLED] =
            fmax(to[-1].value[COLLECT_UNIT_THROTTLED], value[COLLECT_UNIT_THROTTLED]);
    }
    tree->n = kept;
}

/* Finds where version 2 is mounted; in systemd's hybrid mode that is the second folder.
 */
static bool find_top(struct collect_unit_tree *tree)
{
    static const char *const tops[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    char path[COLLECT_PATH_MAX], text[256];

    for (size_t i = 0; i < 2; i++) {
        tree->top[0] = '\0';
        if (collect_path(path, tree->root, tops[i], "/cgroup.controllers") &&
            collect_file_small(path, text, sizeof text) >= 0)
            return collect_path(tree->top, tree->root, tops[i], NULL);
    }
    return false;
}

bool collect_unit_tree_scan(struct collect_unit_tree *tree, int64_t mono_ns)
{
    double seconds = (double)(mono_ns - tree->before_ns) * 1e-9;

    tree->n = tree->left_out = 0;
    if (tree->top[0] == '\0' && !find_top(tree))
        return false;
    walk(tree, tree->top, 0);
    qsort(tree->unit, tree->n, sizeof *tree->unit, by_key);
    for (size_t i = 0; i < tree->n; i++)
        fill_values(&tree->unit[i],
                    bsearch(&tree->unit[i], tree->before, tree->n_before,
                            sizeof *tree->before, by_key),
                    seconds);
    /* The groups are kept before they are merged: the counters are those of groups. */
    memcpy(tree->before, tree->unit, tree->n * sizeof *tree->unit);
    tree->n_before = tree->n;
    tree->before_ns = mono_ns;
    merge(tree);
    return true;
}
