/* Does the univariate layer keep the alert budget? Nine kinds of stationary noise at 1
 * Hz; a surprise of s must come in one of 10^s samples. Events are counted: samples at or
 * above the threshold less than a minute apart are one. The first minute is the warm-up.
 *
 *     bench_budget [DAYS [STREAMS [RECORDING]]] > bench/budget.csv
 *
 * Column `ratio_s` is events seen over events to be expected, `rows_s` samples over
 * samples; 1 is right, below 1 quieter than promised. RECORDING: a CSV of a quiet
 * machine, a row a second; its first seven columns are seven streams.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vedette/simulate.h"
#include "vedette/stream.h"

/* A Thursday, midnight. */
#define NOISE_START INT64_C(1767225600)

enum { LEAST = 3, MOST = 6, DAY_S = 86400, APART_S = 60, COLUMNS = 7 };

struct tally {
    double samples;
    double rows[MOST + 1], events[MOST + 1];
    int64_t last[MOST + 1];
};

static void count(struct tally *tally, int64_t second, double surprise)
{
    tally->samples++;
    for (int s = LEAST; s <= MOST; s++) {
        if (surprise < s)
            continue;
        tally->rows[s]++;
        tally->events[s] += second - tally->last[s] >= APART_S;
        tally->last[s] = second;
    }
}

static void begin(struct tally *tally)
{
    for (int s = LEAST; s <= MOST; s++)
        tally->last[s] = -APART_S;
}

static bool run(struct tally *tally, const struct vd_noise_kind *kind, uint64_t seed,
                int64_t seconds)
{
    struct vd_noise noise = {0};
    struct vd_stream_verdict v;
    vd_stream *stream;

    if (vd_stream_new(&stream, NULL) != VD_OK)
        return false;
    vd_rng_init_stream(&noise.rng, 77, seed);
    begin(tally);
    for (int64_t t = 0; t < seconds; t++) {
        vd_stream_push(stream, NOISE_START + t, kind->next(&noise, t), &v);
        if (v.ready)
            count(tally, t, v.surprise);
    }
    vd_stream_free(stream);
    return true;
}

/* 33.4,3100.0,73.2,37.27,0.0,6.37,39.0,"[{'logical_id': 0, ...}]",22.0,20.5 */
static double column_of(const char *line, int column)
{
    for (; column > 0 && line != NULL; column--) {
        line = strchr(line, ',');
        line = line == NULL ? NULL : line + 1;
    }
    return line == NULL ? NAN : strtod(line, NULL);
}

static bool replay(struct tally *tally, const char *path, int column, int64_t *seconds)
{
    static char line[65536];
    struct vd_stream_verdict v;
    vd_stream *stream = NULL;
    FILE *file = fopen(path, "r");
    bool good = file != NULL && fgets(line, sizeof line, file) != NULL &&
                vd_stream_new(&stream, NULL) == VD_OK;

    begin(tally);
    for (*seconds = 0; good && fgets(line, sizeof line, file) != NULL; ++*seconds) {
        vd_stream_push(stream, NOISE_START + *seconds, column_of(line, column), &v);
        if (v.ready)
            count(tally, *seconds, v.surprise);
    }
    vd_stream_free(stream);
    if (file != NULL)
        fclose(file);
    return good;
}

static void print(const char *name, const char *what, double days,
                  const struct tally *tally)
{
    double unit = 1000;

    printf("%s,\"%s\",%.3g", name, what, days);
    for (int s = LEAST; s <= MOST; s++, unit *= 10)
        printf(",%.2f,%.2f", tally->rows[s] / tally->samples * unit,
               tally->events[s] / tally->samples * unit);
    printf("\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    double days = argc > 1 ? atof(argv[1]) : 3;
    unsigned streams = argc > 2 ? (unsigned)atoi(argv[2]) : 10;
    size_t kinds;
    const struct vd_noise_kind *kind = vd_noise_kinds(&kinds);

    printf("kind,what,stream_days");
    for (int s = LEAST; s <= MOST; s++)
        printf(",rows_%d,ratio_%d", s, s);
    printf("\n");
    for (size_t k = 0; k < kinds; k++) {
        struct tally tally = {0};

        for (unsigned i = 0; i < streams; i++)
            if (!run(&tally, &kind[k], i, (int64_t)(days * DAY_S)))
                return 1;
        print(kind[k].name, kind[k].what, days * streams, &tally);
    }
    if (argc > 3) {
        struct tally tally = {0};
        int64_t seconds = 0;

        for (int column = 0; column < COLUMNS; column++)
            if (!replay(&tally, argv[3], column, &seconds))
                return 1;
        print("recording", "a laptop, seven metrics", (double)(seconds * COLUMNS) / DAY_S,
              &tally);
    }
    return 0;
}
