/* A pipe is copied; JSON is gone through twice, for the names of the columns and for the
 * rows. */
#include "batch/spool.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/rows.h"
#include "format/unpack.h"

/* Sets the bounds of what JSON may be: bytes of one object, depth of objects within. */
enum { OBJECT_MAX = 16 << 20, DEPTH_MAX = 8, NAME_MAX_BYTES = 128 };

/* Sets how many bytes of a compressed file say whether it is JSON: more than the largest
 * block of zstd, which is unpacked as a whole. */
enum { PEEKED = 132 << 10 };

/* ---- the temporary file ---- */

/* Opens a file without a name in a folder; -1 when it cannot be. Not all file systems
 * have such files: then the name is taken away at once. */
static int open_nameless(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char name[512];

    if (fd >= 0)
        return fd;
    snprintf(name, sizeof name, "%.480s/vedette-XXXXXX", folder);
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    return fd;
}

/* Takes the folder that the user named and no other; else what is large belongs on a disk
 * rather than in /tmp. */
static int open_temporary(void)
{
    const char *named = getenv("TMPDIR");
    int fd;

    if (named != NULL && named[0] == '/')
        return open_nameless(named);
    fd = open_nameless("/var/tmp");
    return fd >= 0 ? fd : open_nameless("/tmp");
}

enum vd_status batch_spool_make(struct batch_spool *spool, struct vd_error *err)
{
    int fd = open_temporary();

    spool->file = fd < 0 ? NULL : fdopen(fd, "w+");
    if (spool->file == NULL) {
        if (fd >= 0)
            close(fd);
        return vd_error_set(err, VD_ERR_IO, "set TMPDIR to a folder with room",
                            "no temporary file: %s", strerror(errno));
    }
    snprintf(spool->path, sizeof spool->path, "/proc/self/fd/%d", fd);
    return VD_OK;
}

enum vd_status batch_spool_finish(struct batch_spool *spool, struct vd_error *err)
{
    if (fflush(spool->file) == 0 && !ferror(spool->file))
        return VD_OK;
    return vd_error_set(err, VD_ERR_IO, "set TMPDIR to a folder with room",
                        "a temporary file: %s", strerror(errno));
}

void batch_spool_close(struct batch_spool *spool)
{
    if (spool->file != NULL)
        fclose(spool->file);
    *spool = (struct batch_spool){0};
}

/* ---- JSON ---- */

/* Counts what one object takes from the file, so that an endless one ends. */
struct source {
    FILE *in;
    const char *path;
    size_t taken, line;
};

static size_t take_byte(void *buffer, size_t size, void *context)
{
    struct source *s = context;
    int byte = size == 0 || s->taken++ > OBJECT_MAX ? EOF : getc_unlocked(s->in);

    if (byte == EOF)
        return 0;
    s->line += byte == '\n';
    *(char *)buffer = (char)byte;
    return 1;
}

/* Goes over blanks, commas and the brackets of a list; false at the end. */
static bool skip_between(struct source *s)
{
    int byte;

    while ((byte = getc_unlocked(s->in)) != EOF &&
           (isspace(byte) || byte == ',' || byte == '[' || byte == ']'))
        s->line += byte == '\n';
    if (byte != EOF)
        ungetc(byte, s->in);
    return byte != EOF;
}

/* Reads one object byte by byte: what follows it stays in the file. */
static enum vd_status next_object(struct source *s, json_t **out, struct vd_error *err)
{
    json_error_t why;
    size_t line;

    *out = NULL;
    if (!skip_between(s))
        return VD_OK;
    line = s->line;
    s->taken = 0;
    *out = json_load_callback(take_byte, s, JSON_DISABLE_EOF_CHECK, &why);
    if (*out != NULL && json_is_object(*out))
        return VD_OK;
    json_decref(*out);
    *out = NULL;
    return vd_error_set(
        err, VD_ERR_DATA, "one JSON object is one row", "%s:%zu: %s", s->path, line,
        s->taken > OBJECT_MAX ? "an object of more than 16 MiB" : "no JSON object");
}

/* Holds the columns by name, in the order of their first object. */
struct columns {
    json_t *index; /* name -> number */
    char **name;   /* owned */
    size_t n;
};

static void columns_release(struct columns *c)
{
    json_decref(c->index);
    for (size_t i = 0; i < c->n; i++)
        free(c->name[i]);
    free(c->name);
}

static enum vd_status add_column(struct columns *c, const char *name,
                                 struct vd_error *err)
{
    char **grown;

