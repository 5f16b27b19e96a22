/* Writing and reading little-endian bytes in memory; files are the program's business.
 *
 * Both sides remember their first failure, so callers check once at the end. The checksum
 * is CRC-32C (Castagnoli, Brauer and Herrmann, IEEE Trans. Communications 41, 1993), bit
 * by bit: models are small and no table is worth its code.
 */
#include "vedette/bytes.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"

void vd_writer_release(struct vd_writer *w)
{
    if (w == NULL)
        return;
    vd__free(w->at);
    *w = (struct vd_writer){0};
}

/* Makes room for `more` bytes by doubling; false = the writer has failed. */
static bool reserve(struct vd_writer *w, size_t more)
{
    size_t capacity = w->capacity == 0 ? 256 : w->capacity;
    uint8_t *at;

    if (w->status != VD_OK)
        return false;
    if (more > SIZE_MAX / 4 || w->size > SIZE_MAX / 4) {
        w->status = VD_ERR_MEMORY;
        return false;
    }
    while (capacity < w->size + more)
        capacity *= 2;
    if (capacity == w->capacity)
        return true;
    at = vd__realloc(w->at, capacity, 1);
    if (at == NULL) {
        w->status = VD_ERR_MEMORY;
        return false;
    }
    w->at = at;
    w->capacity = capacity;
    return true;
}

void vd_write_bytes(struct vd_writer *w, const void *bytes, size_t size)
{
    if (size == 0 || !reserve(w, size))
        return;
    assert(w->size + size <= w->capacity);
    memcpy(w->at + w->size, bytes, size);
    w->size += size;
}

static void write_little_endian(struct vd_writer *w, uint64_t value, size_t size)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    vd_write_bytes(w, bytes, size);
}

void vd_write_u8(struct vd_writer *w, uint8_t value)
{
    write_little_endian(w, value, 1);
}

void vd_write_u32(struct vd_writer *w, uint32_t value)
{
    write_little_endian(w, value, 4);
}

void vd_write_u64(struct vd_writer *w, uint64_t value)
{
    write_little_endian(w, value, 8);
}

void vd_write_f32(struct vd_writer *w, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    vd_write_u32(w, bits);
}

void vd_write_f64(struct vd_writer *w, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    vd_write_u64(w, bits);
}

void vd_write_f64s(struct vd_writer *w, const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        vd_write_f64(w, values[i]);
}

void vd_write_text(struct vd_writer *w, const char *text)
{
    size_t size = strlen(text);

    vd_write_u32(w, (uint32_t)size);
    vd_write_bytes(w, text, size);
}

void vd_reader_init(struct vd_reader *r, const void *bytes, size_t size)
{
    *r = (struct vd_reader){.at = bytes, .left = size};
}

/* Moves past the next `size` bytes and returns them; NULL = so many are not left. */
static const uint8_t *take(struct vd_reader *r, size_t size)
{
    const uint8_t *at = r->at;

    if (r->failed || size > r->left) {
        r->failed = true;
        return NULL;
    }
    r->at += size;
    r->left -= size;
    return at;
}

void vd_read_bytes(struct vd_reader *r, void *bytes, size_t size)
{
    const uint8_t *at;

    if (size == 0)
        return;
    at = take(r, size);
    if (at == NULL)
        memset(bytes, 0, size);
    else
        memcpy(bytes, at, size);
}

static uint64_t read_little_endian(struct vd_reader *r, size_t size)
{
    const uint8_t *at = take(r, size);
    uint64_t value = 0;

    for (size_t i = 0; at != NULL && i < size; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

uint8_t vd_read_u8(struct vd_reader *r)
{
    return (uint8_t)read_little_endian(r, 1);
}

uint32_t vd_read_u32(struct vd_reader *r)
{
    return (uint32_t)read_little_endian(r, 4);
}

uint64_t vd_read_u64(struct vd_reader *r)
{
    return read_little_endian(r, 8);
}

float vd_read_f32(struct vd_reader *r)
{
    uint32_t bits = vd_read_u32(r);
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

double vd_read_f64(struct vd_reader *r)
{
    uint64_t bits = vd_read_u64(r);
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

void vd_read_f64s(struct vd_reader *r, double *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        values[i] = vd_read_f64(r);
}

void vd_read_text(struct vd_reader *r, char *text, size_t size)
{
    size_t length = vd_read_u32(r);

    if (length >= size) {
        r->failed = true;
        length = 0;
    }
    vd_read_bytes(r, text, length);
    /* A zero byte inside would shorten the text, and saving it again would differ. */
    if (r->failed || memchr(text, '\0', length) != NULL) {
        r->failed = true;
        length = 0;
    }
    text[length] = '\0';
}

size_t vd_read_count(struct vd_reader *r, size_t item_size)
{
    uint64_t count = vd_read_u64(r);

    if (item_size != 0 && count > r->left / item_size) {
        r->failed = true;
        return 0;
    }
    return (size_t)count;
}

uint32_t vd_crc32c(uint32_t crc, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0x82f63b78U & -(crc & 1U));
    }
    return ~crc;
}
