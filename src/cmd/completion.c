/* vedette completion bash|zsh|fish: scripts for the shells, from the tables. Files are
 * completed where an option's value is called FILE or DIR. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cmd/commands.h"
#include "cmd/commands_parse.h"

/* Gives the length of the words that a command takes first. They come from `arguments`:
 * "check|show|example [FILE]" gives three, while "DIR" and "[FILE...]" are written in
 * capitals or brackets and give none. */
static size_t words_of(const struct cmd_command *command)
{
    const char *a = command->arguments;
    size_t n = a == NULL ? 0 : strcspn(a, " ");

    return n > 0 && islower((unsigned char)a[0]) ? n : 0;
}

/* Gives the i-th option that the command takes, NULL after the last. Options of the
 * command come first and hide global ones of the same name, as they do when the line is
 * parsed. */
static const struct os_option *option_at(const struct cmd_command *command, size_t i)
{
    size_t n = 0;

    for (const struct os_option *o = command->options; o != NULL && o->name; o++) {
        if (!o->file_only && n++ == i)
            return o;
    }
    for (const struct os_option *o = cmd_global_options; o->name != NULL; o++) {
        if (os_option_find(command->options, o->name) == NULL && n++ == i)
            return o;
    }
    return NULL;
}

/* Tells whether the option's value is of that kind. Comparing the beginning lets "FILE"
 * match "FILE..." too. */
static bool takes(const struct os_option *row, const char *value)
{
    return row->value != NULL && strncmp(row->value, value, strlen(value)) == 0;
}

/* Writes `text` with each '|' as `with`, `length` bytes at most: the tables part words by
 * '|', the shells by a blank. */
static void spread(FILE *out, const char *text, size_t length, char with)
{
    for (size_t i = 0; i < length && text[i] != '\0'; i++)
        fputc(text[i] == '|' ? with : text[i], out);
}

/* Writes what completes a value: the choices of an option, or the names of files or
 * folders. Other values are left to the user. */
static void bash_values(FILE *out, const struct cmd_command *command)
{
    const struct os_option *row;

    for (size_t i = 0; (row = option_at(command, i)) != NULL; i++) {
        if (row->choices == NULL && !takes(row, "FILE") && !takes(row, "DIR"))
            continue;
        fprintf(out, "        %s:--%s) ", command->name, row->name);
        if (row->choices != NULL) {
            fputs("_vedette_words '", out);
            spread(out, row->choices, strlen(row->choices), ' ');
            fputs("' ;;\n", out);
        } else {
            fprintf(out, "_vedette_files %s ;;\n", takes(row, "DIR") ? "-d" : "-f");
        }
    }
}

/* Writes the options and first words of one command. Options that take a value end with
 * '=', after which the script adds no blank. */
static void bash_words(FILE *out, const struct cmd_command *command)
{
    const struct os_option *row;

    fprintf(out, "        %s) options='", command->name);
    for (size_t i = 0; (row = option_at(command, i)) != NULL; i++) {
        fprintf(out, "--%s%s ", row->name, row->type == OS_OPTION_FLAG ? "" : "=");
        if (os_option_starts_on(row))
            fprintf(out, "--no-%s ", row->name);
    }
    fputs("--help' words='", out);
    if (words_of(command) > 0)
        spread(out, command->arguments, words_of(command), ' ');
    fputs("' ;;\n", out);
}

/* Writes the script for bash. bash parts "--name=value" at the equals sign into three
 * words, so the script looks one word further back to find the name. */
