/* What the kernel says of a link comes first: its type, the kind of its address, its
 * folder in /sys. Without that its name decides, by a table of patterns; and a name that
 * says that the link repeats what others carry is believed before a guess of the
 * kernel's. */
#include "collect/links.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Bytes: names of links have 15 at most, their uevent files a few lines. */
enum { NAME_ROOM = 256 };

/* Translates the kernel's word for what a link is (DEVTYPE in its uevent). */
static const struct {
    const char *type;
    enum collect_link kind;
} types[] = {
    {"bridge", COLLECT_LINK_BRIDGE},    {"bond", COLLECT_LINK_STACKED},
    {"team", COLLECT_LINK_STACKED},     {"vlan", COLLECT_LINK_STACKED},
    {"macvlan", COLLECT_LINK_STACKED},  {"macvtap", COLLECT_LINK_STACKED},
    {"ipvlan", COLLECT_LINK_STACKED},   {"ipvtap", COLLECT_LINK_STACKED},
    {"dsa", COLLECT_LINK_STACKED},      {"macsec", COLLECT_LINK_STACKED},
    {"hsr", COLLECT_LINK_STACKED},      {"batadv", COLLECT_LINK_STACKED},
    {"vxlan", COLLECT_LINK_TUNNEL},     {"geneve", COLLECT_LINK_TUNNEL},
    {"bareudp", COLLECT_LINK_TUNNEL},   {"gre", COLLECT_LINK_TUNNEL},
    {"wireguard", COLLECT_LINK_TUNNEL}, {"amneziawg", COLLECT_LINK_TUNNEL},
    {"ppp", COLLECT_LINK_LINE},         {"wwan", COLLECT_LINK_HARDWARE},
};

/* Translates names; the first pattern that fits counts, so the special ones stand before
 * the general. '#' stands for digits up to the end and '$' for the end; without them the
 * name may go on as it likes. */
