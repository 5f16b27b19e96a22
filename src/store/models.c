/* Models as files: DIR/models/NAME.GENERATION.model with a checksummed head. A save goes
 * to a temporary file, is synced and renamed; the newest three generations stay, so a
 * load finds one that verifies even when the last save met a failing disk.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/file.h"
#include "store/set.h"
#include "vedette/bytes.h"

/* HEAD_BYTES: magic 8, format 4, length 8, checksum 4. MODEL_MAX_BYTES keeps a file that
 * somebody put there from taking all memory. */
enum {
    GENERATIONS = 3,
    HEAD_BYTES = 24,
    FORMAT = 1,
    MODEL_MAX_BYTES = 64 << 20,
};

static const char magic[8] = "vdmodel";

/* Refuses names that could leave the folder or hide in it: no dots, no slashes. */
static bool is_name(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

    return length > 0 && length < 64 && name[length] == '\0';
}

/* Returns the generation of a file, 12 for "NAME.12.model"; 0 when it is not one of
 * `name`. */
static unsigned long generation_of(const char *file, const char *name)
{
    size_t length = strlen(name);
    unsigned long generation;
    char *end;

    if (strncmp(file, name, length) != 0 || file[length] != '.' ||
        !isdigit((unsigned char)file[length + 1]))
        return 0;
    errno = 0;
    generation = strtoul(file + length + 1, &end, 10);
    return errno == 0 && strcmp(end, ".model") == 0 ? generation : 0;
}

static int descending(const void *a, const void *b)
{
    unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;

    return (x < y) - (x > y);
}

/* Lists the generations of a name, newest first, ended by 0; the caller frees them. NULL
 * says that there was no memory; a folder that cannot be read is an empty list. */
static unsigned long *list(const struct os_data_dir *dir, const char *name)
{
    unsigned long *found = calloc(1, sizeof *found);
    int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *open = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    size_t n = 0;

    while (found != NULL && open != NULL && (entry = readdir(open)) != NULL) {
        unsigned long generation = generation_of(entry->d_name, name);
        unsigned long *grown;

        if (generation == 0)
            continue;
        grown = realloc(found, (n + 2) * sizeof *found);
        if (grown == NULL) {
            free(found);
            found = NULL;
            break;
        }
        found = grown;
        found[n++] = generation;
        found[n] = 0;
    }
    if (open != NULL)
        closedir(open);
    if (found != NULL)
        qsort(found, n, sizeof *found, descending);
    return found;
}

static void model_file(char *file, size_t size, const char *name,
                       unsigned long generation)
{
    snprintf(file, size, "%s.%lu.model", name, generation);
}

/* Removes all but the newest generations, with room for the one that is being added. */
static void remove_old(const struct os_data_dir *dir, const char *name,
                       const unsigned long *generation)
{
    char file[112];

    for (size_t i = 0; generation[i] != 0; i++) {
        if (i + 1 < GENERATIONS) /* one is being added */
            continue;
        model_file(file, sizeof file, name, generation[i]);
        unlinkat(dir->fd, file, 0);
    }
}

enum vd_status store_set_model_save(store_set *set, const char *name, const void *bytes,
                                    size_t size, struct vd_error *err)
{
    struct vd_writer out = {0};
    unsigned long *generation = NULL;
    struct os_data_dir dir;
    char file[112];
    enum vd_status status;

    if (!is_name(name))
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL,
                            "no model can be called \"%.64s\"", name);
    if (size > MODEL_MAX_BYTES)
        return vd_error_set(err, VD_ERR_LIMIT, NULL,
                            "the model %s has %zu bytes, more "
                            "than is ever read back",
                            name, size);
    status = os_data_dir_is_there(set->folder, err);
    if (status == VD_OK)
        status = os_data_dir_below(&dir, set->folder, "models", err);
    if (status != VD_OK)
        return status;
    vd_write_bytes(&out, magic, sizeof magic);
    vd_write_u32(&out, FORMAT);
    vd_write_u64(&out, size);
    vd_write_u32(&out, vd_crc32c(0, bytes, size));
    vd_write_bytes(&out, bytes, size);
    generation = list(&dir, name);
    if (out.status != VD_OK || generation == NULL) {
        status = vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory to save a model");
        goto out;
    }
    /* The newest generation stands first; where there is none, the 0 that ends the list
     * does. */
    model_file(file, sizeof file, name, generation[0] + 1);
    status = store_file_replace(&dir, file, out.at, out.size, err);
    if (status == VD_OK)
        remove_old(&dir, name, generation);
