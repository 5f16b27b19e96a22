/* Does the metric layer keep the alert budget? Nine kinds of stationary noise at 1 Hz; a
 * surprise of s must come in one of 10^s samples. Events are counted: samples at or above
 * the threshold less than a minute apart are one. The first minute is the warm-up.
 *
 *     bench_budget [DAYS [STREAMS]] > bench/budget.csv
 *
 * Column `ratio_s` is events seen over events to be expected, `rows_s` samples over
 * samples; 1 is right, below 1 quieter than promised.
 */
#include <stdio.h>
#include <stdlib.h>

#include "budget_noise.h"
#include "vedette/stream.h"

enum { LEAST = 3, MOST = 6, DAY_S = 86400, APART_S = 60 };

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

static bool run(struct tally *tally, const struct noise_kind *kind, uint64_t seed,
                int64_t seconds)
{
    const int64_t start = 1767225600; /* a Thursday, midnight */
    struct noise noise = {0};
    struct vd_stream_verdict v;
    vd_stream *stream;

    if (vd_stream_new(&stream, NULL) != VD_OK)
        return false;
    vd_rng_init_stream(&noise.rng, 77, seed);
    for (int s = LEAST; s <= MOST; s++)
        tally->last[s] = -APART_S;
    for (int64_t t = 0; t < seconds; t++) {
        vd_stream_push(stream, start + t, kind->next(&noise, t), &v);
        if (v.ready)
            count(tally, t, v.surprise);
    }
    vd_stream_free(stream);
    return true;
}

int main(int argc, char **argv)
{
    double days = argc > 1 ? atof(argv[1]) : 3;
    unsigned streams = argc > 2 ? (unsigned)atoi(argv[2]) : 10;

    printf("kind,what,stream_days");
    for (int s = LEAST; s <= MOST; s++)
        printf(",rows_%d,ratio_%d", s, s);
    printf("\n");
    for (const struct noise_kind *kind = noise_kinds; kind->name != NULL; kind++) {
        struct tally tally = {0};
        double unit = 1000;

        for (unsigned i = 0; i < streams; i++)
            if (!run(&tally, kind, i, (int64_t)(days * DAY_S)))
                return 1;
        printf("%s,\"%s\",%g", kind->name, kind->what, days * streams);
        for (int s = LEAST; s <= MOST; s++, unit *= 10)
            printf(",%.2f,%.2f", tally.rows[s] / tally.samples * unit,
                   tally.events[s] / tally.samples * unit);
        printf("\n");
        fflush(stdout);
    }
    return 0;
}
