/* Unpacks Zstandard piece by piece. */
#include <stdlib.h>
#include <zstd.h>

#include "format/unpack.h"

/* Sets the size of a piece in bytes, and what a window may take: 128 MiB, as zstd(1)
 * without its option --long. */
enum { PIECE = 128 << 10, WINDOW_LOG_MAX = 27 };

/* Holds the work of unpacking. */
struct unpacker {
    const struct format_input *in;
    struct format_spool *spool;
    ZSTD_DStream *stream;
    char piece[PIECE], out[PIECE];
};

/* Unpacks one piece of the input. *left is 0 where a frame is whole. */
static enum vd_status unpack_piece(struct unpacker *u, size_t size, size_t *left,
                                   struct vd_error *err)
{
    ZSTD_inBuffer from = {u->piece, size, 0};
    enum vd_status status = VD_OK;
    bool full = true;

    while (status == VD_OK && (from.pos < from.size || (full && *left != 0))) {
        ZSTD_outBuffer to = {u->out, PIECE, 0};

        *left = ZSTD_decompressStream(u->stream, &to, &from);
        if (ZSTD_isError(*left))
            return format_packing_damaged(u->in, &format_zstd, ZSTD_getErrorName(*left),
                                          err);
        status = format_spool_put(u->spool, u->out, to.pos, err);
        full = to.pos == to.size;
    }
    return status;
}

/* Unpacks all frames, which may be several on end. */
static enum vd_status unpack_all(struct unpacker *u, struct vd_error *err)
{
    enum vd_status status = VD_OK;
    size_t left = 1, got = 1;

    for (uint64_t offset = 0; got > 0; offset += got) {
        status = format_input_read(u->in, offset, u->piece, PIECE, &got, err);
        if (status == VD_OK && got > 0)
            status = unpack_piece(u, got, &left, err);
        if (status != VD_OK)
            return status;
    }
    return left == 0 ? VD_OK
                     : format_packing_damaged(u->in, &format_zstd, "ends too early", err);
}

static enum vd_status unpack(const struct format_input *in, struct format_spool *spool,
                             struct vd_error *err)
{
    struct unpacker *u = calloc(1, sizeof *u);
    enum vd_status status;

    if (u != NULL)
        u->stream = ZSTD_createDStream();
    if (u == NULL || u->stream == NULL) {
        free(u);
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory to unpack it",
                            in->path);
    }
    u->in = in;
    u->spool = spool;
    ZSTD_DCtx_setParameter(u->stream, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    status = unpack_all(u, err);
    ZSTD_freeDStream(u->stream);
    free(u);
    return status;
}

const struct format_packing format_zstd = {
    .name = "zstd",
    .begin = "\x28\xb5\x2f\xfd",
    .begin_size = 4,
    .test = "zstd -t FILE",
    .unpack = unpack,
};
