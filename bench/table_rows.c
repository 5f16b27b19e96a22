/* A table of a busy machine, for batch.sh: a time and nine metrics, a row a second, some
 * 66 bytes each. One row in a thousand is odd.
 *
 *     table_rows ROWS SEED > FILE
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "vedette/rng.h"

/* What a metric does over the day, and how much noise it has. */
static const struct {
    const char *name;
    double middle, swing, noise, odd;
} columns[] = {
    {"cpu_percent", 30, 15, 4, 60},      {"memory_percent", 55, 5, 1, 30},
    {"load_1", 2.5, 1, 0.3, 9},          {"disk_read_mb", 12, 6, 3, 400},
    {"disk_write_mb", 9, 4, 2, 300},     {"network_sent_mb", 4, 2, 1, 90},
    {"network_recv_mb", 6, 3, 1, 120},   {"temperature", 52, 6, 1, 30},
    {"swap_percent", 1.5, 0.5, 0.1, 40},
};

enum { COLUMNS = sizeof columns / sizeof *columns, DAY = 86400 };

/* Writes a number of two decimals, which printf would take most of the time for. */
static char *put_number(char *at, double value)
{
    unsigned hundredths = (unsigned)(fmax(value, 0) * 100 + 0.5);
    char digits[16];
    int n = 0;

    for (unsigned left = hundredths; n < 3 || left > 0; left /= 10)
        digits[n++] = (char)('0' + left % 10);
    while (n > 0) {
        *at++ = digits[--n];
        if (n == 2)
            *at++ = '.';
    }
    return at;
}

static char *put_row(char *at, time_t when, struct vd_rng *rng)
{
    double turn = 6.283185307179586 * (double)(when % DAY) / DAY;
    bool odd = vd_rng_below(rng, 1000) == 0;
    struct tm tm;

    gmtime_r(&when, &tm);
    at += strftime(at, 32, "%Y-%m-%d %H:%M:%S", &tm);
    for (size_t c = 0; c < COLUMNS; c++) {
        *at++ = ',';
        at = put_number(at, columns[c].middle + columns[c].swing * sin(turn + (double)c) +
                                columns[c].noise * vd_rng_normal(rng) +
                                (odd ? columns[c].odd * vd_rng_uniform(rng) : 0));
    }
    *at++ = '\n';
    return at;
}

int main(int argc, char **argv)
{
    struct vd_rng rng;
    long rows;

    if (argc != 3) {
        fputs("usage: table_rows ROWS SEED\n", stderr);
        return 2;
    }
    rows = strtol(argv[1], NULL, 10);
    vd_rng_init(&rng, strtoull(argv[2], NULL, 10));
    fputs("timestamp", stdout);
    for (size_t c = 0; c < COLUMNS; c++)
        printf(",%s", columns[c].name);
    putchar('\n');
    for (long i = 0; i < rows; i++) {
        char row[512];
        size_t size = (size_t)(put_row(row, 1767225600 + i, &rng) - row);

        if (fwrite(row, 1, size, stdout) != size)
            return 1;
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
