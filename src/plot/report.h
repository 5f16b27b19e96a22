/* The HTML report of a comparison. */
#ifndef VD_PLOT_REPORT_H
#define VD_PLOT_REPORT_H

#include <stdbool.h>

#include "plot/comparison.h"

/* Fills the template report.html. is_drawn[PLOT_CHARTS] says which charts lie beside it.
 */
enum vd_status plot_report_write(const struct plot_comparison *c, const bool *is_drawn,
                                 const char *path, struct vd_error *err);

#endif
