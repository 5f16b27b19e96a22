/* vedette events --follow. */
#ifndef VD_CMD_EVENTS_FOLLOW_H
#define VD_CMD_EVENTS_FOLLOW_H

#include "cmd/sheet.h"
#include "cmd/source.h"

struct cmd_follow {
    struct cmd_source *source;
    struct cmd_sheet sheet;
    bool alerted_only, json;
    const json_t *shown; /* what has been printed already; newest first */
};

/* Prints what becomes of events until SIGINT or SIGTERM: they open, become more severe,
 * alert, end. While nothing answers it says so once and goes on. Returns an enum
 * cmd_exit. */
int cmd_events_follow(struct cmd_follow *follow);

#endif
