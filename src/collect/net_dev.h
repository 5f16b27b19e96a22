/* /proc/net/dev: traffic of network devices. */
#ifndef VD_COLLECT_NET_DEV_H
#define VD_COLLECT_NET_DEV_H

#include "collect/devices.h"
#include "format/scan.h"

enum {
    COLLECT_NET_RECV_BYTES,
    COLLECT_NET_SENT_BYTES,
    COLLECT_NET_RECV_PACKETS,
    COLLECT_NET_SENT_PACKETS,
    COLLECT_NET_ERRORS, /* both ways */
    COLLECT_NET_DROPS,
    COLLECT_NET_COUNTERS
};

struct collect_net_dev {
    char name[RECORD_LABEL_MAX];
    double counter[COLLECT_NET_COUNTERS]; /* since the device appeared; NaN = not told */
};

/* The next well-formed line; false at the end of the text. */
bool collect_net_dev_next(struct format_scan *t, struct collect_net_dev *dev);

#endif
