/* Manual pages from the tables, in man(7), and docs/options.md in Markdown. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/commands_parse.h"
#include "cmd/help.h"

/* Escapes text for roff. A backslash and a dash mean something there, and so do a dot and
 * an apostrophe at the start of a line. An empty line begins a new paragraph. */
static void roff(FILE *out, const char *text)
{
    bool start = true;

    for (; *text != '\0'; text++) {
        if (start && (*text == '.' || *text == '\''))
            fputs("\\&", out);
        start = *text == '\n';
        if (text[0] == '\n' && text[1] == '\n') {
            fputs("\n.PP\n", out);
            text++;
        } else if (*text == '\\') {
            fputs("\\e", out);
        } else if (*text == '-') {
            fputs("\\-", out);
        } else if (*text == '~') {
            fputs("\\(ti", out);
        } else if (*text == '^') {
            fputs("\\(ha", out);
        } else {
            fputc(*text, out);
        }
    }
}

static void upper(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        fputc(toupper((unsigned char)*text), out);
}

/* Writes one option: its names, its help, its choices and its default. Every flag has a
 * --no- form. */
static void man_option(FILE *out, const struct os_option *row)
{
    fputs(".TP\n", out);
    if (row->letter != '\0')
        fprintf(out, "\\fB\\-%c\\fR, ", row->letter);
    fputs("\\fB\\-\\-", out);
    roff(out, row->name);
    fputs("\\fR", out);
    if (row->value != NULL) {
        fputs("=\\fI", out);
        roff(out, row->value);
        fputs("\\fR", out);
    }
    if (row->type == OS_OPTION_FLAG) {
        fputs(", \\fB\\-\\-no\\-", out);
        roff(out, row->name);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    roff(out, row->help);
    fputs(".\n", out);
    for (const char *p = row->choices; p != NULL; p = strchr(p, '|'), p += p != NULL) {
        fputs(p == row->choices ? "One of \\fB" : ", \\fB", out);
        fprintf(out, "%.*s\\fR", (int)strcspn(p, "|"), p);
    }
    if (row->choices != NULL)
        fputs(".\n", out);
    if (row->fallback != NULL) {
        fputs("Default: \\fB", out);
        roff(out, row->fallback);
        fputs("\\fR.\n", out);
    }
}

/* Gives the heading of an option; a table without groups has one heading. */
static const char *group_of(const struct os_option *row)
{
    return row->group == NULL ? "Options" : row->group;
}

/* Writes the options with a heading for each group. Rows come sorted by group in every
 * table, so a change of the group is where a heading belongs; none is written for the
 * group `first`. */
static void man_options(FILE *out, const struct os_option *rows, const char *first)
{
    const char *group = first;

    for (const struct os_option *o = rows; o != NULL && o->name != NULL; o++) {
        if (o->file_only)
            continue;
        if (strcmp(group, group_of(o)) != 0) {
            group = group_of(o);
            fputs(".SS ", out);
            roff(out, group);
            fputc('\n', out);
        }
        man_option(out, o);
    }
}

/* Writes the examples, "command\n    what it does\n": a line that is not indented is a
 * command and becomes a tag. Longer lines than the buffer are cut. */
static void man_examples(FILE *out, const char *text)
{
    fputs(".SH EXAMPLES\n", out);
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        bool indented = *text == ' ';
        char line[256];

        snprintf(line, sizeof line, "%.*s", (int)n, text + strspn(text, " "));
        line[n - strspn(text, " ") < sizeof line ? n - strspn(text, " ")
                                                 : sizeof line - 1] = '\0';
        fputs(indented ? "" : ".TP\n.B ", out);
        roff(out, line);
        fputc('\n', out);
        text += n + (text[n] == '\n');
    }
}

static void man_exit_status(FILE *out)
{
    fputs(".SH EXIT STATUS\n"
          ".TP\n.B 0\nIt is fine.\n"
          ".TP\n.B 1\nIt was tried and failed.\n"
          ".TP\n.B 2\nWrong use: an option, an argument or the configuration file.\n"
          ".TP\n.B 3\nOf status: a limit is exceeded or something is unusual.\n",
          out);
}

/* Writes the page of the program, which names the pages of the commands. */
static void man_program(FILE *out, const char *date)
{
    size_t n;
    const struct cmd_command *const *table = cmd_table(&n);

    fprintf(out, ".TH VEDETTE 1 \"%s\" \"vedette " VEDETTE_VERSION "\"\n", date);
    fputs(".SH NAME\nvedette \\- watches this machine and says when something is not "
          "normal\n"
          ".SH SYNOPSIS\n.B vedette\n[\\fIOPTION\\fR...] \\fICOMMAND\\fR "
          "[\\fIARGUMENT\\fR...]\n"
          ".SH DESCRIPTION\n"
          "Watches this machine, learns what is normal for it, and says within seconds\n"
          "when something is not, why, and which process did it.\n"
          ".SH COMMANDS\n",
          out);
    for (size_t i = 0; i < n; i++) {
        fputs(".TP\n", out);
        fprintf(out, "\\fBvedette\\-%s\\fR(1)\n", table[i]->name);
        roff(out, table[i]->summary);
        fputs(".\n", out);
    }
    fputs(".SH OPTIONS\nEvery command takes these.\n", out);
    man_options(out, cmd_global_options, "All commands");
    fputs(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nShow help, of the command when one is "
          "named.\n.TP\n\\fB\\-V\\fR, \\fB\\-\\-version\\fR\nShow the version.\n",
          out);
    man_exit_status(out);
    fputs(".SH FILES\n.TP\n.I \\(ti/.config/vedette/vedette.yaml\n"
          "The configuration of a user, see \\fBvedette\\-config\\fR(1).\n"
          ".TP\n.I /etc/vedette/vedette.yaml\nThe configuration of the machine.\n"
          ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nWhen it is set, the output has no colour.\n"
          ".TP\n.B XDG_CONFIG_HOME\nThe folder to use for \\fI\\(ti/.config\\fR.\n",
          out);
}

