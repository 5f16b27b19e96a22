/* Takes a quarter of a megabyte and gives the row that it ends in back to the next piece.
 * Without quotes the last newline ends a row; with them the rows are gone through, since
 * a newline may stand in a field. */
#include "format/cut.h"

#include <stdlib.h>

#include "format/decimal.h"
#include "format/rows.h"

/* Sets the usual size of a piece in bytes: thousands of rows, within the second cache. */
enum { PIECE = 256 << 10 };

bool format_cut_reserve(struct format_cut *cut, size_t size)
{
    char *larger;

    if (size <= cut->capacity)
        return true;
    larger = realloc(cut->text, size + FORMAT_SLACK);
    if (larger == NULL)
        return false;
    memset(larger + size, 0, FORMAT_SLACK);
    cut->text = larger;
    cut->capacity = size;
    return true;
}

/* Finds the end of the last row that is whole; 0 when none is. */
static size_t last_end(const struct format_cutter *cutter, const struct format_cut *cut)
{
    struct format_scan t = format_scan_of(cut->text, cut->size);
    struct format_csv_field none;
    const char *end = cut->text;

    if (memchr(cut->text, '"', cut->size) == NULL) {
        end = memrchr(cut->text, '\n', cut->size);
        return end == NULL ? 0 : (size_t)(end + 1 - cut->text);
    }
    for (;;) {
        size_t n = cutter->separator == FORMAT_BLANKS
                       ? 0
                       : format_csv_plain_row(&t, cutter->separator, &none, 0);

        if (n == 0 && format_csv_row(&t, cutter->separator, &none, 0) == 0)
            break;
        if (t.at == t.end) /* it may go on */
            break;
        end = t.at;
    }
    return (size_t)(end - cut->text);
}

static enum vd_status too_long(const struct format_cutter *cutter,
                               const struct format_cut *cut, struct vd_error *err)
{
    const char *nul = memchr(cut->text, '\0', cut->size);

    if (nul != NULL)
        return vd_error_set(err, VD_ERR_DATA, "save it as CSV in UTF-8",
                            "%s:%zu: a NUL byte: it is no text", cutter->in->path,
                            cutter->line + format_count_lines(cut->text, nul));
    return vd_error_set(
        err, VD_ERR_DATA, NULL,
        "%s:%zu: a row of more than 16 MiB: is a quote not closed?", cutter->in->path,
        cutter->line + format_count_lines(cut->text, cut->text + cut->size));
}

enum vd_status format_cut_next(struct format_cutter *cutter, struct format_cut *cut,
                               struct vd_error *err)
{
    uint64_t left = cutter->in->size - cutter->offset;
    size_t end = 0, wanted = left < PIECE ? (size_t)left + 1 : PIECE;

    cut->offset = cutter->offset;
    cut->line = cutter->line;
    cut->size = 0;
    while (end == 0) {
        enum vd_status status;
        size_t got;

        if (!format_cut_reserve(cut, wanted))
            return vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory to read it",
                                cutter->in->path);
        status = format_input_read(cutter->in, cut->offset + cut->size,
                                   cut->text + cut->size, wanted - cut->size, &got, err);
        if (status != VD_OK)
            return status;
        cut->size += got;
        end = cut->size < wanted ? cut->size : last_end(cutter, cut);
        if (end == 0 && (wanted > FORMAT_ROW_MAX || cut->size == 0))
            return cut->size == 0 ? VD_OK : too_long(cutter, cut, err);
        wanted *= 2;
    }
    cut->size = end;
    cutter->offset += end;
    cutter->line += format_count_lines(cut->text, cut->text + end);
    return VD_OK;
}

void format_cut_release(struct format_cut *cut)
{
    free(cut->text);
    *cut = (struct format_cut){0};
}
