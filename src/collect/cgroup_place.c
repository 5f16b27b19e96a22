/* Which group is ours, where it is mounted, and what its files say. In a container the
 * path of /proc/self/cgroup may be the host's while the mount shows our own group as its
 * root; what does not exist below the mount is taken as the mount itself.
 */
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/cgroup.h"
#include "format/scan.h"

/* Version 1 writes "no limit" as the largest number of bytes in whole pages, close to
 * 2^63. What is not smaller than this is therefore no limit. */
#define NO_LIMIT 0x1p62

/* Goes past the next `end` on this line and gives the text before it as [*from, *from +
 * *length). False when the line has no such byte; a last line needs no newline. */
static bool part(struct format_scan *t, char end, const char **from, size_t *length)
{
    *from = t->at;
    while (t->at < t->end && *t->at != end && *t->at != '\n')
        t->at++;
    *length = (size_t)(t->at - *from);
    if (t->at == t->end || *t->at != end)
        return end == '\n';
    t->at += end != '\n';
    return true;
}

/* Tells whether `word` is one of a list parted by commas: "cpu" is in "cpu,cpuacct", but
 * not in "cpuacct". */
static bool lists(const char *list, size_t length, const char *word)
{
    size_t size = strlen(word);

    for (size_t i = 0; i + size <= length; i++)
        if ((i == 0 || list[i - 1] == ',') && memcmp(list + i, word, size) == 0 &&
            (i + size == length || list[i + size] == ','))
            return true;
    return false;
}

/* Makes a string of a part of the text; false when it does not fit, as half a path would
 * name another folder. */
static bool copy(char out[COLLECT_PATH_MAX], const char *from, size_t length)
{
    if (length >= COLLECT_PATH_MAX)
        return false;
    memcpy(out, from, length);
    out[length] = '\0';
    return true;
}

/* Finds the group of a controller ("" = version 2) in lines such as
 * 4:memory:/docker/3601745b3bd5
 * 0::/system.slice/nginx.service */
bool collect_cgroup_path(const char *text, size_t size, const char *controller,
                         char path[COLLECT_PATH_MAX])
{
    struct format_scan t = format_scan_of(text, size);

    if (size == 0)
        return false;
    do {
        const char *number, *names, *group;
        size_t digits, length, rest;

        if (!part(&t, ':', &number, &digits) || !part(&t, ':', &names, &length))
            continue;
        part(&t, '\n', &group, &rest);
        if ((controller[0] == '\0' && length == 0) ||
            (controller[0] != '\0' && lists(names, length, controller)))
            return rest > 0 && group[0] == '/' && copy(path, group, rest);
    } while (format_scan_next_line(&t));
    return false;
}

/* The words of one line of mountinfo that matter. */
struct mount_line {
    const char *shown, *point, *type, *options;
    size_t shown_length, point_length, type_length, options_length;
};

static bool next_word(struct format_scan *t, const char **word, size_t *length)
{
    format_scan_skip_blanks(t);
    *word = t->at;
    if (!format_scan_skip_word(t))
        return false;
    *length = (size_t)(t->at - *word);
    return true;
}

/* Takes the words that matter out of one line of mountinfo:
 * 35 31 0:32 /docker/36 /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup
 * rw,memory
 */
static bool parse_mount(struct format_scan *t, struct mount_line *line)
{
    const char *word;
    size_t length = 0;

    for (int i = 0; i < 3; i++)
        if (!next_word(t, &word, &length))
            return false;
    /* Any number of optional fields follow the options of the mount; a lone hyphen ends
     * them, and the type stands behind it. */
    if (!next_word(t, &line->shown, &line->shown_length) ||
        !next_word(t, &line->point, &line->point_length))
        return false;
    do
        if (!next_word(t, &word, &length))
            return false;
    while (length != 1 || *word != '-');
    return next_word(t, &line->type, &line->type_length) &&
           next_word(t, &word, &length) &&
           next_word(t, &line->options, &line->options_length);
}

static bool is_type(const struct mount_line *line, const char *type)
{
    return line->type_length == strlen(type) &&
           memcmp(line->type, type, line->type_length) == 0;
}

/* An empty controller stands for version 2, whose one tree has all of them. Of version 1
 * the options of the mount name the controllers. */
bool collect_cgroup_mount(const char *text, size_t size, const char *controller,
                          char point[COLLECT_PATH_MAX], char shown[COLLECT_PATH_MAX])
{
    struct format_scan t = format_scan_of(text, size);
    bool second = controller[0] == '\0';

    if (size == 0)
        return false;
    do {
        struct mount_line line;

        if (!parse_mount(&t, &line) || !is_type(&line, second ? "cgroup2" : "cgroup"))
            continue;
        if (second || lists(line.options, line.options_length, controller))
            return copy(point, line.point, line.point_length) &&
                   copy(shown, line.shown, line.shown_length);
    } while (format_scan_next_line(&t));
    return false;
}

/* Reads a limit in bytes, INFINITY for "max":
 * 536870912
 * max */
double collect_cgroup_limit(const char *text, size_t size)
{
    struct format_scan t = format_scan_of(text, size);
    uint64_t bytes;

    if (format_scan_skip(&t, "max"))
        return INFINITY;
    if (!format_scan_u64(&t, &bytes))
        return NAN;
    return (double)bytes < NO_LIMIT ? (double)bytes : INFINITY;
}

