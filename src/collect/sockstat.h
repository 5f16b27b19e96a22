/* /proc/net/sockstat and sockstat6: sockets that exist. */
#ifndef VD_COLLECT_SOCKSTAT_H
#define VD_COLLECT_SOCKSTAT_H

#include <stddef.h>

/* How many there are; NaN = not told. TCP sockets are those with a port, of one family;
 * orphans, waiting ones and memory (pages) are those of both. */
struct collect_sockstat {
    double used;
    double tcp, orphans, time_wait, tcp_pages;
    double udp, udp_pages;
    double tcp6, udp6;
};

/* All fields NaN: before the two files of a tick are parsed one after the other. */
void collect_sockstat_clear(struct collect_sockstat *sockets);

/* Either file; sets the fields that it finds. */
void collect_sockstat_parse(const char *text, size_t size,
                            struct collect_sockstat *sockets);

#endif
