/* What the kernel has only so many of: open files, tracked connections, randomness. */
#ifndef VD_COLLECT_LIMITS_H
#define VD_COLLECT_LIMITS_H

#include <stddef.h>

/* NaN = not told. */
struct collect_file_handles {
    double used, limit;
};

/* /proc/sys/fs/file-nr */
void collect_file_handles_parse(const char *text, size_t size,
                                struct collect_file_handles *files);

/* 100 * used / limit; NaN unless 0 <= used <= limit. */
double collect_limit_percent(double used, double limit);

#endif
