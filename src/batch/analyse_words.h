/* What is expected of each column, and why a row is odd, in words. Internal to the
 * analysis. */
#ifndef VD_BATCH_ANALYSE_WORDS_H
#define VD_BATCH_ANALYSE_WORDS_H

#include "batch/analyse_rows.h"
#include "batch/analyse_season.h"
#include "explain/explain.h"
#include "vedette/matrix.h"
#include "vedette/zscore.h"

/* The metrics that the fixed reasons are about, by their usual names. */
enum {
    BATCH_CPU,
    BATCH_MEMORY,
    BATCH_READ,
    BATCH_WRITE,
    BATCH_SENT,
    BATCH_RECEIVED,
    BATCH_KNOWN
};

struct batch_words {
    struct record_schema schema; /* one metric for each value of a row, in order */
    double *expected, *sigma;    /* d each, owned; as people see the values */
    double *scale;               /* from what the file has to what people see */
    double *middle, *per_sigma;  /* d each, owned: expected as the file has it, and what
                                    makes sigmas, floors among them, of a difference */
    struct batch_season season;  /* what is expected at each time of the day */
    double *value, *z, *told;    /* d each, owned: of the row explained last; `told` is
                                    what was expected of it */
    size_t known[BATCH_KNOWN];   /* SIZE_MAX = not there */
    struct record_event event;   /* what was said of the row explained last */
};

/* Makes the metrics of the rows' values. To be released after a failure, too. */
enum vd_status batch_words_init(struct batch_words *words, struct batch_rows *rows,
                                struct vd_error *err);

/* Finds the columns that are shares from 0 to 1 and shown in percent. */
void batch_words_find_shares(struct batch_words *words, const struct vd_matrix *x);

/* Learns what is expected from rows of x, those of which `odd` (NULL = none) says false.
 * NaN is left out. `time_ns` NULL = whatever the time of the day is. */
enum vd_status batch_words_learn(struct batch_words *words, const struct vd_matrix *x,
                                 const int64_t *time_ns, const bool *odd,
                                 struct vd_error *err);

/* Which slot of the season a time is in. */
long batch_words_slot(const struct batch_words *words, int64_t time_ns);

/* How many sigmas, floors of its unit among them, value k is from what is expected in the
 * slot (BATCH_NO_SLOT = all in all); NaN when it is not there. */
static inline double batch_words_z(const struct batch_words *words, long slot, size_t k,
                                   double value)
{
    const struct batch_season_level *level =
        slot == BATCH_NO_SLOT ? NULL : batch_season_at(&words->season, slot, k);
    double z = (value - words->middle[k]) * words->per_sigma[k];

    if (level != NULL) {
        z = value - (double)level->middle;
        z /= (double)(z > 0 ? level->up : level->down);
    }
    return z > VD_Z_MAX ? VD_Z_MAX : z < -VD_Z_MAX ? -VD_Z_MAX : z;
}

/* Says why the row of that time (0 = none) is odd, and returns how much there is to tell.
 * `task` is that of a failed one, "" = none. */
double batch_words_explain(struct batch_words *words, const double *row, int64_t time_ns,
                           double score, const char *task, struct batch_reason *out);

/* What explain_course_add wants of the row explained last. */
struct explain_input batch_words_input(const struct batch_words *words);

void batch_words_release(struct batch_words *words);

#endif
