/* The clocks. Stages get `now` passed in; only the loop and stop-watches ask. */
#ifndef VD_OS_CLOCK_H
#define VD_OS_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

int64_t os_clock_wall_ns(void);   /* since 1970, UTC; may be set by the operator */
int64_t os_clock_mono_ns(void);   /* since boot, sleep not counted; never goes back */
int64_t os_clock_thread_ns(void); /* CPU time that this thread has used */

/* Returns a time of one of these clocks as pthread_cond_timedwait and its kind want it.
 */
static inline struct timespec os_clock_timespec(int64_t ns)
{
    return (struct timespec){(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
}

/* The local wall clock at a time, as seconds since a midnight in 1970: days begin at
 * multiples of 86400 and follow daylight saving time. */
int64_t os_clock_local_s(int64_t time_ns);

/* The name of this machine's zone in the time zone database, "Europe/Berlin", written to
 * name[size] and returned; "" when it has none. */
const char *os_clock_zone(char *name, size_t size);

/* ---- times as text ---- */

enum { OS_CLOCK_TEXT = 64 };

/* Writes a time as the program shows and stores it everywhere: the local clock with its
 * offset, "2026-11-28T23:43:17.123+01:00". Milliseconds are cut. Returns text. */
char *os_clock_text(int64_t time_ns, char text[OS_CLOCK_TEXT]);

/* Writes the same moment on a clock `east_s` seconds east of UTC. Asks for no zone and
 * takes no lock, so a child forked at any moment may call it. */
char *os_clock_text_at(int64_t time_ns, int east_s, char text[OS_CLOCK_TEXT]);

#endif
