/* What time it is by the rows that the store holds: a clock that was ahead for a while,
 * in this run or an earlier one, left rows of the future behind, and they age nothing.
 *
 * Rows without a gap are one stretch of a run. The rows themselves are not read: each
 * step asks the key for the first row of the minutes before.
 */
#include <stdio.h>

#include "store/sqlite.h"

/* Longer than the interval between two ticks, shorter than most pauses between two runs.
 */
static const int64_t GAP_NS = INT64_C(300) * 1000000000;

/* Keeps the search short in a store of many restarts. */
enum { STRETCHES_MAX = 256 };

struct stretch {
    int64_t from_ns, to_ns;
};

/* Runs one of the two statements over [low, high]; INT64_MIN when it finds no row. */
static int64_t ask(sqlite3_stmt *s, int64_t low_ns, int64_t high_ns)
{
    int64_t time_ns = INT64_MIN;

    sqlite3_bind_int64(s, 1, low_ns);
    sqlite3_bind_int64(s, 2, high_ns);
    if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_type(s, 0) != SQLITE_NULL)
        time_ns = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return time_ns;
}

/* Returns the first row of the stretch that has a row at `to_ns`, in steps of a gap. */
static int64_t begin_of(sqlite3_stmt *first, int64_t to_ns)
{
    for (;;) {
        int64_t before_ns = ask(first, to_ns - GAP_NS, to_ns);

        if (before_ns == to_ns || before_ns == INT64_MIN)
            return to_ns;
        to_ns = before_ns;
    }
}

/* Lists the stretches, newest first, and returns how many there are. Those before the
 * last STRETCHES_MAX are left out. */
static size_t find_stretches(sqlite3_stmt *first, sqlite3_stmt *last,
                             struct stretch stretch[STRETCHES_MAX])
{
    int64_t to_ns = ask(last, INT64_MIN, INT64_MAX);
    size_t n = 0;

    while (to_ns != INT64_MIN && n < STRETCHES_MAX) {
        stretch[n] = (struct stretch){begin_of(first, to_ns), to_ns};
        to_ns = ask(last, INT64_MIN, stretch[n++].from_ns - 1);
    }
    return n;
}

/* Shows the stretches in order of time, as a clock would have shown them. */
struct os_believed store_believed(sqlite3 *db)
{
    struct stretch stretch[STRETCHES_MAX];
    struct os_believed believed = {0};
    sqlite3_stmt *first = NULL, *last = NULL;

    if (sqlite3_prepare_v2(db, "SELECT min(time) FROM sample WHERE time BETWEEN ? AND ?",
                           -1, &first, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "SELECT max(time) FROM sample WHERE time BETWEEN ? AND ?",
                           -1, &last, NULL) == SQLITE_OK)
        for (size_t n = find_stretches(first, last, stretch); n > 0; n--)
            os_believed_saw(&believed, stretch[n - 1].from_ns, stretch[n - 1].to_ns);
    sqlite3_finalize(first);
    sqlite3_finalize(last);
    return believed;
}
