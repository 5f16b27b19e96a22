/* /proc/net/snmp, netstat and snmp6: what TCP and UDP count. */
#ifndef VD_COLLECT_NETSTAT_H
#define VD_COLLECT_NETSTAT_H

#include <stddef.h>

/* Counters since boot but `connections`, which is how many there are now; NaN = no such
 * column. TCP counts both families together, UDP each by itself. */
struct collect_netstat {
    double connections, connects, accepts, failed, resets, resets_sent;
    double segments_sent, retransmits, errors;
    double timeouts, listen_overflows, listen_drops;
    double udp_errors, udp_no_port, udp_receive_full, udp_send_full;
    double udp6_errors, udp6_no_port, udp6_receive_full, udp6_send_full;
};

/* All fields NaN: before the files of a tick are parsed one after the other. */
void collect_netstat_clear(struct collect_netstat *net);

/* snmp and netstat; sets the fields whose columns it finds. */
void collect_netstat_parse(const char *text, size_t size, struct collect_netstat *net);

/* snmp6; the same. */
void collect_netstat_parse_6(const char *text, size_t size, struct collect_netstat *net);

#endif
