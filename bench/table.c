/* What the parts of reading and scoring a large table cost, beside what bare C takes to
 * add its numbers up.
 *
 *     bench_table FILE [THREADS]
 */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "format/blocks.h"
#include "os/log.h"
#include "vedette/detector.h"

enum { SAMPLE = 50000 };

/* ---- clocks ---- */

static double cpu_s(void)
{
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           1e-6 * (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

static double wall_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double last_cpu, last_wall;

/* Prints what passed since the step before. */
static void mark(const char *step)
{
    double cpu = cpu_s(), wall = wall_s();
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    if (step != NULL)
        printf("%-34s %7.2f s of CPU %7.2f s  peak %5ld MB\n", step, cpu - last_cpu,
               wall - last_wall, use.ru_maxrss / 1024);
    last_cpu = cpu;
    last_wall = wall;
}

/* ---- steps ---- */

/* Adds all numbers up, with no check of anything: what reading cannot be faster than, as
 * every byte has to be looked at. Digits, points, minuses, commas, newlines. */
static double bare(const char *path)
{
    int fd = open(path, O_RDONLY);
    struct stat info;
    const char *at, *end;
    double sum = 0;

    if (fd < 0 || fstat(fd, &info) != 0)
        return NAN;
    at = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (at == MAP_FAILED)
        return NAN;
    end = at + info.st_size;
    while (at < end) {
        static const double ten[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
        uint64_t whole = 0;
        unsigned digits = 0;

        for (; (unsigned char)(*at - '0') <= 9; at++)
            whole = whole * 10 + (uint64_t)(*at - '0');
        if (*at == '.')
            for (at++; (unsigned char)(*at - '0') <= 9; at++, digits++)
                whole = whole * 10 + (uint64_t)(*at - '0');
        sum += (double)whole / ten[digits & 7];
        at++;
    }
    munmap((void *)(end - info.st_size), (size_t)info.st_size);
    return sum;
}

struct sums {
    const vd_detector *forest;
    double values, scores;
};

struct own {
    double *score;
    size_t room;
};

static void release(void *own)
{
    free(((struct own *)own)->score);
}

static enum vd_status score(const struct format_table *t, struct format_block *block,
                            void *context, struct vd_error *err)
{
    const struct sums *sums = context;
    struct own *own = block->own;
    struct vd_matrix x = {.n = block->n, .d = t->n_metrics, .at = block->value};

    if (block->n > own->room) {
        free(own->score);
        own->score = malloc(block->n * sizeof *own->score);
        own->room = block->n;
    }
    if (own->score == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory");
    vd_detector_score_many(sums->forest, &x, own->score, 1);
    return VD_OK;
}

static enum vd_status add(const struct format_table *t, struct format_block *block,
                          size_t first, void *context, struct vd_error *err)
{
    const struct own *own = block->own;
    struct sums *sums = context;

    (void)first, (void)err;
    for (size_t i = 0; i < block->n * t->n_metrics; i++)
        sums->values += block->value[i];
    for (size_t i = 0; sums->forest != NULL && i < block->n; i++)
        sums->scores += own->score[i];
    return VD_OK;
}

/* Ends the program when something fails. */
static void check(enum vd_status status, const struct vd_error *err)
{
    if (status == VD_OK)
        return;
    fprintf(stderr, "bench_table: %s\n", err->text);
    exit(1);
}

static vd_detector *fit(struct format_table *t, struct vd_error *err)
{
    struct vd_fit_params params = vd_fit_params_default();
    struct vd_matrix x = {.d = t->n_metrics};
    vd_detector *forest;

    check(format_blocks_sample(t, &x.at, &x.n, err), err);
    check(vd_detector_fit(&forest, "isolation_forest", &x, NULL, &params, err), err);
    check(vd_detector_prepare(forest), err);
    free(x.at);
    return forest;
}

int main(int argc, char **argv)
{
    struct format_options options = {.sample = SAMPLE, .threads = 1};
    struct format_table table;
    struct vd_error err = {0};
    struct sums sums = {0};
    vd_detector *forest;

    if (argc < 2) {
        fputs("usage: bench_table FILE [THREADS]\n", stderr);
        return 2;
    }
    if (argc > 2)
        options.threads = (unsigned)strtoul(argv[2], NULL, 10);
    mark(NULL);
    check(format_table_open(&table, argv[1], &options, &err), &err);
    mark("open (study, order, sample)");
    check(format_blocks_each(&table, options.threads,
                             &(struct format_blocks_user){.done = add,
                                                          .own_size = sizeof(struct own),
                                                          .context = &sums},
                             &err),
          &err);
    mark("read");
    forest = fit(&table, &err);
    mark("fit of a forest to the sample");
    sums.forest = forest;
    check(format_blocks_each(&table, options.threads,
                             &(struct format_blocks_user){.work = score,
                                                          .done = add,
                                                          .release = release,
                                                          .own_size = sizeof(struct own),
                                                          .context = &sums},
                             &err),
          &err);
    mark("read and score");
    printf("%zu rows, sum %.2f, mean score %.4f%s\n", table.n, sums.values / 2,
           sums.scores / (double)table.n, table.unsorted ? ", not in order" : "");
    vd_detector_free(forest);
    format_table_close(&table);
    mark(NULL);
    printf("bare sum %.2f\n", bare(argv[1]));
    mark("bare C, one pass, a sum");
    return 0;
}
