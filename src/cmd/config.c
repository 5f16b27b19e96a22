/* vedette config check|show|example, and the file on its way to every command. */
#include "cmd/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/json_out.h"
#include "detect/rules.h"
#include "os/config.h"

/* Finds the command whose options are the keys of the file. It is NULL in a build without
 * the monitor. */
static const struct cmd_command *monitor(void)
{
    return cmd_find("monitor");
}

/* Gives the path when the file is there, else NULL. A folder that is not known (an unset
 * variable) has no file. The caller frees the path. */
static char *place(const char *folder, const char *below)
{
    char *path = NULL;

    if (folder == NULL || *folder == '\0')
        return NULL;
    if (asprintf(&path, "%s%s", folder, below) < 0)
        return NULL;
    if (access(path, F_OK) != 0) {
        free(path);
        return NULL;
    }
    return path;
}

/* Finds the file and gives a path that the caller frees; NULL means that there is none. A
 * file that is named need not exist: reading it then fails with its name. $HOME is looked
 * at only when $XDG_CONFIG_HOME is not set, as the standard wants it. */
char *cmd_config_path(const char *given)
{
    const char *home = getenv("XDG_CONFIG_HOME");
    char *path;

    if (given != NULL)
        return strcmp(given, "none") == 0 ? NULL : strdup(given);
    path = place(home, "/vedette/vedette.yaml");
    if (path == NULL && (home == NULL || *home == '\0'))
        path = place(getenv("HOME"), "/.config/vedette/vedette.yaml");
    return path != NULL ? path : place("/etc", "/vedette/vedette.yaml");
}

/* Tells whether the file has anything to say to the command: whether it shares an option
 * with the monitor beyond the global ones. The other commands must not fail because of a
 * mistake in a file that they do not use. */
static bool reads_file(const struct cmd_command *command)
{
    const struct os_option *o;

    if (monitor() == NULL)
        return false;
    for (o = command->options; o != NULL && o->name != NULL; o++) {
        if (os_option_find(cmd_global_options, o->name) == NULL &&
            os_option_find(monitor()->options, o->name) != NULL)
            return true;
    }
    return false;
}

/* Reads the file and refuses keys that no option of the monitor or of the program has. */
static enum vd_status load(struct os_config **config, const char *path,
                           struct vd_error *err)
{
    const struct os_option *tables[] = {monitor() == NULL ? NULL : monitor()->options,
                                        cmd_global_options};
    enum vd_status status = os_config_load(config, path, err);

    return status == VD_OK ? os_config_check_keys(*config, tables, 2, err) : status;
}

/* Applies the file to the settings of a command and to the global ones. *config is set as
 * soon as the file was read, also after a failure, and is the caller's to free. */
enum vd_status cmd_config_apply(const struct cmd_command *command, void *settings,
                                struct cmd_globals *globals, struct os_config **config,
                                struct vd_error *err)
{
    enum vd_status status;
    char *path, *kept;

    *config = NULL;
    if (!reads_file(command))
        return VD_OK;
    path = cmd_config_path(globals->config);
    if (path == NULL)
        return VD_OK;
    status = load(config, path, err);
    if (status == VD_OK)
        status = os_config_apply(*config, command->options, settings, err);
    /* Sets --config aside while the file is applied, so that a file cannot name another
     * file and hide where a value comes from. */
    kept = globals->config;
    globals->config = NULL;
    if (status == VD_OK)
        status = os_config_apply(*config, cmd_global_options, globals, err);
    free(globals->config);
    globals->config = kept;
    free(path);
    return status;
}

/* Tells whether the option was given on the command line, and so did not come from the
 * file. `line` may be NULL. */
static bool is_on_line(const struct cmd_line *line, const char *name)
{
    for (size_t i = 0; line != NULL && i < line->n; i++)
        if (strcmp(line->at[i].option->name, name) == 0)
            return true;
    return false;
}

/* Runs a check over all settings together. A fault is told by the place where it was
 * written: the line of the file, or the option when it came from the command line. */
enum vd_status cmd_config_check(const struct cmd_command *command, cmd_check *check,
                                const void *settings, const struct cmd_line *before,
                                const struct cmd_line *line,
                                const struct os_config *config, struct vd_error *err)
{
    struct cmd_fault fault = {0};
    struct vd_error inner = {0};
    char where[OS_CONFIG_WHERE_MAX];
    const struct os_option *row;
    enum vd_status status = VD_OK;

    if (check != NULL)
        status = check(settings, &fault, &inner);
    if (status == VD_OK)
        return VD_OK;
    if (status == VD_ERR_MEMORY || fault.option == NULL)
        return vd_error_set(err, status, inner.hint, "%s", inner.text);
    row = os_option_find(command->options, fault.option);
    if (!is_on_line(before, fault.option) && !is_on_line(line, fault.option) &&
        config != NULL && os_config_place(config, row, fault.item, where))
        return vd_error_set(err, VD_ERR_FORMAT, inner.hint, "%s: %s", where, inner.text);
    return vd_error_set(err, VD_ERR_ARGUMENT, inner.hint, "--%s: %s", fault.option,
                        inner.text);
}