static const struct {
    const char *pattern;
    enum collect_link kind;
} names[] = {
    {"wwan", COLLECT_LINK_HARDWARE},
    {"lo$", COLLECT_LINK_HIDDEN},
    {"veth", COLLECT_LINK_HIDDEN},
    {"ifb", COLLECT_LINK_HIDDEN},
    {"dummy", COLLECT_LINK_HIDDEN},
    {"nlmon", COLLECT_LINK_HIDDEN},
    {"mon#", COLLECT_LINK_HIDDEN},
    {"teql", COLLECT_LINK_HIDDEN},
    {"docker", COLLECT_LINK_HIDDEN},
    {"virbr", COLLECT_LINK_HIDDEN},
    {"vnet#", COLLECT_LINK_HIDDEN},
    {"vif", COLLECT_LINK_HIDDEN},
    {"tap#", COLLECT_LINK_TUNNEL},
    {"tap", COLLECT_LINK_HIDDEN},
    {"fwbr", COLLECT_LINK_HIDDEN},
    {"fwpr", COLLECT_LINK_HIDDEN},
    {"fwln", COLLECT_LINK_HIDDEN},
    {"cni", COLLECT_LINK_HIDDEN},
    {"flannel", COLLECT_LINK_HIDDEN},
    {"cali", COLLECT_LINK_HIDDEN},
    {"cilium", COLLECT_LINK_HIDDEN},
    {"lxc_health", COLLECT_LINK_HIDDEN},
    {"antrea", COLLECT_LINK_HIDDEN},
    {"azv", COLLECT_LINK_HIDDEN},
    {"kube-", COLLECT_LINK_HIDDEN},
    {"nodelocaldns", COLLECT_LINK_HIDDEN},
    {"ovs-", COLLECT_LINK_HIDDEN},
    {"br-", COLLECT_LINK_BRIDGE},
    {"podman#", COLLECT_LINK_BRIDGE},
    {"weave", COLLECT_LINK_BRIDGE},
    {"vxlan", COLLECT_LINK_TUNNEL},
    {"genev", COLLECT_LINK_TUNNEL},
    {"gre#", COLLECT_LINK_TUNNEL},
    {"gretap", COLLECT_LINK_TUNNEL},
    {"erspan", COLLECT_LINK_TUNNEL},
    {"sit#", COLLECT_LINK_TUNNEL},
    {"ip6tnl", COLLECT_LINK_TUNNEL},
    {"ip6gre", COLLECT_LINK_TUNNEL},
    {"ip6_vti", COLLECT_LINK_TUNNEL},
    {"ip_vti", COLLECT_LINK_TUNNEL},
    {"tunl", COLLECT_LINK_TUNNEL},
    {"tun", COLLECT_LINK_TUNNEL},
    {"utun", COLLECT_LINK_TUNNEL},
    {"wg", COLLECT_LINK_TUNNEL},
    {"awg", COLLECT_LINK_TUNNEL},
    {"wt#", COLLECT_LINK_TUNNEL},
    {"zt", COLLECT_LINK_TUNNEL},
    {"tailscale", COLLECT_LINK_TUNNEL},
    {"nordlynx", COLLECT_LINK_TUNNEL},
    {"nordtun", COLLECT_LINK_TUNNEL},
    {"proton", COLLECT_LINK_TUNNEL},
    {"mullvad", COLLECT_LINK_TUNNEL},
    {"cscotun", COLLECT_LINK_TUNNEL},
    {"gpd#", COLLECT_LINK_TUNNEL},
    {"vpn", COLLECT_LINK_TUNNEL},
    {"nebula", COLLECT_LINK_TUNNEL},
    {"ham#", COLLECT_LINK_TUNNEL},
    {"tinc", COLLECT_LINK_TUNNEL},
    {"CloudflareWARP", COLLECT_LINK_TUNNEL},
    {"warp", COLLECT_LINK_TUNNEL},
    {"ipsec", COLLECT_LINK_TUNNEL},
    {"vti", COLLECT_LINK_TUNNEL},
    {"xfrm", COLLECT_LINK_TUNNEL},
    {"l2tp", COLLECT_LINK_TUNNEL},
    {"he-ipv6", COLLECT_LINK_TUNNEL},
    {"6to4", COLLECT_LINK_TUNNEL},
    {"teredo", COLLECT_LINK_TUNNEL},
    {"bond", COLLECT_LINK_STACKED},
    {"team", COLLECT_LINK_STACKED},
    {"vlan", COLLECT_LINK_STACKED},
    {"macvlan", COLLECT_LINK_STACKED},
    {"macvtap", COLLECT_LINK_STACKED},
    {"macsec", COLLECT_LINK_STACKED},
    {"mv-", COLLECT_LINK_STACKED},
    {"ipvl", COLLECT_LINK_STACKED},
    {"iv-", COLLECT_LINK_STACKED},
    {"bat#", COLLECT_LINK_STACKED},
    {"hsr#", COLLECT_LINK_STACKED},
    {"qmimux#", COLLECT_LINK_STACKED},
    {"ppp", COLLECT_LINK_LINE},
    {"sl#", COLLECT_LINK_LINE},
    {"slip#", COLLECT_LINK_LINE},
    {"rmnet", COLLECT_LINK_LINE},
    {"ccmni", COLLECT_LINK_LINE},
};

/* Types of hardware addresses, as ARPHRD_* in the kernel's if_arp.h numbers them. */
enum { TYPE_SLIP = 256, TYPE_SLIP_LAST = 259, TYPE_PPP = 512 };
enum { TYPE_LOOPBACK = 772, TYPE_RADIO = 801, TYPE_RADIO_LAST = 803, TYPE_NETLINK = 824 };

void collect_links_init(struct collect_links *links, const char *root)
{
    collect_path(links->class_net, root, "/sys/class/net/", NULL);
    collect_path(links->proc_net, root, "/proc/net/", NULL);
}

