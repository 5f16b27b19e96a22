/* Picks the metrics that are worth telling, greedily: the largest weighted deviation
 * first, each further one of a group counting half. Words come from a table by group.
 * Suspects are looked for in the recorder by the resource that the first of them is
 * about. */
#include "explain/explain.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A deviation of fewer sigmas is not worth a person's eye, unless there is no larger one:
 * a leak is small at its beginning, and then the one farthest away is told. */
static const double Z_WORTH_SAYING = 2, Z_BETTER_THAN_NOTHING = 0.5;

/* What a group is called, and what is said when it is high or low. */
static const struct {
    const char *factor, *high, *low;
} group_words[] = {
    [RECORD_GROUP_CPU] = {"CPU", "High CPU usage detected", "CPU usage dropped"},
    [RECORD_GROUP_MEMORY] = {"Memory", "High memory consumption", "Memory use dropped"},
    [RECORD_GROUP_DISK] = {"Disk", "Unusual disk activity", "Disk activity dropped"},
    [RECORD_GROUP_NETWORK] = {"Network", "Unusual network traffic",
                              "Network traffic dropped"},
    [RECORD_GROUP_TEMPERATURE] = {"Temperature", "High temperature",
                                  "Temperature dropped"},
    [RECORD_GROUP_GPU] = {"GPU", "High GPU load", "GPU load dropped"},
    [RECORD_GROUP_OTHER] = {"System", "Unusual system activity",
                            "System activity dropped"},
};

/* Gives the row of words. What is about no resource has the words of the whole system. */
static size_t words_of(enum record_group group)
{
    return record_group_is_resource(group) ? group : RECORD_GROUP_OTHER;
}

/* Gives the words for a metric that went the way of `z`: what is worse may be more or
 * less. */
static const char *direction_words(const struct record_deviation *d)
{
    bool worse = d->less_is_worse ? d->z < 0 : d->z >= 0;

    return worse ? group_words[words_of(d->group)].high
                 : group_words[words_of(d->group)].low;
}

/* Says how much a metric's deviation is worth telling. Sigmas are weighed so that
 * cpu_percent comes before cpu_core_percent{3}, which says the same with less. */
static double weight_of(const struct record_metric *metric)
{
    if (metric->core)
        return 2;
    if (metric->label[0] != '\0')
        return 0.5;
    if (!record_group_is_resource(metric->group))
        return 0.1;
    /* A rate in bytes says more than one in operations. */
    if (metric->is_byte_rate)
        return 1.5;
    return strcmp(metric->unit, "1/s") == 0 ? 0.7 : 1;
}

/* Tells whether a metric of that family was picked already: one core or disk is enough of
 * an example. */
static bool has_family(const struct record_event *event,
                       const struct record_schema *schema, const char *name)
{
    for (size_t i = 0; i < event->n_top; i++)
        if (strcmp(schema->metric[event->top[i].metric].name, name) == 0)
            return true;
    return false;
}

/* Says how much of it is new. What was told of the same group already makes one more of
 * it worth half as much. */
static double news_of(const struct record_event *event,
                      const struct record_schema *schema,
                      const struct record_metric *metric)
{
    double news = 1;

    for (size_t i = 0; i < event->n_top; i++)
        if (schema->metric[event->top[i].metric].group == metric->group)
            news /= 2;
    return news;
}

/* Picks up to n_max metrics, the one most worth telling first, and returns the sum of
 * their worth. Metrics without a z are passed over by the comparison with NaN. */
static double pick_top(const struct explain_input *in, struct record_event *event,
                       double z_min, size_t n_max)
{
    double told = 0;

    event->n_top = 0;
    while (event->n_top < n_max) {
        size_t best = SIZE_MAX;
        double best_key = 0;

        for (size_t i = 0; i < in->schema->n; i++) {
            const struct record_metric *metric = &in->schema->metric[i];
            double key = fabs(in->z[i]) * weight_of(metric);

            if (!(fabs(in->z[i]) >= z_min) || !(key > best_key))
                continue;
            key *= news_of(event, in->schema, metric);
            if (!(key > best_key) || has_family(event, in->schema, metric->name))
                continue;
            best = i;
            best_key = key;
        }
        if (best == SIZE_MAX)
            break;
        told += best_key;
        event->top[event->n_top] = (struct record_deviation){
            .metric = best,
            .value = in->value[best],
            .expected = in->expected[best],
            .z = in->z[best],
        };
        record_deviation_name(&event->top[event->n_top], &in->schema->metric[best]);
        event->n_top++;
    }
    return told;
}

