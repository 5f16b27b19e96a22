/* A span of some metrics from the tiers of an open database. */
#ifndef VD_STORE_SQLITE_SERIES_H
#define VD_STORE_SQLITE_SERIES_H

#include "history.h"
#include "store/sqlite.h"

/* As history_reader.series; `interval_s` is the step of the raw tier. On failure `out`
 * may be half filled: release it. */
enum vd_status store_series_read(sqlite3 *db, double interval_s,
                                 const struct history_query *query,
                                 struct history_series *out, struct vd_error *err);

#endif
