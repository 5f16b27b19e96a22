/* Hashes of everything that the library computes from made-up rows: saved models and the
 * bits of all scores. Linked with the library for any processor and with the one that
 * picks this machine's widest vectors, it must print the same (tests/CMakeLists.txt). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "vedette/calibration.h"
#include "vedette/detector.h"
#include "vedette/rng.h"
#include "vedette/stream.h"

enum { ROWS = 700, SAMPLES = 20000 };

/* FNV-1a, 64 bits. */
static uint64_t hash(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < n; i++)
        h = (h ^ at[i]) * 0x100000001b3;
    return h;
}

static const uint64_t START = 0xcbf29ce484222325;

/* Two clouds, the small one labelled; columns of very different scale, some of few
 * values. */
static void make_rows(struct vd_matrix *x, uint8_t *label, uint64_t seed)
{
    struct vd_rng rng;

    vd_rng_init(&rng, seed);
    for (size_t i = 0; i < x->n; i++) {
        label[i] = i % 9 == 0;
        for (size_t k = 0; k < x->d; k++) {
            double v = vd_rng_normal(&rng) + 2 * label[i] * (k % 3 == 0);

            vd_matrix_row(x, i)[k] =
                k % 4 == 3 ? floor(2 * v) : v * pow(10, (double)(k % 5) - 2);
        }
    }
}

static void print_detector(const char *name, const struct vd_matrix *x,
                           const uint8_t *label, uint64_t seed)
{
    static double scores[ROWS];
    struct vd_fit_params params = vd_fit_params_default();
    struct vd_writer w = {0};
    struct vd_error err = {0};
    vd_detector *detector;
    uint64_t one = START;

    params.seed = seed;
    if (vd_detector_fit(&detector, name, x, label, &params, &err) != VD_OK) {
        printf("%s: %s\n", name, err.text);
        return;
    }
    vd_detector_save(detector, &w);
    vd_detector_score_many(detector, x, scores, 1);
    for (size_t i = 0; i < x->n; i++) {
        double score = vd_detector_score(detector, vd_matrix_row(x, i));

        one = hash(one, &score, sizeof score);
    }
    printf("%-16s %2zu columns, seed %llu: model %016llx batch %016llx rows %016llx\n",
           name, x->d, (unsigned long long)seed,
           (unsigned long long)hash(START, w.at, w.size),
           (unsigned long long)hash(START, scores, x->n * sizeof *scores),
           (unsigned long long)one);
    vd_writer_release(&w);
    vd_detector_free(detector);
}

static void print_stream(void)
{
    struct vd_stream_params params = vd_stream_params_default();
    struct vd_rng rng;
    vd_stream *stream;
    uint64_t h = START;

    if (vd_stream_new(&stream, &params) != VD_OK)
        return;
    vd_rng_init(&rng, 5);
    for (int64_t i = 0; i < SAMPLES; i++) {
        struct vd_stream_verdict verdict;

        vd_stream_push(stream, 1767225600 + 10 * i,
                       50 + 10 * vd_rng_normal(&rng) + 30 * (i % 4000 > 3950), &verdict);
        h = hash(h, &verdict.surprise, sizeof verdict.surprise);
    }
    printf("stream: %016llx\n", (unsigned long long)h);
    vd_stream_free(stream);
}

/* Surprises of many rows, and their combination. */
static void print_surprises(void)
{
    static double raw[3][SAMPLES], together[SAMPLES];
    const double *member[3] = {raw[0], raw[1], raw[2]};
    uint64_t h = START;
    struct vd_calibration c;
    struct vd_rng rng;

    vd_rng_init(&rng, 11);
    for (size_t m = 0; m < 3; m++) {
        for (size_t i = 0; i < SAMPLES; i++)
            raw[m][i] = vd_rng_normal(&rng) * (i % 100 == 0 ? 9 : 1);
        if (vd_calibration_fit(&c, raw[m], SAMPLES, NULL) != VD_OK)
            return;
        vd_calibration_surprises(&c, raw[m], raw[m], SAMPLES);
    }
    vd_surprises_combine(member, 3, SAMPLES, together);
    h = hash(hash(h, raw, sizeof raw), together, sizeof together);
    printf("surprises: %016llx\n", (unsigned long long)h);
}

int main(void)
{
    static const size_t columns[] = {2, 7, 19};
    static uint8_t label[ROWS];
    const struct vd_detector_info *info;

    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
        struct vd_matrix x;

        if (vd_matrix_init(&x, ROWS, columns[c]) != VD_OK)
            return 1;
        make_rows(&x, label, c);
        for (size_t i = 0; (info = vd_detector_at(i)) != NULL; i++)
            if (info->unavailable == NULL)
                print_detector(info->name, &x, label, c + 1);
        vd_matrix_release(&x);
    }
    print_stream();
    print_surprises();
    return 0;
}
