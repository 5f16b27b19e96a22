/* The command line by argp, whose arrays are made from the option rows.
 *
 * argp does the permuting, the abbreviations and the clusters of letters. Its messages
 * are switched off: it cannot say "did you mean", and it prints before we know where to.
 * When it refuses a word, explain() looks at that word again and finds out why. */
#include "cmd/commands_parse.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lists the options of every command. They may stand before the command and behind it. */
const struct os_option cmd_global_options[] = {
    {.name = "config",
     .letter = 'c',
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .help = "Read this configuration file instead of the usual ones; \"none\" reads "
             "none",
     .group = "All commands",
     .offset = offsetof(struct cmd_globals, config)},
    {.name = "verbose",
     .letter = 'v',
     .type = OS_OPTION_FLAG,
     .help = "Say more: the log level becomes debug",
     .group = "All commands",
     .offset = offsetof(struct cmd_globals, verbose)},
    {.name = "quiet",
     .letter = 'q',
     .type = OS_OPTION_FLAG,
     .help = "Say less: only errors",
     .group = "All commands",
     .offset = offsetof(struct cmd_globals, quiet)},
    {.name = "log-level",
     .type = OS_OPTION_CHOICE,
     .value = "LEVEL",
     .choices = "debug|info|warning|error",
     .help = "The least important messages to show",
     .group = "All commands",
     .offset = offsetof(struct cmd_globals, log_level)},
    {.name = "color",
     .type = OS_OPTION_CHOICE,
     .value = "WHEN",
     .choices = "auto|always|never",
     .fallback = "auto",
     .help = "Colours in the output; auto means on a terminal, unless NO_COLOR is set",
     .group = "All commands",
     .offset = offsetof(struct cmd_globals, color)},
    {0},
};

/* Keeps the keys of argp apart. Keys below 128 are letters, so rows are counted from
 * KEY_ROW on, two keys each (--NAME and --no-NAME). ROWS_MAX is several times the options
 * of the largest command. */
enum {
    KEY_ROW = 0x1000, /* + 2 * row, + 1 for --no-NAME */
    KEY_HELP = 0x800,
    KEY_VERSION = 0x801,
    ROWS_MAX = 256,
};

/* One parse: the rows, the argp made of them, and where the answers go. */
struct parse {
    const struct os_option *row[ROWS_MAX];
    size_t n;
    struct argp_option argp[2 * ROWS_MAX + 8];
    char no[ROWS_MAX][48]; /* "no-NAME" */
    struct cmd_line *line;
    bool before_command;
    int refused; /* the index in argv behind the word that argp refused */
};

/* Adds the options of one table. A name that is there already is skipped: the command's
 * own option hides a global one. Options that only the file may have are left out. */
static void add_rows(struct parse *p, const struct os_option *rows)
{
    for (; rows != NULL && rows->name != NULL && p->n < ROWS_MAX; rows++) {
        bool known = rows->file_only;

        for (size_t i = 0; i < p->n; i++)
            known |= strcmp(p->row[i]->name, rows->name) == 0;
        if (!known)
            p->row[p->n++] = rows;
    }
}

/* Tells whether one of the first n rows has the letter already. An option without a
 * letter counts as taken, so that it gets a number as its key. */
static bool letter_taken(const struct parse *p, size_t n, char letter)
{
    for (size_t i = 0; i < n; i++) {
        if (p->row[i]->letter == letter)
            return true;
    }
    return letter == '\0';
}

/* Makes argp's array from the rows. A flag gets a second entry, --no-NAME. --help and
 * --version give up their letters to options that use them. */
static void make_argp(struct parse *p)
{
    struct argp_option *o = p->argp;

    for (size_t i = 0; i < p->n; i++) {
        const struct os_option *row = p->row[i];
        int key = KEY_ROW + 2 * (int)i;

        *o++ = (struct argp_option){.name = row->name,
                                    .key = letter_taken(p, i, row->letter) ? key
                                                                           : row->letter,
                                    .arg = row->type == OS_OPTION_FLAG ? NULL : "VALUE"};
        if (row->type != OS_OPTION_FLAG)
            continue;
        snprintf(p->no[i], sizeof p->no[i], "no-%s", row->name);
        *o++ = (struct argp_option){.name = p->no[i], .key = key + 1};
    }
    *o++ = (struct argp_option){.name = "help",
                                .key = letter_taken(p, p->n, 'h') ? KEY_HELP : 'h'};
    *o++ = (struct argp_option){.name = "version",
                                .key = letter_taken(p, p->n, 'V') ? KEY_VERSION : 'V'};
    *o = (struct argp_option){0};
}

