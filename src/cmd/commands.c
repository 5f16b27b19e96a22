/* The table of commands, and the one way from argv to a command's exit code. */
#include "cmd/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/commands_parse.h"
#include "cmd/config.h"
#include "cmd/help.h"
#include "os/log.h"
#include "os/secret.h"
#include "os/terminal.h"

/* One a line: clang-format would make columns of them. */
/* clang-format off */
static const struct cmd_command *const commands[] = {
    &cmd_monitor,
    &cmd_status,
    &cmd_events,
    &cmd_collect,
    &cmd_detect,
    &cmd_train,
    &cmd_compare,
    &cmd_split,
    &cmd_model,
    &cmd_probe,
    &cmd_record,
    &cmd_burn,
    &cmd_generate,
    &cmd_store,
    &cmd_feedback,
    &cmd_evaluate,
    &cmd_config,
    &cmd_completion,
    &cmd_help,
    &cmd_version,
};
/* clang-format on */

const struct cmd_command *const *cmd_table(size_t *n)
{
    *n = sizeof commands / sizeof *commands;
    return commands;
}

const struct cmd_command *cmd_find(const char *name)
{
    size_t n;
    const struct cmd_command *const *table = cmd_table(&n);

    for (size_t i = 0; i < n; i++) {
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    }
    return NULL;
}

/* Maps an error to the exit status: a wrong argument is wrong use (2), anything else was
 * tried and failed (1). */
int cmd_failed(const struct vd_error *err)
{
    os_log_failure(err);
    return err->status == VD_ERR_ARGUMENT ? CMD_USAGE : CMD_FAILED;
}

/* Says what is wrong, and where help is to be found. It returns the exit status of wrong
 * use, except when memory ran out, which is nobody's mistake. */
int cmd_wrong_use(const struct cmd_command *command, const struct vd_error *err)
{
    fprintf(stderr, "vedette: %s%s%s\n", err->text, *err->hint != '\0' ? ": " : "",
            err->hint);
    /* A wrong file says its line; the help of the command would not add to that. */
    if (err->status == VD_ERR_ARGUMENT)
        fprintf(stderr, "Try 'vedette help%s%s'.\n", command != NULL ? " " : "",
                command != NULL ? command->name : "");
    return err->status == VD_ERR_MEMORY ? CMD_FAILED : CMD_USAGE;
}

/* Names the nearest command, so that a slip of the finger is one look away from the right
 * word. */
static int unknown_command(const char *name)
{
    struct os_nearest nearest = {.word = name};
    struct vd_error err = {0};
    char hint[96] = "";
    size_t n;
    const struct cmd_command *const *table = cmd_table(&n);

    for (size_t i = 0; i < n; i++)
        os_nearest_try(&nearest, table[i]->name);
    if (nearest.best != NULL)
        snprintf(hint, sizeof hint, "did you mean '%s'?", nearest.best);
    vd_error_set(&err, VD_ERR_ARGUMENT, hint, "unknown command '%s'", name);
    return cmd_wrong_use(NULL, &err);
}

/* Applies the global options from both sides of the command; the later side wins. It is
 * called once before the configuration file is read, since --config says which file, and
 * again after it, so that the command line wins over the file. */
static enum vd_status read_globals(struct cmd_globals *globals,
                                   const struct cmd_line *before,
                                   const struct cmd_line *line, struct vd_error *err)
{
    enum vd_status status = cmd_line_apply(before, cmd_global_options, globals, err);

    if (status == VD_OK && line != NULL)
        status = cmd_line_apply(line, cmd_global_options, globals, err);
    return status;
}

/* Puts colour and log level into effect. The more exact option wins: --log-level before
 * --quiet before --verbose. */
static void use_globals(const struct cmd_globals *globals)
{
    os_terminal_set_color((enum os_color)globals->color);
    if (globals->log_level >= 0)
        os_log_set_level((enum os_log_level)globals->log_level);
    else if (globals->quiet)
        os_log_set_level(OS_LOG_ERROR);
    else if (globals->verbose)
        os_log_set_level(OS_LOG_DEBUG);
}

/* Looks for options that must have a value and have none after the file and the command
 * line were read. */
static enum vd_status check_required(const struct os_option *options,
                                     const void *settings, struct vd_error *err)
{
    for (const struct os_option *o = options; o != NULL && o->name != NULL; o++) {
        char *text = o->required ? os_option_text(o, settings) : NULL;
        bool missing = text != NULL && *text == '\0';

        free(text);
        if (missing)
            return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "--%s=%s is needed", o->name,
                                o->value);
    }
    return VD_OK;
}

/* Warns of secrets on the command line, because every user of a machine sees the command
 * line of every process. A secret from a file is not warned of. */
static void warn_of_secrets(const struct cmd_line *line)
{
    for (size_t i = 0; i < line->n; i++) {
        const struct os_option *row = line->at[i].option;

        if (row->secret && !row->in_file && os_secret_in_url(line->at[i].text))
            os_log_warning("--%s: the list of processes (ps) shows this secret to every "
                           "user of this machine; keep it in a file that only you can "
                           "read and give --%s-file FILE",
                           row->name, row->name);
    }
}

