/* Little-endian bytes in memory: what model files and saved states are made of.
 *
 * A writer grows a buffer; a reader walks over bytes it trusts in nothing. Both remember
 * their first failure, so a long run of calls needs one check at its end: after a failed
 * read every further read gives zero.
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

/* Zero-initialise; release with vd_writer_release. */
struct vd_writer {
    uint8_t *at; /* owned */
    size_t size, capacity;
    enum vd_status status; /* VD_OK or VD_ERR_MEMORY */
};

void vd_writer_release(struct vd_writer *w);
void vd_write_bytes(struct vd_writer *w, const void *bytes, size_t size);
void vd_write_u8(struct vd_writer *w, uint8_t value);
void vd_write_u32(struct vd_writer *w, uint32_t value);
void vd_write_u64(struct vd_writer *w, uint64_t value);
void vd_write_f32(struct vd_writer *w, float value);
void vd_write_f64(struct vd_writer *w, double value);
void vd_write_f64s(struct vd_writer *w, const double *values, size_t n);
/* A length (u32) and the bytes of `text` without its end. */
void vd_write_text(struct vd_writer *w, const char *text);

/* Borrows the bytes. */
struct vd_reader {
    const uint8_t *at;
    size_t left;
    bool failed; /* ran past the end, or a value was out of its bounds */
};

void vd_reader_init(struct vd_reader *r, const void *bytes, size_t size);
void vd_read_bytes(struct vd_reader *r, void *bytes, size_t size);
uint8_t vd_read_u8(struct vd_reader *r);
uint32_t vd_read_u32(struct vd_reader *r);
uint64_t vd_read_u64(struct vd_reader *r);
float vd_read_f32(struct vd_reader *r);
double vd_read_f64(struct vd_reader *r);
void vd_read_f64s(struct vd_reader *r, double *values, size_t n);
/* Into `text` (room for `size`, always terminated); fails when it does not fit or ends
 * before its length. */
void vd_read_text(struct vd_reader *r, char *text, size_t size);
/* A count that is followed by `item_size` bytes for each item at least: fails, with 0,
 * when so many items cannot be left. Guards every allocation made from a file's word. */
size_t vd_read_count(struct vd_reader *r, size_t item_size);

/* CRC-32C (Castagnoli) of the bytes, continued from `crc` (0 to begin). */
uint32_t vd_crc32c(uint32_t crc, const void *bytes, size_t size);

#ifdef __cplusplus
}
#endif

#endif
