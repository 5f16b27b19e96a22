#include "cmd/model_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const long long FILE_MAX = 2LL << 30;

static bool write_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes += n;
        size -= (size_t)n;
    }
    return true;
}

enum vd_status model_file_write(const vd_model *model, const char *path,
                                struct vd_error *err)
{
    struct vd_writer w = {0};
    char temporary[4096];
    bool written = false;
    int fd;

    vd_model_save(model, &w);
    if (w.status != VD_OK)
        return vd_error_set(err, w.status, NULL, "%s: no memory to write it", path);
    snprintf(temporary, sizeof temporary, "%s.part", path);
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd >= 0) {
        written = write_all(fd, w.at, w.size) && fsync(fd) == 0;
        written = close(fd) == 0 && written;
        written = written && rename(temporary, path) == 0;
    }
    vd_writer_release(&w);
    if (written)
        return VD_OK;
    vd_error_set(err, VD_ERR_IO, NULL, "%s: %s", path, strerror(errno));
    unlink(temporary);
    return VD_ERR_IO;
}

enum vd_status model_file_read(vd_model **out, const char *path, size_t *size,
                               struct vd_error *err)
{
    FILE *file = fopen(path, "rb");
    enum vd_status status = VD_ERR_IO;
    uint8_t *bytes = NULL;
    long long length = 0;
    struct vd_error why = {0};

    *out = NULL;
    if (file == NULL)
        return vd_error_set(err, VD_ERR_IO, NULL, "%s: %s", path, strerror(errno));
    if (fseeko(file, 0, SEEK_END) == 0 && (length = ftello(file)) >= 0 &&
        length <= FILE_MAX)
        bytes = malloc((size_t)length + 1);
    rewind(file);
    if (bytes != NULL && fread(bytes, 1, (size_t)length, file) == (size_t)length)
        status = vd_model_load(out, bytes, (size_t)length, &why);
    else
        vd_error_set(&why, VD_ERR_IO, NULL, "it cannot be read");
    free(bytes);
    fclose(file);
    if (status != VD_OK)
        return vd_error_set(err, status, why.hint, "%s: %s", path, why.text);
    if (size != NULL)
        *size = (size_t)length;
    return VD_OK;
}
