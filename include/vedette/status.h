/* Status codes and the error that a person reads.
 *
 * What can fail returns `enum vd_status`: VD_OK (0) or a negative code. Where a person
 * must understand the failure, the function takes a last `struct vd_error *err`, which
 * may be NULL. The first error wins: a filled `err` is never overwritten.
 */
#ifndef VD_STATUS_H
#define VD_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, value, what it means) */
#define VD_STATUS_LIST(X)                                                                \
    X(VD_OK, 0, "success")                                                               \
    X(VD_ERR_MEMORY, -1, "out of memory")                                                \
    X(VD_ERR_ARGUMENT, -2, "wrong argument")                                             \
    X(VD_ERR_DATA, -3, "unusable data")                                                  \
    X(VD_ERR_IO, -4, "input or output failed")                                           \
    X(VD_ERR_FORMAT, -5, "not in the expected format")                                   \
    X(VD_ERR_VERSION, -6, "written by another version")                                  \
    X(VD_ERR_SCHEMA, -7, "made for other columns")                                       \
    X(VD_ERR_NOT_READY, -8, "not ready yet")                                             \
    X(VD_ERR_UNAVAILABLE, -9, "not available here")                                      \
    X(VD_ERR_LIMIT, -10, "a limit was reached")                                          \
    X(VD_ERR_BUSY, -11, "in use by another process")                                     \
    X(VD_ERR_RETRY, -12, "failed for now, may be tried again")

enum vd_status {
#define X(name, value, text) name = value,
    VD_STATUS_LIST(X)
#undef X
};

/* What went wrong (text), where (inside text: file, line, column) and what to do (hint).
 * Zero-initialise before use. Both strings are always terminated. */
struct vd_error {
    enum vd_status status;
    char text[384];
    char hint[256];
};

/* The meaning of a code, never NULL: "unknown status" for a value not in the list. */
const char *vd_status_text(enum vd_status status);

/* Fills `err` unless it is NULL or already holds an error. `hint` says what to do, NULL
 * when there is nothing to do. Returns `status`, so that `return vd_error_set(...)`. */
enum vd_status vd_error_set(struct vd_error *err, enum vd_status status, const char *hint,
                            const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 4, 5)))
#endif
    ;

/* Empties `err` for reuse. NULL is allowed. */
void vd_error_clear(struct vd_error *err);

#ifdef __cplusplus
}
#endif

#endif