static void bash(FILE *out)
{
    size_t n;
    const struct cmd_command *const *table = cmd_table(&n);

    fputs("# bash completion of vedette, from its tables\n"
          "_vedette_words() {\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$value\")\n"
          "}\n\n"
          "_vedette_files() {\n"
          "    mapfile -t COMPREPLY < <(compgen \"$1\" -- \"$value\")\n"
          "    compopt -o filenames 2>/dev/null\n"
          "}\n\n"
          "_vedette() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local value=$word command='' options='' words='' i\n"
          "    COMPREPLY=()\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        case ${COMP_WORDS[i]} in -*) ;; *) command=${COMP_WORDS[i]}; break ;; "
          "esac\n"
          "    done\n"
          "    # bash parts \"--name=value\" at the equals sign\n"
          "    if [[ $word == '=' ]]; then value=''; fi\n"
          "    if [[ $before == '=' ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; "
          "elif [[ $word != '=' ]]; then :; fi\n"
          "    case $command:$before in\n",
          out);
    for (size_t i = 0; i < n; i++)
        bash_values(out, table[i]);
    fputs("        *) ;;\n"
          "    esac\n"
          "    if [[ ${#COMPREPLY[@]} -gt 0 ]]; then return; fi\n"
          "    case $command in\n"
          "        '') options='--help --version' words='",
          out);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s ", table[i]->name);
    fputs("' ;;\n"
          "        help) options='--help' words='",
          out);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s ", table[i]->name);
    fputs("' ;;\n", out);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(table[i]->name, "help") != 0)
            bash_words(out, table[i]);
    }
    fputs("        *) ;;\n"
          "    esac\n"
          "    if [[ $word == -* ]]; then\n"
          "        _vedette_words \"$options\"\n"
          "        if [[ ${COMPREPLY[0]-} == *= ]]; then compopt -o nospace 2>/dev/null; "
          "fi\n"
          "    elif [[ -n $words ]]; then\n"
          "        _vedette_words \"$words\"\n"
          "    else\n"
          "        _vedette_files -f\n"
          "    fi\n"
          "}\n"
          "complete -F _vedette vedette\n",
          out);
}

