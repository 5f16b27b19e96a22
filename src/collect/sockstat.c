/* Reads /proc/net/sockstat and sockstat6: one line for each protocol, "TCP: inuse 5
 * orphan 0 tw 0 alloc 7 mem 1", the memory in pages. */
#include "collect/sockstat.h"

#include <unistd.h>

#include "collect/plain.h"
#include "format/scan.h"

enum { USED, TCP, TIME_WAIT, ORPHANS, UDP, MEMORY, ROWS };

static const struct record_metric rows[ROWS] = {
    [USED] = COLLECT_ROW("sockets_used", "", NETWORK, 100, GAUGE, 1,
                         "Sockets of all kinds that programs have open."),
    [TCP] = COLLECT_ROW("sockets_tcp", "", NETWORK, 100, GAUGE, 1, "TCP sockets in use."),
    [TIME_WAIT] = COLLECT_ROW("sockets_time_wait", "", NETWORK, 100, GAUGE, 1,
                              "TCP connections that are over and hold their port still."),
    [ORPHANS] = COLLECT_ROW("sockets_orphaned", "", NETWORK, 100, GAUGE, 1,
                            "TCP connections that no program has any more."),
    [UDP] = COLLECT_ROW("sockets_udp", "", NETWORK, 100, GAUGE, 1, "UDP sockets in use."),
    [MEMORY] =
        COLLECT_ROW("sockets_memory_mb", "MB", NETWORK, 20, GAUGE, 1.0 / (1024 * 1024),
                    "Memory that TCP and UDP hold for data on its way."),
};

/* Where the number behind each word goes; memory is in pages. */
static const struct {
    const char *line, *word;
    size_t offset;
} fields[] = {
    {"sockets:", "used", offsetof(struct collect_sockstat, used)},
    {"TCP:", "inuse", offsetof(struct collect_sockstat, tcp)},
    {"TCP:", "orphan", offsetof(struct collect_sockstat, orphans)},
    {"TCP:", "tw", offsetof(struct collect_sockstat, time_wait)},
    {"TCP:", "mem", offsetof(struct collect_sockstat, tcp_pages)},
    {"UDP:", "inuse", offsetof(struct collect_sockstat, udp)},
    {"UDP:", "mem", offsetof(struct collect_sockstat, udp_pages)},
    {"TCP6:", "inuse", offsetof(struct collect_sockstat, tcp6)},
    {"UDP6:", "inuse", offsetof(struct collect_sockstat, udp6)},
};

enum { FIELDS = sizeof fields / sizeof *fields };

static double *field_at(struct collect_sockstat *sockets, int i)
{
    return (double *)(void *)((char *)sockets + fields[i].offset);
}

void collect_sockstat_clear(struct collect_sockstat *sockets)
{
    for (int i = 0; i < FIELDS; i++)
        *field_at(sockets, i) = NAN;
}

/* Takes the words that are known, whatever stands between them:
 * sockets: used 28
 * TCP: inuse 13 orphan 0 tw 0 alloc 13 mem 0
 * UDP: inuse 0 mem 0
 * and in the other file
 * TCP6: inuse 4 */
void collect_sockstat_parse(const char *text, size_t size,
                            struct collect_sockstat *sockets)
{
    struct format_scan t = format_scan_of(text, size);
    char line[16], word[16];
    uint64_t value;

    if (size == 0)
        return;
    do {
        if (!format_scan_word(&t, line, sizeof line))
            continue;
        while (format_scan_word(&t, word, sizeof word) && format_scan_u64(&t, &value))
            for (int i = 0; i < FIELDS; i++)
                if (strcmp(fields[i].line, line) == 0 &&
                    strcmp(fields[i].word, word) == 0)
                    *field_at(sockets, i) = (double)value;
    } while (format_scan_next_line(&t));
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    enum vd_status status =
        collect_plain_new(out, config, schema, "/proc/net/sockstat", rows, ROWS);

    (void)err;
    if (status == VD_OK)
        collect_plain_add(*out, config, "/proc/net/sockstat6");
    return status;
}

/* Adds up IPv4 and IPv6; a kernel without IPv6 has no second file. */
static double both(double four, double six)
{
    return isnan(six) ? four : four + six;
}

/* Reads the second file also when the first one fails, and tells the first failure. */
static enum vd_status read_sockstat(void *context, struct record_sample *sample,
                                    struct vd_error *err)
{
    struct collect_plain *self = context;
    struct collect_sockstat sockets;
    double page = (double)sysconf(_SC_PAGESIZE);
    enum vd_status status = collect_plain_read(self, err), more;

    collect_sockstat_clear(&sockets);
    collect_sockstat_parse(self->buffer.at, self->buffer.size, &sockets);
    if (status == VD_OK && isnan(sockets.used))
        status = VD_ERR_FORMAT;
    more = collect_plain_read_more(self, 0, err);
    collect_sockstat_parse(self->buffer.at, self->buffer.size, &sockets);
    collect_put(sample, self->id[USED], sockets.used);
    collect_put(sample, self->id[TCP], both(sockets.tcp, sockets.tcp6));
    collect_put(sample, self->id[TIME_WAIT], sockets.time_wait);
    collect_put(sample, self->id[ORPHANS], sockets.orphans);
    collect_put(sample, self->id[UDP], both(sockets.udp, sockets.udp6));
    collect_put(sample, self->id[MEMORY], page * (sockets.tcp_pages + sockets.udp_pages));
    return status == VD_OK ? more : status;
}

const struct collect_type collect_sockstat = {
    .name = "sockstat",
    .summary = "sockets in use, waiting and orphaned",
    .rows = {COLLECT_TABLE(rows)},
    .create = create,
    .read = read_sockstat,
    .destroy = collect_plain_free,
};
