/* For each of the last 28 days and each hour the range of the metric. A
 * sample is compared with the range of the two hours before and after the same time on
 * each past day, and the day that fits best counts: weekdays are found without knowing
 * the calendar.
 *
 * A clock that goes back within a day only widens ranges; one that goes back further
 * empties the memory, since nothing in it can be trusted to be the past.
 */
#include <math.h>
#include <string.h>

#include "stream/state.h"

enum { DAY_S = 86400, SLOT_S = DAY_S / DAILY_SLOTS };

/* fminf and fmaxf are calls, for the sake of NaN, which does not come here. */
static float lesser(float a, float b)
{
    return a < b ? a : b;
}

static float greater(float a, float b)
{
    return a > b ? a : b;
}

static bool slot_seen(const struct vd__daily *daily, int32_t row, int32_t slot)
{
    return daily->seen[row][slot / 8] >> (slot % 8) & 1;
}

static void clear_day(struct vd__daily *daily, int32_t day)
{
    memset(daily->seen[day % DAILY_DAYS], 0, sizeof daily->seen[0]);
}

/* The ranges of all past days around the slot, those without one left out. */
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
            /* The oldest day's evening would be found in today's row. */
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
}

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

static float distance(const struct vd__daily *daily, float x)
{
    float nearest = INFINITY;

    for (uint32_t i = 0; i < daily->n_near; i++) {
        float outside = greater(daily->near_low[i] - x, x - daily->near_high[i]);

        nearest = lesser(nearest, greater(outside, 0));
    }
    return daily->n_near == 0 ? -1 : nearest;
}

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
