/* The words that the channels share. Names of processes are somebody else's text: they go
 * through os_utf8_visible before they reach a terminal or a desktop.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alert/channel.h"
#include "os/options.h"
#include "os/utf8.h"

/* Writes the one sentence of a notice: why, or that it is over and how long it took. */
char *alert_headline(const struct alert_notice *notice, char *out, size_t size)
{
    const struct record_event *event = &notice->event;
    const char *what = event->reason[0] != '\0'    ? event->reason
                       : event->pattern[0] != '\0' ? event->pattern
                                                   : record_event_kind_name(event->kind);
    char text[512], lasted[32];

    if (notice->change == RECORD_EVENT_ENDED)
        snprintf(text, sizeof text, "Over after %s: %s",
                 os_span_text((double)(event->end_ns - event->start_ns) / 1e9, lasted,
                              sizeof lasted),
                 what);
    else
        snprintf(text, sizeof text, "%s", what);
    return os_utf8_visible(text, out, size);
}

/* Writes "burn (pid 4242): 80 % of the cpu excess"; "" when there is no such suspect. */
char *alert_suspect_line(const struct record_event *event, size_t i, char *out,
                         size_t size)
{
    const struct record_suspect *suspect = &event->suspect[i];
    char name[RECORD_COMM_MAX * 4], whole[48];

    if (size > 0)
        out[0] = '\0';
    if (i >= event->n_suspects)
        return out;
    os_utf8_visible(suspect->process.comm, name, sizeof name);
    if (suspect->of_use)
        snprintf(whole, sizeof whole, "all %s use now",
                 record_resource_name(suspect->resource));
    else
        snprintf(whole, sizeof whole, "the %s excess",
                 record_resource_name(suspect->resource));
    if (isfinite(suspect->share))
        snprintf(out, size, "%s (pid %d): %.0f %% of %s", name, suspect->process.pid,
                 100 * suspect->share, whole);
    else
        snprintf(out, size, "%s (pid %d)", name, suspect->process.pid);
    return out;
}