/* Writes a number as people read it: one decimal, none above a thousand, two digits when
 * small. */
void explain_number_text(double x, char *text, size_t size)
{
    double magnitude = fabs(x);

    if (magnitude >= 1000)
        snprintf(text, size, "%.0f", x);
    else if (magnitude >= 0.1 || magnitude < 0.0005)
        snprintf(text, size, "%.1f", x);
    else
        snprintf(text, size, "%.2g", x);
}

char *explain_deviation_text(const struct record_schema *schema,
                             const struct record_deviation *d, char *text, size_t size)
{
    char name[RECORD_NAME_MAX + RECORD_LABEL_MAX], value[32], expected[32];

    explain_number_text(d->value, value, sizeof value);
    explain_number_text(d->expected, expected, sizeof expected);
    record_metric_label(&schema->metric[d->metric], name, sizeof name);
    if (isnan(d->expected) || isnan(d->z)) {
        snprintf(text, size, "%s: %s (what is normal is not known yet)", name, value);
        return text;
    }
    snprintf(text, size, "%s: %s (%s, expected ≈%s, z=%.1f)", name, value,
             d->z >= 0 ? "high" : "low", expected, fabs(d->z));
    return text;
}

/* Writes "CPU: 98.5%", the short form for a label beside a picture. */
void explain_factor_text(const struct record_schema *schema,
                         const struct record_deviation *d, char *text, size_t size)
{
    const struct record_metric *metric = &schema->metric[d->metric];
    char value[32];

    explain_number_text(d->value, value, sizeof value);
    snprintf(text, size, "%s: %s%s%s", group_words[words_of(metric->group)].factor, value,
             isalpha((unsigned char)metric->unit[0]) ? " " : "",
             strcmp(metric->unit, "1/s") == 0 ? "/s" : metric->unit);
}

/* Adds " | " and the words unless the reason already has them: two metrics of one group
 * have the same. */
static void add_reason(struct record_event *event, const char *words)
{
    size_t length = strlen(event->reason);

    if (strstr(event->reason, words) == NULL)
        snprintf(event->reason + length, sizeof event->reason - length, "%s%s",
                 length == 0 ? "" : " | ", words);
}

/* Explains the event by the metrics that deviate now and returns how much there was to
 * tell. Where no metric deviates by itself, it is their combination that is unusual. */
double explain_event(const struct explain_input *in, struct record_event *event)
{
    double told = pick_top(in, event, Z_WORTH_SAYING, RECORD_TOP);

    if (event->n_top == 0)
        told = pick_top(in, event, Z_BETTER_THAN_NOTHING, 1);
    event->reason[0] = '\0';
    for (size_t i = 0; i < RECORD_TOP; i++) {
        const struct record_deviation *d = &event->top[i];

        event->explanation[i][0] = event->factor[i][0] = '\0';
        if (i >= event->n_top)
            continue;
        explain_deviation_text(in->schema, d, event->explanation[i],
                               sizeof event->explanation[i]);
        explain_factor_text(in->schema, d, event->factor[i], sizeof event->factor[i]);
        add_reason(event, direction_words(d));
    }
    if (event->n_top == 0)
        add_reason(event, "Unusual combination of values");
    return told;
}

void explain_copy(struct record_event *to, const struct record_event *from)
{
    to->n_top = from->n_top;
    memcpy(to->top, from->top, sizeof to->top);
    memcpy(to->explanation, from->explanation, sizeof to->explanation);
    memcpy(to->factor, from->factor, sizeof to->factor);
    memcpy(to->reason, from->reason, sizeof to->reason);
}

/* Tells whether the event is that of something which became less, where less is not
 * worse. */
bool explain_is_drop(const struct record_event *event)
{
    return event->n_top > 0 && event->top[0].z < 0 && !event->top[0].less_is_worse;
}
