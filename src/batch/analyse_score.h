/* The detectors of one analysis: learned from rows, they give each row a surprise.
 * Internal to the analysis. */
#ifndef VD_BATCH_ANALYSE_SCORE_H
#define VD_BATCH_ANALYSE_SCORE_H

#include "batch/analyse_words.h"
#include "detect/univariate.h"
#include "vedette/calibration.h"
#include "vedette/detector.h"
#include "vedette/model.h"

enum {
    BATCH_MEMBERS_MAX = 12,
    BATCH_WINDOW_ROWS = 10,     /* rows side by side */
    BATCH_WINDOW_NUMBERS = 256, /* numbers in such a window, at most */
    BATCH_FIT_ROWS = 100000,    /* a detector is fitted on, at most */
    BATCH_FIT_ROWS_SLOW = 4000, /* one that compares rows with each other */
    BATCH_FIT_WINDOWS = 10000,
    BATCH_BLOCK = 4096, /* rows that are scored at once */
};

enum batch_member_kind {
    BATCH_MEMBER_LIBRARY, /* a detector of the library */
    BATCH_MEMBER_WINDOWS, /* PCA of rows side by side */
    BATCH_MEMBER_LEVELS,  /* the largest distance of a value from what is expected */
    BATCH_MEMBER_STREAMS, /* each metric by itself, without looking ahead */
};

struct batch_member {
    const char *name; /* static */
    enum batch_member_kind kind;
    vd_detector *detector; /* owned unless `borrowed` */
    bool borrowed;
    bool idle;        /* it is not asked now */
    bool is_distance; /* its raw score is one; its logarithm is taken instead */
    bool repeats;     /* it says what others say */
    struct vd_calibration calibration;
};

struct batch_scorer {
    const struct batch_words *words;
    struct vd_fit_params params;
    unsigned trees;
    size_t d, window; /* rows side by side */
    double interval_s;
    struct batch_member member[BATCH_MEMBERS_MAX];
    size_t n_members;
    detect_univariate *streams; /* owned; NULL until rows are seen */
    double *recent;             /* owned: the last window - 1 rows, complete */
    size_t n_recent;
    uint64_t seen;               /* rows */
    struct vd_calibration whole; /* of the combined surprise */
    bool has_whole;
    double *raw;     /* owned: BATCH_MEMBERS_MAX x BATCH_BLOCK */
    double *block;   /* owned: BATCH_BLOCK x d, without gaps */
    double *windows; /* owned: BATCH_BLOCK / 8 windows */
    double *filling; /* owned: d, what stands for a value that is missing */
};

/* Rows to learn from, in order. */
struct batch_lesson {
    struct vd_matrix x; /* NaN = missing */
    int64_t *time_ns;   /* x.n; all 0 without times */
    uint8_t *label;     /* x.n of 0 and 1; NULL = none */
    bool clean;         /* nothing in it is odd */
    bool ordered;       /* rows on end belong together, and to a time of the day */
    bool rank;          /* rows are only to be put in order: it learns once, from all */
    double *surprise;   /* x.n: is filled with what the rows themselves get */
};

enum vd_status batch_scorer_init(struct batch_scorer *scorer,
                                 const struct batch_words *words, size_t d,
                                 const struct batch_analyse_options *options,
                                 double interval_s, struct vd_error *err);

/* Adds a member by name: one of the library's, or "windows", "levels", "streams". */
enum vd_status batch_scorer_add(struct batch_scorer *scorer, const char *name,
                                struct vd_error *err);

/* Takes the detectors of a bundle, which is borrowed, as they are. */
enum vd_status batch_scorer_take(struct batch_scorer *scorer, const vd_model *model,
                                 struct vd_error *err);

/* Fits the members and learns what their scores mean; `words` learns what is expected.
 * Where the rows may hold anomalies, it learns a second time without them. */
enum vd_status batch_scorer_learn(struct batch_scorer *scorer, struct batch_words *words,
                                  struct batch_lesson *lesson, struct vd_error *err);

/* Sets what stands for missing values from what is expected. */
void batch_scorer_fill_with_expected(struct batch_scorer *scorer);

/* Writes the members' raw scores of the next rows of a sequence, BATCH_BLOCK at most, to
 * scorer->raw, BATCH_BLOCK apart. */
enum vd_status batch_scorer_raw(struct batch_scorer *scorer, const struct vd_matrix *x,
                                const int64_t *time_ns, struct vd_error *err);

/* Writes a row as the detectors see it: its values, or how far they are from what is
 * expected at that time of the day. */
void batch_scorer_see(const struct batch_scorer *scorer, const double *row,
                      int64_t time_ns, double *out);

/* Writes for each row the largest distance of a value from what is expected; `time_ns`
 * NULL = whatever the time of the day is. */
void batch_scorer_levels(const struct batch_scorer *scorer, const struct vd_matrix *x,
                         const int64_t *time_ns, double *raw);

/* Joins the members' raw scores of n rows, `stride` apart, to one surprise each,
 * calibrated as a whole where that was learned. */
void batch_scorer_combine(const struct batch_scorer *scorer, const double *raw,
                          size_t stride, size_t n, double *surprise);

/* What the member makes of a raw score of its detector. */
double batch_member_raw(const struct batch_member *member, double raw);

/* Scores the next rows of a sequence, BATCH_BLOCK at most. */
enum vd_status batch_scorer_score(struct batch_scorer *scorer, const struct vd_matrix *x,
                                  const int64_t *time_ns, double *surprise,
                                  struct vd_error *err);

/* The next row is the first of a sequence. */
void batch_scorer_restart(struct batch_scorer *scorer);

void batch_scorer_release(struct batch_scorer *scorer);

#endif
