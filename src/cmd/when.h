/* Points in time on the command line. */
#ifndef VD_CMD_WHEN_H
#define VD_CMD_WHEN_H

#include <stdint.h>

#include "vedette/status.h"

/* What may be written, for the help of an option. */
#define CMD_WHEN_HELP                                                                    \
    "\"2026-11-21 03:10\" (local, or with an offset as this program writes times), "     \
    "\"03:10\" (today), \"10min\" (ago), \"yesterday\", or seconds since 1970"

/* Reads the value of `option` ("--since") as a time: ISO 8601 and its like, a time of day
 * today, a duration before `now_ns`, now, today, yesterday (at midnight), or Unix time.
 * What names no zone is local. VD_ERR_ARGUMENT names the option. */
enum vd_status cmd_when(const char *option, const char *text, int64_t now_ns,
                        int64_t *time_ns, struct vd_error *err);

#endif