/* The file that `check` and `show` work on: the argument, --config, the usual places. */
struct config_settings {
    char *config;
    bool json;
};

static const struct os_option options[] = {
    {.name = "config",
     .letter = 'c',
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .help = "The file to look at, when it is not given as an argument",
     .offset = offsetof(struct config_settings, config)},
    CMD_JSON_OPTION(offsetof(struct config_settings, json)),
    {0},
};

/* Prints one option, its value, and the line of the file that set it. A secret is never
 * printed. The twin option that reads a secret from a file is left out unless the file
 * has it. */
static void show_row(const struct os_option *row, const void *settings,
                     const struct os_config *config)
{
    size_t line = config == NULL ? 0 : os_config_line(config, row);
    char *text;

    if (row->in_file && line == 0)
        return;
    text = os_option_text(row, settings);

    if (row->secret && text != NULL && *text != '\0')
        printf("%-24s %-28s", row->name, "(secret)");
    else
        printf("%-24s %-28s", row->name, text == NULL || *text == '\0' ? "-" : text);
    if (line > 0)
        printf(" %s:%zu\n", os_config_name(config), line);
    else
        printf(" default\n");
    free(text);
}

/* Makes one option: {"name": "port", "value": "5000", "default": true, "file": null,
 * "line": null}. A secret has the value null, and "secret" says that there is one. */
static json_t *json_row(const struct os_option *row, const void *settings,
                        const struct os_config *config)
{
    size_t line = config == NULL ? 0 : os_config_line(config, row);
    char *text = os_option_text(row, settings);
    bool set = text != NULL && *text != '\0';
    json_t *out =
        json_pack("{s:s, s:o, s:b, s:b, s:o, s:o}", "name", row->name, "value",
                  !set || row->secret ? json_null() : cmd_json_text(text), "secret",
                  (int)(set && row->secret), "default", (int)(line == 0), "file",
                  line == 0 ? json_null() : cmd_json_text(os_config_name(config)), "line",
                  line == 0 ? json_null() : json_integer((json_int_t)line));

    free(text);
    return out;
}

/* ---- the built-in rules ---- */

/* Builds the table of limits as these settings leave it. A rule that does not exist was
 * refused when the option was read, so no error is looked for here. */
static void rules_of(const struct os_option *rows, const void *settings,
                     struct detect_rules *rules)
{
    const struct os_option *row = os_option_find(rows, "without-rule");
    const struct os_list *off =
        row == NULL ? NULL
                    : (const struct os_list *)((const char *)settings + row->offset);

    detect_rules_init(rules);
    for (size_t i = 0; off != NULL && i < off->n; i++)
        detect_rules_switch_off(rules, off->at[i], NULL);
}

static void show_rules(const struct detect_rules *rules)
{
    char text[DETECT_RULE_TEXT];

    for (size_t i = 0; i < rules->n; i++)
        printf("%-24s %-44s %s\n", "built-in rule",
               detect_rule_text(&rules->rule[i], text, sizeof text),
               rules->rule[i].off ? "off" : "on");
}

static json_t *json_rules(const struct detect_rules *rules)
{
    char text[DETECT_RULE_TEXT];
    json_t *root = json_array();

    for (size_t i = 0; i < rules->n; i++)
        json_array_append_new(
            root,
            json_pack("{s:o, s:b}", "rule",
                      cmd_json_text(detect_rule_text(&rules->rule[i], text, sizeof text)),
                      "on", (int)!rules->rule[i].off));
    return root;
}

/* Prints every option of the table and then the built-in limits. It works for `config
 * show` and for its JSON alike. */
static int show_all(const struct os_option *rows, const void *settings,
                    const struct os_config *config, bool json)
{
    json_t *root = json ? json_array() : NULL;
    struct detect_rules *rules = malloc(sizeof *rules);
    int code = CMD_OK;

    if (rules == NULL)
        return CMD_FAILED;
    rules_of(rows, settings, rules);
    for (const struct os_option *o = rows; o != NULL && o->name != NULL; o++) {
        if (!json)
            show_row(o, settings, config);
        else if (!o->in_file || (config != NULL && os_config_line(config, o) > 0))
            json_array_append_new(root, json_row(o, settings, config));
    }
    if (json)
        code = cmd_json_print(
            json_pack("{s:o, s:o}", "options", root, "rules", json_rules(rules)));
    else
        show_rules(rules);
    free(rules);
    return code;
}

