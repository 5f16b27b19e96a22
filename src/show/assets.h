/* The dashboard's files: made from web/dist, see cmake/assets.cmake. */
#ifndef VD_SHOW_ASSETS_H
#define VD_SHOW_ASSETS_H

#include "os/asset.h"

/* All files, `*n` of them. */
const struct os_asset *show_assets(size_t *n);

#endif
