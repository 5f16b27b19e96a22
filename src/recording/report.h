/* What is said of a recording as a whole: its summary, and a line at its end. */
#ifndef VD_RECORDING_REPORT_H
#define VD_RECORDING_REPORT_H

#include "format/prmon.h"
#include "recording/child.h"
#include "recording/notes.h"
#include "recording/plan.h"
#include "recording/sampler.h"
#include "recording/verdict.h"

/* Zero-initialise. */
struct recording_report {
    const struct recording_plan *plan;
    const struct format_prmon *prmon;
    json_t *hardware; /* owned; NULL = not wanted */
    struct format_prmon_sums sums;
    size_t rows;
    double age_s, recorded_s; /* at the last row */
    double last[FORMAT_PRMON_COLUMNS];
    bool told_memory, told_io, told_gpu; /* said already */
    double cost_s; /* CPU time of this program before the first row */
};

void recording_report_open(struct recording_report *report,
                           const struct recording_plan *plan,
                           const struct format_prmon *prmon);

void recording_report_add(struct recording_report *report,
                          const double value[FORMAT_PRMON_COLUMNS], bool measured);

/* How ended processes are accounted for: one line; static. */
const char *recording_report_accounting(bool is_child);

/* Says in a line what is recorded, and how. */
void recording_report_begin(const struct recording_report *report,
                            const struct recording_sampler *sampler, bool is_child,
                            struct recording_notes *notes);

/* prmon's summary with an object `vedette` beside it; the caller owns it. `verdict` may
 * be NULL. */
json_t *recording_report_json(const struct recording_report *report,
                              const struct recording_sampler *sampler,
                              const struct recording_child *child,
                              const struct recording_notes *notes,
                              const recording_verdict *verdict);

void recording_report_close(struct recording_report *report);

/* Says at the end what was recorded. */
void recording_report_say(const struct recording_report *report,
                          const struct recording_child *child);

#endif
