/* Knows compressed inputs by their first bytes: what a file is called proves nothing. */
#include "format/unpack.h"

#include <stdio.h>
#include <string.h>

enum vd_status format_packing_of(const struct format_input *in,
                                 const struct format_packing **packing,
                                 struct vd_error *err)
{
    static const struct format_packing *const known[] = {&format_gzip, &format_zstd};
    char head[4];
    size_t got;
    enum vd_status status = format_input_read(in, 0, head, sizeof head, &got, err);

    *packing = NULL;
    for (size_t i = 0; status == VD_OK && i < sizeof known / sizeof *known; i++)
        if (got >= known[i]->begin_size &&
            memcmp(head, known[i]->begin, known[i]->begin_size) == 0)
            *packing = known[i];
    return status;
}

enum vd_status format_packing_damaged(const struct format_input *in,
                                      const struct format_packing *packing,
                                      const char *how, struct vd_error *err)
{
    char hint[80];

    snprintf(hint, sizeof hint, "is it there in full? %s tells", packing->test);
    return vd_error_set(err, VD_ERR_DATA, hint, "%s: it is compressed (%s) and %s",
                        in->path, packing->name, how);
}
