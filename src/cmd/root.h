/* The option --root of the commands that read a machine. */
#ifndef VD_CMD_ROOT_H
#define VD_CMD_ROOT_H

#include "vedette/status.h"

/* Fails unless `text` is a folder: below a mistyped one every metric would be absent. */
enum vd_status cmd_check_root(const char *text, struct vd_error *err);

#endif
