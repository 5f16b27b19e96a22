/* Where a vedette keeps its data when nobody says otherwise; monitor and store agree. */
#ifndef VD_CMD_DATA_DIR_H
#define VD_CMD_DATA_DIR_H

#include <stddef.h>

#include "vedette/status.h"

/* `given` when it is not NULL; else /var/lib/vedette for root, $XDG_STATE_HOME/vedette or
 * ~/.local/state/vedette for others (XDG base directory specification). */
enum vd_status cmd_data_dir(const char *given, char *dir, size_t size,
                            struct vd_error *err);

#endif
