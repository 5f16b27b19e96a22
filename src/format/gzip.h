/* Tables that are compressed with gzip. */
#ifndef VD_FORMAT_GZIP_H
#define VD_FORMAT_GZIP_H

#include <stdbool.h>

#include "format/input.h"

enum { FORMAT_UNPACKED_MAX = 256 << 20 }; /* bytes: what is unpacked is held in memory */

/* Whether the input begins as gzip does. */
enum vd_status format_gzip_is(const struct format_input *in, bool *is,
                              struct vd_error *err);

/* The input unpacked, allocated: all members of it, as gzip itself joins them.
 * VD_ERR_DATA when it is damaged or ends too early, VD_ERR_LIMIT when it is more than
 * FORMAT_UNPACKED_MAX. */
enum vd_status format_gzip_unpack(const struct format_input *in, char **text,
                                  size_t *size, struct vd_error *err);

#endif
