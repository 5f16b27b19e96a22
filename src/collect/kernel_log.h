/* Reading what the kernel says of processes that it killed when memory ran out. */
#ifndef VD_COLLECT_KERNEL_LOG_H
#define VD_COLLECT_KERNEL_LOG_H

#include "record.h"

/* Takes one record of /dev/kmsg: "6,339,5140900,-;Out of memory: Killed process 123
 * (name) total-vm:..." into *killed. False when it tells of no such thing, or is not the
 * kernel's own: root may write there, too. */
bool collect_kernel_log_parse(const char *record, size_t size,
                              struct record_killed *killed);

#endif
