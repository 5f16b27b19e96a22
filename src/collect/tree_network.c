/* The file stays open: it belongs to the namespace in which it was opened, and so tells
 * of it even when its last process has ended. A process may change its namespace, as
 * `unshare` and `ip netns exec` do just after the start; then counting begins anew, and
 * the sums go on. */
#include "collect/tree_network.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Identifies the network namespace of a process; 0 when it is gone or someone else's. */
static ino_t space_of(int pid)
{
    struct stat info;
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
    return stat(path, &info) == 0 ? info.st_ino : 0;
}

void collect_tree_network_init(struct collect_tree_network *network, int pid,
                               const char *const *only, size_t n_only)
{
    struct stat info;

    *network = (struct collect_tree_network){.pid = pid, .only = only, .n_only = n_only};
    network->own_space = stat("/proc/self/ns/net", &info) == 0 ? info.st_ino : 0;
    network->space = network->own_space;
    collect_file_init(&network->file, NULL, "/proc/self/net/dev");
    for (int i = 0; i < COLLECT_NET_COUNTERS; i++)
        network->sum[i] = NAN;
}

static bool is_wanted(const struct collect_tree_network *network, const char *name)
{
    for (size_t i = 0; i < network->n_only; i++)
        if (strcmp(network->only[i], name) == 0)
            return true;
    return network->n_only == 0;
}

/* Finds the link, or adds it with zeros; NULL without memory. */
static struct collect_tree_link *link_of(struct collect_tree_network *network,
                                         const char *name)
{
    struct collect_tree_link *link;

    for (size_t i = 0; i < network->n_links; i++)
        if (strcmp(network->link[i].name, name) == 0)
            return &network->link[i];
    if (network->n_links == network->capacity) {
        size_t capacity = network->capacity == 0 ? 8 : 2 * network->capacity;

        link = realloc(network->link, capacity * sizeof *link);
        if (link == NULL)
            return NULL;
        network->link = link;
        network->capacity = capacity;
    }
    link = &network->link[network->n_links++];
    *link = (struct collect_tree_link){.seen = false};
    snprintf(link->name, sizeof link->name, "%s", name);
    return link;
}

/* Adds what a device counted since it was seen last. One that comes while the recording
 * runs counts from 0, and one whose counter fell began anew. */
static void take(struct collect_tree_network *network, const struct collect_net_dev *dev,
                 bool first)
{
    struct collect_tree_link *link = link_of(network, dev->name);

    if (link == NULL)
        return;
    for (int i = 0; i < COLLECT_NET_COUNTERS; i++) {
        double now = dev->counter[i], last = link->last[i];

        if (isnan(now))
            continue;
        if (link->seen || !first)
            network->sum[i] += now < last ? now : now - last;
        link->last[i] = now;
    }
    link->seen = true;
}

/* Opens the file of another namespace, and forgets the devices of the old one. */
static bool follow(struct collect_tree_network *network)
{
    ino_t space = space_of(network->pid);
    char path[64];

    if (space == 0 || space == network->space)
        return network->n_links == 0;
    collect_file_release(&network->file);
    snprintf(path, sizeof path, "/proc/%d/net/dev", network->pid);
    collect_file_init(&network->file, NULL, path);
    network->space = space;
    network->n_links = 0;
    return true;
}

void collect_tree_network_read(struct collect_tree_network *network)
{
    bool first = follow(network);
    struct collect_net_dev dev;
    struct format_scan t;

    if (collect_file_read(&network->file, &network->buffer, NULL) != VD_OK)
        return;
    for (int i = 0; i < COLLECT_NET_COUNTERS; i++)
        network->sum[i] = isnan(network->sum[i]) ? 0 : network->sum[i];
    t = format_scan_of(network->buffer.at, network->buffer.size);
    while (collect_net_dev_next(&t, &dev))
        if (is_wanted(network, dev.name))
            take(network, &dev, first);
}

bool collect_tree_network_is_apart(const struct collect_tree_network *network)
{
    return network->space != network->own_space;
}

void collect_tree_network_release(struct collect_tree_network *network)
{
    collect_file_release(&network->file);
    collect_buffer_release(&network->buffer);
    free(network->link);
}
