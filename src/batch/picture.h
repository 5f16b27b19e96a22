/* The picture of an analysis: a grid of the metrics that matter, anomalies in red. */
#ifndef VD_BATCH_PICTURE_H
#define VD_BATCH_PICTURE_H

#include "batch/analyse.h"

/* Draws to `path`, which ends in .png or .svg; in a folder it is called as the scripts
 * for prmon call it, anomaly_visualization.png. `written` [PATH_MAX] is told the name.
 * VD_ERR_UNAVAILABLE without gnuplot. */
enum vd_status batch_picture_write(const struct batch_analysis *analysis,
                                   const char *path, char *written, struct vd_error *err);

/* VD_OK when `path` can be one: to be asked before a long analysis. */
enum vd_status batch_picture_check(const char *path, struct vd_error *err);

#endif
