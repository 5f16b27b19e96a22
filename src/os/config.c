/* The file by libyaml's document loader: every node keeps the mark where it began, which
 * is what a message needs. libcyaml was tried first; it checks the keys of a schema and
 * logs their lines, but a value such as "5min" or a port out of range is refused only
 * after loading, when its line is gone.
 *
 * Values are walked two levels deep at most, so aliases cannot blow up; libyaml itself
 * limits the nesting. */
#include "os/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "os/secret.h"

struct os_config {
    yaml_document_t document;
    yaml_node_t *root; /* NULL = empty file */
    char *path;        /* owned; NULL = from memory */
    char name[200];
};

/* Limits against files that are made to take all time or memory: keys of one item, keys
 * of the file, brackets. Real files have a few dozen of each. */
enum { PAIRS_MAX = 16, KEYS_MAX = 1000, BRACKETS_MAX = 5000 };

/* Writes where a node stands, "vedette.yaml:12:3", and its key when there is one:
 * "vedette.yaml:12:3: port". libyaml counts from 0, people from 1. */
static void place(const struct os_config *config, const yaml_node_t *node,
                  const char *key, char where[OS_CONFIG_WHERE_MAX])
{
    snprintf(where, OS_CONFIG_WHERE_MAX, "%s:%zu:%zu%s%.60s", config->name,
             node->start_mark.line + 1, node->start_mark.column + 1,
             key != NULL ? ": " : "", key != NULL ? key : "");
}

/* Says where in the file something is wrong, and what. */
static enum vd_status refuse(const struct os_config *config, const yaml_node_t *node,
                             const char *key, const char *what, struct vd_error *err)
{
    char where[OS_CONFIG_WHERE_MAX];

    place(config, node, key, where);
    return vd_error_set(err, VD_ERR_FORMAT, NULL, "%s: %s", where, what);
}

/* Drops the const, because libyaml asks for a document that it only reads. */
static yaml_node_t *node_at(const struct os_config *config, int index)
{
    return yaml_document_get_node((yaml_document_t *)&config->document, index);
}

/* Gives the text of a scalar; NULL when the node is another thing, or holds a NUL byte,
 * which would hide what comes after it. */
static const char *scalar(const yaml_node_t *node)
{
    const char *text;

    if (node == NULL || node->type != YAML_SCALAR_NODE)
        return NULL;
    text = (const char *)node->data.scalar.value;
    return strlen(text) == node->data.scalar.length ? text : NULL;
}

/* Tells whether a key is set to nothing: `key:`, `key: ~` or `key: null`. A quoted "null"
 * is a text. */
static bool is_null(const yaml_node_t *node)
{
    const char *text = scalar(node);

    if (text == NULL || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    return *text == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0;
}

/* Compares keys as os_option_find does: '_' stands for '-'. */
static bool same_key(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0' && (*a == '_' ? '-' : *a) == (*b == '_' ? '-' : *b)) {
        a++;
        b++;
    }
    return *a == *b;
}

/* Checks that all keys are words and none is there twice: libyaml would accept both, and
 * the second value would win silently. */
static enum vd_status check_mapping(const struct os_config *config,
                                    const yaml_node_t *node, struct vd_error *err)
{
    const yaml_node_pair_t *start = node->data.mapping.pairs.start;

    /* The search for keys that are there twice takes quadratic time. */
    if (node->data.mapping.pairs.top - start > KEYS_MAX)
        return refuse(config, node, NULL, "too many keys", err);
    for (const yaml_node_pair_t *p = start; p < node->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = node_at(config, p->key);
        const char *name = scalar(key);

        if (name == NULL)
            return refuse(config, key, NULL, "a key must be a word", err);
        for (const yaml_node_pair_t *q = start; q < p; q++) {
            if (same_key(scalar(node_at(config, q->key)), name))
                return refuse(config, key, name, "is here for the second time", err);
        }
    }
    return VD_OK;
}

/* Turns libyaml's complaint into ours, with line and column counted from 1. A byte that
 * is no text has no line yet, only its offset. */
static enum vd_status syntax_error(const yaml_parser_t *parser, const char *name,
                                   struct vd_error *err)
{
    const char *hint = NULL;

