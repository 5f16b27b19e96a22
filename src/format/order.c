/* One pass for each question, over an array: which way round the rows are, what their
 * clocks mean, whether a clock was set, and what is left to sort and to spread. */
#include "format/order.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "vedette/stats.h"

/* Sets how many rows must go on behind a step back for it to be a clock that was set. */
enum {
    CLOSE_ROWS = 10, /* that go on behind a step back, when a clock was set */
    CLOSE_ROWS_MIN = 3,
};

static const int64_t SECOND_NS = 1000000000, HOUR_NS = 3600 * INT64_C(1000000000);
static const int64_t DAY_NS = 86400 * INT64_C(1000000000);

/* ---- pace ---- */

/* Finds the median distance in seconds of the first rows whose times differ. *share is
 * how much of it falls to one row, since some rows have the time of the one before. NaN
 * when no two times differ. */
static double find_gap(const struct format_place *place, size_t n, double *share)
{
    double gap[FORMAT_PACE_ROWS];
    size_t rows = n < FORMAT_PACE_ROWS ? n : FORMAT_PACE_ROWS, gaps = 0, steps = 0;

    *share = 1;
    for (size_t i = 1; i < rows; i++) {
        steps += place[i].time_ns >= place[i - 1].time_ns;
        if (place[i].time_ns > place[i - 1].time_ns)
            gap[gaps++] = (double)(place[i].time_ns - place[i - 1].time_ns) * 1e-9;
    }
    if (gaps == 0)
        return NAN;
    *share = (double)gaps / (double)steps;
    return vd_median(gap, gaps);
}

double format_order_pace(const struct format_place *place, size_t n)
{
    double share, gap = find_gap(place, n, &share);

    return gap * share;
}

/* Gives the time that a row stands for. A day and more leave no doubt which hour is
 * meant, and twice a day still fits. */
static int64_t pace_ns(const struct format_place *place, size_t n)
{
    double share, gap = find_gap(place, n, &share);

    /* A day and more leave no doubt which hour is meant, and twice that still fits. */
    return isnan(gap) ? SECOND_NS : (int64_t)fmin(gap * share * 1e9, (double)DAY_NS);
}

/* Gives what passed between a row and the one before it: as the file tells, or else the
 * pace. */
static int64_t passed_ns(const struct format_place *row, int64_t pace)
{
    return row->since_s == FORMAT_SINCE_UNKNOWN ? pace : row->since_s * SECOND_NS;
}

/* ---- direction ---- */

/* Turns the rows round in place. */
static void turn_round(struct format_place *place, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        struct format_place one = place[i];

        place[i] = place[n - 1 - i];
        place[n - 1 - i] = one;
    }
}

/* Tells whether the newest row comes first, by which way most steps go: a few that step
 * back do not matter. */
static bool is_newest_first(const struct format_place *place, size_t n)
{
    size_t rises = 0, falls = 0;

    for (size_t i = 1; i < n; i++) {
        rises += place[i].time_ns > place[i - 1].time_ns;
        falls += place[i].time_ns < place[i - 1].time_ns;
    }
    return falls > rises;
}

/* Adds a day when a time of day falls by more than half a day: 23:59:59, 00:00:00. */
static void count_days(struct format_place *place, size_t n)
{
    int64_t day = 0, before = 0;

    for (size_t i = 0; i < n; i++) {
        int64_t of_day = place[i].time_ns;

        if (i > 0 && of_day < before - DAY_NS / 2)
            day += DAY_NS;
        before = of_day;
        place[i].time_ns += day;
    }
}

/* ---- zone ---- */

/* Holds the way through local times, and what did not fit the zone on it. */
struct walk {
    const struct format_zone *zone;
    int64_t pace;
    bool second; /* a table that begins in the hour that comes twice: its second turn */
    bool begins; /* it did, and has not left it yet */
    size_t missing;  /* times that the zone leaves out */
    size_t once;     /* hours that should have come twice and came once */
    bool first_once; /* the same of the hour that the table begins in */
};

/* Chooses, of an hour that comes twice, the turn that goes on from the row before. */
static int64_t choose(const struct walk *walk, const struct format_place *row,
                      const int64_t utc[2], int64_t before)
{
    int64_t expected = before + passed_ns(row, walk->pace);

    if (before == INT64_MIN)
        return utc[walk->second];
    if (utc[0] < before && row->since_s == FORMAT_SINCE_UNKNOWN)
        return utc[1];
    return llabs(utc[1] - expected) < llabs(utc[0] - expected) ? utc[1] : utc[0];
}

/* Notes that an hour which comes twice was left after its first turn, though the clock
 * went on without a gap, or with a gap of just the time that passed. Such an hour came
 * once, so the zone is another one or the table began in the second turn. */