    if (json_object_get(c->index, name) != NULL)
        return VD_OK;
    if (c->n == FORMAT_FIELDS_MAX)
        return vd_error_set(err, VD_ERR_LIMIT, NULL, "more than %d different keys",
                            FORMAT_FIELDS_MAX);
    grown = realloc(c->name, (c->n + 1) * sizeof *grown);
    if (grown == NULL)
        return VD_ERR_MEMORY;
    c->name = grown;
    c->name[c->n] = strdup(name);
    if (c->name[c->n] == NULL ||
        json_object_set_new(c->index, name, json_integer((json_int_t)c->n)) != 0)
        return VD_ERR_MEMORY;
    c->n++;
    return VD_OK;
}

/* What is done with each value of an object that is no object itself. */
typedef enum vd_status value_fn(void *context, const char *name, json_t *value,
                                struct vd_error *err);

static enum vd_status each_value(json_t *object, const char *before, int depth,
                                 value_fn *take, void *context, struct vd_error *err)
{
    enum vd_status status = VD_OK;
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        char name[NAME_MAX_BYTES];

        snprintf(name, sizeof name, "%s%s%s", before, before[0] == '\0' ? "" : ".", key);
        if (json_is_object(value) && depth < DEPTH_MAX)
            status = each_value(value, name, depth + 1, take, context, err);
        else
            status = take(context, name, value, err);
        if (status != VD_OK)
            return status;
    }
    return VD_OK;
}

static enum vd_status take_name(void *context, const char *name, json_t *value,
                                struct vd_error *err)
{
    (void)value;
    return add_column(context, name, err);
}

/* A row that is being made. */
struct row {
    struct columns *columns;
    json_t **value; /* borrowed from the object */
};

static enum vd_status take_value(void *context, const char *name, json_t *value,
                                 struct vd_error *err)
{
    struct row *row = context;
    json_t *at = json_object_get(row->columns->index, name);

    (void)err;
    if (at != NULL)
        row->value[json_integer_value(at)] = value;
    return VD_OK;
}

static void write_quoted(FILE *out, const char *text)
{
    putc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            putc('"', out);
        putc(*text, out);
    }
    putc('"', out);
}

static void write_value(FILE *out, const json_t *value)
{
    char *text;

    if (value == NULL || json_is_null(value))
        return;
    if (json_is_string(value)) {
        write_quoted(out, json_string_value(value));
        return;
    }
    text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    if (text != NULL && (json_is_number(value) || json_is_boolean(value)))
        fputs(text, out);
    else if (text != NULL)
        write_quoted(out, text);
    free(text);
}

/* Goes through all objects; with `out` NULL for the names of the columns alone. */
static enum vd_status go_through(struct source *s, struct columns *c, FILE *out,
                                 struct vd_error *err)
{
    struct row row = {c, calloc(c->n + 1, sizeof *row.value)};
    enum vd_status status = row.value == NULL ? VD_ERR_MEMORY : VD_OK;
    json_t *object;

    rewind(s->in);
    s->line = 1;
    while (status == VD_OK && (status = next_object(s, &object, err)) == VD_OK &&
           object != NULL) {
        if (out != NULL)
            memset(row.value, 0, c->n * sizeof *row.value);
        status = each_value(object, "", 0, out == NULL ? take_name : take_value,
                            out == NULL ? (void *)c : &row, err);
        for (size_t i = 0; out != NULL && status == VD_OK && i < c->n; i++) {
            if (i > 0)
                putc(',', out);
            write_value(out, row.value[i]);
        }
        if (out != NULL)
            putc('\n', out);
        json_decref(object);
    }
    free(row.value);
    return status == VD_ERR_MEMORY
               ? vd_error_set(err, status, NULL, "%s: no memory", s->path)
               : status;
}

static enum vd_status convert(FILE *in, const char *path, FILE *out, struct vd_error *err)
{
    struct source s = {.in = in, .path = path};
    struct columns c = {.index = json_object()};
    enum vd_status status = go_through(&s, &c, NULL, err);

    for (size_t i = 0; status == VD_OK && i < c.n; i++) {
        if (i > 0)
            putc(',', out);
        write_quoted(out, c.name[i]);
    }
    putc('\n', out);
    if (status == VD_OK)
        status = go_through(&s, &c, out, err);
    columns_release(&c);
    return status;
}

/* ---- opening ---- */

static enum vd_status copy_pipe(FILE *to, struct vd_error *err)
{
    char piece[65536];
    ssize_t n;

    while ((n = read(STDIN_FILENO, piece, sizeof piece)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return vd_error_set(err, VD_ERR_IO, NULL, "standard input: %s",
                                strerror(errno));
        if (fwrite(piece, 1, (size_t)n, to) != (size_t)n)
            break; /* told when it is finished */
    }
    return VD_OK;
}

/* Whether the file begins like JSON. It is left where it was. */
static bool is_json(FILE *in)
{
    int byte;

    rewind(in);
    while ((byte = getc(in)) != EOF && isspace(byte))
        continue;
    rewind(in);
    return byte == '{' || byte == '[';
}

/* Puts a table in the place of the JSON in `in`, which is closed. */
static enum vd_status replace(struct batch_spool *spool, FILE *in, const char *path,
                              struct vd_error *err)
{
    enum vd_status status = batch_spool_make(spool, err);

