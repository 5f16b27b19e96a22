/* Walks thirty-two rows at once through a tree of eight levels, with AVX2.
 *
 * The first four levels compare the rows with all fifteen splits and choose by the turns
 * taken. Below, byte shuffles look the split up, in tables of sixteen entries each, and
 * blends choose the row's number of the split's column. Memory is not gathered from,
 * which would cost as much as walking row by row.
 */
#include "detect/tree/isolation_ranks.h"

#include "base/alloc.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(VD_PLAIN)

#include <assert.h>
#include <immintrin.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AVX2        __attribute__((target("avx2")))
#define AVX2_INLINE static inline __attribute__((target("avx2"), always_inline))

enum {
    DEPTH = 8,
    NODES = 1 << DEPTH,
    BUCKETS = 4096, /* of a column, so that few splits are left to search */
    STEP = 8,       /* numbers that are searched in step */
    GROUP = 32,     /* rows that walk in step */
    /* More than any rank: a split that sends every row to the left. */
    NEVER = INT16_MAX,
};

/* The splits of one column in order. */
struct splits {
    float *limit; /* n of them, all different, and as many numbers beyond them */
    size_t n;
    float low, per_bucket; /* bucket of x: (x - low) * per_bucket */
    uint16_t *start;       /* BUCKETS: the first split of each */
    size_t most;           /* half of a power of two beyond the splits of any bucket */
};

/* A tree: for every node the rank of its split, as one number and as two bytes, and its
 * column. */
struct tree {
    int16_t rank[16]; /* of the first four levels */
    uint8_t low[NODES], high[NODES], column[NODES];
};

struct isolation_ranks {
    size_t size, d;
    struct splits splits[ISOLATION_RANK_COLUMNS];
    struct tree *tree; /* owned, as all arrays in `splits` */
};

/* ---- making them ---- */

static int by_value(const void *left, const void *right)
{
    float a = *(const float *)left, b = *(const float *)right;

    return (a > b) - (a < b);
}

/* Tells the bucket of a number. It never falls while numbers rise, which is all that the
 * search needs. */
static inline size_t bucket_of(const struct splits *s, float x)
{
    float at = (x - s->low) * s->per_bucket;

    return at >= BUCKETS - 1 ? BUCKETS - 1 : at > 0 ? (size_t)at : 0;
}

/* Counts the splits that lie below each of STEP numbers. There is no branch that depends
 * on them, and the searches go in step. */
static inline void rank_of(const struct splits *s, const float *x, int16_t *rank)
{
    size_t at[STEP];

#pragma GCC unroll 8
    for (size_t k = 0; k < STEP; k++)
        at[k] = s->start[bucket_of(s, x[k])];
    for (size_t half = s->most; half > 0; half /= 2)
#pragma GCC unroll 8
        for (size_t k = 0; k < STEP; k++)
            at[k] += s->limit[at[k] + half - 1] < x[k] ? half : 0;
#pragma GCC unroll 8
    for (size_t k = 0; k < STEP; k++)
        rank[k] = (int16_t)at[k];
}

/* Tells whether node i, counted over all trees, splits column j. */
static bool is_split(const struct isolation_forest *f, size_t i, size_t j)
{
    return i % NODES != 0 && f->split[i].column == j && isfinite(f->split[i].threshold);
}

/* Notes where the buckets begin, and how many splits one has at most. */
static void find_buckets(struct splits *s)
{
    float span = s->n > 0 ? s->limit[s->n - 1] - s->limit[0] : 0;
    size_t most = 0;

    s->low = s->n > 0 ? s->limit[0] : 0;
    s->per_bucket = span > 0 && isfinite(BUCKETS / span) ? BUCKETS / span : 0;
    for (size_t bucket = 0, i = 0; bucket < BUCKETS; bucket++) {
        s->start[bucket] = (uint16_t)i;
        while (i < s->n && bucket_of(s, s->limit[i]) == bucket)
            i++;
        most = i - s->start[bucket] > most ? i - s->start[bucket] : most;
    }
    for (s->most = 1; 2 * s->most <= most;)
        s->most *= 2;
}

/* Sorts the splits of column j, and drops doubles. False without memory; s->n is the
 * number of splits, which may be more than ranks can be. */
