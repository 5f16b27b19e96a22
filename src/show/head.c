/* Scans bytes first (what no line may hold), then takes a line at a time. */
#include "show/head.h"

#include <string.h>
#include <strings.h>

/* Notes why the head is refused. The text is static and may be told to the client. */
static enum show_head_result refuse(struct show_head *head, unsigned status,
                                    const char *why)
{
    head->status = status;
    head->why = why;
    return SHOW_HEAD_REFUSED;
}

static bool is_token_char(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* Measures a token. Everything else in a name, blanks above all, would let two readers
 * part the line differently. */
static size_t token_length(const char *text)
{
    size_t n = 0;

    while (is_token_char((unsigned char)text[n]))
        n++;
    return n;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* Tells whether a list "a, b, c" has the token, whatever its case. */
bool show_head_lists(const char *list, const char *token)
{
    size_t length = strlen(token);

    while (list != NULL && *list != '\0') {
        size_t item;

        list += strspn(list, ", \t");
        item = strcspn(list, ",");
        while (item > 0 && is_space(list[item - 1]))
            item--;
        if (item == length && strncasecmp(list, token, length) == 0)
            return true;
        list += strcspn(list, ",");
    }
    return false;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Replaces %-escapes in place. A broken escape is refused, and so is %00, which would end
 * the text for us and not for others. */
bool show_head_unescape(char *text)
{
    char *out = text;

    for (; *text != '\0'; text++) {
        if (*text != '%') {
            *out++ = *text;
            continue;
        }
        int high = hex_digit(text[1]);
        int low = high < 0 ? -1 : hex_digit(text[2]);

        if (low < 0 || (high == 0 && low == 0))
            return false;
        *out++ = (char)(high * 16 + low);
        text += 2;
    }
    *out = '\0';
    return true;
}

/* ---- the first line ---- */

/* Finds the method. False means that no such method exists (501); one that exists and is
 * not taken here is SHOW_OTHER_METHOD (405). */
static bool find_method(struct show_head *head, const char *text)
{
    static const char *const name[] = {"GET", "HEAD", "POST", "DELETE"};
    static const char *const other[] = {"PUT", "PATCH", "TRACE", "OPTIONS", "CONNECT"};

    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        if (strcmp(text, name[i]) == 0) {
            head->method = (enum show_method)i;
            return true;
        }
    head->method = SHOW_OTHER_METHOD;
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (strcmp(text, other[i]) == 0)
            return true;
    return false;
}

/* Takes the address apart. Bytes are checked before the escapes are replaced, since what
 * an escape stands for may be any sign. */
static enum show_head_result take_target(struct show_head *head, char *target)
{
    char *query = strchr(target, '?');

    if (strlen(target) > SHOW_TARGET_MAX)
        return refuse(head, 414, "the address is too long");
    for (const char *c = target; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~' || *c == '#')
            return refuse(head, 400, "the address has characters that none may have");
    head->path = target;
    head->query = query == NULL ? "" : query + 1;
    if (head->method == SHOW_OTHER_METHOD)
        return SHOW_HEAD_MORE; /* "*" and "host:port" are targets too */
    if (query != NULL)
        *query = '\0';
    if (*target != '/' || !show_head_unescape(target))
        return refuse(head, 400, "the address is no path");
    return SHOW_HEAD_MORE;
}

/* Takes the first line. HTTP/1.0 has no connection that stays open without being asked,
 * so it closes after the answer. */
static enum show_head_result take_request_line(struct show_head *head, char *line)
{
    size_t length = token_length(line);
    char *target = line + length + 1, *version;

    if (length == 0 || line[length] != ' ' || (version = strchr(target, ' ')) == NULL)
        return refuse(head, 400, "the first line must be METHOD /path HTTP/1.1");
    line[length] = '\0';
    *version++ = '\0';
    head->is_1_0 = strcmp(version, "HTTP/1.0") == 0;
    if (!head->is_1_0 && strcmp(version, "HTTP/1.1") != 0)
        return refuse(head, 400, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    head->close = head->is_1_0;
    if (!find_method(head, line))
        return refuse(head, 501, "there is no such method");
    return take_target(head, target);
}

/* ---- fields ---- */

/* Lists the fields that somebody asks for; all others are read over. A field that may not
 * repeat and does is refused. */
static const struct known_field {
    const char *name;
    bool repeats; /* a list that may come in several lines: the first one is kept */
} known_fields[SHOW_N_FIELDS] = {
    [SHOW_FIELD_HOST] = {"host", false},
    [SHOW_FIELD_ORIGIN] = {"origin", false},
    [SHOW_FIELD_FETCH_SITE] = {"sec-fetch-site", false},
    [SHOW_FIELD_LENGTH] = {"content-length", false},
    [SHOW_FIELD_TRANSFER_ENCODING] = {"transfer-encoding", false},
    [SHOW_FIELD_TYPE] = {"content-type", false},
    [SHOW_FIELD_EXPECT] = {"expect", false},
    [SHOW_FIELD_CONNECTION] = {"connection", true},
    [SHOW_FIELD_UPGRADE] = {"upgrade", false},
    [SHOW_FIELD_SOCKET_KEY] = {"sec-websocket-key", false},
    [SHOW_FIELD_SOCKET_VERSION] = {"sec-websocket-version", false},
    [SHOW_FIELD_ACCEPT] = {"accept", true},
    [SHOW_FIELD_ACCEPT_ENCODING] = {"accept-encoding", true},
    [SHOW_FIELD_IF_NONE_MATCH] = {"if-none-match", true},
};

/* Takes the length of a body. A number that is too large stays at the largest, which
 * every limit refuses. */
static enum show_head_result take_length(struct show_head *head, const char *value)
{
    size_t digits = strspn(value, "0123456789");

    if (digits == 0 || value[digits] != '\0')
        return refuse(head, 400, "Content-Length must be one whole number");
    for (size_t i = 0; i < digits; i++) {
        if (head->body_size > (INT64_MAX - 9) / 10)
            head->body_size = INT64_MAX;
        else
            head->body_size = 10 * head->body_size + (value[i] - '0');
    }
    return SHOW_HEAD_MORE;
}

/* Keeps a field that somebody asks for. One that comes twice is refused where two readers
 * could take different ones for the true one. */
static enum show_head_result take_known(struct show_head *head, enum show_field field,
                                        const char *value)
{
    if (field == SHOW_FIELD_CONNECTION) {
        head->close |= show_head_lists(value, "close");
        head->upgrade |= show_head_lists(value, "upgrade");
    }
    if (head->field[field] != NULL)
        return known_fields[field].repeats
                   ? SHOW_HEAD_MORE
                   : refuse(head, 400, "a field came twice that may come once");
    head->field[field] = value;
    return field == SHOW_FIELD_LENGTH ? take_length(head, value) : SHOW_HEAD_MORE;
}

/* Takes one line "Name: value". A line that begins with a blank is refused: folded fields
 * are an old way to smuggle one. */
static enum show_head_result take_field(struct show_head *head, char *line)
{
    size_t length = token_length(line);
    char *value = line + length + 1, *end;

    if (is_space(*line))
        return refuse(head, 400, "a field may not go on in the next line");
    if (length == 0 || line[length] != ':')
        return refuse(head, 400, "a field must be Name: value");
    if (head->n_lines > SHOW_FIELDS_MAX)
        return refuse(head, 431, "there are too many fields");
    line[length] = '\0';
    value += strspn(value, " \t");
    for (end = value + strlen(value); end > value && is_space(end[-1]); end--)
        ;
    *end = '\0';
    for (int i = 0; i < SHOW_N_FIELDS; i++)
        if (strcasecmp(line, known_fields[i].name) == 0)
            return take_known(head, (enum show_field)i, value);
    return SHOW_HEAD_MORE;
}

/* Judges the head as a whole, after its empty line. */
static enum show_head_result finish(struct show_head *head)
{
    bool encoded = head->field[SHOW_FIELD_TRANSFER_ENCODING] != NULL;

    if (!head->is_1_0 && head->field[SHOW_FIELD_HOST] == NULL)
        return refuse(head, 400, "the Host field is missing");
    if (encoded && (head->is_1_0 || head->field[SHOW_FIELD_LENGTH] != NULL))
        return refuse(head, 400, "the length of the body is said in two ways");
    return SHOW_HEAD_DONE;
}

/* ---- lines ---- */

/* Takes the next line. An empty one ends the head. */
static enum show_head_result take_line(struct show_head *head, char *line)
{
    enum show_head_result result;

    if (*line == '\0' && head->n_lines > 0)
        return finish(head);
    result = head->n_lines == 0 ? take_request_line(head, line) : take_field(head, line);
    head->n_lines++;
    return result;
}

/* Tells control characters, which no line may hold. */
static bool is_forbidden(unsigned char c)
{
    return (c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f;
}

/* Tells whether more may come. The first line has a smaller bound, so that an endless
 * address gets its own answer. */
static enum show_head_result want_more(struct show_head *head)
{
    if (head->n_lines == 0 && head->scanned > SHOW_TARGET_MAX + 64)
        return refuse(head, 414, "the address is too long");
    if (head->scanned >= SHOW_HEAD_MAX)
        return refuse(head, 431, "the head of the request is too long");
    return SHOW_HEAD_MORE;
}

/* Goes on where it stopped the last time, so that a head that drips in costs no more than
 * one that comes at once. It writes into the text: lines and names get their ends. */
enum show_head_result show_head_read(struct show_head *head, char *text, size_t size)
{
    enum show_head_result result = SHOW_HEAD_MORE;

    if (size > SHOW_HEAD_MAX)
        size = SHOW_HEAD_MAX;
    for (; head->scanned < size && result == SHOW_HEAD_MORE; head->scanned++) {
        char c = text[head->scanned];
        bool after_cr = head->scanned > head->line && text[head->scanned - 1] == '\r';

        if (is_forbidden((unsigned char)c))
            return refuse(head, 400, "the head has characters that none may have");
        if ((c == '\n') != after_cr)
            return refuse(head, 400, "a line must end with CR and LF");
        if (c != '\n')
            continue;
        text[head->scanned - 1] = '\0';
        result = take_line(head, text + head->line);
        head->line = head->used = head->scanned + 1;
    }
    return result == SHOW_HEAD_MORE ? want_more(head) : result;
}