    if (status == VD_OK)
        status = convert(in, path, spool->file, err);
    fclose(in);
    return status == VD_OK ? batch_spool_finish(spool, err) : status;
}

/* ---- compressed JSON ---- */

/* Tells whether a compressed input is JSON: its first bytes alone are unpacked, and that
 * they end too early is no matter. */
static bool is_packed_json(const struct format_input *in,
                           const struct format_packing *packing)
{
    struct format_spool spool = {.name = in->path, .fd = -1};
    struct format_input head = *in;
    struct vd_error why = {0};
    size_t at = 0;
    bool json;

    head.size = head.size < PEEKED ? head.size : PEEKED;
    packing->unpack(&head, &spool, &why);
    while (at < spool.used && isspace((unsigned char)spool.text[at]))
        at++;
    json = at < spool.used && (spool.text[at] == '{' || spool.text[at] == '[');
    format_spool_release(&spool);
    return json;
}

/* Unpacks the input to a file; NULL after a failure. */
static FILE *unpack(const struct format_input *in, const struct format_packing *packing,
                    enum vd_status *status, struct vd_error *err)
{
    struct format_spool spool = {.name = in->path, .fd = -1};
    struct batch_spool to = {0};

    *status = packing->unpack(in, &spool, err);
    if (*status == VD_OK && spool.fd < 0)
        *status = batch_spool_make(&to, err);
    if (*status == VD_OK && spool.fd < 0) {
        fwrite(spool.text, 1, spool.used, to.file);
        *status = batch_spool_finish(&to, err);
    } else if (*status == VD_OK) {
        to.file = fdopen(spool.fd, "r");
        spool.fd = to.file == NULL ? spool.fd : -1;
        if (to.file == NULL)
            *status = vd_error_set(err, VD_ERR_MEMORY, NULL, "%s: no memory", in->path);
    }
    format_spool_release(&spool);
    if (*status != VD_OK)
        batch_spool_close(&to);
    return to.file;
}

/* Puts a table in the place of compressed JSON; all else is left to the reader. `fd` is
 * closed. */
static enum vd_status replace_packed(struct batch_spool *spool, int fd, uint64_t size,
                                     const char *path, struct vd_error *err)
{
    const struct format_input in = {.path = path, .fd = fd, .size = size};
    const struct format_packing *packing = NULL;
    enum vd_status status = VD_OK;
    FILE *json = NULL;

    if (format_packing_of(&in, &packing, err) != VD_OK)
        vd_error_clear(err); /* the reader says what is wrong */
    if (packing != NULL && is_packed_json(&in, packing))
        json = unpack(&in, packing, &status, err);
    close(fd);
    return json == NULL ? status : replace(spool, json, path, err);
}

static bool is_pipe(void)
{
    struct stat info;

    return fstat(STDIN_FILENO, &info) == 0 && !S_ISREG(info.st_mode);
}

enum vd_status batch_spool_open(struct batch_spool *spool, const char *path,
                                struct vd_error *err)
{
    bool standard = strcmp(path, "-") == 0 || strcmp(path, "/dev/stdin") == 0;
    struct stat info;
    enum vd_status status;
    FILE *in;
    int fd;

    *spool = (struct batch_spool){0};
    if (standard && is_pipe()) {
        status = batch_spool_make(spool, err);
        if (status == VD_OK)
            status = copy_pipe(spool->file, err);
        if (status == VD_OK)
            status = batch_spool_finish(spool, err);
        if (status != VD_OK)
            return status;
        in = spool->file;
        if (is_json(in))
            return replace(spool, in, "standard input", err);
        fd = fcntl(fileno(in), F_DUPFD_CLOEXEC, 0);
        if (fd < 0 || fstat(fd, &info) != 0)
            return VD_OK;
        status = replace_packed(spool, fd, (uint64_t)info.st_size, "standard input", err);
        if (spool->file != in)
            fclose(in);
        return status;
    }
    if (standard || stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return VD_OK; /* the reader says what is wrong */
    in = fopen(path, "re");
    if (in == NULL)
        return VD_OK;
    if (is_json(in))
        return replace(spool, in, path, err);
    fd = fcntl(fileno(in), F_DUPFD_CLOEXEC, 0);
    fclose(in);
    return fd < 0 ? VD_OK : replace_packed(spool, fd, (uint64_t)info.st_size, path, err);
}
