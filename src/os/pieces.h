/* Work on the pieces of something long, on several threads, with the results in order. */
#ifndef VD_OS_PIECES_H
#define VD_OS_PIECES_H

#include <stdbool.h>
#include <stddef.h>

/* What is done with a piece. `context` is the user's. */
struct os_pieces {
    /* Fills the next piece; false when there is none. On the caller's thread, in order.
     */
    bool (*next)(void *context, void *piece);
    /* Works on a piece. On any thread, several at a time: it changes nothing but the
     * piece. */
    void (*work)(void *context, void *piece);
    /* Takes the result; false ends everything early. On the caller's thread, in order. */
    bool (*done)(void *context, void *piece);
    void *context;
    void *piece; /* `slots` pieces of `size` bytes, which are used again and again */
    size_t size, slots;
};

/* How many pieces keep so many threads busy. */
size_t os_pieces_slots(unsigned threads);

/* Runs until there is no next piece and all are done, on up to `threads` threads with the
 * caller's among them; 0 or 1 = the caller's only, which works on one piece after the
 * other. A thread that cannot be started only makes it slower. */
void os_pieces_run(const struct os_pieces *pieces, unsigned threads);

#endif
