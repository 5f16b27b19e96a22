/* An input cut into pieces at the ends of rows, for those who work on several pieces at
 * once. */
#ifndef VD_FORMAT_CUT_H
#define VD_FORMAT_CUT_H

#include <stdbool.h>

#include "format/input.h"

/* Whole rows on end. */
struct format_cut {
    char *text; /* owned; FORMAT_SLACK bytes behind it can be read */
    size_t size, capacity;
    uint64_t offset; /* of its first byte in the input */
    size_t line;     /* that this byte is in, from 1 */
};

/* Where the next piece begins. */
struct format_cutter {
    const struct format_input *in;
    char separator;
    uint64_t offset;
    size_t line;
};

/* Fills `cut` with the next piece; its size is 0 at the end of the input. VD_ERR_DATA,
 * with the line, for a row that is too long to be one. Release the piece at the end. */
enum vd_status format_cut_next(struct format_cutter *cutter, struct format_cut *cut,
                               struct vd_error *err);

/* Makes room for `size` bytes and the slack; false without memory. */
bool format_cut_reserve(struct format_cut *cut, size_t size);

void format_cut_release(struct format_cut *cut);

#endif
