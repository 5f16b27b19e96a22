/* Names of systemd's units and of control groups, as people should see them. */
#ifndef VD_COLLECT_UNIT_NAME_H
#define VD_COLLECT_UNIT_NAME_H

#include "record.h"

/* The name as a label. One that is too long keeps its beginning and its end, where units
 * of one kind differ. Returns label. */
const char *collect_unit_label(const char *name, char label[RECORD_LABEL_MAX]);

/* The name without what makes it new each time it is started, so that names do not pile
 * up: "session-12.scope" and "run-r1f2e3.scope" become "session-*.scope" and
 * "run-*.scope". The id of a container, 64 hexadecimal digits, is kept to the 12 that the
 * container tools show. Returns label. */
const char *collect_unit_kind(const char *name, char label[RECORD_LABEL_MAX]);

#endif
