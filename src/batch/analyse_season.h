/* What is expected at each time of the day, or of the week: a nightly job is no anomaly
 * at its hour and is one at another. Internal to the analysis. */
#ifndef VD_BATCH_ANALYSE_SEASON_H
#define VD_BATCH_ANALYSE_SEASON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vedette/matrix.h"
#include "vedette/status.h"

enum { BATCH_NO_SLOT = -1 };

/* What values are like in one slot of the period. NaN = there were too few. */
struct batch_season_level {
    float middle, up, down; /* the median, and a sigma above and below it */
};

/* Zero-initialise. */
struct batch_season {
    struct batch_season_level *level; /* owned: slots x d; NULL = there is no season */
    size_t d;
    int64_t slot_s, slots; /* slots x slot_s is a day or a week */
};

/* Learns from rows in order of time, those of which `odd` (NULL = none) says false; all
 * times 0 = not known. `sigma` (d of them) is the spread of each column over the whole.
 * Without rows of three days and more, or with fewer than one row an hour, there is no
 * season. VD_ERR_MEMORY. */
enum vd_status batch_season_learn(struct batch_season *season, const struct vd_matrix *x,
                                  const int64_t *time_ns, const bool *odd,
                                  const double *sigma, struct vd_error *err);

/* Which slot a time is in; BATCH_NO_SLOT without a season or a time. */
long batch_season_slot(const struct batch_season *season, int64_t time_ns);

/* What is expected of column k in a slot; NULL = nothing is known. */
const struct batch_season_level *batch_season_at(const struct batch_season *season,
                                                 long slot, size_t k);

void batch_season_release(struct batch_season *season);

#endif
