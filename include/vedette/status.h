/* Status codes and the error that a person reads.
 *
 * A function that can fail returns `enum vd_status`: VD_OK (0) or a negative code. Where
 * a person must understand the failure, the function takes a last `struct vd_error *err`,
 * which may be NULL. The first error wins: a filled `err` is never overwritten. Nothing
 * is printed or logged by the library.
 */
#ifndef VD_STATUS_H
#define VD_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* The list of codes, X(name, value, what it means). */
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

/* An error: `text` says what went wrong and where (file, line, column), `hint` says what
 * to do and may be empty. Zero-initialise before use. Both strings are always terminated;
 * longer ones are cut. */
struct vd_error {
    enum vd_status status;
    char text[384];
    char hint[256];
};

/* Returns the meaning of a code, static and never NULL: "unknown status" for a value that
 * is not in the list. */
const char *vd_status_text(enum vd_status status);

/* Fills `err` unless it is NULL or already holds an error. `hint` says what to do (NULL =
 * nothing), `format` and the rest make the text. Returns `status`, so that a function can
 * end with `return vd_error_set(...)`. */
enum vd_status vd_error_set(struct vd_error *err, enum vd_status status, const char *hint,
                            const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 4, 5)))
#endif
    ;

/* Empties `err` for reuse; takes NULL. */
void vd_error_clear(struct vd_error *err);

#ifdef __cplusplus
}
#endif

#endif
