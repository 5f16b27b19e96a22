/* The totals are what enters and leaves the machine, each byte once: bridges, tunnels,
 * bonds and ports of switches carry what a link below them carries already. So the links
 * of the highest kind that is there (collect/links.h) are summed: hardware; in a
 * container the plain end of a link; only where there is nothing else what is mostly made
 * of others. A line (PPP) is summed as well when more came through it than through all of
 * those together, which cannot be when it runs inside one of them.
 */
#include "collect/net_dev.h"

#include <stdio.h>
#include <stdlib.h>

#include "collect/collectors.h"
#include "collect/file.h"
#include "collect/links.h"

#define MIB_OF_BYTE (1.0 / (1024 * 1024))

/* ADAPTERS_MAX and OTHERS_MAX are how many links have metrics. Others have a smaller room
 * of their own, so that the hundreds of a host of containers cannot take that of
 * adapters. */
enum { ROWS = COLLECT_NET_COUNTERS, ADAPTERS_MAX = 256, OTHERS_MAX = 64 };

/* A line's own traffic must exceed what went around it by so much: counters of different
 * links are not read at one moment. */
static const double LINE_FACTOR = 1.25, LINE_BYTES = 65536;

static const struct record_metric rows[ROWS] = {
    [COLLECT_NET_RECV_BYTES] =
        COLLECT_ROW_OF("device", "network_recv_mb", "MB/s", NETWORK, 1, RATE, MIB_OF_BYTE,
                       "Data received.", .is_byte_rate = true),
    [COLLECT_NET_SENT_BYTES] =
        COLLECT_ROW_OF("device", "network_sent_mb", "MB/s", NETWORK, 1, RATE, MIB_OF_BYTE,
                       "Data sent.", .is_byte_rate = true),
    [COLLECT_NET_RECV_PACKETS] =
        COLLECT_ROW_OF("device", "network_recv_packets", "1/s", NETWORK, 1000, RATE, 1,
                       "Packets received."),
    [COLLECT_NET_SENT_PACKETS] = COLLECT_ROW_OF("device", "network_sent_packets", "1/s",
                                                NETWORK, 1000, RATE, 1, "Packets sent."),
    [COLLECT_NET_ERRORS] = COLLECT_ROW_OF("device", "network_errors", "1/s", NETWORK, 1,
                                          RATE, 1, "Packets lost to errors, both ways."),
    [COLLECT_NET_DROPS] = COLLECT_ROW_OF("device", "network_drops", "1/s", NETWORK, 5,
                                         RATE, 1, "Packets dropped, both ways."),
};

struct net_collector {
    struct collect_file file;
    struct collect_buffer buffer;
    struct collect_links links;
    struct collect_devices devices;
    size_t total[ROWS];
};

/* Takes the name, which goes up to the last colon of the line's first word, since names
 * may hold colons ("eth0:1"). */
static bool parse_name(struct format_scan *t, char *name, size_t size)
{
    const char *colon = NULL;
    size_t length;

    format_scan_skip_blanks(t);
    for (const char *c = t->at; c < t->end && *c != ' ' && *c != '\n'; c++)
        if (*c == ':')
            colon = c;
    if (colon == NULL || colon == t->at || *t->at == '\0')
        return false;
    length = (size_t)(colon - t->at);
    if (length > size - 1)
        return false;
    memcpy(name, t->at, length);
    name[length] = '\0';
    t->at = colon + 1;
    return true;
}

/*  eth0: 216011178  4324  0  0  0  0  0  0  180060  2251  0  0  0  0  0  0
 * received: bytes packets errs drop fifo frame compressed multicast; sent: bytes packets
 * errs drop fifo colls carrier compressed. Two lines of headings stand above. Old kernels
 * leave no blank after the colon. */
static bool parse_line(struct format_scan *t, struct collect_net_dev *dev)
{
    double field[12];

    if (!parse_name(t, dev->name, sizeof dev->name))
        return false;
    for (int i = 0; i < 12; i++)
        if (!format_scan_counter(t, &field[i]))
            return false;
    dev->counter[COLLECT_NET_RECV_BYTES] = field[0];
    dev->counter[COLLECT_NET_RECV_PACKETS] = field[1];
    dev->counter[COLLECT_NET_SENT_BYTES] = field[8];
    dev->counter[COLLECT_NET_SENT_PACKETS] = field[9];
    dev->counter[COLLECT_NET_ERRORS] = field[2] + field[10];
    dev->counter[COLLECT_NET_DROPS] = field[3] + field[11];
    return true;
}

