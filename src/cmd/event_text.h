/* Events for people: as a line of a list, and whole. The objects are those of docs/api.md
 * with their times as numbers. */
#ifndef VD_CMD_EVENT_TEXT_H
#define VD_CMD_EVENT_TEXT_H

#include <jansson.h>
#include <stdint.h>

#include "cmd/sheet.h"

/* A text, a number (NaN = absent) and a time (0 = absent, ns) of an object. */
const char *cmd_event_string(const json_t *object, const char *key);
double cmd_event_number(const json_t *object, const char *key);
int64_t cmd_event_time(const json_t *object, const char *key);

/* "27 s", "3 min", "2 h 5 min", "3 d 4 h" in text[24]. */
char *cmd_event_span(double seconds, char text[24]);

/* Prints "TIME  HIGH  12  alerted  High CPU usage detected (open)". `change` is NULL in a
 * list; while events are followed it says what has happened: "began", "now", "ended". */
void cmd_event_line(const struct cmd_sheet *sheet, const json_t *event,
                    const char *change);

void cmd_event_whole(const struct cmd_sheet *sheet, const json_t *event);

#endif
