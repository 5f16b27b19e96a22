/* The table of commands.
 *
 * To add one: write src/cmd/NAME.c with its option table at the top and a
 * `const struct cmd_command cmd_NAME`, declare it below, add its row in commands.c.
 * Help, man page, completion and the documents follow from the row and its options.
 */
#ifndef VD_CMD_COMMANDS_H
#define VD_CMD_COMMANDS_H

#include <stddef.h>

#include "os/options.h"

/* Exit codes, documented in vedette(1). */
enum cmd_exit {
    CMD_OK = 0,     /* fine */
    CMD_FAILED = 1, /* it was tried and failed */
    CMD_USAGE = 2,  /* wrong use: an option, an argument, the configuration */
};

struct cmd_command {
    const char *name;      /* "monitor"; a second word is an argument: "evaluate nab" */
    const char *summary;   /* one line, no full stop */
    const char *arguments; /* "DIR", "[FILE...]"; NULL = none are taken */
    const char *about;     /* paragraphs for the man page and --help, parted by \n\n */
    const char *examples;  /* lines "command\n    what it does\n" */
    const struct os_option *options; /* NULL-terminated by name; NULL = none */
    /* Runs with options already parsed into what `settings_size` bytes of the options'
     * defaults became: `settings` is the struct that the rows' offsets point into. */
    size_t settings_size;
    int (*run)(void *settings, int argc, char **argv);
};

/* All commands, in the order of the help; `*n` rows. */
const struct cmd_command *const *cmd_table(size_t *n);

/* The whole program: parses argv, runs the command, returns the exit code. */
int cmd_main(int argc, char **argv);

extern const struct cmd_command cmd_monitor;

#endif
