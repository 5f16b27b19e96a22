/* The totals are those of the hardware: bridges, tunnels and bonds carry the same bytes
 * again. A container has no hardware; there every device but loopback and those that are
 * virtual by their name counts. Ends of container links (veth) come and go by the hundred
 * and get no metrics of their own.
 */
#include "collect/net_dev.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "collect/collectors.h"
#include "collect/file.h"

#define MIB_OF_BYTE (1.0 / (1024 * 1024))

enum { ROWS = COLLECT_NET_COUNTERS, SHOWN_MAX = 64 };

static const struct record_metric rows[ROWS] = {
    [COLLECT_NET_RECV_BYTES] = COLLECT_ROW_OF("device", "network_recv_mb", "MB/s", RATE,
                                              MIB_OF_BYTE, "Data received."),
    [COLLECT_NET_SENT_BYTES] = COLLECT_ROW_OF("device", "network_sent_mb", "MB/s", RATE,
                                              MIB_OF_BYTE, "Data sent."),
    [COLLECT_NET_RECV_PACKETS] = COLLECT_ROW_OF("device", "network_recv_packets", "1/s",
                                                RATE, 1, "Packets received."),
    [COLLECT_NET_SENT_PACKETS] =
        COLLECT_ROW_OF("device", "network_sent_packets", "1/s", RATE, 1, "Packets sent."),
    [COLLECT_NET_ERRORS] = COLLECT_ROW_OF("device", "network_errors", "1/s", RATE, 1,
                                          "Packets lost to errors, both ways."),
    [COLLECT_NET_DROPS] = COLLECT_ROW_OF("device", "network_drops", "1/s", RATE, 1,
                                         "Packets dropped, both ways."),
};

struct net_collector {
    struct collect_file file;
    struct collect_buffer buffer;
    char class_net[COLLECT_PATH_MAX]; /* "/sys/class/net/" below the root */
    struct collect_devices devices;
    size_t shown;
    bool has_hardware;
    size_t total[ROWS];
};

/* Up to the last colon of the line's first word: names may hold colons ("eth0:1"). */
static bool parse_name(struct collect_text *t, char *name, size_t size)
{
    const char *colon = NULL;
    size_t length;

    collect_text_skip_blanks(t);
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
static bool parse_line(struct collect_text *t, struct collect_net_dev *dev)
{
    uint64_t field[12];

    if (!parse_name(t, dev->name, sizeof dev->name))
        return false;
    for (int i = 0; i < 12; i++)
        if (!collect_text_u64(t, &field[i]))
            return false;
    dev->counter[COLLECT_NET_RECV_BYTES] = (double)field[0];
    dev->counter[COLLECT_NET_RECV_PACKETS] = (double)field[1];
    dev->counter[COLLECT_NET_SENT_BYTES] = (double)field[8];
    dev->counter[COLLECT_NET_SENT_PACKETS] = (double)field[9];
    dev->counter[COLLECT_NET_ERRORS] = (double)field[2] + (double)field[10];
    dev->counter[COLLECT_NET_DROPS] = (double)field[3] + (double)field[11];
    return true;
}

bool collect_net_dev_next(struct collect_text *t, struct collect_net_dev *dev)
{
    bool good = false;

    while (!good && t->at < t->end) {
        good = parse_line(t, dev);
        collect_text_next_line(t);
    }
    return good;
}

static bool is_hardware(const struct net_collector *self, const char *name)
{
    char folder[COLLECT_PATH_MAX], device[COLLECT_PATH_MAX];
    struct stat info;

    return collect_path(folder, NULL, self->class_net, name) &&
           collect_path(device, NULL, folder, "/device") && stat(device, &info) == 0;
}

static bool is_named_virtual(const char *name)
{
    static const char *const prefix[] = {
        "lo", "veth", "ifb", "dummy", "docker",  "br-",  "virbr", "tun", "tap",
        "wg", "bond", "sit", "cni",   "flannel", "cali", "vxlan", "gre", "ip6"};

    for (size_t i = 0; i < sizeof prefix / sizeof *prefix; i++)
        if (strncmp(name, prefix[i], strlen(prefix[i])) == 0)
            return true;
    return false;
}

/* The first piece of hardware puts everything else out of the totals. */
static void choose_summed(struct net_collector *self)
{
    for (size_t i = 0; i < self->devices.n; i++) {
        struct collect_device *device = &self->devices.at[i];

        device->summed =
            self->has_hardware ? device->hardware : !is_named_virtual(device->name);
    }
}

static bool is_shown(const struct collect_device *device)
{
    static const char *const shown_prefix[] = {"br-", "bond", "wg", "tun"};

    if (device->hardware || !is_named_virtual(device->name))
        return true;
    for (size_t i = 0; i < sizeof shown_prefix / sizeof *shown_prefix; i++)
        if (strncmp(device->name, shown_prefix[i], strlen(shown_prefix[i])) == 0)
            return true;
    return false;
}

static void look_at(struct net_collector *self, struct record_sample *sample,
                    struct collect_device *device)
{
    device->known = true;
    device->hardware = is_hardware(self, device->name);
    self->has_hardware |= device->hardware;
    choose_summed(self);
    device->shown = self->shown < SHOWN_MAX && is_shown(device);
    self->shown += device->shown;
    if (device->shown)
        collect_add_rows_now(sample, rows, ROWS, device->name, device->id);
}

static void take(struct net_collector *self, struct record_sample *sample,
                 const struct collect_net_dev *dev)
{
    struct collect_device *device = collect_devices_find(&self->devices, dev->name);

    if (device == NULL)
        return;
    if (!device->known)
        look_at(self, sample, device);
    collect_devices_count(&self->devices, device, dev->counter, COLLECT_NET_COUNTERS);
    for (int i = 0; i < ROWS; i++)
        collect_put(sample, device->id[i], dev->counter[i]);
}

static enum vd_status read_net_dev(void *context, struct record_sample *sample,
                                   struct vd_error *err)
{
    struct net_collector *self = context;
    struct collect_net_dev dev;
    struct collect_text t;
    enum vd_status status = collect_file_read(&self->file, &self->buffer, err);

    if (status != VD_OK)
        return status;
    t = collect_text_of(self->buffer.at, self->buffer.size);
    collect_devices_begin(&self->devices);
    while (collect_net_dev_next(&t, &dev))
        take(self, sample, &dev);
    collect_devices_end(&self->devices);
    for (int i = 0; i < ROWS; i++)
        collect_put(sample, self->total[i], self->devices.total[i]);
    return VD_OK;
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct net_collector *self = calloc(1, sizeof *self);

    (void)err;
    if (self == NULL)
        return VD_ERR_MEMORY;
    collect_file_init(&self->file, config->root, "/proc/net/dev");
    collect_path(self->class_net, config->root, "/sys/class/net/", NULL);
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