bool collect_net_dev_next(struct format_scan *t, struct collect_net_dev *dev)
{
    bool good = false;

    while (!good && t->at < t->end) {
        good = parse_line(t, dev);
        format_scan_next_line(t);
    }
    return good;
}

/* Tells whether the name is that of another link with a number behind it: "eth0.100", a
 * VLAN, beside "eth0". */
static bool is_part_of_another(const struct collect_devices *devices, const char *name)
{
    const char *dot = strrchr(name, '.');
    size_t length = dot == NULL ? 0 : (size_t)(dot - name);

    for (size_t i = 0; i < devices->n && length > 0; i++)
        if (strncmp(devices->at[i].name, name, length) == 0 &&
            devices->at[i].name[length] == '\0')
            return true;
    return false;
}

/* Tells whether another adapter counts what this one carries. Masters come and go while a
 * link lives, so they are looked for on each tick. */
static bool is_behind_hardware(const struct net_collector *self,
                               const struct collect_device *link)
{
    if (!collect_link_has_master(&self->links, link->name))
        return false;
    if (collect_link_has_hardware_master(&self->links, link->name))
        return true;
    for (size_t i = 0; i < self->devices.n; i++)
        if (self->devices.at[i].kind == COLLECT_LINK_HARDWARE &&
            collect_link_is_over(&self->links, self->devices.at[i].name, link->name))
            return true;
    return false;
}

/* Tells whether a link may be one of those that are summed. */
static bool can_carry(const struct net_collector *self, const struct collect_device *link)
{
    switch ((enum collect_link)link->kind) {
    case COLLECT_LINK_HIDDEN:
    case COLLECT_LINK_BRIDGE:
        return false;
    case COLLECT_LINK_HARDWARE:
        return !is_behind_hardware(self, link);
    case COLLECT_LINK_TUNNEL:
    case COLLECT_LINK_STACKED:
    case COLLECT_LINK_LINE:
    case COLLECT_LINK_PLAIN:
        break;
    }
    return !is_part_of_another(&self->devices, link->name);
}

static bool is_line(const struct collect_device *link)
{
    return link->kind == COLLECT_LINK_LINE;
}

/* Adds what the summed links counted on this tick to what went around each line. */
static void measure_around_lines(struct collect_devices *devices)
{
    double grown[ROWS] = {0};

    for (size_t i = 0; i < devices->n; i++)
        for (int k = 0; k < ROWS && devices->at[i].summed; k++)
            grown[k] += fmax(devices->at[i].grown[k], 0); /* unknown adds nothing */
    for (size_t i = 0; i < devices->n; i++)
        for (int k = 0; k < ROWS && is_line(&devices->at[i]); k++)
            devices->at[i].around[k] += grown[k];
}

/* Tells whether a line carried more than could have come through the other links, beyond
 * what may differ because they are not read at one moment. */
static bool exceeds(const struct collect_device *line, int counter)
{
    return line->count[counter] > LINE_FACTOR * line->around[counter] + LINE_BYTES;
}

/* Adds the lines that carry traffic of their own, such as a modem's. One that runs inside
 * another link (PPPoE, L2TP) does not. Sessions are looked for only when there is a line.
 */
static void choose_lines(struct net_collector *self)
{
    bool inside = false, looked = false;

    measure_around_lines(&self->devices);
    for (size_t i = 0; i < self->devices.n; i++) {
        struct collect_device *line = &self->devices.at[i];

        if (!is_line(line) || line->summed)
            continue;
        if (!looked)
            inside = collect_links_have_sessions(&self->links);
        looked = true;
        line->summed = !inside && (exceeds(line, COLLECT_NET_RECV_BYTES) ||
                                   exceeds(line, COLLECT_NET_SENT_BYTES));
    }
}

/* Chooses the links whose sum is the machine's traffic, on each tick, as links come and
 * go. */