out:
    os_data_dir_close(&dir);
    free(generation);
    vd_writer_release(&out);
    return status;
}

/* Reads a whole file into memory that the caller frees; NULL when it cannot be read or
 * its size is none that a model has. */
static uint8_t *read_whole(const struct os_data_dir *dir, const char *name, size_t *size,
                           struct vd_error *err)
{
    int fd = os_data_dir_file(dir, name, O_RDONLY, err);
    struct stat stat;
    uint8_t *bytes = NULL;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &stat) == 0 && stat.st_size >= HEAD_BYTES &&
        stat.st_size <= MODEL_MAX_BYTES + (off_t)HEAD_BYTES)
        bytes = malloc((size_t)stat.st_size);
    if (bytes != NULL &&
        pread(fd, bytes, (size_t)stat.st_size, 0) != (ssize_t)stat.st_size) {
        free(bytes);
        bytes = NULL;
    }
    if (bytes != NULL)
        *size = (size_t)stat.st_size;
    close(fd);
    return bytes;
}

/* Compares the length besides the checksum: a file with more or less behind its head than
 * the head says is damaged. */
bool store_model_verify(uint8_t *bytes, size_t *size)
{
    char found[sizeof magic];
    struct vd_reader r;
    uint32_t format, crc;
    uint64_t length;

    vd_reader_init(&r, bytes, *size);
    vd_read_bytes(&r, found, sizeof found);
    format = vd_read_u32(&r);
    length = vd_read_u64(&r);
    crc = vd_read_u32(&r);
    if (r.failed || memcmp(found, magic, sizeof magic) != 0 || format != FORMAT ||
        length != r.left || vd_crc32c(0, r.at, r.left) != crc)
        return false;
    *size = r.left;
    memmove(bytes, r.at, r.left);
    return true;
}

/* Loads one generation. When it cannot be used, the reason is told and false returned. */
static bool load(store_set *set, const struct os_data_dir *dir, const char *file,
                 void **bytes, size_t *size)
{
    struct vd_error err = {0};
    uint8_t *found = read_whole(dir, file, size, &err);

    if (found != NULL && store_model_verify(found, size)) {
        *bytes = found;
        return true;
    }
    free(found);
    if (err.status == VD_OK)
        vd_error_set(&err, VD_ERR_FORMAT, NULL, "%s/%s is damaged", dir->path, file);
    os_log_tell(&set->config.log, OS_LOG_WARNING, "%s: the generation before it is tried",
                err.text);
    return false;
}

/* Takes the newest generation that verifies; the caller frees *bytes. */
enum vd_status store_set_model_load(store_set *set, const char *name, void **bytes,
                                    size_t *size, struct vd_error *err)
{
    unsigned long *generation;
    struct os_data_dir dir;
    enum vd_status status;
    char file[112];

    *bytes = NULL;
    *size = 0;
    if (!is_name(name))
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "no model is called \"%.64s\"",
                            name);
    status = os_data_dir_below(&dir, set->folder, "models", err);
    if (status != VD_OK)
        return status;
    generation = list(&dir, name);
    for (size_t i = 0; generation != NULL && generation[i] != 0; i++) {
        model_file(file, sizeof file, name, generation[i]);
        if (load(set, &dir, file, bytes, size))
            break;
    }
    os_data_dir_close(&dir);
    if (generation == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory to load a model");
    free(generation);
    if (*bytes == NULL)
        return vd_error_set(err, VD_ERR_DATA, NULL, "there is no saved model %s", name);
    return VD_OK;
}
