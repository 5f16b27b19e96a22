/* Tells of a /proc in which other users' processes are hidden. What the mount says is not
 * enough: root, a capability or the group of `gid=` see all the same. */
#include "collect/hidden.h"

#include <stdio.h>
#include <string.h>

#include "format/scan.h"

/* Finds what hides processes in the options of a mount, such as
 * rw,nosuid,hidepid=2,gid=27. What follows the last letter or digit of the option is cut,
 * so `option` may be shown as it is. */
static bool find_option(const char *options, char *option, size_t room)
{
    static const char *const harmless[] = {"hidepid=0", "hidepid=off"};
    const char *at = options;

    for (; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, "hidepid=", strlen("hidepid=")) == 0)
            break;
    }
    if (at == NULL)
        return false;
    snprintf(option, room, "%.*s",
             (int)strspn(at, "abcdefghijklmnopqrstuvwxyz=0123456789"), at);
    return strcmp(option, harmless[0]) != 0 && strcmp(option, harmless[1]) != 0;
}

bool collect_hidden_option(const char *text, size_t size, char *option, size_t room)
{
    struct format_scan t = format_scan_of(text, size);
    char point[16], type[16], options[512];
    bool hides = false;

    while (t.at < t.end) {
        if (format_scan_skip_word(&t) && format_scan_word(&t, point, sizeof point) &&
            format_scan_word(&t, type, sizeof type) && strcmp(point, "/proc") == 0 &&
            strcmp(type, "proc") == 0 && format_scan_word(&t, options, sizeof options))
            hides = find_option(options, option, room);
        format_scan_next_line(&t);
    }
    if (!hides)
        option[0] = '\0';
    return hides;
}

void collect_hidden_init(struct collect_hidden *hidden, const char *root)
{
    *hidden = (struct collect_hidden){.recorded = !collect_root_is_live(root)};
    collect_file_init(&hidden->mounts, root, "/proc/mounts");
}

/* Takes process 1 as the witness: it is always there and belongs to root, so a table
 * without it is not whole. A recorded tree may lack it for other reasons, and counts as
 * hidden only when its list of mounts says so. */
void collect_hidden_look(struct collect_hidden *hidden,
                         const struct collect_process_table *table,
                         struct collect_buffer *buffer)
{
    hidden->yes = false;
    hidden->option[0] = '\0';
    if (table->n > 0 && table->own[0].pid == 1)
        return;
    if (collect_file_read(&hidden->mounts, buffer, NULL) == VD_OK)
        hidden->yes = collect_hidden_option(buffer->at, buffer->size, hidden->option,
                                            sizeof hidden->option);
    hidden->yes |= !hidden->recorded;
}

enum vd_status collect_hidden_tell(const struct collect_hidden *hidden,
                                   struct vd_error *err)
{
    if (!hidden->yes)
        return VD_OK;
    return vd_error_set(err, VD_ERR_LIMIT,
                        "let /proc be mounted with gid=GROUP and vedette run in GROUP "
                        "(for the service: SupplementaryGroups=GROUP)",
                        "other users' processes are hidden (%s): the process behind an "
                        "event may be missing from its suspects",
                        hidden->option[0] != '\0' ? hidden->option
                                                  : "/proc/1 cannot be read");
}

void collect_hidden_release(struct collect_hidden *hidden)
{
    collect_file_release(&hidden->mounts);
}
