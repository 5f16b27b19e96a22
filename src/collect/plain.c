/* The open file, the buffer and the metrics' indices of such a collector; `more` are
 * files of the same kind that not every machine has. */
#include "collect/plain.h"

#include <assert.h>
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

void collect_plain_add(struct collect_plain *plain, const struct collect_config *config,
                       const char *path)
{
    assert(plain->n_more < COLLECT_PLAIN_MORE_MAX);
    collect_file_init(&plain->more[plain->n_more++], config->root, path);
}

/* Leaves an empty buffer on failure, so that a parser finds nothing instead of old
 * numbers. */
enum vd_status collect_plain_read(struct collect_plain *plain, struct vd_error *err)
{
    enum vd_status status = collect_file_read(&plain->file, &plain->buffer, err);

    if (status != VD_OK)
        plain->buffer.size = 0;
    return status;
}

/* A further file that does not exist is no failure: it is one that not every machine has.
 */
enum vd_status collect_plain_read_more(struct collect_plain *plain, size_t i,
                                       struct vd_error *err)
{
    enum vd_status status = collect_file_read(&plain->more[i], &plain->buffer, err);

    if (status == VD_OK)
        return VD_OK;
    plain->buffer.size = 0;
    return status == VD_ERR_UNAVAILABLE ? VD_OK : status;
}

/* Serves as `destroy` of every collector of this kind. */
void collect_plain_free(void *context)
{
    struct collect_plain *plain = context;

    if (plain == NULL)
        return;
    collect_file_release(&plain->file);
    for (size_t i = 0; i < plain->n_more; i++)
        collect_file_release(&plain->more[i]);
    collect_buffer_release(&plain->buffer);
    free(plain);
}
