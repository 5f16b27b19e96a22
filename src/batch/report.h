/* The report of an analysis: one page that needs nothing else. */
#ifndef VD_BATCH_REPORT_H
#define VD_BATCH_REPORT_H

#include "batch/analyse.h"

/* Writes the page to `path`, whole or not at all. `o` says what was analysed. Its size is
 * bounded, whatever the table's: 5 MB. VD_ERR_UNAVAILABLE when the program was built
 * without the dashboard. */
enum vd_status batch_report_write(const struct batch_analysis *analysis,
                                  const struct batch_analyse_options *o, const char *path,
                                  struct vd_error *err);

/* VD_OK when this program can write reports: to be asked before a long analysis. */
enum vd_status batch_report_check(struct vd_error *err);

#endif
