/* Reads and writes whole bundles: the format is the library's (vedette/model.h), only the
 * file is handled here. */
#include "batch/model_file.h"

#include <stdlib.h>

#include "os/file.h"
#include "os/output.h"

/* Bounds a bundle in bytes, so that a wrong file is refused before it fills the
 * memory. */
static const size_t FILE_MAX = (size_t)64 << 20;

/* Tries whether the file could be written, and leaves nothing behind: a training that
 * cannot be kept is better not begun. */
enum vd_status batch_model_file_check(const char *path, struct vd_error *err)
{
    struct os_output file;
    enum vd_status status = os_output_open_as(&file, path, OS_OUTPUT_FILE, err);

    if (status == VD_OK)
        os_output_drop(&file);
    return status;
}

/* Writes the bundle to its place whole or not at all. */
enum vd_status batch_model_file_write(const vd_model *model, const char *path,
                                      struct vd_error *err)
{
    struct vd_writer w = {0};
    struct os_output file;
    enum vd_status status;

    vd_model_save(model, &w);
    if (w.status != VD_OK)
        return vd_error_set(err, w.status, NULL, "%s: no memory to write it", path);
    status = os_output_open_as(&file, path, OS_OUTPUT_FILE, err);
    if (status == VD_OK) {
        fwrite(w.at, 1, w.size, file.file);
        status = os_output_close(&file, err);
    }
    vd_writer_release(&w);
    return status;
}

/* Reads a bundle; size may be NULL. The library checks every number, so any file may be
 * given. */
enum vd_status batch_model_file_read(vd_model **out, const char *path, size_t *size,
                                     struct vd_error *err)
{
    struct vd_error why = {0};
    enum vd_status status;
    size_t length;
    char *bytes;

    *out = NULL;
    status = os_file_read_regular(path, FILE_MAX, &bytes, &length, err);
    if (status != VD_OK)
        return status;
    status = vd_model_load(out, (const uint8_t *)bytes, length, &why);
    free(bytes);
    if (status != VD_OK)
        return vd_error_set(err, status, why.hint, "%s: %s", path, why.text);
    if (size != NULL)
        *size = length;
    return VD_OK;
}