/* Notes an option and its text, in the order of the command line. Nothing is converted
 * here: the settings that take the value do not exist yet. */
static error_t assign(struct parse *p, const struct os_option *row, const char *text)
{
    struct cmd_line *line = p->line;

    line->at[line->n++] = (struct cmd_assignment){row, text};
    return 0;
}

/* Takes a word that is no option. Before the command, the first such word is the command:
 * parsing ends there, and argp is told that no words are left. */
static error_t got_word(struct parse *p, char *word, struct argp_state *state)
{
    if (p->before_command) {
        p->line->next = state->next - 1;
        state->next = state->argc;
        return 0;
    }
    p->line->rest[p->line->n_rest++] = word;
    return 0;
}

/* Finds the row of a letter. Letters of a cluster such as "-vq" arrive here one by
 * one. */
static error_t got_letter(struct parse *p, int key, char *text)
{
    for (size_t i = 0; i < p->n; i++) {
        if (p->row[i]->letter == key)
            return assign(p, p->row[i],
                          p->row[i]->type == OS_OPTION_FLAG ? "true" : text);
    }
    p->line->help |= key == 'h';
    p->line->version |= key == 'V';
    return key == 'h' || key == 'V' ? 0 : ARGP_ERR_UNKNOWN;
}

/* Answers argp's calls. ARGP_KEY_ERROR comes when argp refuses a word; only then is it
 * known which one, so its index is kept for explain(). */
static error_t got(int key, char *text, struct argp_state *state)
{
    struct parse *p = state->input;

    if (key == ARGP_KEY_ARG)
        return got_word(p, text, state);
    if (key == ARGP_KEY_ERROR)
        p->refused = state->next;
    if (key >= KEY_ROW && key < KEY_ROW + 2 * (int)p->n) {
        const struct os_option *row = p->row[(key - KEY_ROW) / 2];
        const char *flag = (key - KEY_ROW) % 2 == 0 ? "true" : "false";

        return assign(p, row, row->type == OS_OPTION_FLAG ? flag : text);
    }
    p->line->help |= key == KEY_HELP;
    p->line->version |= key == KEY_VERSION;
    if (key == KEY_HELP || key == KEY_VERSION)
        return 0;
    return key > 0 && key < 128 ? got_letter(p, key, text) : ARGP_ERR_UNKNOWN;
}

/* Says what is wrong with a long option: its value is missing, it takes none, it is
 * ambiguous or unknown. `word` begins behind the two dashes. */
static enum vd_status explain_long(const struct parse *p, const char *word,
                                   struct vd_error *err)
{
    size_t length = strcspn(word, "=");
    struct os_nearest nearest = {0};
    const struct argp_option *exact = NULL, *o;
    char name[64], hint[96] = "";
    int prefixes = 0;

    snprintf(name, sizeof name, "%.*s", (int)length, word);
    nearest.word = name;
    for (o = p->argp; o->name != NULL; o++) {
        prefixes += strncmp(o->name, name, strlen(name)) == 0;
        if (strcmp(o->name, name) == 0)
            exact = o;
        os_nearest_try(&nearest, o->name);
    }
    if (exact != NULL && exact->arg != NULL)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "--%s: a value is missing", name);
    if (exact != NULL)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "--%s takes no value", name);
    if (nearest.best != NULL)
        snprintf(hint, sizeof hint, "did you mean --%s?", nearest.best);
    return vd_error_set(err, VD_ERR_ARGUMENT, hint, "%s option --%s",
                        prefixes > 1 ? "ambiguous" : "unknown", name);
}

/* Says what is wrong with a cluster of letters. The first letter that takes a value ends
 * the cluster, since the rest of the word is its value. */
static enum vd_status explain_letters(const struct parse *p, const char *word,
                                      struct vd_error *err)
{
    for (; *word != '\0'; word++) {
        const struct os_option *row = NULL;

        for (size_t i = 0; i < p->n; i++) {
            if (p->row[i]->letter == *word)
                row = p->row[i];
        }
        if (row == NULL && *word != 'h' && *word != 'V')
            return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "unknown option -%c", *word);
        if (row != NULL && row->type != OS_OPTION_FLAG)
            break;
    }
    return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "-%c: a value is missing", *word);
}

