/* Little-endian bytes in memory, of which model files and saved states are made.
 *
 * A writer grows a buffer. A reader walks over bytes that may be damaged or hostile. Both
 * remember their first failure, so a long run of calls needs one check at its end: after
 * it a writer writes nothing, and a reader gives zeros. Numbers have the same bytes on
 * every machine; floats are those of IEEE 754. Each is used by one thread at a time.
 */
#ifndef VD_BYTES_H
#define VD_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that grow. Zero-initialise; release with vd_writer_release. */
struct vd_writer {
    uint8_t *at; /* owned */
    size_t size, capacity;
    enum vd_status status; /* VD_OK or VD_ERR_MEMORY */
};

/* Frees the bytes and zeroes the writer, which may then be used again. Takes NULL. */
void vd_writer_release(struct vd_writer *w);

/* Appends `size` bytes; `bytes` may be NULL when size is 0. */
void vd_write_bytes(struct vd_writer *w, const void *bytes, size_t size);

/* Appends one number. */
void vd_write_u8(struct vd_writer *w, uint8_t value);
void vd_write_u32(struct vd_writer *w, uint32_t value);
void vd_write_u64(struct vd_writer *w, uint64_t value);
void vd_write_f32(struct vd_writer *w, float value);
void vd_write_f64(struct vd_writer *w, double value);

/* Appends n numbers, without their count. */
void vd_write_f64s(struct vd_writer *w, const double *values, size_t n);

/* Appends the length (u32) and the bytes of `text`, without its terminating zero. */
void vd_write_text(struct vd_writer *w, const char *text);

/* A place in bytes that are borrowed: they must outlive the reader. */
struct vd_reader {
    const uint8_t *at;
    size_t left;
    bool failed; /* ran past the end, or a value was out of its bounds */
};

/* Starts at the first of `size` bytes. */
void vd_reader_init(struct vd_reader *r, const void *bytes, size_t size);

/* Reads `size` bytes, all zero when so many are not left. */
void vd_read_bytes(struct vd_reader *r, void *bytes, size_t size);

/* Reads one number, 0 when the bytes end. It may be anything: floats may be NaN. */
uint8_t vd_read_u8(struct vd_reader *r);
uint32_t vd_read_u32(struct vd_reader *r);
uint64_t vd_read_u64(struct vd_reader *r);
float vd_read_f32(struct vd_reader *r);
double vd_read_f64(struct vd_reader *r);

/* Reads n numbers. */
void vd_read_f64s(struct vd_reader *r, double *values, size_t n);

/* Reads a text into `text` (room for `size` bytes, at least 1; always terminated). Fails,
 * with an empty text, when it does not fit or has a zero byte inside. */
void vd_read_text(struct vd_reader *r, char *text, size_t size);

/* Reads a count (u64) of items that take at least `item_size` bytes each. Fails, with 0,
 * when the bytes left cannot hold so many. Use it before every allocation whose size
 * comes from a file. */
size_t vd_read_count(struct vd_reader *r, size_t item_size);

/* Computes the CRC-32C (Castagnoli) of the bytes, continued from `crc` (0 to begin). */
uint32_t vd_crc32c(uint32_t crc, const void *bytes, size_t size);

#ifdef __cplusplus
}
#endif

#endif
