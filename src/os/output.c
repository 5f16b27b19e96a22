/* Writing beside and renaming: a reader sees the old file or the new one. */
#include "os/output.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum vd_status failed(const char *path, struct vd_error *err)
{
    return vd_error_set(err, VD_ERR_IO, NULL, "%s: %s", path, strerror(errno));
}

/* Where a file called `path` is to be, through all links; false when it is too long. */
static bool resolve(struct os_output *out, const char *path)
{
    char *real = realpath(path, NULL);
    struct stat info;
    int size = snprintf(out->path, sizeof out->path, "%s", real == NULL ? path : real);

    if (real == NULL || (stat(real, &info) == 0 && S_ISREG(info.st_mode)))
        size = snprintf(out->part, sizeof out->part, "%s.part", out->path);
    free(real);
    return size >= 0 && (size_t)size < PATH_MAX;
}

enum vd_status os_output_open(struct os_output *out, const char *path,
                              struct vd_error *err)
{
    *out = (struct os_output){0};
    if (!resolve(out, path))
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "%s: name too long", path);
    out->file = fopen(*out->part != '\0' ? out->part : out->path, "we");
    return out->file == NULL ? failed(path, err) : VD_OK;
}

enum vd_status os_output_close(struct os_output *out, struct vd_error *err)
{
    bool is_file = *out->part != '\0', good;

    if (out->file == NULL)
        return VD_OK;
    errno = EIO; /* of a write that failed long ago nothing else may be known */
    good = fflush(out->file) == 0 && !ferror(out->file) &&
           (!is_file || fsync(fileno(out->file)) == 0);
    good = fclose(out->file) == 0 && good;
    out->file = NULL;
    if (good && (!is_file || rename(out->part, out->path) == 0))
        return VD_OK;
    failed(out->path, err);
    os_output_drop(out);
    return VD_ERR_IO;
}

void os_output_drop(struct os_output *out)
{
    if (out->file != NULL)
        fclose(out->file);
    if (*out->part != '\0')
        unlink(out->part);
    *out = (struct os_output){0};
}

/* Every folder on the way to `path`, and itself. */
static bool make_all(char *path)
{
    for (char *end = path; *end != '\0';) {
        char cut;

        end += 1 + strcspn(end + 1, "/");
        cut = *end;
        *end = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return false;
        *end = cut;
    }
    return true;
}

enum vd_status os_folder_make(const char *path, struct vd_error *err)
{
    char *copy = strdup(path);
    struct stat info;
    bool good;

    if (copy == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for a path");
    good = make_all(copy) && stat(path, &info) == 0;
    free(copy);
    if (good && !S_ISDIR(info.st_mode)) {
        errno = ENOTDIR;
        good = false;
    }
    return good && access(path, W_OK | X_OK) == 0 ? VD_OK : failed(path, err);
}