/* Makes the settings: defaults, then the file, then the command line, for the options of
 * the command and for the global ones. Then it checks them together, since one option may
 * contradict another that came from elsewhere. */
static enum vd_status make_settings(const struct cmd_command *command, void *settings,
                                    struct cmd_globals *globals,
                                    const struct cmd_line *before,
                                    const struct cmd_line *line, struct vd_error *err)
{
    enum vd_status status = os_options_defaults(command->options, settings, err);
    struct os_config *config = NULL;

    if (status == VD_OK)
        status = cmd_config_apply(command, settings, globals, &config, err);
    if (status == VD_OK)
        status = read_globals(globals, before, line, err);
    if (status == VD_OK)
        status = cmd_line_apply(before, command->options, settings, err);
    if (status == VD_OK)
        status = cmd_line_apply(line, command->options, settings, err);
    if (status == VD_OK && command->arguments == NULL && line->n_rest > 0)
        status = vd_error_set(err, VD_ERR_ARGUMENT, NULL, "%s takes no argument '%s'",
                              command->name, line->rest[0]);
    if (status == VD_OK)
        status = check_required(command->options, settings, err);
    if (status == VD_OK)
        status = cmd_config_check(command, command->check, settings, before, line, config,
                                  err);
    os_config_free(config);
    return status;
}

/* Parses what follows the command and runs it. The global options are used as soon as
 * they are known, so that errors of the configuration file have the right colour and
 * level; after the file they are used once more. `settings` has one byte more than
 * needed, since calloc(0) may give NULL. */
static int run_command(const struct cmd_command *command, struct cmd_globals *globals,
                       const struct cmd_line *before, int argc, char **argv)
{
    void *settings = calloc(1, command->settings_size + 1);
    struct vd_error err = {0};
    struct cmd_line line;
    enum vd_status status = cmd_line_parse(&line, command, argc, argv, &err);
    int code;

    if (status == VD_OK && settings == NULL)
        status = vd_error_set(&err, VD_ERR_MEMORY, NULL, "out of memory");
    if (status == VD_OK)
        status = read_globals(globals, before, &line, &err);
    if (status == VD_OK)
        use_globals(globals);
    if (status == VD_OK && (line.help || line.version)) {
        if (line.help)
            cmd_help_command(stdout, command);
        else
            puts("vedette " VEDETTE_VERSION);
        code = CMD_OK;
        goto out;
    }
    if (status == VD_OK)
        status = make_settings(command, settings, globals, before, &line, &err);
    use_globals(globals);
    if (status == VD_OK)
        warn_of_secrets(&line);
    code = status == VD_OK ? command->run(settings, line.n_rest, line.rest)
                           : cmd_wrong_use(command, &err);
    if (settings != NULL)
        os_options_release(command->options, settings);
out:
    cmd_line_release(&line);
    free(settings);
    return code;
}

/* Handles a command line that ends before a command. Returns true when nothing is left to
 * be done; without any word the help goes to standard error and the exit status is that
 * of wrong use. */
static bool answered(const struct cmd_line *before, int argc, int *code)
{
    *code = CMD_OK;
    if (before->version)
        puts("vedette " VEDETTE_VERSION);
    else if (before->help)
        cmd_help_program(stdout);
    else if (before->next >= argc)
        cmd_help_program(stderr);
    else
        return false;
    if (before->next >= argc && !before->help && !before->version)
        *code = CMD_USAGE;
    return true;
}

/* Runs the program from its command line to its exit status. The options before the
 * command are parsed apart, in order, since only the command says which options may
 * follow it. */
int cmd_main(int argc, char **argv)
{
    const struct cmd_command *command = NULL;
    struct cmd_globals globals = {0};
    struct vd_error err = {0};
    struct cmd_line before = {0};
    enum vd_status status = os_options_defaults(cmd_global_options, &globals, &err);
    int code;

    /* The zone is read now: later there may be no descriptor left to read it with. */
    tzset();
    if (status == VD_OK)
        status = cmd_line_parse(&before, NULL, argc, argv, &err);
    if (status == VD_OK)
        status = read_globals(&globals, &before, NULL, &err);
    if (status == VD_OK)
        use_globals(&globals);
    if (status != VD_OK) {
        code = cmd_wrong_use(NULL, &err);
    } else if (!answered(&before, argc, &code)) {
        command = cmd_find(argv[before.next]);
        code = command == NULL ? unknown_command(argv[before.next])
                               : run_command(command, &globals, &before,
                                             argc - before.next, argv + before.next);
    }
    /* What was printed must have arrived: "vedette ... > /dev/full" is a failure. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "vedette: the output could not be written\n");
        code = code == CMD_OK ? CMD_FAILED : code;
    }
    cmd_line_release(&before);
    os_options_release(cmd_global_options, &globals);
    return code;
}
