/* Unpacks gzip piece by piece. */
#include <stdlib.h>
#include <zlib.h>

#include "format/unpack.h"

/* Sets the size of a piece in bytes, and the mode of zlib. */
enum {
    PIECE = 64 << 10,
    WITH_GZIP_HEAD = 15 + 16, /* zlib's: the largest window, a head of gzip */
};

/* Holds the work of unpacking. The pieces make it large, so it is on the heap. */
struct unpacker {
    const struct format_input *in;
    struct format_spool *spool;
    z_stream z;
    uint64_t offset; /* of the input, behind what zlib was given */
    unsigned char piece[PIECE], out[PIECE];
};

/* Gives zlib more of the input once it has used up what it was given. At the end of the
 * input it gives nothing, which the caller looks at. */
static enum vd_status feed(struct unpacker *u, struct vd_error *err)
{
    enum vd_status status;
    size_t got;

    if (u->z.avail_in > 0)
        return VD_OK;
    status = format_input_read(u->in, u->offset, (char *)u->piece, PIECE, &got, err);
    if (status != VD_OK)
        return status;
    u->z.next_in = u->piece;
    u->z.avail_in = (unsigned)got;
    u->offset += got;
    return VD_OK;
}

/* Unpacks up to the end of one member. zlib's Z_BUF_ERROR means only that it needs room
 * or input. */
static enum vd_status unpack_member(struct unpacker *u, struct vd_error *err)
{
    int result = Z_OK;

    while (result != Z_STREAM_END) {
        enum vd_status status = feed(u, err);

        if (status != VD_OK)
            return status;
        if (u->z.avail_in == 0)
            return format_packing_damaged(u->in, &format_gzip, "ends too early", err);
        u->z.next_out = u->out;
        u->z.avail_out = PIECE;
        result = inflate(&u->z, Z_NO_FLUSH);
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
            return format_packing_damaged(u->in, &format_gzip, "damaged", err);
        status =
            format_spool_put(u->spool, (const char *)u->out, PIECE - u->z.avail_out, err);
        if (status != VD_OK)
            return status;
    }
    return VD_OK;
}

/* Unpacks all members: a file of gzip may be several of them, one after another, as log
 * rotation makes them. */
static enum vd_status unpack_all(struct unpacker *u, struct vd_error *err)
{
    enum vd_status status;

    do {
        status = unpack_member(u, err);
        if (status == VD_OK)
            status = feed(u, err);
        if (status == VD_OK && u->z.avail_in > 0 && inflateReset(&u->z) != Z_OK)
            status = format_packing_damaged(u->in, &format_gzip, "damaged", err);
    } while (status == VD_OK && u->z.avail_in > 0);
    return status;
}

static enum vd_status unpack(const struct format_input *in, struct format_spool *spool,
                             struct vd_error *err)
{
    struct unpacker *u = calloc(1, sizeof *u);
    enum vd_status status;

    if (u == NULL || inflateInit2(&u->z, WITH_GZIP_HEAD) != Z_OK) {
        free(u);
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory to unpack it",
                            in->path);
    }
    u->in = in;
    u->spool = spool;
    status = unpack_all(u, err);
    inflateEnd(&u->z);
    free(u);
    return status;
}

const struct format_packing format_gzip = {
    .name = "gzip",
    .begin = "\x1f\x8b",
    .begin_size = 2,
    .test = "gzip -t FILE",
    .unpack = unpack,
};
