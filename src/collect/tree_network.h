/* The traffic of the network devices that a tree of processes sees, since the recording
 * began. It is that of the devices, not of the processes: the kernel counts no other.
 * Only in a network namespace of its own nobody else uses them. */
#ifndef VD_COLLECT_TREE_NETWORK_H
#define VD_COLLECT_TREE_NETWORK_H

#include <sys/types.h>

#include "collect/file.h"
#include "collect/net_dev.h"

struct collect_tree_link {
    char name[RECORD_LABEL_MAX];
    double last[COLLECT_NET_COUNTERS]; /* of the device */
    bool seen;
};

struct collect_tree_network {
    int pid;                  /* whose namespace */
    const char *const *only;  /* names of devices; borrowed */
    size_t n_only;            /* 0 = all */
    ino_t own_space, space;   /* this process's network namespace, and that of `pid` */
    struct collect_file file; /* net/dev in that namespace */
    struct collect_buffer buffer;
    struct collect_tree_link *link; /* owned */
    size_t n_links, capacity;
    double sum[COLLECT_NET_COUNTERS]; /* NaN = nothing could be read yet */
};

void collect_tree_network_init(struct collect_tree_network *network, int pid,
                               const char *const *only, size_t n_only);

/* Brings the sums up to date. When the process is gone, those of its devices go on. */
void collect_tree_network_read(struct collect_tree_network *network);

/* Whether the devices are those of a namespace that this process is not in. */
bool collect_tree_network_is_apart(const struct collect_tree_network *network);

void collect_tree_network_release(struct collect_tree_network *network);

#endif
