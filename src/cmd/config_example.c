/* A configuration file to begin with: every option of the table, commented out, so that
 * the defaults of a later version still come through. */
#include <stdlib.h>
#include <string.h>

#include "cmd/config.h"
#include "cmd/help.h"

/* Limits the columns of a line: below the 80 of a terminal. */
enum { WIDTH = 78 };

/* Writes text as lines that begin with "# " and have at most WIDTH columns. Words are not
 * parted, and columns are counted as a terminal shows them. */
static void comment(FILE *out, const char *text)
{
    size_t column = 0;

    while (*text != '\0') {
        size_t bytes = strcspn(text, " \n"), columns = os_terminal_columns(text, bytes);

        if (column == 0 || column + 1 + columns > WIDTH) {
            fprintf(out, "%s#", column > 0 ? "\n" : "");
            column = 1;
        }
        fprintf(out, " %.*s", (int)bytes, text);
        column += 1 + columns;
        text += bytes + (text[bytes] != '\0');
    }
    fputc('\n', out);
}

/* Writes a value as YAML takes it. It is quoted where a reader could take a sign in it
 * for YAML's own; a quote within quotes is doubled. */
static void value(FILE *out, const char *text)
{
    bool plain = *text != '\0' && strcspn(text, ":#'\"{}[],&*!|>%@`") == strlen(text) &&
                 *text != '-' && *text != '?' && *text != ' ';

    if (plain) {
        fputs(text, out);
        return;
    }
    fputc('\'', out);
    for (; *text != '\0'; text++)
        fprintf(out, *text == '\'' ? "''" : "%c", *text);
    fputc('\'', out);
}

/* Writes a list, one item a line. The default of a list option has its items parted by
 * commas. */
static void list(FILE *out, const struct os_option *row)
{
    const char *item = row->fallback;

    fprintf(out, "#%s:", row->name);
    if (item == NULL) {
        fputs(" []\n", out);
        return;
    }
    fputc('\n', out);
    while (*item != '\0') {
        size_t n = strcspn(item, ",");
        char *copy = strndup(item, n);

        if (copy == NULL)
            return;
        fputs("#  - ", out);
        value(out, copy);
        fputc('\n', out);
        free(copy);
        item += n + (item[n] == ',');
    }
}

/* Writes the help of an option, its choices and its default, all commented out. The '|'
 * between choices becomes '/', which reads better in a sentence. */
static void row_lines(FILE *out, const struct os_option *row)
{
    fputc('\n', out);
    comment(out, row->help);
    if (row->choices != NULL) {
        char *words = strdup(row->choices), *p = words;

        for (; p != NULL && *p != '\0'; p++)
            *p = *p == '|' ? '/' : *p;
        fprintf(out, "# One of %s.\n", words == NULL ? row->choices : words);
        free(words);
    }
    if (row->type == OS_OPTION_LIST) {
        list(out, row);
        return;
    }
    fprintf(out, "#%s: ", row->name);
    if (row->fallback != NULL)
        value(out, row->fallback);
    else
        fputs(row->type == OS_OPTION_FLAG ? "false" : "", out);
    fputc('\n', out);
}

/* Writes the list that belongs to a command (the built-in limits of the monitor), since
 * the keys that switch them need their names. */
static void list_lines(FILE *out, const struct cmd_command *command)
{
    char *text = cmd_help_list(command), *rest = text, *line;

    fprintf(out, "\n# ---- %s ----\n", command->list_title);
    while (rest != NULL && (line = strsep(&rest, "\n")) != NULL)
        if (*line != '\0')
            comment(out, line);
    free(text);
}

/* Writes the file in the order of the table. Global options are left out, since they are
 * mostly given on the command line. */
void cmd_config_example(FILE *out, const struct cmd_command *command)
{
    const char *group = NULL;

    fputs("# vedette's configuration. Every line that begins with \"#name\" is an option "
          "at its\n# default: take the # away and change it. \"vedette config check\" "
          "looks it over.\n",
          out);
    for (const struct os_option *o = command->options; o != NULL && o->name != NULL;
         o++) {
        if (os_option_find(cmd_global_options, o->name) != NULL)
            continue;
        if (o->group != NULL && (group == NULL || strcmp(group, o->group) != 0))
            fprintf(out, "\n# ---- %s ----\n", o->group);
        group = o->group;
        row_lines(out, o);
    }
    if (command->list != NULL)
        list_lines(out, command);
}
