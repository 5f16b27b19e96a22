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
    void *context;
    void *piece; /* `slots` pieces of `size` bytes, which are used again and again */
    size_t size, slots;
};

typedef struct os_pieces_ring os_pieces_ring;

/* How many pieces keep so many threads busy. */
size_t os_pieces_slots(unsigned threads);

/* Begins, on up to `threads` threads with the caller's among them; 0 or 1 = the caller's
 * only. A thread that cannot be started only makes it slower. What `pieces` points to is
 * borrowed until the end. NULL = no memory. */
os_pieces_ring *os_pieces_begin(const struct os_pieces *pieces, unsigned threads);

/* The next piece in order, when its work is done; NULL after the last one. It is the
 * caller's until the next call. Pieces are filled, and worked on, within the call. */
void *os_pieces_take(os_pieces_ring *ring);

/* Ends, whether all pieces were taken or not; waits for those that are worked on. Takes
 * NULL. */
void os_pieces_end(os_pieces_ring *ring);

#endif
