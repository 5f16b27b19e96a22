/* A table of these files is two lines that begin with the same word: names, then numbers.
 * Columns are found by name, because kernels add new ones in the middle.
 */
#include "collect/netstat.h"

#include "collect/plain.h"
#include "format/scan.h"

enum {
    CONNECTIONS,
    CONNECTS,
    ACCEPTS,
    FAILED,
    RESETS,
    RESETS_SENT,
    RETRANSMITS,
    TIMEOUTS,
    ERRORS,
    LISTEN_OVERFLOWS,
    LISTEN_DROPS,
    UDP_ERRORS,
    UDP_FULL,
    UDP_NO_PORT,
    ROWS
};

static const struct record_metric rows[ROWS] = {
    [CONNECTIONS] = COLLECT_ROW("tcp_connections", "", NETWORK, 50, GAUGE, 1,
                                "TCP connections that are open."),
    [CONNECTS] = COLLECT_ROW("tcp_connects", "1/s", NETWORK, 50, RATE, 1,
                             "TCP connections that programs here began."),
    [ACCEPTS] = COLLECT_ROW("tcp_accepts", "1/s", NETWORK, 50, RATE, 1,
                            "TCP connections that others began to this machine."),
    [FAILED] = COLLECT_ROW("tcp_failed_connects", "1/s", NETWORK, 50, RATE, 1,
                           "TCP connections that never came about."),
    [RESETS] = COLLECT_ROW("tcp_resets", "1/s", NETWORK, 50, RATE, 1,
                           "Open TCP connections that were reset."),
    [RESETS_SENT] = COLLECT_ROW("tcp_resets_sent", "1/s", NETWORK, 50, RATE, 1,
                                "TCP resets sent to others."),
    [RETRANSMITS] = COLLECT_ROW("tcp_retransmits", "1/s", NETWORK, 20, RATE, 1,
                                "TCP segments sent once more."),
    [TIMEOUTS] = COLLECT_ROW("tcp_timeouts", "1/s", NETWORK, 10, RATE, 1,
                             "Times that TCP waited for an answer in vain."),
    [ERRORS] = COLLECT_ROW("tcp_errors", "1/s", NETWORK, 5, RATE, 1,
                           "TCP segments received that were damaged."),
    [LISTEN_OVERFLOWS] =
        COLLECT_ROW("tcp_listen_overflows", "1/s", NETWORK, 1, RATE, 1,
                    "Connections lost because a program did not accept them in time."),
    [LISTEN_DROPS] = COLLECT_ROW("tcp_listen_drops", "1/s", NETWORK, 1, RATE, 1,
                                 "Connections to listening programs that were dropped."),
    [UDP_ERRORS] = COLLECT_ROW("udp_errors", "1/s", NETWORK, 2, RATE, 1,
                               "UDP packets that could not be delivered."),
    [UDP_FULL] = COLLECT_ROW("udp_buffer_errors", "1/s", NETWORK, 2, RATE, 1,
                             "UDP packets lost because a buffer was full."),
    [UDP_NO_PORT] = COLLECT_ROW("udp_no_port", "1/s", NETWORK, 20, RATE, 1,
                                "UDP packets that no program waited for."),
};

struct column {
    const char *table, *name;
    size_t offset;
};

#define COLUMN(TABLE, NAME, FIELD)                                                       \
    {                                                                                    \
        TABLE, NAME, offsetof(struct collect_netstat, FIELD)                             \
    }

/* Of the files snmp and netstat. Columns of one table must stand together (columns_of).
 */
