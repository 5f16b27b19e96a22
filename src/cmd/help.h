/* What the tables say, in words: for the terminal and as a manual page. */
#ifndef VD_CMD_HELP_H
#define VD_CMD_HELP_H

#include <stdio.h>

#include "cmd/commands.h"

/* `vedette --help`: the commands. */
void cmd_help_program(FILE *out);

/* `vedette help CMD`: one command. */
void cmd_help_command(FILE *out, const struct cmd_command *command);

/* What the `list` of a command writes, allocated; NULL without memory. */
char *cmd_help_list(const struct cmd_command *command);

/* The manual page vedette-NAME(1); NULL = vedette(1). `date` is "2026-01-31". */
void cmd_help_man(FILE *out, const struct cmd_command *command, const char *date);

/* docs/options.md: all commands and options as Markdown. */
void cmd_help_markdown(FILE *out);

#endif
