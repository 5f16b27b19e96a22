/* A tick as a live page is told of it that said what it shows: that alone, and of it what
 * changed. */
#ifndef VD_SHOW_CHANGES_H
#define VD_SHOW_CHANGES_H

#include "show/json.h"
#include "show/query.h"
#include "show/snapshot.h"

enum { SHOW_TOLD = 64 };

/* The processes whose names a page has been told, a ring. Zero-initialise. */
struct show_told {
    struct {
        int pid;
        uint64_t start_ticks;
    } process[SHOW_TOLD];
    size_t next;
};

/* {"type": "changes", ...} as docs/api.md has it. `whole`: every value of the view, for a
 * page that has not seen the tick before under this view; else what differs from it. */
void show_encode_changes(struct show_json *j, const struct show_snapshot *snapshot,
                         const struct show_view *view, struct show_told *told,
                         bool whole);

#endif
