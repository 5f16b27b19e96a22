/* The configuration file as the commands use it. */
#ifndef VD_CMD_CONFIG_H
#define VD_CMD_CONFIG_H

#include "cmd/commands.h"

/* Sets what the file at `path` says for the command's options; NULL = the first of the
 * usual places that is there (none is fine), "none" = no file. */
enum vd_status cmd_config_apply(const struct cmd_command *command, const char *path,
                                void *settings, struct vd_error *err);

#endif
