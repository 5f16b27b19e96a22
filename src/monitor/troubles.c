/* What the program says of its own sources: once in the log, and in the status for as
 * long as it lasts. */
#include <stdio.h>

#include "monitor/state.h"
#include "os/log.h"

/* Says in the log when a source begins to fail and when it is well again. */
void monitor_tell_troubles(const monitor *m)
{
    struct collect_report report;
    enum collect_news news;

    for (size_t i = 0; collect_set_report(m->collect, i, &report, &news); i++) {
        const char *hint = report.error->hint;

        if (news == COLLECT_FAILS)
            os_log_warning("collector %s: %s%s%s", report.name, report.error->text,
                           hint[0] == '\0' ? "" : "; ", hint);
        else if (news == COLLECT_IS_WELL)
            os_log_info("collector %s: all is well again", report.name);
    }
}

/* Lists the sources that fail now, for the status. More than there is room for are left
 * out. */
void monitor_fill_troubles(const monitor *m, struct show_status *out)
{
    struct collect_report report;
    enum collect_news news;

    for (size_t i = 0; collect_set_report(m->collect, i, &report, &news); i++) {
        struct show_trouble *trouble = &out->trouble[out->n_troubles];

        if (!report.in_trouble || out->n_troubles == SHOW_TROUBLES)
            continue;
        trouble->name = report.name;
        trouble->since_ns = report.since_ns;
        snprintf(trouble->reason, sizeof trouble->reason, "%s", report.error->text);
        out->n_troubles++;
    }
}