static void leave_twice(struct walk *walk, const struct format_place *row,
                        int64_t utc_step)
{
    int64_t wall_step = row->time_ns - row[-1].time_ns;
    int64_t gone = row->since_s == FORMAT_SINCE_UNKNOWN ? 0 : row->since_s * SECOND_NS;

    if (utc_step - wall_step >= HOUR_NS / 2 &&
        llabs(wall_step - gone) <= 3 * walk->pace + SECOND_NS) {
        walk->first_once |= walk->begins;
        walk->once += !walk->begins;
    }
    walk->begins = false;
}

/* Writes the UTC of each time of the wall clock into utc_ns[n]. The rows stay as they
 * are, since a second walk may be needed. */
static void walk_zone(struct walk *walk, const struct format_place *place, size_t n,
                      int64_t *utc_ns)
{
    int64_t before = INT64_MIN;
    bool was_twice = false;

    walk->missing = walk->once = 0;
    walk->first_once = walk->begins = false;
    for (size_t i = 0; i < n; i++) {
        int64_t utc[2] = {place[i].time_ns, 0};
        int turns = format_zone_utc(walk->zone, place[i].time_ns, utc);

        walk->missing += turns == 0;
        if (turns == 0) /* as if the clock had not been set forward yet */
            format_zone_utc(walk->zone, place[i].time_ns - HOUR_NS, utc),
                utc[0] += HOUR_NS;
        utc_ns[i] = turns == 2 ? choose(walk, &place[i], utc, before) : utc[0];
        if (i == 0)
            walk->begins = turns == 2;
        if (was_twice && turns < 2)
            leave_twice(walk, &place[i], utc_ns[i] - before);
        was_twice = turns == 2;
        before = utc_ns[i];
    }
}

/* Turns local times into UTC. When the first hour came once, the table began in its
 * second turn, so the walk is made again. When other times do not fit a zone that was
 * only guessed, the times are read as UTC. */
static void make_utc(struct format_place *place, size_t n,
                     const struct format_clock *clock, struct format_order *order)
{
    struct walk walk = {.zone = clock->zone, .pace = pace_ns(place, n)};
    int64_t *utc_ns = NULL;

    if (clock->zone->n == 0 || (utc_ns = malloc(n * sizeof *utc_ns)) == NULL) {
        for (size_t i = 0; i < n; i++)
            place[i].time_ns -= clock->zone->first_east_s * SECOND_NS;
        return;
    }
    walk_zone(&walk, place, n, utc_ns);
    if (walk.first_once) {
        walk.second = true;
        walk_zone(&walk, place, n, utc_ns);
    }
    order->other_zone = clock->guessed && walk.missing + walk.once > 0;
    for (size_t i = 0; i < n && !order->other_zone; i++)
        place[i].time_ns = utc_ns[i];
    free(utc_ns);
}

/* ---- a clock that was set ---- */

/* Compares two times with a tolerance in nanoseconds. */
static bool is_near(int64_t a, int64_t b, int64_t within)
{
    return llabs(a - b) <= within;
}

/* Tells whether rows come often enough, and step back seldom enough, to tell of a
 * clock. */
static bool may_tell(const struct format_place *place, size_t n, int64_t pace)
{
    size_t falls = 0;

    for (size_t i = 1; i < n; i++)
        falls += place[i].time_ns < place[i - 1].time_ns;
    return pace <= HOUR_NS / 4 && falls > 0 && falls <= 1 + n / 1000;
}

/* Undoes steps back by an hour, which are the end of summer time in a table without a
 * zone. All later times move with them, until a step forward by an hour takes it back. */
static void undo_hours(struct format_place *place, size_t n, struct format_order *order)
{
    int64_t pace = pace_ns(place, n), shift = 0, before, within;

    if (!may_tell(place, n, pace))
        return;
    within = 2 * pace > 2 * SECOND_NS ? 2 * pace : 2 * SECOND_NS;
    before = place[0].time_ns;
    for (size_t i = 1; i < n; i++) {
        int64_t now = place[i].time_ns, step = now - before;

        if (step < 0 && is_near(step, pace - HOUR_NS, within)) {
            shift += HOUR_NS;
            if (order->hours_back++ == 0)
                order->hour_line = place[i].line;
        } else if (shift > 0 && is_near(step, pace + HOUR_NS, within)) {
            shift -= HOUR_NS;
        }
        before = now;
        place[i].time_ns += shift;
    }
}

/* Tells whether the rows from i on are at most `within` apart, for some rows at least. */
static bool go_on(const struct format_place *place, size_t n, size_t i, int64_t within)
{
    size_t end = i + CLOSE_ROWS < n ? i + CLOSE_ROWS : n;

    for (size_t k = i + 1; k < end; k++)
        if (place[k].time_ns < place[k - 1].time_ns ||
            place[k].time_ns - place[k - 1].time_ns > within)
            return false;
    return end - i >= CLOSE_ROWS_MIN;
}

