#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void need(int good, const char *what, const char *path)
{
    if (good)
        return;
    fprintf(stderr, "tree: cannot %s %s: %s\n", what, path, strerror(errno));
    abort();
}

void tree_init(struct tree *tree)
{
    const char *folder = getenv("TMPDIR");

    snprintf(tree->root, sizeof tree->root, "%s/vedette-tree-XXXXXX",
             folder == NULL || strlen(folder) > 80 ? "/tmp" : folder);
    need(mkdtemp(tree->root) != NULL, "make", tree->root);
}

static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        need(mkdir(path, 0700) == 0 || errno == EEXIST, "make", path);
        *slash = '/';
    }
}

void tree_write_bytes(const struct tree *tree, const char *path, const void *bytes,
                      size_t size)
{
    char whole[1024];
    FILE *file;

    snprintf(whole, sizeof whole, "%s%s", tree->root, path);
    make_folders(whole);
    file = fopen(whole, "wb");
    need(file != NULL, "write", whole);
    need(fwrite(bytes, 1, size, file) == size, "write", whole);
    need(fclose(file) == 0, "write", whole);
}

void tree_write(const struct tree *tree, const char *path, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    int length;

    va_start(args, format);
    length = vasprintf(&text, format, args);
    va_end(args);
    need(length >= 0, "format", path);
    tree_write_bytes(tree, path, text, (size_t)length);
    free(text);
}

void tree_link(const struct tree *tree, const char *path, const char *target)
{
    char whole[1024];

    snprintf(whole, sizeof whole, "%s%s", tree->root, path);
    make_folders(whole);
    need(symlink(target, whole) == 0, "link", whole);
}

static void copy_file(const struct tree *tree, const char *from, const char *path)
{
    FILE *file = fopen(from, "rb");
    char *bytes = malloc(1 << 20);
    size_t size;

    need(file != NULL && bytes != NULL, "read", from);
    size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    tree_write_bytes(tree, path, bytes, size);
    free(bytes);
}

/* nftw has no argument for the caller. */
static const struct tree *copying;
static size_t copying_from;

static int copy_entry(const char *path, const struct stat *info, int type,
                      struct FTW *ftw)
{
    (void)info;
    (void)ftw;
    if (type == FTW_F)
        copy_file(copying, path, path + copying_from);
    return 0;
}

void tree_add(struct tree *tree, const char *name)
{
    char from[1024];

    snprintf(from, sizeof from, "%s/roots/%s", TESTS_DIR, name);
    copying = tree;
    copying_from = strlen(from);
    need(nftw(from, copy_entry, 16, FTW_PHYS) == 0, "copy", from);
}

static int remove_entry(const char *path, const struct stat *info, int type,
                        struct FTW *ftw)
{
    (void)info;
    (void)type;
    (void)ftw;
    return remove(path);
}

void tree_remove(const struct tree *tree, const char *path)
{
    char whole[1024];

    snprintf(whole, sizeof whole, "%s%s", tree->root, path);
    need(nftw(whole, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0, "remove", whole);
}

void tree_release(struct tree *tree)
{
    tree_remove(tree, "");
}