static bool sort_splits(struct splits *s, const struct isolation_forest *f, size_t j)
{
    size_t nodes = (size_t)f->n_trees << DEPTH, n = 0;

    for (size_t i = 0; i < nodes; i++)
        n += is_split(f, i, j);
    s->limit = vd__alloc(2 * n + STEP, sizeof *s->limit);
    s->start = vd__alloc(BUCKETS, sizeof *s->start);
    if (s->limit == NULL || s->start == NULL)
        return false;
    n = 0;
    for (size_t i = 0; i < nodes; i++)
        if (is_split(f, i, j))
            s->limit[n++] = f->split[i].threshold;
    qsort(s->limit, n, sizeof *s->limit, by_value);
    s->n = 0;
    for (size_t i = 0; i < n; i++)
        if (s->n == 0 || s->limit[s->n - 1] < s->limit[i])
            s->limit[s->n++] = s->limit[i];
    for (size_t i = s->n; i < 2 * n + STEP; i++)
        s->limit[i] = INFINITY;
    return true;
}

/* Writes one tree with ranks in place of thresholds. */
static void make_tree(struct tree *tree, const struct vd__heap_split *split,
                      const struct splits *splits)
{
    for (size_t i = 1; i < NODES; i++) {
        const struct splits *s = &splits[split[i].column];
        const float *found =
            bsearch(&split[i].threshold, s->limit, s->n, sizeof *s->limit, by_value);
        int16_t rank = found == NULL ? NEVER : (int16_t)(found - s->limit);

        if (i < 16)
            tree->rank[i] = rank;
        tree->low[i] = (uint8_t)(rank & 0xff);
        tree->high[i] = (uint8_t)(rank >> 8);
        tree->column[i] = (uint8_t)split[i].column;
    }
}

static bool is_usable(const struct isolation_forest *f)
{
    return f->n_axes == 1 && f->depth == DEPTH && f->base.d <= ISOLATION_RANK_COLUMNS &&
           __builtin_cpu_supports("avx2");
}

enum vd_status vd__isolation_ranks_new(struct isolation_ranks **out,
                                       const struct isolation_forest *f)
{
    struct isolation_ranks *r;
    bool fits = true, memory = true;

    *out = NULL;
    if (!is_usable(f))
        return VD_OK;
    r = vd__alloc_zero(1, sizeof *r);
    if (r == NULL)
        return VD_ERR_MEMORY;
    r->d = f->base.d;
    r->tree = vd__alloc(f->n_trees, sizeof *r->tree);
    r->size = sizeof *r + f->n_trees * sizeof *r->tree;
    memory = r->tree != NULL;
    for (size_t j = 0; memory && j < r->d; j++) {
        memory = sort_splits(&r->splits[j], f, j);
        fits = fits && r->splits[j].n < NEVER;
        if (memory && fits)
            find_buckets(&r->splits[j]);
        r->size += 2 * r->splits[j].n * sizeof(float) + BUCKETS * sizeof(uint16_t);
    }
    for (size_t t = 0; memory && fits && t < f->n_trees; t++)
        make_tree(&r->tree[t], f->split + (t << DEPTH), r->splits);
    if (memory && fits)
        *out = r;
    else
        vd__isolation_ranks_free(r);
    return memory ? VD_OK : VD_ERR_MEMORY;
}

void vd__isolation_ranks_free(struct isolation_ranks *ranks)
{
    if (ranks == NULL)
        return;
    for (size_t j = 0; j < ranks->d; j++) {
        vd__free(ranks->splits[j].limit);
        vd__free(ranks->splits[j].start);
    }
    vd__free(ranks->tree);
    vd__free(ranks);
}

size_t vd__isolation_ranks_size(const struct isolation_ranks *ranks)
{
    return ranks == NULL ? 0 : ranks->size;
}

/* ---- walking ---- */

/* The ranks of the rows: of each column one after another, and as bytes in the order in
 * which packing two registers leaves them. */
struct rows {
    int16_t rank[ISOLATION_RANK_COLUMNS][ISOLATION_RANK_ROWS];
    uint8_t low[ISOLATION_RANK_ROWS / GROUP][ISOLATION_RANK_COLUMNS][GROUP];
    uint8_t high[ISOLATION_RANK_ROWS / GROUP][ISOLATION_RANK_COLUMNS][GROUP];
};

/* Splits the ranks of 32 rows into low and high bytes. */
AVX2_INLINE void split_bytes(struct rows *x, size_t group, size_t j)
{
    const __m256i *from = (const __m256i *)(const void *)&x->rank[j][group * GROUP];
    __m256i a = _mm256_loadu_si256(from), b = _mm256_loadu_si256(from + 1);
    __m256i byte = _mm256_set1_epi16(0xff);

    _mm256_storeu_si256(
        (__m256i *)(void *)x->low[group][j],
        _mm256_packus_epi16(_mm256_and_si256(a, byte), _mm256_and_si256(b, byte)));
    _mm256_storeu_si256(
        (__m256i *)(void *)x->high[group][j],
        _mm256_packus_epi16(_mm256_srli_epi16(a, 8), _mm256_srli_epi16(b, 8)));
}

