/* What is kept of scored rows: events, the worst rows, envelopes, the comparison with
 * labels. All of it is bounded. Internal to the analysis. */
#ifndef VD_BATCH_ANALYSE_GATHER_H
#define VD_BATCH_ANALYSE_GATHER_H

#include "batch/analyse_words.h"

enum { BATCH_LABELLED_MAX = 2000000 }; /* rows from which areas are computed */

/* The lowest and highest of a column, close together for who goes along with all rows. */
struct batch_envelope {
    float *low, *high; /* of the analysis: BATCH_BUCKETS each */
    size_t metric;
    double scale;
};

struct batch_gather {
    struct batch_analysis *out;
    struct batch_words *words;
    uint64_t total; /* rows that will come */
    bool timed;
    /* The event that is open. */
    struct batch_event event;
    bool open;
    unsigned quiet, quiet_most; /* rows since the last odd one; and that end no event */
    double memory, grown; /* of the row before; by how much since it began to grow */
    size_t grown_rows;
    struct explain_course course;
    /* Labels. */
    uint8_t *label;   /* owned: of every step-th row */
    double *surprise; /* owned */
    size_t n_labelled;
    uint64_t step;
    bool in_run, run_found; /* of labelled rows */
    /* The envelopes. */
    struct batch_envelope envelope[BATCH_ENVELOPES];
    size_t n_envelopes;
    size_t bucket;
    uint64_t next_bucket; /* the row at which the next one begins */
};

enum vd_status batch_gather_begin(struct batch_gather *g, struct batch_analysis *out,
                                  struct batch_words *words,
                                  const struct batch_rows *rows, struct vd_error *err);

/* Takes the next row: `value` as it stands in the file, `label` 0, 1 or -1. `row` says
 * what was found, and is filled with the reason when it is odd. */
enum vd_status batch_gather_add(struct batch_gather *g, struct batch_row *row, bool odd,
                                const double *value, int label, const char *task,
                                struct vd_error *err);

/* Closes what is open and puts the worst rows in order. */
void batch_gather_end(struct batch_gather *g);

void batch_gather_release(struct batch_gather *g);

#endif