/* Reads a quota and its period, both in microseconds, as cores:
 * 50000 100000
 * max 100000 */
double collect_cgroup_quota(const char *text, size_t size)
{
    struct format_scan t = format_scan_of(text, size);
    uint64_t quota, period;

    if (format_scan_skip(&t, "max"))
        return INFINITY;
    if (!format_scan_u64(&t, &quota) || !format_scan_u64(&t, &period) || period == 0 ||
        quota == 0)
        return NAN;
    return (double)quota / (double)period;
}

double collect_cgroup_value(const char *text, size_t size, const char *key)
{
    struct format_scan t = format_scan_of(text, size);
    uint64_t value;

    if (size == 0)
        return NAN;
    do
        if (format_scan_skip(&t, key) && t.at < t.end && *t.at == ' ')
            return format_scan_u64(&t, &value) ? (double)value : NAN;
    while (format_scan_next_line(&t));
    return NAN;
}

/* ---- finding it ---- */

static bool is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Names the process whose group is asked for, which is this one. Where the living /proc
 * of another machine is mounted below `root`, its link `self` would lead to the watcher's
 * group, so the first process is asked for there. In a recorded tree `self` is a folder.
 */
static const char *subject(const char *root)
{
    char path[COLLECT_PATH_MAX];
    struct stat info;

    return collect_path(path, root, "/proc/self", NULL) && path[0] == '/' &&
                   strcmp(path, "/proc/self") != 0 && lstat(path, &info) == 0 &&
                   S_ISLNK(info.st_mode)
               ? "1"
               : "self";
}

/* Reads a file of that process into the buffer; false when it cannot be read. */
static bool read_process(struct collect_buffer *buffer, const char *root,
                         const char *name)
{
    struct collect_file file;
    char path[64];
    bool good;

    snprintf(path, sizeof path, "/proc/%s/%s", subject(root), name);
    good = collect_file_init(&file, root, path) == VD_OK &&
           collect_file_read(&file, buffer, NULL) == VD_OK;
    collect_file_release(&file);
    return good;
}

/* Finds the folder where control groups are mounted by custom, for want of a list of
 * mounts. Version 1 often has cpu and cpuacct in one folder of both names. */
static bool usual_point(char point[COLLECT_PATH_MAX], const char *root,
                        const char *controller)
{
    static const char *const second[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};
    char first[2][64], whole[COLLECT_PATH_MAX];

    snprintf(first[0], sizeof first[0], "/sys/fs/cgroup/%s", controller);
    snprintf(first[1], sizeof first[1], "/sys/fs/cgroup/%s,cpuacct", controller);
    for (int i = 0; i < 2; i++) {
        const char *path = controller[0] == '\0' ? second[i] : first[i];

        if (collect_path(whole, root, path, NULL) && is_folder(whole))
            return copy(point, path, strlen(path));
    }
    return false;
}

/* Returns the part of `group` below the group that the mount shows as its root, "" when
 * it is not below. "/.." is outside of the container's own namespace. */
static const char *below(const char *group, const char *shown)
{
    size_t length = strlen(shown);

    if (strncmp(group, "/..", 3) == 0)
        return "";
    if (strcmp(shown, "/") == 0)
        return group;
    if (strncmp(group, shown, length) == 0 &&
        (group[length] == '\0' || group[length] == '/'))
        return group + length;
    return "";
}

/* Lists all folders from point/rest up to the point, the group's own first: a limit of
 * each of them holds for the group. */
static void add_levels(struct collect_cgroup_place *place, const char *rest)
{
    char path[COLLECT_PATH_MAX];
    size_t base = strlen(place->point);

    if (!collect_path(path, NULL, place->point, rest) || !is_folder(path))
        snprintf(path, sizeof path, "%s", place->point);
    while (place->n < COLLECT_CGROUP_LEVELS) {
        size_t length = strlen(path);

        while (length > base && path[length - 1] == '/')
            path[--length] = '\0';
        memcpy(place->folder[place->n++], path, length + 1);
        if (length <= base)
            return;
        while (length > base && path[length - 1] != '/')
            path[--length] = '\0';
    }
}

static bool find_version(struct collect_cgroup_place *place, const char *root,
                         const char *controller, struct collect_buffer *buffer)
{
    char group[COLLECT_PATH_MAX], shown[COLLECT_PATH_MAX] = "/", point[COLLECT_PATH_MAX];

    if (!read_process(buffer, root, "cgroup") ||
        !collect_cgroup_path(buffer->at, buffer->size, controller, group))
        return false;
    if ((!read_process(buffer, root, "mountinfo") ||
         !collect_cgroup_mount(buffer->at, buffer->size, controller, point, shown)) &&
        !usual_point(point, root, controller))
        return false;
    if (!collect_path(place->point, root, point, NULL))
        return false;
    place->version = controller[0] == '\0' ? 2 : 1;
    add_levels(place, below(group, shown));
    return true;
}

/* Tries version 1 first: a machine that has both (systemd's hybrid mode) sets its limits
 * there, and keeps the tree of version 2 only to know which process is whose. */
void collect_cgroup_find(struct collect_cgroup_place *place, const char *root,
                         const char *controller, struct collect_buffer *buffer)
{
    place->version = 0;
    place->n = 0;
    if (!find_version(place, root, controller, buffer))
        find_version(place, root, "", buffer);
}