/* Joins folder, name and entry to a path; false when it does not fit. */
static bool place(char out[COLLECT_PATH_MAX], const char *folder, const char *name,
                  const char *entry)
{
    int length = snprintf(out, COLLECT_PATH_MAX, "%s%s%s", folder, name, entry);

    return length >= 0 && length < COLLECT_PATH_MAX;
}

static bool has(const char *folder, const char *name, const char *entry)
{
    char path[COLLECT_PATH_MAX];
    struct stat info;

    return place(path, folder, name, entry) && stat(path, &info) == 0;
}

static long read_entry(const struct collect_links *links, const char *name,
                       const char *entry, char *text, size_t size)
{
    char path[COLLECT_PATH_MAX];

    text[0] = '\0';
    return place(path, links->class_net, name, entry)
               ? collect_file_small(path, text, size)
               : -1;
}

static bool all_digits(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++)
        if (!isdigit((unsigned char)*text))
            return false;
    return true;
}

/* Compares a name with a pattern of the table above. */
static bool fits(const char *name, const char *pattern)
{
    size_t length = strcspn(pattern, "#$");

    if (strncmp(name, pattern, length) != 0)
        return false;
    return pattern[length] == '#' ? all_digits(name + length)
                                  : pattern[length] == '\0' || name[length] == '\0';
}

/* Knows names such as "br0", "lxdbr0" and "vmbr12": many programs call their bridges so.
 */
static bool is_named_bridge(const char *name)
{
    size_t length = strlen(name);

    while (length > 0 && isdigit((unsigned char)name[length - 1]))
        length--;
    return name[length] != '\0' && length >= 2 &&
           strncmp(name + length - 2, "br", 2) == 0;
}

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);

    return length > tail && strcmp(name + length - tail, end) == 0;
}

/* Guesses what a link is by its name. "mon" at the end is a radio that listens, a copy of
 * what another link receives ("wlan0mon"). */
static enum collect_link kind_by_name(const char *name)
{
    if (strchr(name, ':') != NULL) /* a second address of a link, in old kernels */
        return COLLECT_LINK_HIDDEN;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (fits(name, names[i].pattern))
            return names[i].kind;
    if (is_named_bridge(name))
        return COLLECT_LINK_BRIDGE;
    return ends_with(name, "mon") ? COLLECT_LINK_HIDDEN : COLLECT_LINK_PLAIN;
}

/* Decides by the type that the kernel tells in the link's uevent, which is
 * INTERFACE=lan1 / IFINDEX=3 / DEVTYPE=dsa */
static bool kind_by_type(const struct collect_links *links, const char *name,
                         enum collect_link *kind)
{
    char text[NAME_ROOM], *type;

    read_entry(links, name, "/uevent", text, sizeof text);
    type = strstr(text, "DEVTYPE=");
    if (type == NULL || (type != text && type[-1] != '\n'))
        return false;
    type += strlen("DEVTYPE=");
    type[strcspn(type, "\n")] = '\0';
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(type, types[i].type) == 0) {
            *kind = types[i].kind;
            return true;
        }
    return false;
}

/* Tells whether the link is the end of a virtual function that a switch within the
 * adapter holds ("pf0vf3"), or of a part of one ("c1pf0sf7"): its traffic is another
 * link's as well. */
static bool is_representor(const struct collect_links *links, const char *name)
{
    char text[NAME_ROOM];
    const char *pf;

    read_entry(links, name, "/phys_port_name", text, sizeof text);
    pf = strstr(text, "pf");
    return pf != NULL && (strstr(pf, "vf") != NULL || strstr(pf, "sf") != NULL);
}

/* Tells whether the link is the end that a Xen host holds of a guest's link. It has a
 * device as adapters have, but carries what the host's own adapter carries already. */
static bool is_backend(const struct collect_links *links, const char *name)
{
    char text[NAME_ROOM];

    read_entry(links, name, "/device/uevent", text, sizeof text);
    return fits(name, "vif") || strstr(text, "DRIVER=vif\n") != NULL ||
           ends_with(text, "DRIVER=vif");
}

