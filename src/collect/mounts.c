/* Parses the lines of /proc/mounts, whose words have blanks as \040, and knows by lists
 * of types which of them are images, memory, or views of something else. */
#include "collect/mounts.h"

#include <string.h>

/* Takes the next word, in which the kernel writes blanks, tabs, newlines and backslashes
 * as \040 and so on; false when there is none. What does not fit is cut off and *fits
 * becomes false, as a path that is cut leads elsewhere. A NUL within the word is no path
 * of the kernel's. */
static bool parse_word(struct format_scan *t, char *word, size_t size, bool *fits)
{
    size_t n = 0;

    format_scan_skip_blanks(t);
    while (t->at < t->end && *t->at != ' ' && *t->at != '\t' && *t->at != '\n') {
        unsigned char byte = (unsigned char)*t->at++;

        if (byte == '\\' && t->end - t->at >= 3 && t->at[0] >= '0' && t->at[0] <= '3' &&
            t->at[1] >= '0' && t->at[1] <= '7' && t->at[2] >= '0' && t->at[2] <= '7') {
            byte = (unsigned char)((t->at[0] - '0') * 64 + (t->at[1] - '0') * 8 +
                                   (t->at[2] - '0'));
            t->at += 3;
        }
        if (n + 1 < size)
            word[n++] = (char)byte;
        else
            *fits = false;
    }
    word[n] = '\0';
    return n > 0 && memchr(word, '\0', n) == NULL;
}

/* Takes source, point, type, and whether it is read-only, of a line such as
 * /dev/vda1 /media/my\040disk ext4 rw,relatime 0 0 */
static bool parse_line(struct format_scan *t, struct collect_mount *mount, bool *fits)
{
    char options[4];
    bool whole = true;

    if (!parse_word(t, mount->source, sizeof mount->source, fits) ||
        !parse_word(t, mount->point, sizeof mount->point, fits) ||
        !parse_word(t, mount->type, sizeof mount->type, fits) || mount->point[0] != '/')
        return false;
    mount->read_only = parse_word(t, options, sizeof options, &whole) &&
                       strncmp(options, "ro", 2) == 0 &&
                       (options[2] == '\0' || options[2] == ',');
    return true;
}

bool collect_mounts_next(struct format_scan *t, struct collect_mount *mount,
                         size_t *too_long)
{
    while (t->at < t->end) {
        bool fits = true, good = parse_line(t, mount, &fits);

        format_scan_next_line(t);
        if (good && fits)
            return true;
        if (too_long != NULL)
            *too_long += good;
    }
    return false;
}

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(word, *list) == 0)
            return true;
    return false;
}

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* Tells of images, which are full from the beginning and never change. */
static bool is_image(const struct collect_mount *mount)
{
    static const char *const images[] = {"squashfs",
                                         "iso9660",
                                         "udf",
                                         "erofs",
                                         "cramfs",
                                         "romfs",
                                         "fuse.snapfuse",
                                         "fuse.squashfuse",
                                         "fuse.fuseiso",
                                         "fuse.squashfuse_ll",
                                         "fuse.archivemount",
                                         NULL};

    return is_one_of(mount->type, images) || strstr(mount->type, "AppImage") != NULL ||
           (begins_with(mount->source, "/dev/loop") && mount->read_only);
}

/* Tells of file systems that are kept in memory: what they hold counts as memory already.
 */
static bool is_of_memory(const struct collect_mount *mount)
{
    static const char *const memory[] = {"tmpfs", "ramfs", "rootfs", "devtmpfs",
                                         "proc",  "sysfs", NULL};

    return is_one_of(mount->type, memory);
}

/* Tells of file systems of FUSE that only show what is somewhere else, mostly for a
 * desktop: the disk below is listed by itself. */
static bool is_a_view(const struct collect_mount *mount)
{
    static const char *const views[] = {"fuse.gvfsd-fuse",
                                        "fuse.portal",
                                        "fuse.lxcfs",
                                        "fuse.vmware-vmblock",
                                        "fuse.xrdp-chansrv",
                                        "fuse.kio-fuse",
                                        "fuse.bindfs",
                                        "fuse.encfs",
                                        "fuse.gocryptfs",
                                        "fuse.cryfs",
                                        "fuse.rar2fs",
                                        "fuse.fuse-overlayfs",
                                        NULL};

    return is_one_of(mount->type, views);
}

/* Tells of the layers of containers: each is a file system by itself, but all share the
 * space of one pool. */
static bool is_a_layer(const struct collect_mount *mount)
{
    static const char *const folders[] = {
        "/var/lib/docker/zfs/", "/var/lib/docker/btrfs/", "/var/lib/containerd/",
        "/var/lib/containers/storage/"};

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (begins_with(mount->point, folders[i]))
            return true;
    return false;
}

/* Tells of what a server, or the host of a virtual machine, gives: its source is no path
 * of a device. */
static bool is_remote(const struct collect_mount *mount)
{
    static const char *const remote[] = {
        "nfs",          "nfs4",   "cifs",     "smb3",   "smbfs",     "ceph",
        "9p",           "afs",    "gpfs",     "lustre", "glusterfs", "beegfs",
        "beegfs_nodev", "wekafs", "orangefs", "pvfs2",  "panfs",     "virtiofs",
        "vboxsf",       "prl_fs", "drvfs",    "coda",   "davfs",     NULL};

    return is_one_of(mount->type, remote);
}

bool collect_mount_is_storage(const struct collect_mount *mount)
{
    static const char *const pools[] = {"zfs",   "bcachefs", "ubifs",
                                        "jffs2", "yaffs2",   NULL};

    if (is_image(mount) || is_of_memory(mount))
        return false;
    /* A container's may be of any type. */
    if (strcmp(mount->point, "/") == 0)
        return true;
    if (is_a_view(mount) || is_a_layer(mount))
        return false;
    return begins_with(mount->source, "/dev/") || begins_with(mount->type, "fuse.") ||
           is_remote(mount) || is_one_of(mount->type, pools);
}

/* An autofs mount hides nothing: it only waits for the real mount at the same point. */
bool collect_mount_hides(const struct collect_mount *later,
                         const struct collect_mount *mount)
{
    size_t length = strlen(later->point);

    if (strcmp(later->type, "autofs") == 0 || !begins_with(mount->point, later->point))
        return false;
    /* The root is often listed after what was moved into it. */
    return mount->point[length] == '\0' || (mount->point[length] == '/' && length > 1);
}

/* Different file systems of FUSE often have the same source, the name of their program.
 */
bool collect_mount_is_same(const struct collect_mount *a, const struct collect_mount *b)
{
    return strcmp(a->source, b->source) == 0 && strcmp(a->type, b->type) == 0 &&
           strcmp(a->source, "/dev/fuse") != 0 && !begins_with(a->type, "fuse.");
}

/* Returns how much of the source names a server: "nas" of "nas:/export", "//nas" of
 * "//nas/share"; 0 when it names none. */
static size_t server_length(const struct collect_mount *mount)
{
    const char *colon = strstr(mount->source, ":/");

    if (begins_with(mount->source, "//"))
        return 2 + strcspn(mount->source + 2, "/");
    return colon == NULL || mount->source[0] == '/' ? 0 : (size_t)(colon - mount->source);
}

bool collect_mount_same_server(const struct collect_mount *a,
                               const struct collect_mount *b)
{
    size_t length = server_length(a);

    return length > 0 && length == server_length(b) &&
           strncmp(a->source, b->source, length) == 0;
}
