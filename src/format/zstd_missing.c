/* Stands in for Zstandard where its library was not there when this was built. */
#include "format/unpack.h"

static enum vd_status unpack(const struct format_input *in, struct format_spool *spool,
                             struct vd_error *err)
{
    (void)spool;
    return vd_error_set(
        err, VD_ERR_UNAVAILABLE, "unpack it: zstdcat FILE | vedette ... -",
        "%s: it is compressed (zstd), and this was built without libzstd", in->path);
}

const struct format_packing format_zstd = {
    .name = "zstd",
    .begin = "\x28\xb5\x2f\xfd",
    .begin_size = 4,
    .test = "zstd -t FILE",
    .unpack = unpack,
};
