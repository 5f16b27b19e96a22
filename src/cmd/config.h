/* The configuration file as the commands use it. */
#ifndef VD_CMD_CONFIG_H
#define VD_CMD_CONFIG_H

#include <stdio.h>

#include "cmd/commands.h"
#include "cmd/commands_parse.h"
#include "os/config.h"

/* Sets what the file at `globals->config` says for the command's options and the global
 * ones. NULL = the first of the usual places that is there (none is fine), "none" = no
 * file. Commands that share no option with `monitor` read no file at all, so that `help`
 * works beside a broken one. `*config` is the file, for cmd_config_check, to be freed;
 * NULL = none was read. */
enum vd_status cmd_config_apply(const struct cmd_command *command, void *settings,
                                struct cmd_globals *globals, struct os_config **config,
                                struct vd_error *err);

/* Asks `check` (NULL = nothing) of all settings of the command together. What it refuses
 * is placed where it was said: `line` and `before` (NULL = none), then the file (NULL =
 * none). */
enum vd_status cmd_config_check(const struct cmd_command *command, cmd_check *check,
                                const void *settings, const struct cmd_line *before,
                                const struct cmd_line *line,
                                const struct os_config *config, struct vd_error *err);

/* The place of the file that would be read, allocated; NULL = there is none. */
char *cmd_config_path(const char *given);

/* Writes a commented file with every option of `command` at its default. */
void cmd_config_example(FILE *out, const struct cmd_command *command);

/* `from_mapping` of the rules: {metric: cpu_percent, above: 90, for: 1min, severity:
 * high} or {metric: cpu_percent, compare: ">", value: 90, ...} becomes "cpu_percent > 90
 * for 1min high". `name` is for the reader of the file. */
enum vd_status cmd_config_rule(const struct os_pair *pairs, size_t n, const char *where,
                               char **text, struct vd_error *err);

#endif