/* Writes the list that belongs to a command. The end of the last line is removed, since
 * it would begin another. */
static void man_list(FILE *out, const struct cmd_command *command)
{
    char *text = cmd_help_list(command), *rest = text, *line;

    fputs(".SH ", out);
    upper(out, command->list_title);
    fputs("\n", out);
    if (text != NULL && *text != '\0')
        text[strlen(text) - 1] = '\0'; /* the last line's end would begin another */
    while (rest != NULL && (line = strsep(&rest, "\n")) != NULL) {
        if (*line == '\0')
            continue;
        roff(out, line);
        fputs(rest != NULL ? "\n.br\n" : "\n", out);
    }
    free(text);
}

/* Writes the page of one command, or of the program when `command` is NULL. The date is
 * given from outside, so that a build is the same on every day. */
void cmd_help_man(FILE *out, const struct cmd_command *command, const char *date)
{
    if (command == NULL) {
        man_program(out, date);
        return;
    }
    fputs(".TH VEDETTE\\-", out);
    upper(out, command->name);
    fprintf(out, " 1 \"%s\" \"vedette " VEDETTE_VERSION "\"\n", date);
    fprintf(out, ".SH NAME\nvedette\\-%s \\- ", command->name);
    roff(out, command->summary);
    fprintf(out, "\n.SH SYNOPSIS\n.B vedette %s\n[\\fIOPTION\\fR...]", command->name);
    if (command->arguments != NULL) {
        fputs(" \\fI", out);
        roff(out, command->arguments);
        fputs("\\fR", out);
    }
    fputs("\n.SH DESCRIPTION\n", out);
    roff(out, command->about == NULL ? command->summary : command->about);
    fputs(command->about == NULL ? ".\n" : "\n", out);
    fputs(".SH OPTIONS\n", out);
    man_options(out, command->options, "Options");
    fputs(command->options == NULL ? "" : ".PP\n", out);
    fputs("The options of all commands are in \\fBvedette\\fR(1).\n", out);
    if (command->list != NULL)
        man_list(out, command);
    if (command->examples != NULL)
        man_examples(out, command->examples);
    man_exit_status(out);
    fputs(".SH SEE ALSO\n.BR vedette (1)\n", out);
}

/* Escapes what would end the cell of a Markdown table ('|') or begin HTML ('<'). */
static void cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|' || *text == '<')
            fputc('\\', out);
        fputc(*text == '\n' ? ' ' : *text, out);
    }
}

/* Writes one table per group; a group that comes again gets a table again. */
static void markdown_options(FILE *out, const struct os_option *rows)
{
    const char *group = NULL;

    for (const struct os_option *o = rows; o != NULL && o->name != NULL; o++) {
        if (group == NULL || strcmp(group, group_of(o)) != 0) {
            group = group_of(o);
            fprintf(out,
                    "\n**%s**\n\n| option | default | what it does |\n|---|---|---|\n",
                    group);
        }
        fprintf(out, "| `--%s%s%s%s`", os_option_starts_on(o) ? "[no-]" : "", o->name,
                o->value != NULL ? "=" : "", o->value != NULL ? o->value : "");
        if (o->letter != '\0')
            fprintf(out, " `-%c`", o->letter);
        fputs(" | ", out);
        cell(out, o->fallback == NULL ? "" : o->fallback);
        fputs(" | ", out);
        cell(out, o->help);
        if (o->choices != NULL) {
            fputs(": ", out);
            cell(out, o->choices);
        }
        fputs(" |\n", out);
    }
}

/* Writes options.md, which the build makes anew from the tables, so that it cannot fall
 * behind them. */
void cmd_help_markdown(FILE *out)
{
    size_t n;
    const struct cmd_command *const *table = cmd_table(&n);

    fputs(
        "# Commands and options\n\nWritten by `vedette help --markdown` from the tables "
        "of the program. The long options of\n`monitor` are the keys of the "
        "configuration file as well.\n\n## All commands\n",
        out);
    markdown_options(out, cmd_global_options);
    for (size_t i = 0; i < n; i++) {
        fprintf(out, "\n## vedette %s\n\n%s.\n", table[i]->name, table[i]->summary);
        if (table[i]->about != NULL)
            fprintf(out, "\n%s\n", table[i]->about);
        markdown_options(out, table[i]->options);
        if (table[i]->examples != NULL)
            fprintf(out, "\n```\n%s```\n", table[i]->examples);
    }
}
