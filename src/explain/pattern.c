/* The name of what happens. A leak rises in many small steps, a step in one; a spike is
 * over before either can be told. */
#include "explain/explain.h"

#include <math.h>
#include <string.h>

/* Sets the seconds within which an event is a spike, and from which it may be called
 * sustained. */
static const double SPIKE_S = 10, SUSTAINED_S = 60;

/* Rises made of jumps each below this share of the whole are gradual. */
static const double GRADUAL = 0.35;

/* MB/s from which traffic deserves to be called a flood. */
static const double FLOOD_MB = 5;

void explain_course_start(struct explain_course *course)
{
    *course = (struct explain_course){.metric = SIZE_MAX};
}

/* Counts the resources of which some metric is far above what is expected. Metrics with a
 * label are left out: they repeat the whole. */
static size_t count_groups(const struct explain_input *in)
{
    bool deviates[RECORD_GROUPS] = {false};
    size_t n = 0;

    for (size_t i = 0; i < in->schema->n; i++)
        if (in->schema->metric[i].label[0] == '\0' && in->z[i] >= 4)
            deviates[in->schema->metric[i].group] = true;
    for (int g = 0; g < RECORD_GROUPS; g++)
        n += deviates[g] && record_group_is_resource(g);
    return n;
}

/* Adds one tick to the course. When another metric leads, its course begins anew; how
 * many resources were involved at most is kept. */
void explain_course_add(struct explain_course *course, const struct explain_input *in,
                        const struct record_event *event)
{
    size_t groups = count_groups(in), leads;
    uint32_t serial = 0;

    if (groups > course->groups)
        course->groups = groups;
    if (event->n_top == 0)
        return;
    leads = event->top[0].metric;
    if (leads < in->schema->n)
        serial = in->schema->metric[leads].serial;
    if (course->metric != leads || course->serial != serial) {
        size_t before = course->groups;

        explain_course_start(course);
        course->groups = before;
        course->metric = leads;
        course->serial = serial;
        course->first = course->last = event->top[0].expected;
    }
    if (course->metric < in->schema->n && !isnan(in->value[course->metric])) {
        double value = in->value[course->metric];

        course->largest_jump = fmax(course->largest_jump, fabs(value - course->last));
        course->last = value;
        course->ticks++;
    }
}

/* Names the course so far. The order is that of what says most: several resources at
 * once, a flood, a leak, then how long it lasted. The text is static. */
const char *explain_pattern(const struct explain_course *course,
                            const struct explain_input *in,
                            const struct record_event *event, double seconds)
{
    const struct record_metric *leads;
    double rise;

    if (event->kind == RECORD_SILENCE || event->kind == RECORD_DRIFT)
        return record_event_kind_name(event->kind);
    if (course->groups >= 3)
        return "contention";
    if (course->metric >= in->schema->n)
        return "spike";
    leads = &in->schema->metric[course->metric];
    if (leads->group == RECORD_GROUP_NETWORK && course->last >= FLOOD_MB)
        return "flooding";
    rise = fabs(course->last - course->first);
    if (leads->group == RECORD_GROUP_MEMORY && course->ticks >= 5 && rise > 0 &&
        course->largest_jump < GRADUAL * rise)
        return "leak";
    if (seconds < SPIKE_S)
        return "spike";
    if (seconds >= SUSTAINED_S && course->last >= 90 && strcmp(leads->unit, "%") == 0)
        return "sustained bottleneck";
    return "step";
}
