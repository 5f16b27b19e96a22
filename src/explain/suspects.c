/* Which processes are behind an event: by their share of the excess over the time before
 * it or, where there is none to speak of, of all use now. */
#include <math.h>
#include <string.h>

#include "explain/explain.h"

/* The largest users of so many seconds are those of now. */
static const double NOW_S = 5;

/* What is full now was filled before: by those that wrote most in this time. */
static const double FILLED_S = RECORDER_BEFORE_S;

/* An excess of less than this share of all use says nothing of a limit: the machine was
 * as full before. */
static const double EXCESS_LEAST = 0.1;

/* Finds the event's first metric that is about a resource; NULL = none. */
static const struct record_deviation *about_of(const struct record_event *event)
{
    for (size_t i = 0; i < event->n_top; i++)
        if (record_group_is_resource(event->top[i].group))
            return &event->top[i];
    return NULL;
}

/* Gives the process resource that the event is about; RECORD_RESOURCES = none. Traffic
 * on the network and heat have no per-process counter of their own in /proc; who causes
 * them uses the CPU to do it. */
static enum record_resource resource_of(const struct record_event *event)
{
    const struct record_deviation *about = about_of(event);

    if (about == NULL)
        return event->kind == RECORD_RULE ? RECORD_RESOURCES : RECORD_CPU;
    if (about->group == RECORD_GROUP_MEMORY)
        return RECORD_MEMORY;
    if (about->group == RECORD_GROUP_DISK)
        return strstr(about->name, "read") != NULL ? RECORD_DISK_READ : RECORD_DISK_WRITE;
    return RECORD_CPU;
}

/* Fills in the suspects and returns how many there are. */
static size_t take(const explain_recorder *recorder, int64_t since_ns,
                   enum record_resource resource, enum explain_rank rank,
                   struct record_event *event)
{
    event->n_suspects = explain_recorder_suspects(recorder, since_ns, resource, rank,
                                                  event->suspect, RECORD_SUSPECTS);
    return event->n_suspects;
}

/* Takes the largest users of the last seconds, where nothing can be said of before. */
static void take_largest(const explain_recorder *recorder, enum record_resource resource,
                         struct record_event *event)
{
    int64_t since_ns = explain_recorder_newest_ns(recorder) - (int64_t)(NOW_S * 1e9);

    take(recorder, since_ns, resource, EXPLAIN_BY_USE, event);
}

/* Takes those that wrote most in the minute before as well. When that has left the
 * recorder, what was found while it was there stays. */
static void take_fillers(const explain_recorder *recorder, int64_t since_ns,
                         struct record_event *event)
{
    int64_t from_ns = since_ns - (int64_t)(FILLED_S * 1e9);

    if (event->n_suspects == 0 ||
        !isnan(explain_recorder_excess(recorder, from_ns, RECORD_DISK_WRITE)))
        take(recorder, from_ns, RECORD_DISK_WRITE, EXPLAIN_BY_USE, event);
}

/* Finds who is behind the event. The first way that says something is taken. */
void explain_suspects(const explain_recorder *recorder, int64_t since_ns,
                      struct record_event *event)
{
    enum record_resource resource = resource_of(event);
    double excess;

    /* A drop has no suspects: no process causes it by using more. */
    if (explain_is_drop(event) || resource == RECORD_RESOURCES) {
        event->n_suspects = 0;
        return;
    }
    if (about_of(event) != NULL && about_of(event)->fills) {
        take_fillers(recorder, since_ns, event);
        return;
    }
    excess = explain_recorder_excess(recorder, since_ns, resource);
    /* The time before has left the recorder: what was found while it was there stays. */
    if (isnan(excess) && event->n_suspects > 0 && !event->suspect[0].of_use)
        return;
    if (isnan(excess) || (event->kind == RECORD_RULE && excess < EXCESS_LEAST)) {
        take_largest(recorder, resource, event);
        return;
    }
    if (take(recorder, since_ns, resource, EXPLAIN_BY_EXCESS, event) > 0 ||
        resource == RECORD_CPU || event->kind == RECORD_RULE)
        return;
    /* Pages are written back by the kernel long after the process wrote them, and reads
     * of cached files never reach the disk: the processor knows who was busy. */
    take(recorder, since_ns, RECORD_CPU, EXPLAIN_BY_EXCESS, event);
}
