/* Help on the terminal: grouped by the rows' groups, wrapped to the terminal's width, in
 * colour where colours belong. Everything comes from the tables. */
#include "cmd/help.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/commands_parse.h"
#include "cmd/json_out.h"
#include "cmd/sheet.h"
#include "os/terminal.h"

/* Gives the layout: options are indented by two, and their help begins at column 30. */
enum { INDENT = 2, HELP_COLUMN = 30 };

/* Adds the choices and the default: "Help text (one of a, b; default: b)". The caller
 * frees it; NULL means no memory. */
static char *full_help(const struct os_option *row)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL)
        return NULL;
    fputs(row->help, out);
    fputs(row->choices != NULL || row->fallback != NULL ? " (" : "", out);
    for (const char *p = row->choices; p != NULL && *p != '\0'; p++) {
        if (*p == '|')
            fputs(", ", out);
        else
            fputc(*p, out);
    }
    if (row->fallback != NULL)
        fprintf(out, "%sdefault: %s", row->choices != NULL ? "; " : "", row->fallback);
    fputs(row->choices != NULL || row->fallback != NULL ? ")" : "", out);
    fclose(out);
    return text;
}

/* Prints one option. A name that is too long for its column puts the help on the next
 * line. */
static void option_line(const struct cmd_sheet *page, const struct os_option *row)
{
    char name[96], letter[8] = "   ";
    char *help = full_help(row);
    int column = INDENT;

    if (row->letter != '\0')
        snprintf(letter, sizeof letter, "-%c,", row->letter);
    snprintf(name, sizeof name, "--%s%s%s%s%s", os_option_starts_on(row) ? "[no-]" : "",
             row->name, row->value != NULL ? "=" : "",
             row->value != NULL ? row->value : "",
             row->type == OS_OPTION_LIST ? "..." : "");
    column += fprintf(page->out, "%*s%s ", INDENT, "", letter) - INDENT;
    cmd_sheet_styled(page, "36", name);
    column += (int)strlen(name);
    if (column > HELP_COLUMN - 2) {
        fputc('\n', page->out);
        column = 0;
    }
    cmd_sheet_wrapped(page, help == NULL ? row->help : help, HELP_COLUMN, column);
    free(help);
}

/* Prints the rows group by group, in the order in which the groups first appear: a table
 * may return to a group later on. */
static void option_groups(const struct cmd_sheet *page, const struct os_option *options)
{
    for (const struct os_option *o = options; o != NULL && o->name != NULL; o++) {
        const char *group = o->group == NULL ? "Options" : o->group;
        bool seen = o->file_only;

        for (const struct os_option *p = options; p < o; p++)
            seen |= !p->file_only &&
                    strcmp(p->group == NULL ? "Options" : p->group, group) == 0;
        if (seen)
            continue;
        cmd_sheet_heading(page, group);
        for (const struct os_option *p = o; p->name != NULL; p++) {
            if (!p->file_only &&
                strcmp(p->group == NULL ? "Options" : p->group, group) == 0)
                option_line(page, p);
        }
    }
}

void cmd_help_program(FILE *out)
{
    struct cmd_sheet page = cmd_sheet_for(out);
    size_t n;
    const struct cmd_command *const *table = cmd_table(&n);

    fputs("Usage: vedette [OPTION...] COMMAND [ARGUMENT...]\n\n", out);
    cmd_sheet_wrapped(
        &page,
        "Watches this machine, learns what is normal for it, and says within seconds "
        "when something is not, why, and which process did it.",
        0, 0);
    cmd_sheet_heading(&page, "Commands");
    for (size_t i = 0; i < n; i++) {
        int column = INDENT + (int)strlen(table[i]->name);

        fprintf(out, "%*s", INDENT, "");
        cmd_sheet_styled(&page, "36", table[i]->name);
        cmd_sheet_wrapped(&page, table[i]->summary, 16, column);
    }
    option_groups(&page, cmd_global_options);
    fputs("  -h, --help                  Show help, of the command when one is named\n"
          "  -V, --version               Show the version\n\n",
          out);
    cmd_sheet_wrapped(
        &page,
        "\"vedette help COMMAND\" tells all about one command. Exit status: 0 fine, 1 "
        "it failed, 2 wrong use; of status, 3 when something is unusual.",
        0, 0);
}

/* Prints examples, which the tables have as "command\n    what it does\n". */
static void example_lines(const struct cmd_sheet *page, const char *examples)
{
    while (*examples != '\0') {
        size_t n = strcspn(examples, "\n");

        fprintf(page->out, "%*s%.*s\n", INDENT, "", (int)n, examples);
        examples += n + (examples[n] == '\n');
    }
}

/* Gives the list of a command as text, which the caller frees; NULL means no memory. */
char *cmd_help_list(const struct cmd_command *command)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL)
        return NULL;
    command->list(out);
    fclose(out);
    return text;
}