AVX2_INLINE __m256i load(const void *at)
{
    return _mm256_loadu_si256((const __m256i *)at);
}

/* Chooses b where the byte's top bit is set. */
AVX2_INLINE __m256i choose(__m256i a, __m256i b, __m256i by)
{
    return _mm256_blendv_epi8(a, b, by);
}

/* Tells, for sixteen rows, which of them go right at a node of the first levels. */
AVX2_INLINE __m256i turn(const struct tree *tree, const struct rows *x, size_t first,
                         size_t node)
{
    return _mm256_cmpgt_epi16(load(&x->rank[tree->column[node]][first]),
                              _mm256_set1_epi16(tree->rank[node]));
}

/* Walks sixteen rows through four levels and gives where they are on the fifth, 0 to
 * 15. */
AVX2_INLINE __m256i walk_top(const struct tree *tree, const struct rows *x, size_t first)
{
    __m256i right[4], at = _mm256_setzero_si256();

#pragma GCC unroll 4
    for (unsigned level = 0; level < 4; level++) {
        __m256i one[8];

#pragma GCC unroll 8
        for (unsigned i = 0; i < 1U << level; i++)
            one[i] = turn(tree, x, first, (1U << level) + i);
#pragma GCC unroll 4
        for (unsigned above = level; above-- > 0;)
#pragma GCC unroll 4
            for (unsigned i = 0; i < 1U << above; i++)
                one[i] = choose(one[2 * i], one[2 * i + 1], right[above]);
        right[level] = one[0];
        at = _mm256_sub_epi16(_mm256_add_epi16(at, at), one[0]);
    }
    return at;
}

/* Looks bytes up in a table of 16 << more entries. */
AVX2_INLINE __m256i look_up(const uint8_t *table, __m256i at, unsigned more)
{
    __m256i found[8];

#pragma GCC unroll 8
    for (unsigned i = 0; i < 1U << more; i++)
        found[i] =
            _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128(
                                    (const __m128i *)(const void *)(table + 16 * i))),
                                at);
#pragma GCC unroll 3
    for (unsigned bit = 0; bit < more; bit++)
#pragma GCC unroll 4
        for (unsigned i = 0; i < 1U << (more - 1 - bit); i++)
            found[i] = choose(found[2 * i], found[2 * i + 1],
                              bit == 0   ? _mm256_slli_epi16(at, 3)
                              : bit == 1 ? _mm256_slli_epi16(at, 2)
                                         : _mm256_slli_epi16(at, 1));
    return found[0];
}

/* Chooses each row's byte of the column that it is asked for, of `d` columns. */
AVX2_INLINE __m256i choose_column(const uint8_t (*byte)[GROUP], __m256i column,
                                  unsigned d)
{
    __m256i one[ISOLATION_RANK_COLUMNS];

#pragma GCC unroll 16
    for (unsigned j = 0; j < d; j++)
        one[j] = load(byte[j]);
#pragma GCC unroll 4
    for (unsigned bit = 0; bit < 4; bit++) {
        __m256i by = bit == 0   ? _mm256_slli_epi16(column, 7)
                     : bit == 1 ? _mm256_slli_epi16(column, 6)
                     : bit == 2 ? _mm256_slli_epi16(column, 5)
                                : _mm256_slli_epi16(column, 4);

#pragma GCC unroll 8
        for (unsigned i = 0; i < (d + (1U << bit) - 1) >> bit; i += 2)
            one[i / 2] = i + 1 < (d + (1U << bit) - 1) >> bit
                             ? choose(one[i], one[i + 1], by)
                             : one[i];
    }
    return one[0];
}

/* Goes one level down from level `level`, of 16 << more nodes. */
AVX2_INLINE __m256i walk_level(const struct tree *tree, const struct rows *x,
                               size_t group, __m256i at, unsigned more, unsigned d)
{
    size_t first = (size_t)16 << more;
    __m256i column = look_up(tree->column + first, at, more);
    __m256i limit_low = look_up(tree->low + first, at, more);
    __m256i limit_high = look_up(tree->high + first, at, more);
    __m256i low = choose_column(x->low[group], column, d);
    __m256i high = choose_column(x->high[group], column, d);
    __m256i a = _mm256_cmpgt_epi16(_mm256_unpacklo_epi8(low, high),
                                   _mm256_unpacklo_epi8(limit_low, limit_high));
    __m256i b = _mm256_cmpgt_epi16(_mm256_unpackhi_epi8(low, high),
                                   _mm256_unpackhi_epi8(limit_low, limit_high));

    return _mm256_sub_epi8(_mm256_add_epi8(at, at), _mm256_packs_epi16(a, b));
}