    if (parser->problem != NULL && strstr(parser->problem, "cannot start any token"))
        hint = "indent with spaces, and put texts with special characters in quotes";
    if (parser->error == YAML_READER_ERROR)
        return vd_error_set(err, VD_ERR_FORMAT, NULL, "%s: byte %zu: %s", name,
                            parser->problem_offset, parser->problem);
    return vd_error_set(err, VD_ERR_FORMAT, hint, "%s:%zu:%zu: %s%s%s", name,
                        parser->problem_mark.line + 1, parser->problem_mark.column + 1,
                        parser->problem == NULL ? "out of memory" : parser->problem,
                        parser->context == NULL ? "" : " ",
                        parser->context == NULL ? "" : parser->context);
}

/* Refuses a second document in the file: it would be passed over silently. */
static enum vd_status only_document(yaml_parser_t *parser, const char *name,
                                    struct vd_error *err)
{
    yaml_document_t next;
    enum vd_status status = VD_OK;

    if (!yaml_parser_load(parser, &next))
        return syntax_error(parser, name, err);
    if (yaml_document_get_root_node(&next) != NULL)
        status = vd_error_set(err, VD_ERR_FORMAT, NULL,
                              "%s:%zu:1: a second document begins here", name,
                              next.start_mark.line + 1);
    yaml_document_delete(&next);
    return status;
}

/* Tells whether there are too many brackets. libyaml looks through all open ones at every
 * token, so a megabyte of '[' would take hours. They are counted quoted or not; no real
 * file has this many. */
static bool too_many_brackets(const char *bytes, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < size; i++)
        n += bytes[i] == '[' || bytes[i] == '{';
    return n > BRACKETS_MAX;
}

enum vd_status os_config_parse(struct os_config **config, const char *name,
                               const void *bytes, size_t size, struct vd_error *err)
{
    struct os_config *made = calloc(1, sizeof *made);
    enum vd_status status = VD_OK;
    yaml_parser_t parser;

    *config = NULL;
    if (too_many_brackets(bytes, size)) {
        free(made);
        return vd_error_set(err, VD_ERR_FORMAT, NULL, "%s: more than %d brackets", name,
                            BRACKETS_MAX);
    }
    if (made == NULL || !yaml_parser_initialize(&parser)) {
        free(made);
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "out of memory");
    }
    snprintf(made->name, sizeof made->name, "%s", name);
    yaml_parser_set_input_string(&parser, bytes, size);
    if (!yaml_parser_load(&parser, &made->document)) {
        status = syntax_error(&parser, made->name, err);
        yaml_parser_delete(&parser);
        free(made);
        return status;
    }
    made->root = yaml_document_get_root_node(&made->document);
    if (made->root != NULL && is_null(made->root))
        made->root = NULL;
    status = only_document(&parser, made->name, err);
    if (status == VD_OK && made->root != NULL && made->root->type != YAML_MAPPING_NODE)
        status = refuse(made, made->root, NULL, "expected \"key: value\" lines", err);
    if (status == VD_OK && made->root != NULL)
        status = check_mapping(made, made->root, err);
    yaml_parser_delete(&parser);
    if (status == VD_OK)
        *config = made;
    else
        os_config_free(made);
    return status;
}

/* Reads up to `room` bytes of the file and returns how many; -1 with errno. The caller
 * asks for one byte more than is allowed, to learn that there is more. */
static ssize_t read_all(const char *path, char *bytes, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    size_t size = 0;
    ssize_t got = -1;

    if (fd < 0)
        return -1;
    do {
        got = read(fd, bytes + size, room - size);
        if (got > 0)
            size += (size_t)got;
    } while (size < room && (got > 0 || (got < 0 && errno == EINTR)));
    if (got < 0) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    close(fd);
    return (ssize_t)size;
}

/* A configuration without memory for its path works; only the warning about secrets is
 * left out then. */
enum vd_status os_config_load(struct os_config **config, const char *path,
                              struct vd_error *err)
{
    char *bytes = malloc(OS_CONFIG_MAX + 1);
    enum vd_status status;
    ssize_t size;

    *config = NULL;
    if (bytes == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "out of memory");
    size = read_all(path, bytes, OS_CONFIG_MAX + 1);
    if (size < 0)
        status = vd_error_set(err, VD_ERR_IO, NULL, "%s: %s", path, strerror(errno));
    else if (size > OS_CONFIG_MAX)
        status = vd_error_set(err, VD_ERR_FORMAT, NULL, "%s: is larger than 1 MiB", path);
    else
        status = os_config_parse(config, path, bytes, (size_t)size, err);
    if (status == VD_OK)
        (*config)->path = strdup(path);
    free(bytes);
    return status;
}

