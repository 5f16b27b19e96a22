/* Tables that are compressed. */
#ifndef VD_FORMAT_UNPACK_H
#define VD_FORMAT_UNPACK_H

#include <stdbool.h>

#include "format/input.h"
#include "format/spool.h"

/* A way of compressing; static. */
struct format_packing {
    const char *name;  /* "gzip" */
    const char *begin; /* its first bytes */
    size_t begin_size;
    const char *test; /* what tells whether a file is whole: "gzip -t FILE" */
    /* Unpacks all of the input, which may be several packed texts on end, into the spool.
     * VD_ERR_DATA when it is damaged or ends too early; VD_ERR_UNAVAILABLE when it was
     * not built in. */
    enum vd_status (*unpack)(const struct format_input *in, struct format_spool *spool,
                             struct vd_error *err);
};

/* Which one the input begins as; NULL = none. */
enum vd_status format_packing_of(const struct format_input *in,
                                 const struct format_packing **packing,
                                 struct vd_error *err);

/* Says how an input is damaged; returns VD_ERR_DATA. */
enum vd_status format_packing_damaged(const struct format_input *in,
                                      const struct format_packing *packing,
                                      const char *how, struct vd_error *err);

extern const struct format_packing format_gzip, format_zstd;

#endif
