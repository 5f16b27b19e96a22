/* Time for one sample of one metric, and what its state takes: new, after an hour, after
 * a day at 1 Hz. Many streams are pushed in turn, as a monitor does, so that each finds
 * its state out of the nearest cache.
 *
 *     bench_stream [STREAMS] > bench/stream.csv
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "vedette/simulate.h"
#include "vedette/stream.h"

/* Time of this process on a core, so that what else runs on the machine does not count.
 */
static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Memory of the process that is in RAM, in KiB. */
static double resident_kib(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long all = 0, resident = 0;

    /* 12345 678 90 1 0 23 0 */
    if (file == NULL || fscanf(file, "%ld %ld", &all, &resident) != 2)
        resident = 0;
    if (file != NULL)
        fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1024;
}

/* The values are made before the clock starts: drawing them costs as much as a push. */
static double push_all(vd_stream **stream, int streams, const double *x, int n,
                       int64_t from, int64_t to)
{
    double begin = seconds_now();

    for (int64_t t = from; t < to; t++) {
        struct vd_stream_verdict v;

        for (int i = 0; i < streams; i++)
            vd_stream_push(stream[i], 1767225600 + t, x[(t * 31 + i * 7919) % n], &v);
    }
    return (seconds_now() - begin) / (double)(to - from) / streams * 1e6;
}

static size_t saved_bytes(const vd_stream *stream)
{
    struct vd_writer w = {0};
    size_t size;

    vd_stream_save(stream, &w);
    size = w.size;
    vd_writer_release(&w);
    return size;
}

int main(int argc, char **argv)
{
    enum { VALUES = 1 << 16 };
    const int64_t mark[] = {60, 3600, 28800, 86400};
    int streams = argc > 1 ? atoi(argv[1]) : 80;
    vd_stream **stream = calloc((size_t)streams, sizeof *stream);
    double *x = malloc(VALUES * sizeof *x), before;
    struct vd_noise noise = {0};
    size_t kinds;
    const struct vd_noise_kind *kind = vd_noise_kinds(&kinds);
    int64_t from = 0;

    if (stream == NULL || x == NULL || streams < 1)
        return 1;
    vd_rng_init(&noise.rng, 1);
    for (int i = 0; i < VALUES; i++)
        x[i] = kind[i % 2 == 0 ? 0 : 3].next(&noise, i);
    before = resident_kib();
    for (int i = 0; i < streams; i++)
        if (vd_stream_new(&stream[i], NULL) != VD_OK)
            return 1;
    printf("streams,samples,us_per_sample,state_bytes,resident_kib,saved_bytes\n");
    for (size_t k = 0; k < sizeof mark / sizeof *mark; k++) {
        double us = push_all(stream, streams, x, VALUES, from, mark[k]);

        printf("%d,%lld,%.3f,%zu,%.1f,%zu\n", streams, (long long)mark[k], us,
               vd_stream_size(), (resident_kib() - before) / streams,
               saved_bytes(stream[0]));
        from = mark[k];
    }
    for (int i = 0; i < streams; i++)
        vd_stream_free(stream[i]);
    free(stream);
    free(x);
    return 0;
}
