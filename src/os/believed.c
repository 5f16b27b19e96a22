/* Two numbers: the time that is believed, and for how long another one was shown. */
#include "os/believed.h"

/* A clock that is ahead by more than a day is believed after it has shown so for a day.
 */
static const int64_t DAY_NS = INT64_C(86400) * 1000000000;

/* Steps up to a second are corrections of the clock, and believed at once. */
static const int64_t STEP_NS = INT64_C(1000000000);

/* Takes in that the wall clock shows `wall_ns`, and that `ran_ns` have passed since it
 * was last looked at. A clock behind the believed time is believed at once, since nothing
 * is deleted by that; one ahead must show so for as long as it is ahead. */
static void look(struct os_believed *b, int64_t wall_ns, int64_t ran_ns)
{
    int64_t ahead_ns;

    if (b->time_ns == 0) {
        b->time_ns = wall_ns;
        return;
    }
    b->time_ns += ran_ns;
    ahead_ns = wall_ns - b->time_ns;
    b->held_ns = ahead_ns > STEP_NS ? b->held_ns + ran_ns : 0;
    if (ahead_ns <= STEP_NS || b->held_ns >= (ahead_ns < DAY_NS ? ahead_ns : DAY_NS)) {
        b->time_ns = wall_ns;
        b->held_ns = 0;
    }
}

void os_believed_saw(struct os_believed *believed, int64_t from_ns, int64_t to_ns)
{
    look(believed, from_ns, 0);
    look(believed, to_ns, to_ns - from_ns);
}

/* Takes a monotonic clock that went back for that of another start of the machine: how
 * much time passed in between is not known. */
int64_t os_believed_at(struct os_believed *believed, int64_t wall_ns, int64_t mono_ns)
{
    int64_t ran_ns = believed->mono_ns == 0 || mono_ns < believed->mono_ns
                         ? 0
                         : mono_ns - believed->mono_ns;

    believed->mono_ns = mono_ns;
    look(believed, wall_ns, ran_ns);
    return believed->time_ns;
}
