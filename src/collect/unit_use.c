/* Parsers of cpu.stat, memory.current, memory.stat and io.stat, each with a sample of its
 * file above it. */
#include "collect/unit_use.h"

#include <math.h>

/* Takes the CPU time; the periods are there only where the controller is switched on:
 * usage_usec 1234567
 * user_usec 1000000
 * system_usec 234567
 * nr_periods 200
 * nr_throttled 40
 * throttled_usec 1500000 */
void collect_unit_cpu_parse(const char *text, size_t size, struct collect_unit_use *use)
{
    struct format_scan t = format_scan_of(text, size);
    uint64_t value;

    use->cpu_us = use->periods = use->throttled = NAN;
    if (size == 0)
        return;
    do {
        double *field = NULL;

        if (format_scan_skip(&t, "usage_usec "))
            field = &use->cpu_us;
        else if (format_scan_skip(&t, "nr_periods "))
            field = &use->periods;
        else if (format_scan_skip(&t, "nr_throttled "))
            field = &use->throttled;
        if (field != NULL && format_scan_u64(&t, &value))
            *field = (double)value;
    } while (format_scan_next_line(&t));
}

/* Returns the bytes of files that can be dropped:
 * anon 4096
 * file 8192
 * inactive_file 8192
 * among some 50 lines of the same form */
double collect_unit_cache_parse(const char *text, size_t size)
{
    struct format_scan t = format_scan_of(text, size);
    uint64_t value;

    if (size == 0)
        return NAN;
    do {
        if (format_scan_skip(&t, "inactive_file "))
            return format_scan_u64(&t, &value) ? (double)value : NAN;
    } while (format_scan_next_line(&t));
    return NAN;
}

/* Puts the number into `field` when there is one; false at the end of the line. */
static bool take(struct format_scan *t, double *field)
{
    uint64_t value;

    if (!format_scan_u64(t, &value))
        return format_scan_skip_word(t);
    *field = (double)value;
    return true;
}

/* Takes one line. Keys come in any order, and kernels add new ones. */
static bool parse_device(struct format_scan *t, struct collect_unit_io *io)
{
    uint64_t major, minor;

    *io = (struct collect_unit_io){.read_bytes = NAN, .written_bytes = NAN};
    if (!format_scan_u64(t, &major) || !format_scan_skip(t, ":") ||
        !format_scan_u64(t, &minor) || major > UINT32_MAX || minor > UINT32_MAX)
        return false;
    io->major = (uint32_t)major;
    io->minor = (uint32_t)minor;
    for (bool more = true; more;) {
        format_scan_skip_blanks(t);
        if (format_scan_skip(t, "rbytes="))
            more = take(t, &io->read_bytes);
        else if (format_scan_skip(t, "wbytes="))
            more = take(t, &io->written_bytes);
        else
            more = format_scan_skip_word(t);
    }
    return true;
}

/* Takes the next device that has a line; false at the end:
 * 8:0 rbytes=90430464 wbytes=299008000 rios=8950 wios=1252 dbytes=0 dios=0 */
bool collect_unit_io_next(struct format_scan *t, struct collect_unit_io *io)
{
    bool good = false;

    while (!good && t->at < t->end) {
        good = parse_device(t, io);
        format_scan_next_line(t);
    }
    return good;
}
