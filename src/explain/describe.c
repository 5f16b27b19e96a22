/* Sentences in words: each says what is the case, what would be right, and for how long
 * it has not been. */
#include "explain/describe.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "explain/explain.h"
#include "os/options.h"

/* Writes a number with its unit: "98.5 %", "0.4 GB", "97 °C", "12 /s", "3". A ".0" is
 * left out, as limits are mostly whole numbers. */
static const char *quantity_text(double value, const char *unit, char *text, size_t size)
{
    char number[32];
    size_t length;

    explain_number_text(value, number, sizeof number);
    length = strlen(number);
    if (length > 2 && strcmp(number + length - 2, ".0") == 0)
        number[length - 2] = '\0';
    if (strcmp(unit, "C") == 0)
        unit = "°C";
    else if (strcmp(unit, "1/s") == 0)
        unit = "/s";
    snprintf(text, size, "%s%s%s", number, unit[0] == '\0' ? "" : " ", unit);
    return text;
}

/* Writes "limit 95 % for 10 s, above it for 27 min". */
static void limit_text(const struct record_limit *limit, const char *unit, double above_s,
                       char *text, size_t size)
{
    char value[48], within[32] = "", lasted[32], hold[32];

    quantity_text(limit->value, unit, value, sizeof value);
    if (limit->for_s > 0)
        snprintf(within, sizeof within, " for %s",
                 os_span_text(limit->for_s, hold, sizeof hold));
    snprintf(text, size, "limit %s%s, %s it for %s", value, within,
             limit->above ? "above" : "below",
             os_span_text(above_s, lasted, sizeof lasted));
}

/* Writes the one deviation, the sentence and the factor of an event of a limit. What
 * would be expected is not known to a limit and stays NaN. */
void explain_limit(const struct record_schema *schema, const struct explain_limit *now,
                   struct record_event *event)
{
    const struct record_metric *metric = &schema->metric[now->metric];
    struct record_deviation *top = &event->top[0];
    char value[48], limit[128];

    assert(now->metric < schema->n && event->limit.rule[0] != '\0');
    *top = (struct record_deviation){
        .metric = now->metric,
        .value = now->value,
        .expected = NAN,
        .z = NAN,
    };
    record_deviation_name(top, metric);
    event->n_top = 1;
    quantity_text(now->value, metric->unit, value, sizeof value);
    limit_text(&event->limit, metric->unit, now->above_s, limit, sizeof limit);
    snprintf(event->explanation[0], sizeof event->explanation[0], "%.40s: %.20s (%.60s)",
             top->name, value, limit);
    explain_factor_text(schema, top, event->factor[0], sizeof event->factor[0]);
    if (now->words.before != NULL)
        snprintf(event->reason, sizeof event->reason, "%s%s%s", now->words.before,
                 metric->label, now->words.after);
    else
        snprintf(event->reason, sizeof event->reason, "%.120s %.24s, %.80s", top->name,
                 value, limit);
}

/* Writes who was killed. `sure` says that the names are from the kernel's log; else they
 * are those of large processes that have gone. More may have been killed than there are
 * names. */
void explain_killed(double kills, const struct record_killed *killed, size_t n, bool sure,
                    struct record_event *event)
{
    size_t count = kills > (double)n ? (size_t)(kills + 0.5) : n, used;

    snprintf(event->reason, sizeof event->reason,
             "%zu process%s killed, memory ran out%s%s", count, count == 1 ? "" : "es",
             n == 0 ? "" : ": ", n == 0 || sure ? "" : "probably ");
    for (size_t i = 0; i < n; i++) {
        used = strlen(event->reason);
        snprintf(event->reason + used, sizeof event->reason - used, "%s%s (%d)",
                 i == 0 ? "" : ", ", killed[i].name, killed[i].pid);
    }
    used = strlen(event->reason);
    if (n > 0 && count > n)
        snprintf(event->reason + used, sizeof event->reason - used, " and %zu more",
                 count - n);
}

/* Writes what is silent and for how long. A gap is of all metrics and names none. */
void explain_silence(const struct record_schema *schema,
                     const struct record_silence *silence, struct record_event *event)
{
    char name[RECORD_NAME_MAX + RECORD_LABEL_MAX] = "", span[32];

    if (silence->metric < schema->n)
        record_metric_label(&schema->metric[silence->metric], name, sizeof name);
    os_span_text(silence->seconds, span, sizeof span);
    switch (silence->kind) {
    case RECORD_SILENCE_GAP:
        snprintf(event->reason, sizeof event->reason,
                 "No samples for %s: the machine slept or was starved", span);
        break;
    case RECORD_SILENCE_GONE:
        snprintf(event->reason, sizeof event->reason, "%s has not reported for %s", name,
                 span);
        break;
    case RECORD_SILENCE_FROZEN:
        snprintf(event->reason, sizeof event->reason, "%s has not moved for %s", name,
                 span);
        break;
    }
}

void explain_drift(struct record_event *event)
{
    snprintf(event->reason, sizeof event->reason,
             "The scores have drifted: what is normal has changed, a retraining follows");
}
