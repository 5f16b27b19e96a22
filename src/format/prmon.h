/* The files of prmon, the process monitor of the HEP Software Foundation: a table with
 * one row for each sample, and a summary in JSON. Names, order and units are those of
 * prmon 3.3.0, so that what reads its files reads ours.
 *
 * Three things differ, all on purpose. CPU times have hundredths of a second. `Avg` of
 * counters is per second; prmon since 3.0.0 writes a hundred times that (it multiplies by
 * ticks and divides by seconds). What is not known is an empty field and null, never 0.
 */
#ifndef VD_FORMAT_PRMON_H
#define VD_FORMAT_PRMON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* In the order of the file. Sizes are in KiB ("kB"), counters in bytes and packets. */
enum format_prmon_column {
    FORMAT_PRMON_TIME,  /* whole seconds since 1970 */
    FORMAT_PRMON_WTIME, /* whole seconds since the first process began */
    FORMAT_PRMON_GPU_MEMORY,
    FORMAT_PRMON_GPU_MEMORY_PERCENT,
    FORMAT_PRMON_GPU_PERCENT,
    FORMAT_PRMON_GPUS,
    FORMAT_PRMON_PSS,
    FORMAT_PRMON_RSS,
    FORMAT_PRMON_SWAP,
    FORMAT_PRMON_VMEM,
    FORMAT_PRMON_RCHAR,
    FORMAT_PRMON_READ_BYTES,
    FORMAT_PRMON_WCHAR,
    FORMAT_PRMON_WRITE_BYTES,
    FORMAT_PRMON_RX_BYTES,
    FORMAT_PRMON_RX_PACKETS,
    FORMAT_PRMON_TX_BYTES,
    FORMAT_PRMON_TX_PACKETS,
    FORMAT_PRMON_STIME,
    FORMAT_PRMON_UTIME,
    FORMAT_PRMON_NPROCS,
    FORMAT_PRMON_NTHREADS,
    FORMAT_PRMON_ELAPSED, /* ours, on request: seconds since the recording began */
    FORMAT_PRMON_COLUMNS
};

/* What a recording has. */
struct format_prmon {
    bool shown[FORMAT_PRMON_COLUMNS];
    bool has_phase;     /* a last column, `phase` */
    bool whole_seconds; /* CPU times without fractions, as prmon has them */
};

/* The monitors of prmon that a user may switch off; static, ended by NULL. */
const char *const *format_prmon_monitors(void);

/* Takes the columns of a monitor out. False when there is none of that name, or it is
 * "wallmon", which stays. "all" are all others. */
bool format_prmon_disable(struct format_prmon *prmon, const char *monitor);

/* "pss"; static. */
const char *format_prmon_name(enum format_prmon_column column);

/* Whether the column only grows. */
bool format_prmon_is_counter(enum format_prmon_column column);

enum { FORMAT_PRMON_LINE_MAX = 1024, FORMAT_PRMON_PHASE_MAX = 64 };

/* Write one line, with its newline, into text; return its length. `phase` is shorter than
 * FORMAT_PRMON_PHASE_MAX and has no tab and no newline. */
size_t format_prmon_head(const struct format_prmon *prmon,
                         char text[FORMAT_PRMON_LINE_MAX]);
size_t format_prmon_row(const struct format_prmon *prmon,
                        const double value[FORMAT_PRMON_COLUMNS], const char *phase,
                        char text[FORMAT_PRMON_LINE_MAX]);

/* What the summary is made of. Zero-initialise. */
struct format_prmon_sums {
    double most[FORMAT_PRMON_COLUMNS], sum[FORMAT_PRMON_COLUMNS];
    size_t n[FORMAT_PRMON_COLUMNS]; /* values that were known */
};

/* Adds a row. `measured` = its memory and counts were read for it: a last row, written
 * when the processes had ended, repeats those of the row before. */
void format_prmon_add(struct format_prmon_sums *sums,
                      const double value[FORMAT_PRMON_COLUMNS], bool measured);

/* The object with Max and Avg, and prmon's version whose form it is; with `units`, Units
 * too. `age_s` is how long the processes' counters have counted, `recorded_s` those of
 * the network. The caller owns it; NULL without memory. */
json_t *format_prmon_summary(const struct format_prmon *prmon,
                             const struct format_prmon_sums *sums, double age_s,
                             double recorded_s, bool units);

#endif
