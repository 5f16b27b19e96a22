/* Draws with the eight blocks of Unicode. CPU is the difference of utime and stime
 * between two rows that were shown, so it is what the file says. */
#include "recording/live.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/terminal.h"

static const char *const block[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

/* Rows of each chart, and columns of the line's own. */
enum { CHART_ROWS = 5, SPARKS = 16, LEVELS = 8 };

static const int64_t PERIOD_NS = 250000000;

void recording_live_open(struct recording_shown *live, enum recording_live kind,
                         bool shares_terminal)
{
    live->on = isatty(STDERR_FILENO) && kind != RECORDING_LIVE_NEVER &&
               !(kind == RECORDING_LIVE_AUTO && shares_terminal);
    live->chart = kind == RECORDING_LIVE_CHART;
    live->shown_ns = INT64_MIN / 2;
    live->cpu_percent = NAN;
}

static double most_of(const double *ring, size_t n)
{
    double most = 0;

    for (size_t i = 0; i < n && i < RECORDING_LIVE_POINTS; i++)
        most = fmax(most, ring[i]);
    return most;
}

/* The point that is `back` points before the newest; NaN when there is none. */
static double point(const double *ring, size_t n, size_t back)
{
    return back < n && back < RECORDING_LIVE_POINTS
               ? ring[(n - 1 - back) % RECORDING_LIVE_POINTS]
               : NAN;
}

/* The block for the part of a value that lies in row `row` of `rows`. */
static const char *piece(double value, double most, int row, int rows)
{
    double level = most > 0 && value >= 0 ? value / most * rows * LEVELS : 0;
    double here = fmin(fmax(round(level) - row * LEVELS, 0), LEVELS);

    return block[(int)here];
}

/* "812 kB", "1.25 GB" of KiB. */
static const char *size_text(double kib, char text[24])
{
    static const char *const units[] = {"kB", "MB", "GB", "TB"};
    int unit = 0;

    for (; kib >= 1024 && unit < 3; unit++)
        kib /= 1024;
    snprintf(text, 24,
             isnan(kib) ? "-"
             : kib < 10 ? "%.2f %s"
                        : "%.0f %s",
             kib, units[unit]);
    return text;
}

static void add_point(struct recording_shown *live,
                      const double value[FORMAT_PRMON_COLUMNS])
{
    double seconds = value[FORMAT_PRMON_ELAPSED] - live->before[FORMAT_PRMON_ELAPSED];
    double used = value[FORMAT_PRMON_UTIME] + value[FORMAT_PRMON_STIME] -
                  live->before[FORMAT_PRMON_UTIME] - live->before[FORMAT_PRMON_STIME];
    size_t at = live->n % RECORDING_LIVE_POINTS;

    live->cpu_percent = live->n > 0 && seconds > 0 ? 100 * used / seconds : NAN;
    live->cpu[at] = isnan(live->cpu_percent) ? 0 : live->cpu_percent;
    live->pss[at] = isnan(value[FORMAT_PRMON_PSS]) ? 0 : value[FORMAT_PRMON_PSS];
    live->n++;
    memcpy(live->before, value, sizeof live->before);
}

static void write_facts(const struct recording_shown *live,
                        const double value[FORMAT_PRMON_COLUMNS], const char *phase,
                        char *text, size_t size)
{
    char pss[24];

    snprintf(text, size,
             "%.1f s%s%s, CPU %.0f %%, PSS %s, %.0f process%s, %.0f threads%s%s",
             value[FORMAT_PRMON_ELAPSED], *phase != '\0' ? ", " : "", phase,
             isnan(live->cpu_percent) ? 0 : live->cpu_percent,
             size_text(value[FORMAT_PRMON_PSS], pss), value[FORMAT_PRMON_NPROCS],
             value[FORMAT_PRMON_NPROCS] == 1 ? "" : "es", value[FORMAT_PRMON_NTHREADS],
             *live->verdict != '\0' ? ", " : "", live->verdict);
}

static void draw_line(const struct recording_shown *live, const char *facts)
{
    double most = most_of(live->cpu, live->n);
    char text[512];
    size_t used = 0;

    for (int i = SPARKS - 1; i >= 0; i--)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s",
                                 piece(point(live->cpu, live->n, (size_t)i), most, 0, 1));
    snprintf(text + used, sizeof text - used, " %s", facts);
    os_terminal_status(text);
    fflush(stderr);
}

/* Draws one chart from its top row down. Returns the lines. */
static int draw_chart(const double *ring, size_t n, const char *name, const char *top)
{
    int width = os_terminal_width(stderr) - 12;
    double most = most_of(ring, n);

    for (int row = CHART_ROWS - 1; row >= 0; row--) {
        fprintf(stderr, "\r\033[K%10s ",
                row == CHART_ROWS - 1 ? top
                : row == 0            ? name
                                      : "");
        for (int i = width < RECORDING_LIVE_POINTS ? width - 1
                                                   : RECORDING_LIVE_POINTS - 1;
             i >= 0; i--)
            fputs(piece(point(ring, n, (size_t)i), most, row, CHART_ROWS), stderr);
        fputc('\n', stderr);
    }
    return CHART_ROWS;
}

/* Draws both charts over those of before. */
static void draw_charts(struct recording_shown *live, const char *facts)
{
    char top[24];

    if (live->lines > 0)
        fprintf(stderr, "\033[%dA", live->lines);
    snprintf(top, sizeof top, "%.0f %%", most_of(live->cpu, live->n));
    live->lines = draw_chart(live->cpu, live->n, "CPU", top);
    live->lines += draw_chart(live->pss, live->n, "PSS",
                              size_text(most_of(live->pss, live->n), top));
    fprintf(stderr, "\r\033[K%s\n", facts);
    live->lines++;
    fflush(stderr);
}

void recording_live_show(struct recording_shown *live,
                         const double value[FORMAT_PRMON_COLUMNS], const char *phase,
                         int64_t mono_ns)
{
    char facts[384];

    if (!live->on || mono_ns - live->shown_ns < PERIOD_NS)
        return;
    live->shown_ns = mono_ns;
    add_point(live, value);
    write_facts(live, value, phase, facts, sizeof facts);
    if (live->chart)
        draw_charts(live, facts);
    else
        draw_line(live, facts);
}

void recording_live_close(struct recording_shown *live)
{
    if (live->on && !live->chart)
        os_terminal_status(NULL);
    live->on = false;
}
