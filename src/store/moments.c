/* The flight recorder of an event as bytes: the processes of each moment, one after the
 * other, little-endian (docs/formats/store.md). In the database they are deflated: the
 * same processes stand in every moment, so little of them is left.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "store/sqlite.h"

/* PROCESS_LEAST_BYTES is what a process of version 1 takes whose texts are empty. */
enum {
    MOMENTS_VERSION = 2, /* 1 had no swap and no faults */
    PROCESS_LEAST_BYTES = 100
};

/* Writes one process. The order is the format; docs/formats/store.md has it. */
static void write_process(struct vd_writer *w, const struct record_process *p)
{
    vd_write_u32(w, (uint32_t)p->pid);
    vd_write_u32(w, (uint32_t)p->parent);
    vd_write_u64(w, p->start_ticks);
    vd_write_u32(w, p->uid);
    vd_write_u32(w, p->threads);
    vd_write_u32(w, (uint8_t)p->state);
    vd_write_text(w, p->comm);
    vd_write_text(w, p->command);
    vd_write_f64(w, p->cpu_percent);
    vd_write_f64(w, p->rss_bytes);
    vd_write_f64(w, p->pss_bytes);
    vd_write_f64(w, p->read_bytes_s);
    vd_write_f64(w, p->write_bytes_s);
    vd_write_f64(w, p->gpu_percent);
    vd_write_f64(w, p->gpu_bytes);
    vd_write_u64(w, 0); /* room for what comes later */
    vd_write_f64(w, p->swap_bytes);
    vd_write_f64(w, p->major_faults_s);
}

/* Reads one process, in the order of write_process. What an older version did not write
 * is unknown. */
static void read_process(struct vd_reader *r, uint32_t version, struct record_process *p)
{
    p->pid = (int)vd_read_u32(r);
    p->parent = (int)vd_read_u32(r);
    p->start_ticks = vd_read_u64(r);
    p->uid = vd_read_u32(r);
    p->threads = vd_read_u32(r);
    p->state = (char)vd_read_u32(r);
    vd_read_text(r, p->comm, sizeof p->comm);
    vd_read_text(r, p->command, sizeof p->command);
    p->cpu_percent = vd_read_f64(r);
    p->rss_bytes = vd_read_f64(r);
    p->pss_bytes = vd_read_f64(r);
    p->read_bytes_s = vd_read_f64(r);
    p->write_bytes_s = vd_read_f64(r);
    p->gpu_percent = vd_read_f64(r);
    p->gpu_bytes = vd_read_f64(r);
    vd_read_u64(r);
    p->swap_bytes = version == 1 ? NAN : vd_read_f64(r);
    p->major_faults_s = version == 1 ? NAN : vd_read_f64(r);
}

/* Writes the version first, so that recorders of older versions can still be read. */
enum vd_status store_moments_encode(struct vd_writer *out,
                                    const struct history_moment *moment, size_t n)
{
    vd_write_u32(out, MOMENTS_VERSION);
    vd_write_u64(out, n);
    for (size_t i = 0; i < n; i++) {
        vd_write_u64(out, (uint64_t)moment[i].time_ns);
        vd_write_u64(out, moment[i].n);
        for (size_t k = 0; k < moment[i].n; k++)
            write_process(out, &moment[i].process[k]);
    }
    return out->status;
}

/* Reads one moment. The number of processes comes from outside, so it is checked against
 * the bytes that are left before any memory is taken. */
static enum vd_status read_moment(struct vd_reader *r, uint32_t version,
                                  struct history_moment *moment)
{
    size_t n;

    moment->time_ns = (int64_t)vd_read_u64(r);
    n = vd_read_count(r, PROCESS_LEAST_BYTES);
    if (r->failed)
        return VD_ERR_FORMAT;
    moment->process = calloc(n + 1, sizeof *moment->process);
    if (moment->process == NULL)
        return VD_ERR_MEMORY;
    for (moment->n = 0; moment->n < n && !r->failed; moment->n++)
        read_process(r, version, &moment->process[moment->n]);
    return r->failed ? VD_ERR_FORMAT : VD_OK;
}

enum vd_status store_moments_decode(const void *bytes, size_t size,
                                    struct history_moment **moment, size_t *n)
{
    enum vd_status status = VD_OK;
    struct vd_reader r;
    uint32_t version;
    size_t count;

    *moment = NULL;
    *n = 0;
    vd_reader_init(&r, bytes, size);
    version = vd_read_u32(&r);
    if (version < 1 || version > MOMENTS_VERSION)
        return r.failed ? VD_ERR_FORMAT : VD_ERR_VERSION;
    /* A moment takes 16 bytes at the least: its time and the number of its processes. */
    count = vd_read_count(&r, 16);
    if (r.failed)
        return VD_ERR_FORMAT;
    *moment = calloc(count + 1, sizeof **moment);
    if (*moment == NULL)
        return VD_ERR_MEMORY;
    while (*n < count && status == VD_OK)
        status = read_moment(&r, version, &(*moment)[(*n)++]);
    if (status != VD_OK) {
        history_moments_free(*moment, *n);
        *moment = NULL;
        *n = 0;
    }
    return status;
}

/* Packs at the fastest level of zlib: the queues of all sinks wait meanwhile. */
enum vd_status store_moments_write(sqlite3 *db, int64_t event_id, const void *bytes,
                                   size_t size, struct vd_error *err)
{
    uLongf packed_size = compressBound((uLong)size);
    sqlite3_stmt *s = NULL;
    enum vd_status status = VD_OK;
    uint8_t *packed = malloc(packed_size);

    if (packed == NULL ||
        compress2(packed, &packed_size, bytes, (uLong)size, 1) != Z_OK) {
        status = vd_error_set(err, VD_ERR_RETRY, NULL, "no memory for a recorder");
        goto out;
    }
    if (sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO moments VALUES(?,?,?)", -1, &s,
                           NULL) != SQLITE_OK) {
        status = store_db_failed(db, "write a recorder", err);
        goto out;
    }
    sqlite3_bind_int64(s, 1, event_id);
    sqlite3_bind_int64(s, 2, (sqlite3_int64)size);
    sqlite3_bind_blob64(s, 3, packed, packed_size, SQLITE_STATIC);
    if (sqlite3_step(s) != SQLITE_DONE)
        status = store_db_failed(db, "write a recorder", err);
out:
    sqlite3_finalize(s);
    free(packed);
    return status;
}
