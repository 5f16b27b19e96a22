/* Several ticks side by side as one row. A push moves the ticks up by one: for ten rows
 * of a few numbers that is less work than unrolling a ring into a row. Gaps in time are
 * not seen here; the caller clears the window after one.
 */
#include "vedette/window.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"

enum vd_status vd_window_init(struct vd_window *w, size_t rows, size_t d)
{
    *w = (struct vd_window){.rows = rows, .d = d};
    if (rows == 0 || d == 0 || rows > (size_t)-1 / d)
        return VD_ERR_ARGUMENT;
    w->at = vd__alloc_zero(rows * d, sizeof *w->at);
    return w->at == NULL ? VD_ERR_MEMORY : VD_OK;
}

void vd_window_release(struct vd_window *w)
{
    if (w == NULL)
        return;
    vd__free(w->at);
    *w = (struct vd_window){0};
}

void vd_window_clear(struct vd_window *w)
{
    w->n = 0;
}

bool vd_window_push(struct vd_window *w, const double *row)
{
    assert(w->at != NULL && w->n <= w->rows);
    if (w->n == w->rows)
        memmove(w->at, w->at + w->d, (w->rows - 1) * w->d * sizeof *w->at);
    else
        w->n++;
    memcpy(w->at + (w->n - 1) * w->d, row, w->d * sizeof *w->at);
    return w->n == w->rows;
}

enum vd_status vd_window_rows(struct vd_matrix *out, const struct vd_matrix *x,
                              size_t rows)
{
    enum vd_status status;

    *out = (struct vd_matrix){0};
    if (rows == 0 || x->n < rows)
        return VD_ERR_DATA;
    if (x->d != 0 && rows > (size_t)-1 / x->d)
        return VD_ERR_MEMORY;
    status = vd_matrix_init(out, x->n - rows + 1, rows * x->d);
    /* The ticks of a window already lie one after another in x. */
    for (size_t i = 0; status == VD_OK && i < out->n; i++)
        memcpy(vd_matrix_row(out, i), vd_matrix_row(x, i), rows * x->d * sizeof(double));
    return status;
}