/* Takes a key for known when any of the tables has it: a file may serve several commands.
 */
enum vd_status os_config_check_keys(const struct os_config *config,
                                    const struct os_option *const *tables, size_t n,
                                    struct vd_error *err)
{
    const yaml_node_pair_t *p =
        config->root == NULL ? NULL : config->root->data.mapping.pairs.start;

    for (; p != NULL && p < config->root->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = node_at(config, p->key);
        struct os_nearest nearest = {.word = scalar(key)};
        char where[OS_CONFIG_WHERE_MAX], hint[128] = "";
        bool known = false;

        for (size_t i = 0; i < n; i++) {
            known |= os_option_find(tables[i], nearest.word) != NULL;
            for (const struct os_option *o = tables[i]; o != NULL && o->name; o++)
                os_nearest_try(&nearest, o->name);
        }
        if (known)
            continue;
        place(config, key, NULL, where);
        if (nearest.best != NULL)
            snprintf(hint, sizeof hint, "did you mean '%s'?", nearest.best);
        return vd_error_set(err, VD_ERR_FORMAT, hint, "%s: unknown key '%.60s'", where,
                            nearest.word);
    }
    return VD_OK;
}

/* Hands an item of a list that is written as a mapping to its row, which makes a text of
 * it. The caller frees that text. */
static enum vd_status text_of_mapping(const struct os_config *config,
                                      const struct os_option *row,
                                      const yaml_node_t *node, char **text,
                                      struct vd_error *err)
{
    struct os_pair pairs[PAIRS_MAX];
    char wheres[PAIRS_MAX][OS_CONFIG_WHERE_MAX], where[OS_CONFIG_WHERE_MAX];
    size_t n = 0;
    enum vd_status status = check_mapping(config, node, err);

    if (status != VD_OK)
        return status;
    if (row->from_mapping == NULL)
        return refuse(config, node, row->name, "a mapping does not belong here", err);
    for (const yaml_node_pair_t *p = node->data.mapping.pairs.start;
         p < node->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = node_at(config, p->key);
        const yaml_node_t *value = node_at(config, p->value);

        if (n == PAIRS_MAX)
            return refuse(config, key, row->name, "too many keys", err);
        if (scalar(value) == NULL)
            return refuse(config, value, scalar(key), "expected one value", err);
        place(config, key, NULL, wheres[n]);
        pairs[n] = (struct os_pair){scalar(key), scalar(value), wheres[n]};
        n++;
    }
    place(config, node, NULL, where);
    return row->from_mapping(pairs, n, where, text, err);
}

/* Sets one value, or adds it where the row is a list. */
static enum vd_status apply_item(const struct os_config *config,
                                 const struct os_option *row, const yaml_node_t *node,
                                 void *settings, struct vd_error *err)
{
    char where[OS_CONFIG_WHERE_MAX], *made = NULL;
    const char *text = scalar(node);
    enum vd_status status = VD_OK;

    place(config, node, row->name, where);
    if (node->type == YAML_MAPPING_NODE)
        status = text_of_mapping(config, row, node, &made, err);
    else if (text == NULL)
        status = refuse(config, node, row->name, "expected one value", err);
    if (status == VD_OK)
        status = os_option_set(row, settings, made != NULL ? made : text, where, err);
    free(made);
    return status;
}

/* Replaces the list by that of the file, its default included. A single value is a list
 * of one. */
static enum vd_status apply_list(const struct os_config *config,
                                 const struct os_option *row, const yaml_node_t *node,
                                 void *settings, struct vd_error *err)
{
    enum vd_status status = os_option_reset(row, settings, false, err);

    if (status != VD_OK || is_null(node))
        return status;
    if (node->type != YAML_SEQUENCE_NODE)
        return apply_item(config, row, node, settings, err);
    for (const yaml_node_item_t *item = node->data.sequence.items.start;
         status == VD_OK && item < node->data.sequence.items.top; item++)
        status = apply_item(config, row, node_at(config, *item), settings, err);
    return status;
}

/* Takes the value from the file that is named, as in `webhook: {file:
 * /etc/vedette/webhook}`. */
