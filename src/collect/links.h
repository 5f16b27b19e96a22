/* What a network link is: a piece of hardware, a line, or something that the machine made
 * of other links and that carries the same bytes again. The kernel says it in the link's
 * folder of /sys; a container often has none, and then the name is all there is. */
#ifndef VD_COLLECT_LINKS_H
#define VD_COLLECT_LINKS_H

#include <stdbool.h>

#include "collect/file.h"

/* In the order in which they are believed to be the way out of the machine: what is of a
 * lower kind runs inside what is of a higher one, when there is any. */
enum collect_link {
    COLLECT_LINK_HIDDEN,  /* comes and goes by the hundred, or listens only: the ends of
                             container links, loopback, radio monitors */
    COLLECT_LINK_BRIDGE,  /* joins links that are there too */
    COLLECT_LINK_TUNNEL,  /* VPN and the like */
    COLLECT_LINK_STACKED, /* VLAN, bond, port of a switch: on another link, mostly */
    COLLECT_LINK_LINE,    /* PPP and its like: a modem of its own, or inside another link
                             (PPPoE); only what goes through it can tell */
    COLLECT_LINK_PLAIN,   /* anything else: the one end that a container has */
    COLLECT_LINK_HARDWARE,
};

/* The places to look at, below a root. */
struct collect_links {
    char class_net[COLLECT_PATH_MAX]; /* "/sys/class/net/" */
    char proc_net[COLLECT_PATH_MAX];  /* "/proc/net/" */
};

void collect_links_init(struct collect_links *links, const char *root);

/* Returns what the link of that name is. It stays that for as long as it lives. */
enum collect_link collect_link_kind(const struct collect_links *links, const char *name);

/* Whether it has a master now: something that takes it as one of several. */
bool collect_link_has_master(const struct collect_links *links, const char *name);

/* Whether that master is hardware itself and counts the same bytes: a virtual function
 * behind a synthetic adapter, a pair made for failover. */
bool collect_link_has_hardware_master(const struct collect_links *links,
                                      const char *name);

/* Whether `upper` says that `lower` is one of the links it is made of. */
bool collect_link_is_over(const struct collect_links *links, const char *upper,
                          const char *lower);

/* Whether the kernel knows lines that run inside other links (PPPoE, L2TP). */
bool collect_links_have_sessions(const struct collect_links *links);

#endif