/* Prints the list of a command, a line each, wrapped to the width. */
static void list_lines(const struct cmd_sheet *page, const struct cmd_command *command)
{
    char *text = cmd_help_list(command), *rest = text, *line;

    while (rest != NULL && (line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        fprintf(page->out, "%*s", INDENT, "");
        cmd_sheet_wrapped(page, line, INDENT, INDENT);
    }
    free(text);
}

/* Prints all of one command: what it does, its options, the global ones, its list and its
 * examples. */
void cmd_help_command(FILE *out, const struct cmd_command *command)
{
    struct cmd_sheet page = cmd_sheet_for(out);

    fprintf(out, "Usage: vedette %s [OPTION...]%s%s\n\n", command->name,
            command->arguments == NULL ? "" : " ",
            command->arguments == NULL ? "" : command->arguments);
    cmd_sheet_wrapped(&page, command->about == NULL ? command->summary : command->about,
                      0, 0);
    option_groups(&page, command->options);
    option_groups(&page, cmd_global_options);
    if (command->list != NULL) {
        cmd_sheet_heading(&page, command->list_title);
        list_lines(&page, command);
    }
    if (command->examples != NULL) {
        cmd_sheet_heading(&page, "Examples");
        example_lines(&page, command->examples);
    }
}

struct help_settings {
    bool man, markdown, names, json;
    char *date;
};

static const struct os_option options[] = {
    {.name = "man",
     .type = OS_OPTION_FLAG,
     .help = "Write the manual page instead, for man(1)",
     .offset = offsetof(struct help_settings, man)},
    {.name = "markdown",
     .type = OS_OPTION_FLAG,
     .help = "Write all commands and options as Markdown",
     .offset = offsetof(struct help_settings, markdown)},
    {.name = "names",
     .type = OS_OPTION_FLAG,
     .help = "Write the names of the commands alone, for scripts",
     .offset = offsetof(struct help_settings, names)},
    CMD_JSON_OPTION(offsetof(struct help_settings, json)),
    {.name = "date",
     .type = OS_OPTION_TEXT,
     .value = "DATE",
     .help = "The date that the manual page shows",
     .fallback = "2026-01-01",
     .offset = offsetof(struct help_settings, date)},
    {0},
};

static void names(FILE *out)
{
    size_t n;
    const struct cmd_command *const *table = cmd_table(&n);

    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s\n", table[i]->name);
}

/* Makes one option as JSON. The words of `type` stand in the order of the enum of option
 * types. */
static json_t *json_option(const struct os_option *row)
{
    static const char *const type[] = {"flag", "integer", "number", "duration",
                                       "size", "text",    "choice", "list"};

    return json_pack("{s:s, s:s, s:o, s:o, s:s, s:b}", "name", row->name, "type",
                     type[row->type], "default", cmd_json_text(row->fallback), "choices",
                     cmd_json_words(row->choices), "help", row->help, "file_only",
                     (int)row->file_only);
}

/* Makes one command as JSON, with its own options. The global ones are those of every
 * command. */
static json_t *json_command(const struct cmd_command *command)
{
    json_t *list = json_array();

    for (const struct os_option *o = command->options; o != NULL && o->name != NULL; o++)
        json_array_append_new(list, json_option(o));
    return json_pack("{s:s, s:s, s:o, s:o}", "name", command->name, "summary",
                     command->summary, "arguments", cmd_json_text(command->arguments),
                     "options", list);
}

/* Prints all commands, or the one that is named. */
static int help_json(const struct cmd_command *command)
{
    json_t *root = json_array();
    size_t n;
    const struct cmd_command *const *table = cmd_table(&n);

    for (size_t i = 0; i < n; i++)
        if (command == NULL || table[i] == command)
            json_array_append_new(root, json_command(table[i]));
    return cmd_json_print(root);
}

/* Answers `vedette help`. The formats for machines come first, since their output must
 * not mix with text for people. */
static int run_help(void *data, int argc, char **argv)
{
    const struct help_settings *settings = data;
    const struct cmd_command *command = argc == 0 ? NULL : cmd_find(argv[0]);

    if (argc > 0 && command == NULL) {
        fprintf(stderr, "vedette: unknown command '%s'\nTry 'vedette help'.\n", argv[0]);
        return CMD_USAGE;
    }
    if (settings->json)
        return help_json(command);
    if (settings->names)
        names(stdout);
    else if (settings->markdown)
        cmd_help_markdown(stdout);
    else if (settings->man)
        cmd_help_man(stdout, command, settings->date);
    else if (command == NULL)
        cmd_help_program(stdout);
    else
        cmd_help_command(stdout, command);
    return CMD_OK;
}

const struct cmd_command cmd_help = {
    .name = "help",
    .summary = "Tell about the commands, or all about one",
    .arguments = "[COMMAND]",
    .options = options,
    .settings_size = sizeof(struct help_settings),
    .run = run_help,
};
