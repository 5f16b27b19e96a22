/* A machine on which nothing happens, as CSV at 1 Hz: every metric is stationary noise.
 *
 *     noise_rows KIND DAYS SEED > FILE
 *
 * KIND is one of budget_noise.h, for all metrics, or "mixed": one kind each. Values are
 * cut to [0, 90], below the hard limits: those would alert by themselves, and rightly.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "budget_noise.h"

/* Core metrics of the multivariate layer. */
static const char *const column[] = {
    "cpu_percent",  "cpu_memory",    "cpu_temp",        "gpu_percent",
    "disk_read_mb", "disk_write_mb", "network_sent_mb", "network_recv_mb",
};

enum { COLUMNS = sizeof column / sizeof *column };

static size_t count_kinds(void)
{
    size_t n = 0;

    while (noise_kinds[n].name != NULL)
        n++;
    return n;
}

/* NULL when there is no such kind. */
static const struct noise_kind *kind_of(const char *name, size_t c)
{
    size_t n = count_kinds();

    if (strcmp(name, "mixed") == 0)
        return &noise_kinds[c % n];
    for (size_t k = 0; k < n; k++)
        if (strcmp(noise_kinds[k].name, name) == 0)
            return &noise_kinds[k];
    return NULL;
}

int main(int argc, char **argv)
{
    const struct noise_kind *kind[COLUMNS];
    struct noise noise[COLUMNS] = {0};
    int64_t seconds;

    if (argc != 4 || kind_of(argv[1], 0) == NULL) {
        fprintf(stderr, "usage: noise_rows KIND DAYS SEED\n");
        return 2;
    }
    seconds = (int64_t)(atof(argv[2]) * 86400);
    for (size_t c = 0; c < COLUMNS; c++) {
        kind[c] = kind_of(argv[1], c);
        vd_rng_init_stream(&noise[c].rng, strtoull(argv[3], NULL, 10), c);
    }
    printf("timestamp");
    for (size_t c = 0; c < COLUMNS; c++)
        printf(",%s", column[c]);
    printf("\n");
    for (int64_t t = 0; t < seconds; t++) {
        printf("%lld", (long long)(NOISE_START + t));
        for (size_t c = 0; c < COLUMNS; c++)
            printf(",%.3f", fmin(fmax(kind[c]->next(&noise[c], t), 0), 90));
        printf("\n");
    }
    return ferror(stdout) != 0;
}