/* Decides by the type of the hardware address. Links of the kinds that listen (a radio's
 * monitor, netlink) show the packets of others. */
static bool kind_by_address(const struct collect_links *links, const char *name,
                            enum collect_link *kind)
{
    char path[COLLECT_PATH_MAX];
    double type =
        place(path, links->class_net, name, "/type") ? collect_file_number(path) : NAN;

    if ((type >= TYPE_RADIO && type <= TYPE_RADIO_LAST) || type == TYPE_LOOPBACK ||
        type == TYPE_NETLINK)
        *kind = COLLECT_LINK_HIDDEN;
    else if ((type >= TYPE_SLIP && type <= TYPE_SLIP_LAST) || type == TYPE_PPP)
        *kind = COLLECT_LINK_LINE;
    else
        return false;
    return true;
}

/* Decides by what the kernel keeps in the link's folder, or in /proc/net for bonds and
 * VLANs. */
static bool kind_by_folder(const struct collect_links *links, const char *name,
                           enum collect_link *kind)
{
    if (has(links->class_net, name, "/device"))
        *kind = is_representor(links, name) || is_backend(links, name)
                    ? COLLECT_LINK_HIDDEN
                    : COLLECT_LINK_HARDWARE;
    else if (has(links->class_net, name, "/bridge"))
        *kind = COLLECT_LINK_BRIDGE;
    else if (has(links->class_net, name, "/tun_flags"))
        *kind = COLLECT_LINK_TUNNEL;
    else if (has(links->class_net, name, "/bonding") ||
             has(links->proc_net, "bonding/", name) ||
             has(links->proc_net, "vlan/", name))
        *kind = COLLECT_LINK_STACKED;
    else
        return false;
    return true;
}

/* Believes the kernel before the name, with one exception: a name that hides the link
 * stands against a kind that says no more than that the link is built on others. */
enum collect_link collect_link_kind(const struct collect_links *links, const char *name)
{
    enum collect_link kind, named = kind_by_name(name);

    if (!kind_by_type(links, name, &kind) && !kind_by_address(links, name, &kind) &&
        !kind_by_folder(links, name, &kind))
        return named;
    return named == COLLECT_LINK_HIDDEN && kind < COLLECT_LINK_LINE ? named : kind;
}

bool collect_link_has_master(const struct collect_links *links, const char *name)
{
    return has(links->class_net, name, "/master");
}

/* The master of an adapter is mostly a bond or a bridge. In virtual machines of Azure and
 * others it is another adapter, which counts the same packets. */
bool collect_link_has_hardware_master(const struct collect_links *links, const char *name)
{
    return has(links->class_net, name, "/master/device");
}

bool collect_link_is_over(const struct collect_links *links, const char *upper,
                          const char *lower)
{
    char entry[NAME_ROOM];
    int length = snprintf(entry, sizeof entry, "/lower_%s", lower);

    return length < (int)sizeof entry && has(links->class_net, upper, entry);
}

/* Tells whether the file lists anything below its `head` lines of headings, as in
 * Id       Address              Device
 * 00000007 aa:bb:cc:dd:ee:ff    eth0 */
static bool lists_any(const struct collect_links *links, const char *name, size_t head)
{
    char path[COLLECT_PATH_MAX], text[1024];
    size_t lines = 0;

    if (!place(path, links->proc_net, name, "") ||
        collect_file_small(path, text, sizeof text) <= 0)
        return false;
    for (const char *c = text; *c != '\0'; c += strcspn(c, "\n"), c += *c == '\n')
        lines++;
    return lines > head;
}

/* Each file begins with headings, of one line and of three; what stands below is a
 * session that runs inside another link. */
bool collect_links_have_sessions(const struct collect_links *links)
{
    return lists_any(links, "pppoe", 1) || lists_any(links, "pppol2tp", 3);
}
