#include "collect/plain.h"

#include <stdlib.h>

enum vd_status collect_plain_new(void **out, const struct collect_config *config,
                                 struct record_schema *schema, const char *path,
                                 const struct record_metric *rows, size_t n)
{
    struct collect_plain *plain = calloc(1, sizeof *plain);

    if (plain == NULL)
        return VD_ERR_MEMORY;
    collect_file_init(&plain->file, config->root, path);
    collect_add_rows(schema, rows, n, NULL, plain->id);
    *out = plain;
    return VD_OK;
}

enum vd_status collect_plain_read(struct collect_plain *plain, struct vd_error *err)
{
    return collect_file_read(&plain->file, &plain->buffer, err);
}

void collect_plain_free(void *context)
{
    struct collect_plain *plain = context;

    if (plain == NULL)
        return;
    collect_file_release(&plain->file);
    collect_buffer_release(&plain->buffer);
    free(plain);
}
