/* One small state machine: closed, open, and open from an earlier run until its condition
 * has been seen again. Lengths of time are taken from the monotonic clock, since the wall
 * clock may be set while an event is open. */
#include "alert/course.h"

#include <assert.h>
#include <math.h>

static double seconds_between(int64_t from_ns, int64_t to_ns)
{
    return (double)(to_ns - from_ns) * 1e-9;
}

/* Takes up an open event of an earlier run. held_ns is the wall clock time at which its
 * condition was seen last; a value other than 0 marks this state. */
void alert_course_resume(struct alert_course *course, const struct record_event *event,
                         double height, int64_t held_ns)
{
    assert(event->id != 0 && event->state == RECORD_EVENT_OPEN && !course->open);
    *course = (struct alert_course){
        .event = *event,
        .open = true,
        .held_ns = held_ns > event->start_ns ? held_ns : event->start_ns,
        .height = height,
    };
}

/* Begins a new event, where its condition began. Its id is still to come. */
static void open_event(struct alert_course *course, const struct alert_input *in)
{
    bool earlier = in->started_ns != 0;

    assert(in->started_mono_ns <= in->mono_ns);
    course->open = true;
    course->opened_ns = in->mono_ns;
    course->began_ns = earlier ? in->started_mono_ns : in->mono_ns;
    course->height = -INFINITY;
    course->event = (struct record_event){
        .kind = in->kind,
        .start_ns = earlier ? in->started_ns : in->time_ns,
        .state = RECORD_EVENT_OPEN,
    };
}

/* Gives the time of this tick by the clock that the event began with: an event that ends
 * before it began, or lasts for years because the clock was set, is no event. */
static int64_t time_in(const struct alert_course *course, const struct alert_input *in)
{
    assert(in->mono_ns >= course->began_ns);
    return course->event.start_ns + in->mono_ns - course->began_ns;
}

/* Tells whether the open event goes on although its condition does not hold on this tick.
 * An event of an earlier run is given the whole time from now on. */
static bool lingers(struct alert_course *course, const struct alert_input *in,
                    double close_s)
{
    if (course->held_ns != 0 && (in->unknown || course->above_ns == 0))
        course->above_ns = in->mono_ns;
    return seconds_between(course->above_ns, in->mono_ns) < close_s;
}

/* Lets an event of an earlier run go on: what it held before counts. */
static void go_on(struct alert_course *course, const struct alert_input *in)
{
    int64_t start_ns = course->event.start_ns;
    int64_t seen_ns = course->held_ns - start_ns;
    int64_t since_ns = in->time_ns - start_ns;

    course->opened_ns = in->mono_ns - seen_ns;
    course->began_ns = in->mono_ns - (since_ns > seen_ns ? since_ns : seen_ns);
    course->held_ns = 0;
}

/* Ends the event. One whose condition was not seen again ended when it was seen last. */
static void end_event(struct alert_course *course, const struct alert_input *in)
{
    course->event.end_ns = course->held_ns != 0 ? course->held_ns : time_in(course, in);
    course->event.state = RECORD_EVENT_CLOSED;
    course->held_ns = 0;
    course->open = false;
    course->ended_ns = in->mono_ns;
}

/* Keeps the worst that the event has been. One of an earlier run keeps its severity where
 * that was worse. */
static void take_peak(struct alert_course *course, const struct alert_input *in,
                      struct alert_step *step)
{
    struct record_event *event = &course->event;
    bool opened = step->change == RECORD_EVENT_OPENED;

    if (!(in->height > course->height))
        return;
    course->height = in->height;
    event->peak_ns = time_in(course, in);
    event->score = opened ? in->score : fmin(event->score, in->score);
    event->confidence = in->confidence;
    step->new_peak = true;
    if (in->severity > event->severity) {
        step->rose = !opened;
        event->severity = in->severity;
    }
}

/* Leads the course through one tick. Every tick must be given, also those on which the
 * condition does not hold. */
struct alert_step alert_course_update(struct alert_course *course,
                                      const struct alert_input *in, double close_s)
{
    struct alert_step step = {.change = RECORD_EVENT_NONE};

    if (!in->active) {
        if (course->open && !lingers(course, in, close_s)) {
            end_event(course, in);
            step.change = RECORD_EVENT_ENDED;
        }
        return step;
    }
    step.change = RECORD_EVENT_UPDATED;
    if (!course->open) {
        open_event(course, in);
        step.change = RECORD_EVENT_OPENED;
    } else if (course->held_ns != 0) {
        go_on(course, in);
    }
    course->above_ns = in->mono_ns;
    take_peak(course, in, &step);
    return step;
}

void alert_course_alert(struct alert_course *course, int64_t mono_ns)
{
    assert(course->open);
    course->event.alerted = true;
    course->alerted_ns = mono_ns;
}

/* Gives the seconds since the course alerted, infinity when it never did. */
double alert_course_quiet_s(const struct alert_course *course, int64_t mono_ns)
{
    return course->alerted_ns == 0 ? INFINITY
                                   : seconds_between(course->alerted_ns, mono_ns);
}
