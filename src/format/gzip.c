/* Unpacks piece by piece, so that a small file that unpacks to a huge one costs no more
 * than the bound. */
#include "format/gzip.h"

#include <stdlib.h>
#include <zlib.h>

/* Sets the size of a piece of the input in bytes, and the mode of zlib. */
enum {
    PIECE = 64 << 10,
    WITH_GZIP_HEAD = 15 + 16, /* zlib's: the largest window, a head of gzip */
};

/* Holds the work of unpacking. The piece makes it large, so it is on the heap. */
struct unpacker {
    const struct format_input *in;
    z_stream z;
    uint64_t offset; /* of the input, behind what zlib was given */
    char *text;      /* owned */
    size_t size, capacity;
    unsigned char piece[PIECE];
};

/* Looks at the first two bytes. A name that ends in .gz proves nothing, and one that does
 * not proves nothing either. */
enum vd_status format_gzip_is(const struct format_input *in, bool *is,
                              struct vd_error *err)
{
    char head[2];
    size_t got;
    enum vd_status status = format_input_read(in, 0, head, sizeof head, &got, err);

    *is = status == VD_OK && got == 2 && head[0] == '\x1f' && head[1] == '\x8b';
    return status;
}

static enum vd_status damaged(const struct unpacker *u, const char *how,
                              struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_DATA, "is it there in full? gzip -t FILE tells",
                        "%s: it is compressed (gzip) and %s", u->in->path, how);
}

/* Doubles the room when it is full. At the bound it stops: a small file may unpack to a
 * huge one. */
static enum vd_status make_room(struct unpacker *u, struct vd_error *err)
{
    size_t capacity = u->capacity == 0 ? PIECE : 2 * u->capacity;
    char *larger;

    if (u->size < u->capacity)
        return VD_OK;
    if (u->capacity == FORMAT_UNPACKED_MAX)
        return vd_error_set(err, VD_ERR_LIMIT, "unpack it: zcat FILE > table.csv",
                            "%s: unpacked it is more than %d MiB, and that is the most "
                            "that is unpacked here",
                            u->in->path, FORMAT_UNPACKED_MAX >> 20);
    larger = realloc(u->text, capacity);
    if (larger == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory to unpack it",
                            u->in->path);
    u->text = larger;
    u->capacity = capacity;
    return VD_OK;
}

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
        size_t room;

        if (status == VD_OK)
            status = make_room(u, err);
        if (status != VD_OK)
            return status;
        if (u->z.avail_in == 0)
            return damaged(u, "ends too early", err);
        room = u->capacity - u->size;
        u->z.next_out = (unsigned char *)u->text + u->size;
        u->z.avail_out = (unsigned)room;
        result = inflate(&u->z, Z_NO_FLUSH);
        u->size += room - u->z.avail_out;
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
            return damaged(u, "damaged", err);
    }
    return VD_OK;
}

/* Unpacks all members: a file of gzip may be several of them, one after another, as log
 * rotation makes them. */
static enum vd_status unpack(struct unpacker *u, struct vd_error *err)
{
    enum vd_status status;

    do {
        status = unpack_member(u, err);
        if (status == VD_OK)
            status = feed(u, err);
        if (status == VD_OK && u->z.avail_in > 0 && inflateReset(&u->z) != Z_OK)
            status = damaged(u, "damaged", err);
    } while (status == VD_OK && u->z.avail_in > 0);
    return status;
}

enum vd_status format_gzip_unpack(const struct format_input *in, char **text,
                                  size_t *size, struct vd_error *err)
{
    struct unpacker *u = calloc(1, sizeof *u);
    enum vd_status status = VD_ERR_MEMORY;

    if (u == NULL || inflateInit2(&u->z, WITH_GZIP_HEAD) != Z_OK) {
        free(u);
        return vd_error_set(err, status, NULL, "%s: no memory to unpack it", in->path);
    }
    u->in = in;
    status = unpack(u, err);
    inflateEnd(&u->z);
    if (status == VD_OK) {
        *text = u->text;
        *size = u->size;
    } else {
        free(u->text);
    }
    free(u);
    return status;
}