/* Finds the word that argp refused and says why. argp's own index points behind that
 * word, except within a cluster of letters, where it has not moved on yet; so two places
 * are looked at. */
static enum vd_status explain(const struct parse *p, int argc, char **argv,
                              struct vd_error *err)
{
    /* In a cluster of letters ("-xvz") argp has not moved on yet. */
    for (int i = p->refused - 1; i <= p->refused && i < argc; i++) {
        if (i < 1 || argv[i][0] != '-' || argv[i][1] == '\0')
            continue;
        if (argv[i][1] == '-')
            return explain_long(p, argv[i] + 2, err);
        return explain_letters(p, argv[i] + 1, err);
    }
    return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "the command line makes no sense");
}

/* Counts the words behind "--", before argp puts them in another order; -1 without it. */
static int words_behind(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--") == 0)
            return argc - i - 1;
    return -1;
}

/* Puts the "--" back, before the last `behind` words. */
static void insert_dashes(struct cmd_line *line, int behind)
{
    static char dashes[] = "--";
    int at = line->n_rest - behind;

    memmove(line->rest + at + 1, line->rest + at, (size_t)behind * sizeof *line->rest);
    line->rest[at] = dashes;
    line->n_rest++;
}

/* Parses one side of the command: with `command` NULL what stands before it, where
 * parsing stops at the first word. Texts are not copied, so argv must outlive the
 * line. */
enum vd_status cmd_line_parse(struct cmd_line *line, const struct cmd_command *command,
                              int argc, char **argv, struct vd_error *err)
{
    struct parse *p = calloc(1, sizeof *p);
    struct argp argp = {.parser = got};
    unsigned flags = ARGP_NO_ERRS | ARGP_NO_HELP | ARGP_NO_EXIT;
    enum vd_status status = VD_OK;
    int behind;

    *line = (struct cmd_line){.next = argc};
    /* Bounds the assignments by the number of characters, since a cluster such as "-vvv"
     * gives three assignments from one word. */
    size_t most = 1;
    for (int i = 0; i < argc; i++)
        most += strlen(argv[i]) + 1;
    line->at = calloc(most, sizeof *line->at);
    line->rest = calloc((size_t)argc + 2, sizeof *line->rest);
    if (p == NULL || line->at == NULL || line->rest == NULL) {
        status = vd_error_set(err, VD_ERR_MEMORY, NULL, "out of memory");
        goto out;
    }
    p->line = line;
    p->before_command = command == NULL;
    behind = command != NULL && command->keeps_dashes ? words_behind(argc, argv) : -1;
    if (command != NULL)
        add_rows(p, command->options);
    else
        flags |= ARGP_IN_ORDER;
    add_rows(p, cmd_global_options);
    make_argp(p);
    argp.options = p->argp;
    if (argp_parse(&argp, argc, argv, flags, NULL, p) != 0)
        status = explain(p, argc, argv, err);
    else if (behind >= 0)
        insert_dashes(line, behind);
out:
    free(p);
    return status;
}

/* Converts the texts of the options that the table has and leaves the others: they belong
 * to another table. */
enum vd_status cmd_line_apply(const struct cmd_line *line,
                              const struct os_option *options, void *settings,
                              struct vd_error *err)
{
    for (size_t i = 0; i < line->n; i++) {
        const struct os_option *row = os_option_find(options, line->at[i].option->name);
        enum vd_status status;
        char where[64];
        bool first = true;

        if (row == NULL)
            continue;
        /* Empties a list when the line gives its first item: the list of the command line
         * replaces that of the file and does not add to it. */
        for (size_t k = 0; k < i; k++)
            first &= strcmp(line->at[k].option->name, row->name) != 0;
        if (first && row->type == OS_OPTION_LIST)
            os_option_reset(row, settings, false, NULL);
        snprintf(where, sizeof where, "--%s", row->name);
        status = os_option_set(row, settings, line->at[i].text, where, err);
        if (status != VD_OK)
            return status;
    }
    return VD_OK;
}

void cmd_line_release(struct cmd_line *line)
{
    free(line->at);
    free(line->rest);
    *line = (struct cmd_line){0};
}
