/* The parts DAILY and SPREAD: the range of the metric in each hour of the last 28 days.
 *
 * A sample is compared with the range from two hours before to two hours after the same
 * time on each past day, and the day that fits best counts: weekdays are found without
 * knowing the calendar. Habits longer than a month are not learned.
 *
 * A clock that goes back to the day before only widens ranges. One that goes back further
 * empties the memory, since its days may not be the past.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "stream/state.h"

enum { DAY_S = 86400, SLOT_S = DAY_S / DAILY_SLOTS };

/* Returns the lesser of two numbers. fminf would be a call because of NaN, which does not
 * come here. */
static float lesser(float a, float b)
{
    return a < b ? a : b;
}

/* Returns the greater of two numbers. */
static float greater(float a, float b)
{
    return a > b ? a : b;
}

/* Tells whether an hour of a row's day has a range. */
static bool slot_seen(const struct vd__daily *daily, int32_t row, int32_t slot)
{
    return daily->seen[row][slot / 8] >> (slot % 8) & 1;
}

/* Forgets the day whose row is needed for `day`. */
static void clear_day(struct vd__daily *daily, int32_t day)
{
    memset(daily->seen[day % DAILY_DAYS], 0, sizeof daily->seen[0]);
}

/* Collects the ranges of all past days around the slot; days without one are left out. */
void vd__daily_gather(struct vd__daily *daily)
{
    daily->n_near = 0;
    for (int32_t back = 1; back < DAILY_DAYS; back++) {
        float low = INFINITY, high = -INFINITY;

        for (int32_t i = -DAILY_REACH; i <= DAILY_REACH; i++) {
            int32_t slot = daily->slot + i, day = daily->day - back;
            int32_t row;

            day += slot < 0 ? -1 : slot >= DAILY_SLOTS ? 1 : 0;
            slot = (slot + DAILY_SLOTS) % DAILY_SLOTS;
            row = (day + DAILY_DAYS) % DAILY_DAYS;
            /* A day before the oldest shares its row with today. */
            if (day <= daily->day - DAILY_DAYS || day < 0 || !slot_seen(daily, row, slot))
                continue;
            low = lesser(low, daily->low[row][slot]);
            high = greater(high, daily->high[row][slot]);
        }
        if (low <= high) {
            daily->near_low[daily->n_near] = low;
            daily->near_high[daily->n_near++] = high;
        }
    }
    assert(daily->n_near < DAILY_DAYS);
}

/* Begins a day and clears the days that were skipped. */
static void move_to_day(struct vd__daily *daily, int32_t day)
{
    if (!daily->started || day < daily->day - 1 || day - daily->day >= DAILY_DAYS) {
        memset(daily->seen, 0, sizeof daily->seen);
    } else {
        for (int32_t d = daily->day + 1; d <= day; d++)
            clear_day(daily, d);
    }
    daily->started = true;
    daily->day = day;
}

/* Moves to the hour of `time_s`; times out of range are all 0. */
static void move_to(struct vd__daily *daily, int64_t time_s)
{
    int64_t bounded = time_s < 0 ? 0 : time_s / DAY_S > DAILY_DAY_MAX ? 0 : time_s;
    int32_t day = (int32_t)(bounded / DAY_S), slot = (int32_t)(bounded % DAY_S / SLOT_S);

    if (daily->started && day == daily->day && slot == daily->slot)
        return;
    if (!daily->started || day != daily->day)
        move_to_day(daily, day);
    daily->slot = slot;
    vd__daily_gather(daily);
}

/* Computes how far x is outside the range of the past day that fits best, -1 = no day. */
static float distance(const struct vd__daily *daily, float x)
{
    float nearest = INFINITY;

    for (uint32_t i = 0; i < daily->n_near; i++) {
        float outside = greater(daily->near_low[i] - x, x - daily->near_high[i]);

        nearest = lesser(nearest, greater(outside, 0));
    }
    return daily->n_near == 0 ? -1 : nearest;
}

/* Widens the range of the present hour to include x. */
static void add(struct vd__daily *daily, float x)
{
    int32_t row = daily->day % DAILY_DAYS, slot = daily->slot;

    if (!slot_seen(daily, row, slot)) {
        daily->seen[row][slot / 8] |= (uint8_t)(1u << (slot % 8));
        daily->low[row][slot] = daily->high[row][slot] = x;
        return;
    }
    daily->low[row][slot] = lesser(daily->low[row][slot], x);
    daily->high[row][slot] = greater(daily->high[row][slot], x);
}

float vd__daily_push(struct vd__daily *daily, int64_t time_s, float x)
{
    float nearest;

    move_to(daily, time_s);
    nearest = distance(daily, x);
    add(daily, x);
    return nearest;
}
