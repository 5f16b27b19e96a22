/* The templates of the plots and of the report: made from plot/templates, see
 * cmake/assets.cmake. */
#ifndef VD_PLOT_TEMPLATES_H
#define VD_PLOT_TEMPLATES_H

#include "os/asset.h"

/* All files, `*n` of them, as they are in the tree. */
const struct os_asset *plot_templates(size_t *n);

/* The one called "bars.gp"; NULL when there is none. */
const struct os_asset *plot_template(const char *name);

#endif
