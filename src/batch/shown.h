/* Which columns a picture shows, where there is no room for all. */
#ifndef VD_BATCH_SHOWN_H
#define VD_BATCH_SHOWN_H

#include "batch/analyse.h"

/* Gives the columns that have an envelope, those first that say most of the events, then
 * in the order of the file: an allocated list of indices, *n of them. NULL = no memory.
 */
size_t *batch_shown(const struct batch_analysis *analysis, size_t *n);

#endif