/* Tells whether row i, which shows `now`, is the first after a clock was set back. It is
 * not when it was written late or begins a part of the file that belongs before: rows
 * must have been there already at the time that comes again, and not since long
 * before. */
static bool was_set_back(const struct format_place *place, size_t n, size_t i,
                         int64_t now, int64_t pace)
{
    int64_t back = place[i - 1].time_ns - now;
    size_t k = i, first = i - 1;

    if (back <= 0)
        return false;
    if (place[i].since_s != FORMAT_SINCE_UNKNOWN)
        return true;
    while (first > 0 && place[first - 1].time_ns <= place[first].time_ns)
        first--;
    if (back <= 3 * pace || back >= HOUR_NS ||
        2 * back > place[i - 1].time_ns - place[first].time_ns)
        return false;
    while (place[k - 1].time_ns >= now)
        k--;
    return place[k].time_ns - place[k - 1].time_ns <= 3 * pace &&
           go_on(place, n, i, 3 * pace);
}

/* Undoes steps back of a clock that was set. It goes from the end on, since the clock
 * that was set last is the right one. */
static void undo_steps(struct format_place *place, size_t n, struct format_order *order)
{
    int64_t pace = pace_ns(place, n), shift = 0;

    if (!may_tell(place, n, pace))
        return;
    for (size_t i = n - 1; i > 0; i--) {
        int64_t now = place[i].time_ns + shift; /* as it was read */

        if (was_set_back(place, n, i, now, pace)) {
            int64_t step = place[i - 1].time_ns + passed_ns(&place[i], pace) - now;

            shift += step;
            order->set_back++;
            order->set_line = place[i].line;
            order->set_s = (double)step * 1e-9;
        }
        place[i - 1].time_ns -= shift;
    }
}

/* ---- sorting and spreading ---- */

static int compare(const struct format_place *a, const struct format_place *b)
{
    return (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns);
}

/* Sorts by time, and rows of one time as they stand in the file. */
static int forward(const void *left, const void *right)
{
    const struct format_place *a = left, *b = right;
    int by_time = compare(a, b);

    return by_time != 0 ? by_time : (a->offset > b->offset) - (a->offset < b->offset);
}

/* Sorts a table that had its newest row first, where rows of one time are that way round,
 * too. */
static int backward(const void *left, const void *right)
{
    const struct format_place *a = left, *b = right;
    int by_time = compare(a, b);

    return by_time != 0 ? by_time : (a->offset < b->offset) - (a->offset > b->offset);
}

/* Sorts only when a row steps back, and notes the first one that does. */
static void sort(struct format_place *place, size_t n, struct format_order *order)
{
    for (size_t i = 1; i < n; i++)
        if (place[i].time_ns < place[i - 1].time_ns && order->back++ == 0)
            order->back_line = place[i].line;
    if (order->back > 0)
        qsort(place, n, sizeof *place, order->reversed ? backward : forward);
}

/* Gives rows of one time a time each. Loggers that write whole seconds write some of them
 * more than once, and rates need a time that passes. */
static void spread(struct format_place *place, size_t n, struct format_order *order)
{
    double share, gap = find_gap(place, n, &share);
    int64_t most = isnan(gap) ? SECOND_NS : (int64_t)fmin(2e9 * gap, 4e18);
    int64_t step = SECOND_NS;

    order->pace_s = gap * share;
    for (size_t i = 0, end; i < n; i = end) {
        int64_t time = place[i].time_ns, room = most, k;

        for (end = i + 1; end < n && place[end].time_ns == time;)
            end++;
        k = (int64_t)(end - i);
        if (end < n && place[end].time_ns - time < most)
            room = place[end].time_ns - time;
        /* The last ones of the table go on at the pace of those before. */
        if (end == n && step < room / k)
            room = step * k;
        step = room / k;
        order->shared += end - i - 1;
        for (size_t j = i; j < end; j++)
            place[j].time_ns = time + step * (int64_t)(j - i);
    }
}

/* Asks the questions in the order in which one needs the answer of the other: days before
 * the direction, that before the zone, and a clock that was set before sorting would hide
 * it. */
void format_order_make(struct format_place *place, size_t n,
                       const struct format_clock *clock, struct format_order *order)
{
    *order = (struct format_order){.pace_s = NAN};
    if (n == 0)
        return;
    if (clock->of_day)
        count_days(place, n);
    order->reversed = is_newest_first(place, n);
    if (order->reversed)
        turn_round(place, n);
    if (clock->zone != NULL)
        make_utc(place, n, clock, order);
    undo_hours(place, n, order);
    undo_steps(place, n, order);
    sort(place, n, order);
    spread(place, n, order);
    for (size_t i = 1; i < n; i++)
        assert(place[i].time_ns >= place[i - 1].time_ns);
}