/* Says what is to be done once the file was read: nothing more, or show it. */
enum look { LOOK_CHECK, LOOK_SHOW, LOOK_JSON };

/* Reads everything as `monitor` would, with the same checks, so that `config check`
 * refuses what `monitor` would refuse. The command line is left out: only the file is
 * looked at. */
static int look(const char *path, enum look how)
{
    const struct cmd_command *command = monitor();
    struct os_config *config = NULL;
    struct cmd_globals globals = {0};
    void *settings = calloc(1, command->settings_size + 1);
    struct vd_error err = {0};
    enum vd_status status = VD_OK;
    int code = CMD_OK;

    if (settings == NULL)
        return CMD_FAILED;
    os_options_defaults(cmd_global_options, &globals, &err);
    os_options_defaults(command->options, settings, &err);
    if (path != NULL)
        status = load(&config, path, &err);
    if (status == VD_OK && config != NULL)
        status = os_config_apply(config, command->options, settings, &err);
    if (status == VD_OK && config != NULL)
        status = os_config_apply(config, cmd_global_options, &globals, &err);
    if (status == VD_OK)
        status = cmd_config_check(command, command->rehearse, settings, NULL, NULL,
                                  config, &err);
    if (status == VD_OK && how != LOOK_CHECK)
        code = show_all(command->options, settings, config, how == LOOK_JSON);
    os_options_release(command->options, settings);
    os_options_release(cmd_global_options, &globals);
    os_config_free(config);
    free(settings);
    return status == VD_OK ? code : cmd_wrong_use(&cmd_config, &err);
}

/* Checks the file. Having none is no failure, since every option has its default. */
static int run_check(const char *path, bool json)
{
    int code;

    if (path == NULL && !json) {
        puts("no configuration file: every option has its default");
        return CMD_OK;
    }
    code = look(path, LOOK_CHECK);
    if (code == CMD_OK && json)
        code =
            cmd_json_print(json_pack("{s:o, s:b}", "file", cmd_json_text(path), "ok", 1));
    else if (code == CMD_OK)
        printf("%s: ok\n", path);
    return code;
}

/* Reads the words. The file may be given as a word or with --config; the word wins. */
static int run_config(void *data, int argc, char **argv)
{
    const struct config_settings *settings = data;
    char *path = cmd_config_path(argc > 1 ? argv[1] : settings->config);
    struct vd_error err = {0};
    int code;

    if (monitor() == NULL) {
        fprintf(stderr, "vedette: built without the monitor, which the file is for\n");
        code = CMD_FAILED;
    } else if (argc == 1 && strcmp(argv[0], "example") == 0 && !settings->json) {
        cmd_config_example(stdout, monitor());
        code = CMD_OK;
    } else if (argc >= 1 && argc <= 2 && strcmp(argv[0], "check") == 0) {
        code = run_check(path, settings->json);
    } else if (argc >= 1 && argc <= 2 && strcmp(argv[0], "show") == 0) {
        code = look(path, settings->json ? LOOK_JSON : LOOK_SHOW);
    } else {
        vd_error_set(&err, VD_ERR_ARGUMENT, NULL,
                     "expected 'config check', 'config show' or 'config example'");
        code = cmd_wrong_use(&cmd_config, &err);
    }
    free(path);
    return code;
}

const struct cmd_command cmd_config = {
    .name = "config",
    .summary = "Check, show or write the configuration file",
    .arguments = "check|show|example [FILE]",
    .about =
        "The configuration file is YAML; its keys are the long options of \"monitor\" "
        "without the dashes in front. An option on the command line wins over the file, "
        "the file wins over the default. Other commands take the options that they share "
        "with \"monitor\".\n\n"
        "Read is the file given with --config, else the first that is there of "
        "$XDG_CONFIG_HOME/vedette/vedette.yaml (~/.config/vedette/vedette.yaml) and "
        "/etc/vedette/vedette.yaml.\n\n"
        "\"check\" names the line of the first mistake; it refuses whatever \"monitor\" "
        "would refuse to start with, short of a port that is taken. \"show\" prints each "
        "option with its value and where that came from, and each built-in limit with "
        "its "
        "state; secrets are not shown. "
        "\"example\" writes a file with every option, its default and what it does.",
    .examples = "vedette config example > vedette.yaml\n"
                "    a file to begin with\n"
                "vedette config check vedette.yaml\n"
                "    is it right? The exit status is 2 when it is not\n"
                "vedette config show\n"
                "    what a monitor started now would use\n",
    .options = options,
    .settings_size = sizeof(struct config_settings),
    .run = run_config,
};
