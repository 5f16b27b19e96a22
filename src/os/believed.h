/* The time that is believed: the wall clock, but for a leap forward. A clock that is
 * ahead for a while (a wrong BIOS clock, a slip of a hand) must not make what is kept
 * look old, so a leap is believed only after it has held for as long as it leapt, up to a
 * day.
 *
 * A clock that goes back is believed at once: nothing grows old by it.
 */
#ifndef VD_OS_BELIEVED_H
#define VD_OS_BELIEVED_H

#include <stdbool.h>
#include <stdint.h>

/* Zero at first: the first time that is seen is believed. */
struct os_believed {
    int64_t time_ns; /* the wall clock that is believed; 0 = nothing seen yet */
    int64_t held_ns; /* how long a leap has held that is not believed yet */
    int64_t mono_ns; /* of the last call of os_believed_at; 0 = none */
};

/* Learns from the past: rows without a gap were written from one time to another, in
 * the order of their times. */
void os_believed_saw(struct os_believed *believed, int64_t from_ns, int64_t to_ns);

/* Both clocks now; gives the time to believe. */
int64_t os_believed_at(struct os_believed *believed, int64_t wall_ns, int64_t mono_ns);

#endif