static const struct column columns[] = {
    COLUMN("Tcp:", "CurrEstab", connections),
    COLUMN("Tcp:", "ActiveOpens", connects),
    COLUMN("Tcp:", "PassiveOpens", accepts),
    COLUMN("Tcp:", "AttemptFails", failed),
    COLUMN("Tcp:", "EstabResets", resets),
    COLUMN("Tcp:", "OutRsts", resets_sent),
    COLUMN("Tcp:", "OutSegs", segments_sent),
    COLUMN("Tcp:", "RetransSegs", retransmits),
    COLUMN("Tcp:", "InErrs", errors),
    COLUMN("TcpExt:", "TCPTimeouts", timeouts),
    COLUMN("TcpExt:", "ListenOverflows", listen_overflows),
    COLUMN("TcpExt:", "ListenDrops", listen_drops),
    COLUMN("Udp:", "InErrors", udp_errors),
    COLUMN("Udp:", "NoPorts", udp_no_port),
    COLUMN("Udp:", "RcvbufErrors", udp_receive_full),
    COLUMN("Udp:", "SndbufErrors", udp_send_full),
};

/* Of the file snmp6, which has one name and number on each line. */
static const struct column columns_6[] = {
    COLUMN(NULL, "Udp6InErrors", udp6_errors),
    COLUMN(NULL, "Udp6NoPorts", udp6_no_port),
    COLUMN(NULL, "Udp6RcvbufErrors", udp6_receive_full),
    COLUMN(NULL, "Udp6SndbufErrors", udp6_send_full),
};

enum {
    COLUMNS = sizeof columns / sizeof *columns,
    COLUMNS_6 = sizeof columns_6 / sizeof *columns_6
};

static double *field_of(struct collect_netstat *net, const struct column *column)
{
    return (double *)(void *)((char *)net + column->offset);
}

void collect_netstat_clear(struct collect_netstat *net)
{
    for (int i = 0; i < COLUMNS; i++)
        *field_of(net, &columns[i]) = NAN;
    for (int i = 0; i < COLUMNS_6; i++)
        *field_of(net, &columns_6[i]) = NAN;
}

/* Reads a counter, false at the end of the line. The kernel may print it with a sign
 * (MaxConn is -1): then it is no counter and unknown. */
static bool read_value(struct format_scan *t, double *value)
{
    uint64_t counter;
    bool good;

    format_scan_skip_blanks(t);
    if (t->at < t->end && *t->at == '-') {
        *value = NAN;
        return format_scan_skip_word(t);
    }
    good = format_scan_u64(t, &counter);
    *value = good ? (double)counter : NAN;
    return good || format_scan_skip_word(t);
}

/* Reads the line of names and the line of values side by side, up to the end of the
 * shorter one. Both cursors stand behind the table's name. */
static void parse_table(struct format_scan names, struct format_scan values,
                        const struct column *from, const struct column *to,
                        struct collect_netstat *net)
{
    char name[32];
    double value;

    while (format_scan_word(&names, name, sizeof name) && read_value(&values, &value))
        for (const struct column *column = from; column < to; column++)
            if (strcmp(column->name, name) == 0) {
                *field_of(net, column) = value;
                break;
            }
}

/* Finds the columns of one table, which stand together, from the one returned up to *end;
 * none when it is no table of ours. */
static const struct column *columns_of(const char *table, const struct column **end)
{
    const struct column *from = columns, *last = columns + COLUMNS;

    while (from < last && strcmp(from->table, table) != 0)
        from++;
    for (*end = from; *end < last && strcmp((*end)->table, table) == 0;)
        ++*end;
    return from;
}

/* Takes the columns of all tables that are known. Names and values follow each other:
 * Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails ...
 * Tcp: 1 200 120000 -1 66 3 0 0 12 11166 6754 0 0 78 0
 * Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors ...
 * Udp: 96 0 0 97 0 0 0 0 0 */
void collect_netstat_parse(const char *text, size_t size, struct collect_netstat *net)
{
    struct format_scan t = format_scan_of(text, size), names;
    const struct column *from, *to;
    char table[16];

    while (t.at < t.end) {
        bool named = format_scan_word(&t, table, sizeof table);

        names = t;
        if (!format_scan_next_line(&t) || !named)
            continue;
        from = columns_of(table, &to);
        if (from == to || !format_scan_skip(&t, table))
            continue;
        parse_table(names, t, from, to, net);
        format_scan_next_line(&t);
    }
}

