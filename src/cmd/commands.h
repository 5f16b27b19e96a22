/* The table of commands.
 *
 * To add one: write src/cmd/NAME.c with its option table at the top and a
 * `const struct cmd_command cmd_NAME`, declare it below, add its row in commands.c.
 * Help, man page, completion and the documents follow from the row and its options.
 */
#ifndef VD_CMD_COMMANDS_H
#define VD_CMD_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "os/options.h"

/* Exit codes, documented in vedette(1). */
enum cmd_exit {
    CMD_OK = 0,      /* fine */
    CMD_FAILED = 1,  /* it was tried and failed */
    CMD_USAGE = 2,   /* wrong use: an option, an argument, the configuration */
    CMD_UNUSUAL = 3, /* it was found that something is unusual (status) */
};

/* The option, and the item of a list, that a message of a cmd_check is about. */
struct cmd_fault {
    const char *option; /* static; NULL = no single one */
    size_t item;
};

/* Says what is wrong, without the place, and with what (`fault`). */
typedef enum vd_status cmd_check(const void *settings, struct cmd_fault *fault,
                                 struct vd_error *err);

struct cmd_command {
    const char *name;      /* "monitor"; a second word is an argument: "evaluate nab" */
    const char *summary;   /* one line, no full stop */
    const char *arguments; /* "DIR", "[FILE...]"; NULL = none are taken */
    const char *about;     /* paragraphs for the man page and --help, parted by \n\n */
    const char *examples;  /* lines "command\n    what it does\n" */
    const struct os_option *options; /* NULL-terminated by name; NULL = none */
    /* Writes what else there is to know, a heading and one line each, for the help, the
     * man page and the example of the configuration; NULL = nothing. */
    void (*list)(FILE *out);
    const char *list_title; /* "Built-in limits" */
    /* Runs with the options already parsed: `settings` is the struct of `settings_size`
     * bytes that the rows' offsets point into, filled with the defaults, then the
     * configuration file (keys are the options of `monitor`; another command takes those
     * whose names it shares), then the command line. It is released by the caller.
     * `argv` holds the `argc` words that are no options (argv[0] is the first of them,
     * argv[argc] is NULL); after "--" everything is such a word. A row with the name of a
     * global option (--config, --verbose, --quiet, --log-level, --color) gets its value
     * as well. Returns an enum cmd_exit. */
    size_t settings_size;
    /* What can only be judged when all options are known; NULL = nothing. The place goes
     * in front of the message: the command line, or the line of the configuration. */
    cmd_check *check;
    bool keeps_dashes; /* argv has the "--" as a word: what stands before it counts */
    /* The same for `vedette config check`, which starts nothing: what `run` would refuse
     * is found out too. NULL = nothing more. */
    cmd_check *rehearse;
    int (*run)(void *settings, int argc, char **argv);
};

/* All commands, in the order of the help; `*n` rows. */
const struct cmd_command *const *cmd_table(size_t *n);

/* Says what failed; the exit code for it: a wrong argument is wrong use. */
int cmd_failed(const struct vd_error *err);

/* Does the same for a command line or a configuration that cannot be used (`command` NULL
 * = of none): points to the help where that says more. */
int cmd_wrong_use(const struct cmd_command *command, const struct vd_error *err);

/* The whole program: parses argv, runs the command, returns the exit code. */
int cmd_main(int argc, char **argv);

extern const struct cmd_command cmd_burn;
extern const struct cmd_command cmd_collect;
extern const struct cmd_command cmd_compare;
extern const struct cmd_command cmd_config;
extern const struct cmd_command cmd_completion;
extern const struct cmd_command cmd_detect;
extern const struct cmd_command cmd_evaluate;
extern const struct cmd_command cmd_events;
extern const struct cmd_command cmd_feedback;
extern const struct cmd_command cmd_generate;
extern const struct cmd_command cmd_help;
extern const struct cmd_command cmd_model;
extern const struct cmd_command cmd_monitor;
extern const struct cmd_command cmd_split;
extern const struct cmd_command cmd_train;
extern const struct cmd_command cmd_probe;
extern const struct cmd_command cmd_record;
extern const struct cmd_command cmd_status;
extern const struct cmd_command cmd_store;
extern const struct cmd_command cmd_version;

#endif