/* Adds the paths of a group in one tree. It stays apart, as vectors would have to be put
 * together from single numbers. */
static __attribute__((noinline)) void add_paths(const uint32_t *path, const uint8_t *leaf,
                                                uint64_t *sum)
{
#pragma GCC unroll 32
    for (size_t i = 0; i < GROUP; i++)
        sum[i] += path[leaf[i]];
}

/* Adds the paths of a group of rows in all trees; `d` is a constant after inlining. */
AVX2_INLINE void walk_group(const struct isolation_ranks *r, const uint32_t *path,
                            size_t n_trees, const struct rows *x, size_t group,
                            unsigned d, uint64_t *sum)
{
    for (size_t t = 0; t < n_trees; t++, path += NODES) {
        const struct tree *tree = &r->tree[t];
        uint8_t leaf[GROUP];
        __m256i at = _mm256_packs_epi16(walk_top(tree, x, group * GROUP),
                                        walk_top(tree, x, group * GROUP + 16));

        at = walk_level(tree, x, group, at, 0, d);
        at = walk_level(tree, x, group, at, 1, d);
        at = walk_level(tree, x, group, at, 2, d);
        at = walk_level(tree, x, group, at, 3, d);
        /* Puts the rows in order again. */
        _mm256_storeu_si256((__m256i *)(void *)leaf, _mm256_permute4x64_epi64(at, 0xd8));
        add_paths(path, leaf, sum);
    }
}

/* Writes the ranks of n rows. Places without a row repeat the last one. */
static void fill(const struct isolation_ranks *r, const struct isolation_forest *f,
                 const double *rows, size_t n, struct rows *x)
{
    for (size_t j = 0; j < r->d; j++)
        for (size_t i = 0; i < (n + GROUP - 1) / GROUP * GROUP; i += STEP) {
            float one[STEP];

            for (size_t k = 0; k < STEP; k++)
                one[k] = isolation_value(rows[(i + k < n ? i + k : n - 1) * r->d + j],
                                         f->center[j]);
            rank_of(&r->splits[j], one, &x->rank[j][i]);
        }
}

/* Chooses the code for the number of columns. */
AVX2 static void walk(const struct isolation_ranks *r, const struct isolation_forest *f,
                      struct rows *x, size_t n, uint64_t *sum)
{
    for (size_t group = 0; group * GROUP < n; group++) {
        uint64_t *to = sum + group * GROUP;

        for (size_t j = 0; j < r->d; j++)
            split_bytes(x, group, j);
        if (r->d <= 4)
            walk_group(r, f->path, f->n_trees, x, group, 4, to);
        else if (r->d <= 8)
            walk_group(r, f->path, f->n_trees, x, group, 8, to);
        else if (r->d <= 10)
            walk_group(r, f->path, f->n_trees, x, group, 10, to);
        else
            walk_group(r, f->path, f->n_trees, x, group, 16, to);
    }
}

void vd__isolation_ranks_sum(const struct isolation_ranks *ranks,
                             const struct isolation_forest *f, const double *rows,
                             size_t n, uint64_t *sum)
{
    struct rows x;

    assert(n > 0 && n <= ISOLATION_RANK_ROWS);
    /* No split asks for columns that are not there, but they are loaded. */
    for (size_t group = 0; group * GROUP < n; group++)
        for (size_t j = ranks->d; j < ISOLATION_RANK_COLUMNS; j++) {
            memset(x.low[group][j], 0, GROUP);
            memset(x.high[group][j], 0, GROUP);
        }
    memset(sum, 0, ISOLATION_RANK_ROWS * sizeof *sum);
    fill(ranks, f, rows, n, &x);
    walk(ranks, f, &x, n, sum);
}

#else

enum vd_status vd__isolation_ranks_new(struct isolation_ranks **out,
                                       const struct isolation_forest *f)
{
    (void)f;
    *out = NULL;
    return VD_OK;
}

void vd__isolation_ranks_free(struct isolation_ranks *ranks)
{
    (void)ranks;
}

size_t vd__isolation_ranks_size(const struct isolation_ranks *ranks)
{
    (void)ranks;
    return 0;
}

void vd__isolation_ranks_sum(const struct isolation_ranks *ranks,
                             const struct isolation_forest *f, const double *rows,
                             size_t n, uint64_t *sum)
{
    (void)ranks, (void)f, (void)rows, (void)n, (void)sum;
}

#endif