/* Takes the counters of IPv6:
 * Udp6InDatagrams                 	0
 * Udp6NoPorts                     	0
 * Udp6InErrors                    	0 */
void collect_netstat_parse_6(const char *text, size_t size, struct collect_netstat *net)
{
    struct format_scan t = format_scan_of(text, size);
    double value;
    char name[32];

    if (size == 0)
        return;
    do {
        if (!format_scan_skip(&t, "Udp6"))
            continue;
        t.at -= strlen("Udp6");
        if (!format_scan_word(&t, name, sizeof name) || !read_value(&t, &value))
            continue;
        for (int i = 0; i < COLUMNS_6; i++)
            if (strcmp(columns_6[i].name, name) == 0)
                *field_of(net, &columns_6[i]) = value;
    } while (format_scan_next_line(&t));
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    enum vd_status status =
        collect_plain_new(out, config, schema, "/proc/net/snmp", rows, ROWS);

    (void)err;
    if (status != VD_OK)
        return status;
    collect_plain_add(*out, config, "/proc/net/netstat");
    collect_plain_add(*out, config, "/proc/net/snmp6");
    return VD_OK;
}

/* Adds up the counters of IPv4 and IPv6. Where the kernel has no IPv6, IPv4 is all there
 * is. */
static double both(double four, double six)
{
    return isnan(six) ? four : four + six;
}

static void fill(const struct collect_plain *self, struct record_sample *sample,
                 const struct collect_netstat *net)
{
    collect_put(sample, self->id[CONNECTIONS], net->connections);
    collect_put(sample, self->id[CONNECTS], net->connects);
    collect_put(sample, self->id[ACCEPTS], net->accepts);
    collect_put(sample, self->id[FAILED], net->failed);
    collect_put(sample, self->id[RESETS], net->resets);
    collect_put(sample, self->id[RESETS_SENT], net->resets_sent);
    collect_put(sample, self->id[RETRANSMITS], net->retransmits);
    collect_put(sample, self->id[TIMEOUTS], net->timeouts);
    collect_put(sample, self->id[ERRORS], net->errors);
    collect_put(sample, self->id[LISTEN_OVERFLOWS], net->listen_overflows);
    collect_put(sample, self->id[LISTEN_DROPS], net->listen_drops);
    collect_put(sample, self->id[UDP_ERRORS], both(net->udp_errors, net->udp6_errors));
    collect_put(sample, self->id[UDP_FULL],
                both(net->udp_receive_full, net->udp6_receive_full) +
                    both(net->udp_send_full, net->udp6_send_full));
    collect_put(sample, self->id[UDP_NO_PORT], both(net->udp_no_port, net->udp6_no_port));
}

/* Reads all three files even when one fails: the others' numbers are still good. The
 * first failure is told. */
static enum vd_status read_netstat(void *context, struct record_sample *sample,
                                   struct vd_error *err)
{
    struct collect_plain *self = context;
    struct collect_netstat net;
    enum vd_status status = collect_plain_read(self, err), more;

    collect_netstat_clear(&net);
    collect_netstat_parse(self->buffer.at, self->buffer.size, &net);
    if (status == VD_OK && isnan(net.connections))
        status = VD_ERR_FORMAT;
    more = collect_plain_read_more(self, 0, err);
    collect_netstat_parse(self->buffer.at, self->buffer.size, &net);
    status = status == VD_OK ? more : status;
    more = collect_plain_read_more(self, 1, err);
    collect_netstat_parse_6(self->buffer.at, self->buffer.size, &net);
    fill(self, sample, &net);
    return status == VD_OK ? more : status;
}

const struct collect_type collect_netstat = {
    .name = "netstat",
    .summary = "TCP and UDP: connections, retransmits, resets, overflows, errors",
    .rows = {COLLECT_TABLE(rows)},
    .create = create,
    .read = read_netstat,
    .destroy = collect_plain_free,
};
