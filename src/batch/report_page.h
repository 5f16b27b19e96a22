/* The page that a report is made of: built from web/src/report, see cmake/assets.cmake.
 */
#ifndef VD_BATCH_REPORT_PAGE_H
#define VD_BATCH_REPORT_PAGE_H

#include "os/asset.h"

/* The page, as the only row; `*n` is 0 in a program that was built without the
 * dashboard. */
const struct os_asset *batch_report_page(size_t *n);

#endif