/* A help text inside '...[...]' of zsh's _arguments, or inside fish's '...'. */
static void quoted(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputs("'\\''", out);
        else if (strchr("[]:\\", *text) != NULL)
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

/* Writes the --no- form of a switch that is on by default. The other form would change
 * nothing. */
static void zsh_switch_off(FILE *out, const struct os_option *row)
{
    fprintf(out, "                '--no-%s[Off: ", row->name);
    quoted(out, row->help);
    fputs("]' \\\n", out);
}

/* Writes one argument of _arguments. A star in front lets a list be given more than
 * once. */
static void zsh_option(FILE *out, const struct os_option *row)
{
    if (os_option_starts_on(row))
        zsh_switch_off(out, row);
    fprintf(out, "                '%s--%s%s[", row->type == OS_OPTION_LIST ? "*" : "",
            row->name, row->type == OS_OPTION_FLAG ? "" : "=");
    quoted(out, row->help);
    fputc(']', out);
    if (row->type != OS_OPTION_FLAG) {
        fprintf(out, ":%s:", row->value == NULL ? "VALUE" : row->value);
        if (row->choices != NULL) {
            fputc('(', out);
            spread(out, row->choices, strlen(row->choices), ' ');
            fputc(')', out);
        } else if (takes(row, "FILE")) {
            fputs("_files", out);
        } else if (takes(row, "DIR")) {
            fputs("_files -/", out);
        }
    }
    fputs("' \\\n", out);
}

/* Writes the case of one command. Words before "FILE" in `arguments` complete the first
 * place, files all others. */
static void zsh_command(FILE *out, const struct cmd_command *command)
{
    const struct os_option *row;

    fprintf(out, "        %s)\n            _arguments -s \\\n", command->name);
    for (size_t i = 0; (row = option_at(command, i)) != NULL; i++)
        zsh_option(out, row);
    fputs("                '--help[Show help]'", out);
    if (strcmp(command->name, "help") == 0) {
        fputs(" \\\n                '1:command:_vedette_commands'", out);
    } else if (words_of(command) > 0) {
        fputs(" \\\n                '1:what:(", out);
        spread(out, command->arguments, words_of(command), ' ');
        fputs(")' '*:file:_files'", out);
    } else if (command->arguments != NULL) {
        fputs(" \\\n                '*:file:_files'", out);
    }
    fputs("\n            ;;\n", out);
}

/* Writes the script for zsh. It works from a folder of functions as well as read by
 * source. */
static void zsh(FILE *out)
{
    size_t n;
    const struct cmd_command *const *table = cmd_table(&n);

    fputs("#compdef vedette\n"
          "# zsh completion of vedette, from its tables\n"
          "_vedette_commands() {\n"
          "    local -a commands=(\n",
          out);
    for (size_t i = 0; i < n; i++) {
        fprintf(out, "        '%s:", table[i]->name);
        quoted(out, table[i]->summary);
        fputs("'\n", out);
    }
    fputs("    )\n"
          "    _describe command commands\n"
          "}\n\n"
          "_vedette() {\n"
          "    local curcontext=$curcontext state line\n"
          "    _arguments -C '--help[Show help]' '--version[Show the version]' \\\n"
          "        '1: :_vedette_commands' '*:: :->rest'\n"
          "    [[ $state == rest ]] || return\n"
          "    case $line[1] in\n",
          out);
    for (size_t i = 0; i < n; i++)
        zsh_command(out, table[i]);
    fputs("    esac\n"
          "}\n\n"
          "if [[ $funcstack[1] == _vedette ]]; then\n"
          "    _vedette \"$@\"\n"
          "else\n"
          "    compdef _vedette vedette\n"
          "fi\n",
          out);
}

/* Writes text between single quotes; within them fish takes only the quote and the
 * backslash as special. */
static void fish_quoted(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text != '\0'; text++)
        fprintf(out, *text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
    fputc('\'', out);
}

static void fish_switch_off(FILE *out, const struct cmd_command *command,
                            const struct os_option *row)
{
    fprintf(out,
            "complete -c vedette -n '__fish_seen_subcommand_from %s' -l no-%s -d 'Off: '",
            command->name, row->name);
    fish_quoted(out, row->help);
    fputc('\n', out);
}

/* Writes one option for fish. -x forbids files where a value is not a file; -r -F asks
 * for one. */
static void fish_option(FILE *out, const struct cmd_command *command,
                        const struct os_option *row)
{
    if (os_option_starts_on(row))
        fish_switch_off(out, command, row);
    fprintf(out, "complete -c vedette -n '__fish_seen_subcommand_from %s' -l %s",
            command->name, row->name);
    if (row->letter != '\0')
        fprintf(out, " -s %c", row->letter);
    if (row->choices != NULL) {
        fputs(" -x -a '", out);
        spread(out, row->choices, strlen(row->choices), ' ');
        fputc('\'', out);
    } else if (takes(row, "FILE") || takes(row, "DIR")) {
        fputs(" -r -F", out);
    } else if (row->type != OS_OPTION_FLAG) {
        fputs(" -x", out);
    }
    fputs(" -d ", out);
    fish_quoted(out, row->help);
    fputc('\n', out);
}

/* Writes the script for fish, one line for each command and option: fish has no function
 * to fill in. */
static void fish(FILE *out)
{
    size_t n;
    const struct cmd_command *const *table = cmd_table(&n);
    const struct os_option *row;

    fputs("# fish completion of vedette, from its tables\n", out);
    for (size_t i = 0; i < n; i++) {
        fprintf(out, "complete -c vedette -n __fish_use_subcommand -f -a %s -d ",
                table[i]->name);
        fish_quoted(out, table[i]->summary);
        fputc('\n', out);
        if (words_of(table[i]) > 0) {
            fprintf(out,
                    "complete -c vedette -n '__fish_seen_subcommand_from %s' -f -a '",
                    table[i]->name);
            spread(out, table[i]->arguments, words_of(table[i]), ' ');
            fputs("'\n", out);
        }
        for (size_t k = 0; (row = option_at(table[i], k)) != NULL; k++)
            fish_option(out, table[i], row);
    }
}

static int run_completion(void *settings, int argc, char **argv)
{
    (void)settings;
    if (argc == 1 && strcmp(argv[0], "bash") == 0) {
        bash(stdout);
    } else if (argc == 1 && strcmp(argv[0], "zsh") == 0) {
        zsh(stdout);
    } else if (argc == 1 && strcmp(argv[0], "fish") == 0) {
        fish(stdout);
    } else {
        fprintf(stderr, "vedette: expected one of bash, zsh, fish\n"
                        "Try 'vedette help completion'.\n");
        return CMD_USAGE;
    }
    return CMD_OK;
}

const struct cmd_command cmd_completion = {
    .name = "completion",
    .summary = "Write the completion script of a shell",
    .arguments = "bash|zsh|fish",
    .about = "Writes a script with which the shell completes commands, options and their "
             "values when Tab is pressed. \"make install\" puts all three in place.",
    .examples = "source <(vedette completion bash)\n"
                "    completion in this bash\n"
                "source <(vedette completion zsh)\n"
                "    completion in this zsh\n"
                "vedette completion fish | source\n"
                "    completion in this fish\n",
    .run = run_completion,
};
