/* The one way to /proc and /sys.
 *
 * A file is opened once and read again by pread, which costs a third of opening it each
 * time. Below a root prefix (recorded trees) it is opened each time, because such files
 * are replaced by renaming. Buffers belong to the reader, grow when a file is larger and
 * are used again, so a steady tick allocates nothing. No function follows a path out of
 * /proc, /sys or the root by itself; symbolic links inside them are followed.
 */
#ifndef VD_COLLECT_FILE_H
#define VD_COLLECT_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "vedette/status.h"

enum {
    COLLECT_PATH_MAX = 512,
    COLLECT_FILE_MAX = 4 << 20, /* no source is larger; a file that is, is not ours */
};

/* Zero-initialise; release with collect_buffer_release. */
struct collect_buffer {
    char *at;    /* owned; `size` bytes and a terminating NUL */
    size_t size; /* of the last read */
    size_t capacity;
};

void collect_buffer_release(struct collect_buffer *buffer);

/* Whether the root prefix (NULL, "" and "/" are none) means this machine as it is now,
 * and not a recorded tree. */
bool collect_root_is_live(const char *root);

/* A file that is read again and again. The path is copied. */
struct collect_file {
    char path[COLLECT_PATH_MAX]; /* with the root */
    int fd;                      /* -1 = not open now */
    bool keep;                   /* stays open between reads */
};

/* Opens nothing yet. `path` begins with "/". A path that is too long is VD_ERR_LIMIT. */
enum vd_status collect_file_init(struct collect_file *file, const char *root,
                                 const char *path);

/* The whole file into `buffer`. On failure the file is closed and opened again by the
 * next read. Nothing is said (err may be NULL) with VD_ERR_UNAVAILABLE when the file does
 * not exist; other failures fill err. */
enum vd_status collect_file_read(struct collect_file *file, struct collect_buffer *buffer,
                                 struct vd_error *err);

void collect_file_release(struct collect_file *file);

/* root + path + name (NULL = none) into `out`; false when it does not fit. */
bool collect_path(char out[COLLECT_PATH_MAX], const char *root, const char *path,
                  const char *name);

/* Reads a small file once into `text` (at most size - 1 bytes, always terminated, the
 * last newline left out). Returns the length, or -1. `path` is a whole path. */
long collect_file_small(const char *path, char *text, size_t size);

/* The number that a small file holds; NaN when there is none. */
double collect_file_number(const char *path);

/* Names in the folder `path` (a whole path), sorted by strverscmp (sda2 before sda10),
 * without "." and "..". At most `max` are kept. Returns how many; 0 also when there is no
 * such folder. `names` holds max * size bytes, name i at names + i * size. Names that do
 * not fit are left out. */
size_t collect_folder(const char *path, char *names, size_t size, size_t max);

/* Does the same for names that begin with `prefix` and end with `suffix`: "temp",
 * "_input". */
size_t collect_folder_like(const char *path, const char *prefix, const char *suffix,
                           char *names, size_t size, size_t max);

#endif