static enum vd_status apply_file(const struct os_config *config,
                                 const struct os_option *row, const yaml_node_t *node,
                                 void *settings, struct vd_error *err)
{
    const yaml_node_pair_t *p = node->data.mapping.pairs.start;
    const char *key = scalar(node_at(config, p->key));
    const yaml_node_t *value = node_at(config, p->value);
    char where[OS_CONFIG_WHERE_MAX];

    if (p + 1 != node->data.mapping.pairs.top || key == NULL || strcmp(key, "file") != 0)
        return refuse(config, node, row->name, "expected a value or {file: PATH}", err);
    if (scalar(value) == NULL || is_null(value))
        return refuse(config, value, row->name, "expected the path of a file", err);
    place(config, value, row->name, where);
    return os_option_set_from(row, settings, scalar(value), where, err);
}

/* Applies the value of a key by the type of its row, and warns of a secret in a file that
 * others can read. */
static enum vd_status apply_value(const struct os_config *config,
                                  const struct os_option *row, const yaml_node_t *node,
                                  void *settings, struct vd_error *err)
{
    char where[OS_CONFIG_WHERE_MAX];
    enum vd_status status;

    if (row->type == OS_OPTION_LIST)
        return apply_list(config, row, node, settings, err);
    if (row->secret && node->type == YAML_MAPPING_NODE &&
        node->data.mapping.pairs.top > node->data.mapping.pairs.start)
        return apply_file(config, row, node, settings, err);
    if (scalar(node) == NULL)
        return refuse(config, node, row->name, "expected one value", err);
    place(config, node, row->name, where);
    status =
        os_option_set(row, settings, is_null(node) ? NULL : scalar(node), where, err);
    if (status == VD_OK && row->secret && !row->in_file && config->path != NULL &&
        !is_null(node) && *scalar(node) != '\0')
        os_secret_warn(config->path, row->name);
    return status;
}

enum vd_status os_config_apply(const struct os_config *config,
                               const struct os_option *options, void *settings,
                               struct vd_error *err)
{
    const yaml_node_pair_t *p =
        config->root == NULL ? NULL : config->root->data.mapping.pairs.start;

    for (; p != NULL && p < config->root->data.mapping.pairs.top; p++) {
        const struct os_option *row =
            os_option_find(options, scalar(node_at(config, p->key)));
        struct vd_error inner = {0};

        if (row == NULL || row->line_only ||
            apply_value(config, row, node_at(config, p->value), settings, &inner) ==
                VD_OK)
            continue;
        /* Whatever was wrong with the value, the file is what is wrong. */
        return vd_error_set(err,
                            inner.status == VD_ERR_MEMORY ? VD_ERR_MEMORY : VD_ERR_FORMAT,
                            inner.hint, "%s", inner.text);
    }
    return VD_OK;
}

/* Finds the key of an option in the file, under any of the names that it may have there.
 */
static const yaml_node_pair_t *find_pair(const struct os_config *config,
                                         const struct os_option *option)
{
    const struct os_option rows[] = {*option, {.name = NULL}};
    const yaml_node_pair_t *p =
        config->root == NULL ? NULL : config->root->data.mapping.pairs.start;

    for (; p != NULL && p < config->root->data.mapping.pairs.top; p++)
        if (os_option_find(rows, scalar(node_at(config, p->key))) != NULL)
            return p;
    return NULL;
}

size_t os_config_line(const struct os_config *config, const struct os_option *option)
{
    const yaml_node_pair_t *pair = find_pair(config, option);

    return pair == NULL ? 0 : node_at(config, pair->key)->start_mark.line + 1;
}

/* Names the line of one item where the value is a list, for a check that comes after
 * loading. */
bool os_config_place(const struct os_config *config, const struct os_option *option,
                     size_t item, char where[OS_CONFIG_WHERE_MAX])
{
    const yaml_node_pair_t *pair = find_pair(config, option);
    const yaml_node_t *node = pair == NULL ? NULL : node_at(config, pair->value);

    if (node == NULL)
        return false;
    if (node->type == YAML_SEQUENCE_NODE &&
        item < (size_t)(node->data.sequence.items.top - node->data.sequence.items.start))
        node = node_at(config, node->data.sequence.items.start[item]);
    place(config, node, option->name, where);
    return true;
}

const char *os_config_name(const struct os_config *config)
{
    return config->name;
}

void os_config_free(struct os_config *config)
{
    if (config == NULL)
        return;
    yaml_document_delete(&config->document);
    free(config->path);
    free(config);
}
