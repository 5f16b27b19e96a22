/* Trees of /proc and /sys for tests: copies of those in tests/roots, and trees made on
 * the spot, in a temporary folder that goes with the test. Failures end the test. */
#ifndef VD_TREE_H
#define VD_TREE_H

#include <stddef.h>

struct tree {
    char root[128];
};

/* An empty tree. */
void tree_init(struct tree *tree);

/* Puts the files of tests/roots/NAME into the tree, over what is there. */
void tree_add(struct tree *tree, const char *name);

/* Writes a file, making its folders. printf-like. */
void tree_write(const struct tree *tree, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for any bytes. */
void tree_write_bytes(const struct tree *tree, const char *path, const void *bytes,
                      size_t size);

/* Makes a symbolic link, making its folders; `target` is taken as it is. */
void tree_link(const struct tree *tree, const char *path, const char *target);

/* Takes a file or a folder with all in it away. */
void tree_remove(const struct tree *tree, const char *path);

void tree_release(struct tree *tree);

#endif
