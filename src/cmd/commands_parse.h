/* From argv to values: argp with arrays made from the option rows at run time. */
#ifndef VD_CMD_COMMANDS_PARSE_H
#define VD_CMD_COMMANDS_PARSE_H

#include <stdbool.h>

#include "cmd/commands.h"
#include "os/log.h"
#include "os/terminal.h"

/* The options that every command takes. */
struct cmd_globals {
    char *config;
    bool verbose, quiet;
    int log_level; /* enum os_log_level, -1 = not given */
    int color;     /* enum os_color */
};

extern const struct os_option cmd_global_options[];

/* The command line, parsed but not yet applied: the file comes between the defaults and
 * it. Texts point into argv. */
struct cmd_line {
    struct cmd_assignment {
        const struct os_option *option;
        const char *text;
    } * at;
    size_t n;
    char **rest; /* words that are no options, NULL-terminated */
    int n_rest;
    int next; /* before the command: where in argv it stands */
    bool help, version;
};

/* Parses argv[1..] for `command`; NULL = the options before the command, which ends at
 * the first word. `err` says what is wrong and what may have been meant. */
enum vd_status cmd_line_parse(struct cmd_line *line, const struct cmd_command *command,
                              int argc, char **argv, struct vd_error *err);

/* Sets what the line gave for these rows; options of other tables are passed over. */
enum vd_status cmd_line_apply(const struct cmd_line *line,
                              const struct os_option *options, void *settings,
                              struct vd_error *err);

void cmd_line_release(struct cmd_line *line);

/* The command of that name, NULL when there is none. */
const struct cmd_command *cmd_find(const char *name);

#endif
