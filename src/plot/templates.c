/* Finds a template by its name in the table that the build made. */
#include "plot/templates.h"

#include <string.h>

/* Finds a template. Paths in the table begin with a slash. NULL would be a mistake of the
 * build. */
const struct os_asset *plot_template(const char *name)
{
    size_t n = 0;
    const struct os_asset *all = plot_templates(&n);

    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i].path + 1, name) == 0)
            return &all[i];
    return NULL;
}