static void choose_summed(struct net_collector *self)
{
    struct collect_devices *devices = &self->devices;
    int highest = COLLECT_LINK_BRIDGE;

    for (size_t i = 0; i < devices->n; i++) {
        struct collect_device *link = &devices->at[i];

        link->summed = link->seen && can_carry(self, link);
        if (link->summed && link->kind > highest)
            highest = link->kind;
    }
    for (size_t i = 0; i < devices->n; i++)
        devices->at[i].summed &= devices->at[i].kind == highest;
    choose_lines(self);
}

/* Gives the link metrics while its group has room; false when it has none. A link that
 * found no room is tried again on each tick. */
static bool show(struct record_sample *sample, struct collect_device *link, size_t *shown,
                 size_t max)
{
    if (link->kind == COLLECT_LINK_HIDDEN)
        return true;
    if (!link->shown && *shown < max)
        collect_devices_show(sample, link, rows, ROWS);
    *shown += link->shown;
    return link->shown;
}

/* Gives metrics to links, in two turns: those that have some already keep them, and the
 * others take what room is left. Returns how many links are left out. */
static size_t choose_shown(struct net_collector *self, struct record_sample *sample)
{
    size_t shown[2] = {0}, left_out = 0;

    for (int turn = 0; turn < 2; turn++)
        for (size_t i = 0; i < self->devices.n; i++) {
            struct collect_device *link = &self->devices.at[i];
            bool adapter = link->kind == COLLECT_LINK_HARDWARE;

            if (link->seen && link->shown == (turn == 0))
                left_out += !show(sample, link, &shown[adapter],
                                  adapter ? ADAPTERS_MAX : OTHERS_MAX);
        }
    return left_out;
}

/* Counts one line. The kind of a link is decided when it is seen first, since asking /sys
 * takes several system calls. */
static void take(struct net_collector *self, const struct collect_net_dev *dev)
{
    struct collect_device *link = collect_devices_find(&self->devices, dev->name);

    if (link == NULL)
        return;
    if (!link->known)
        link->kind = (int)collect_link_kind(&self->links, link->name);
    link->known = true;
    collect_devices_count(&self->devices, link, dev->counter, COLLECT_NET_COUNTERS);
}

static void put(struct net_collector *self, struct record_sample *sample)
{
    for (size_t i = 0; i < self->devices.n; i++)
        for (int k = 0; k < ROWS && self->devices.at[i].seen; k++)
            collect_put(sample, self->devices.at[i].id[k], self->devices.at[i].count[k]);
    for (int k = 0; k < ROWS; k++)
        collect_put(sample, self->total[k], self->devices.total[k]);
}

static enum vd_status read_net_dev(void *context, struct record_sample *sample,
                                   struct vd_error *err)
{
    struct net_collector *self = context;
    struct collect_net_dev dev;
    struct format_scan t;
    size_t left_out;
    enum vd_status status = collect_file_read(&self->file, &self->buffer, err);

    if (status != VD_OK)
        return status;
    t = format_scan_of(self->buffer.at, self->buffer.size);
    collect_devices_begin(&self->devices, sample->mono_ns);
    while (collect_net_dev_next(&t, &dev))
        take(self, &dev);
    choose_summed(self);
    collect_devices_sum(&self->devices, COLLECT_NET_COUNTERS);
    left_out = choose_shown(self, sample) + self->devices.left_out;
    put(self, sample);
    collect_devices_end(&self->devices, sample->schema);
    return collect_left_out(err, "network links", left_out);
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct net_collector *self = calloc(1, sizeof *self);

    (void)err;
    if (self == NULL)
        return VD_ERR_MEMORY;
    collect_file_init(&self->file, config->root, "/proc/net/dev");
    collect_links_init(&self->links, config->root);
    collect_add_rows(schema, rows, ROWS, NULL, self->total);
    *out = self;
    return VD_OK;
}

static void destroy(void *context)
{
    struct net_collector *self = context;

    if (self == NULL)
        return;
    collect_file_release(&self->file);
    collect_buffer_release(&self->buffer);
    collect_devices_release(&self->devices);
    free(self);
}

const struct collect_type collect_net_dev = {
    .name = "net_dev",
    .summary = "traffic, errors and drops of network devices",
    .rows = {COLLECT_TABLE(rows)},
    .create = create,
    .read = read_net_dev,
    .destroy = destroy,
};
