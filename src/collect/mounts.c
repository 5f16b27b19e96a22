#include "collect/mounts.h"

#include <string.h>

/* A word with blanks, tabs, newlines and backslashes written as \040 and so on. False
 * when there is none or it does not fit. */
static bool parse_word(struct collect_text *t, char *word, size_t size)
{
    size_t n = 0;

    collect_text_skip_blanks(t);
    while (t->at < t->end && *t->at != ' ' && *t->at != '\t' && *t->at != '\n') {
        unsigned char byte = (unsigned char)*t->at++;

        if (byte == '\\' && t->end - t->at >= 3 && t->at[0] >= '0' && t->at[0] <= '3' &&
            t->at[1] >= '0' && t->at[1] <= '7' && t->at[2] >= '0' && t->at[2] <= '7') {
            byte = (unsigned char)((t->at[0] - '0') * 64 + (t->at[1] - '0') * 8 +
                                   (t->at[2] - '0'));
            t->at += 3;
        }
        if (n + 1 >= size)
            return false;
        word[n++] = (char)byte;
    }
    word[n] = '\0';
    return n > 0;
}

/* /dev/vda1 /media/my\040disk ext4 rw,relatime 0 0 */
static bool parse_line(struct collect_text *t, struct collect_mount *mount)
{
    return parse_word(t, mount->source, sizeof mount->source) &&
           parse_word(t, mount->point, sizeof mount->point) &&
           parse_word(t, mount->type, sizeof mount->type) && mount->point[0] == '/';
}

bool collect_mounts_next(struct collect_text *t, struct collect_mount *mount)
{
    bool good = false;

    while (!good && t->at < t->end) {
        good = parse_line(t, mount);
        collect_text_next_line(t);
    }
    return good;
}

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(word, *list) == 0)
            return true;
    return false;
}

bool collect_mount_is_storage(const struct collect_mount *mount)
{
    static const char *const remote[] = {
        "nfs",        "nfs4", "cifs", "smb3",   "ceph",      "zfs",      "9p", "virtiofs",
        "fuse.sshfs", "afs",  "gpfs", "lustre", "glusterfs", "bcachefs", NULL};
    static const char *const images[] = {"squashfs", "iso9660", "udf", "erofs", NULL};

    if (is_one_of(mount->type, images) || strncmp(mount->source, "/dev/loop", 9) == 0)
        return false;
    /* Containers get single files of the host there: hosts, hostname, resolv.conf. */
    if (strncmp(mount->point, "/etc/", 5) == 0)
        return false;
    if (strncmp(mount->source, "/dev/", 5) == 0 || is_one_of(mount->type, remote))
        return true;
    /* The root of a container. */
    return strcmp(mount->type, "overlay") == 0 && strcmp(mount->point, "/") == 0;
}
