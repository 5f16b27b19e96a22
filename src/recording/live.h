/* What a recording shows while it runs, on standard error when that is a terminal: a
 * line, or charts of CPU and memory. */
#ifndef VD_RECORDING_LIVE_H
#define VD_RECORDING_LIVE_H

#include <stdint.h>

#include "format/prmon.h"
#include "recording/plan.h"

enum { RECORDING_LIVE_POINTS = 96 };

/* Zero-initialise. */
struct recording_shown {
    bool on, chart;
    int64_t shown_ns;                    /* monotonic: when it was drawn last */
    double before[FORMAT_PRMON_COLUMNS]; /* the row drawn last */
    double cpu_percent;                  /* of one core, since then */
    double cpu[RECORDING_LIVE_POINTS], pss[RECORDING_LIVE_POINTS]; /* rings */
    size_t n;                                                      /* points so far */
    int lines; /* of the chart on the screen */
    char verdict[96];
};

/* `shares_terminal` = the command writes there, too: nothing is shown unless asked for.
 */
void recording_live_open(struct recording_shown *live, enum recording_live kind,
                         bool shares_terminal);

/* Shows a row, not more than four times a second. */
void recording_live_show(struct recording_shown *live,
                         const double value[FORMAT_PRMON_COLUMNS], const char *phase,
                         int64_t mono_ns);

/* Takes the line away; a chart stays. */
void recording_live_close(struct recording_shown *live);

#endif
