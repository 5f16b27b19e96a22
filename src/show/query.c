/* Each parameter is a row: its name, the addresses that take it, its bounds. */
#include "show/query.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "record.h"

void show_query_init(struct show_query *q, enum show_query_kind kind)
{
    *q = (struct show_query){.kind = kind, .points = 600, .limit = 100};
}

static enum vd_status wrong(struct vd_error *err, const char *name, const char *want)
{
    return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "%s must be %s", name, want);
}

/* Reads a finite decimal number that fills `text`. strtod() alone would also take a blank
 * in front, "inf" and hexadecimal digits. */
static bool parse_number(const char *text, double *value)
{
    char *end = NULL;

    if (*text == '\0' || strspn(text, "0123456789+-.eE") != strlen(text))
        return false;
    *value = strtod(text, &end);
    return *end == '\0' && isfinite(*value);
}

/* Reads a whole number of digits only, within its bounds. */
static bool parse_count(const char *text, int64_t min, int64_t max, int64_t *value)
{
    long long parsed;
    char *end = NULL;

    if (*text == '\0' || strspn(text, "0123456789") != strlen(text))
        return false;
    errno = 0;
    parsed = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || parsed < min || parsed > max)
        return false;
    *value = parsed;
    return true;
}

/* Adds one of the metrics that are asked for. Their names are copied, since the text of
 * the request goes away before the job ends. */
static enum vd_status add_metric(struct show_query *q, const char *value,
                                 struct vd_error *err)
{
    if (q->n_metrics == SHOW_QUERY_METRICS)
        return vd_error_set(err, VD_ERR_ARGUMENT, "ask again for the rest",
                            "more than %d metrics in one request", SHOW_QUERY_METRICS);
    if (*value == '\0' || strlen(value) >= SHOW_QUERY_NAME)
        return wrong(err, "metric", "a name as in /api/v1/metrics");
    memcpy(q->metric[q->n_metrics++], value, strlen(value) + 1);
    return VD_OK;
}

/* Reads a time in seconds into nanoseconds. */
static enum vd_status add_time(int64_t *ns, const char *name, const char *value,
                               struct vd_error *err)
{
    double seconds = 0;

    /* Up to the year 2200: as nanoseconds it still fits into 63 bits. */
    if (!parse_number(value, &seconds) || seconds < 0 || seconds > 7258118400.0)
        return wrong(err, name, "a time in seconds since 1970");
    *ns = (int64_t)(seconds * 1e9);
    return VD_OK;
}

/* Reads a whole number and names its bounds when it is out of them. */
static enum vd_status add_count(size_t *out, const char *name, const char *value,
                                int64_t min, int64_t max, struct vd_error *err)
{
    int64_t parsed = 0;

    if (!parse_count(value, min, max, &parsed))
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL,
                            "%s must be a whole number from %lld to %lld", name,
                            (long long)min, (long long)max);
    *out = (size_t)parsed;
    return VD_OK;
}

/* Gives the word of the feedback as a static text, which may be kept; NULL when it is no
 * word that can be said of an event. */
static const char *known_word(const char *text)
{
    enum record_feedback said;

    return record_feedback_of(text, &said) ? record_feedback_name(said) : NULL;
}

/* Takes a parameter of /history. 10000 points are more than a screen has columns. */
static enum vd_status add_history(struct show_query *q, const char *name,
                                  const char *value, struct vd_error *err)
{
    if (strcmp(name, "metric") == 0)
        return add_metric(q, value, err);
    if (strcmp(name, "points") == 0)
        return add_count(&q->points, "points", value, 10, 10000, err);
    return vd_error_set(err, VD_ERR_ARGUMENT, "known are metric, from, to, points",
                        "unknown parameter");
}

/* Accepts "0" and "1" alone, so that "false" is an error and not taken for true. */
static enum vd_status add_flag(bool *out, const char *name, const char *value,
                               struct vd_error *err)
{
    if (strcmp(value, "1") != 0 && strcmp(value, "0") != 0)
        return wrong(err, name, "0 or 1");
    *out = value[0] == '1';
    return VD_OK;
}

/* Takes the one parameter of a preview. An empty word means that the feedback is taken
 * back. */
static enum vd_status add_preview(struct show_query *q, const char *name,
                                  const char *value, struct vd_error *err)
{
    if (strcmp(name, "feedback") != 0)
        return vd_error_set(err, VD_ERR_ARGUMENT, "known is feedback",
                            "unknown parameter");
    q->word = known_word(value);
    return q->word != NULL ? VD_OK
                           : wrong(err, "feedback", "normal, real, expected or empty");
}

/* Takes a parameter of the list of events. `before` is the id of the last event of the
 * page before, so that new events do not shift the pages. */
static enum vd_status add_events(struct show_query *q, const char *name,
                                 const char *value, struct vd_error *err)
{
    if (strcmp(name, "limit") == 0)
        return add_count(&q->limit, "limit", value, 1, 1000, err);
    if (strcmp(name, "before") == 0) {
        if (!parse_count(value, 1, INT64_MAX, &q->before))
            return wrong(err, "before", "the id of an event");
        return VD_OK;
    }
    if (strcmp(name, "alerted") == 0)
        return add_flag(&q->alerted, "alerted", value, err);
    if (strcmp(name, "judged") == 0)
        return add_flag(&q->judged, "judged", value, err);
    if (strcmp(name, "open") == 0)
        return add_flag(&q->open, "open", value, err);
    if (strcmp(name, "kind") == 0) {
        if (record_event_kind_of(value) == RECORD_EVENT_KINDS)
            return wrong(err, "kind", "anomaly, rule, silence or drift");
        q->event_kind = record_event_kind_name(record_event_kind_of(value));
        return VD_OK;
    }
    return vd_error_set(err, VD_ERR_ARGUMENT,
                        "known are from, to, limit, before, kind, alerted, judged, "
                        "open",
                        "unknown parameter");
}

/* Takes one pair "name=value". The parameters that an address does not know are refused,
 * so that a typing error is not an answer to another question. */
enum vd_status show_query_add(struct show_query *q, const char *pair, size_t size,
                              struct vd_error *err)
{
    char name[SHOW_QUERY_NAME + 16];
    char *value;

    if (size == 0)
        return VD_OK;
    if (size >= sizeof name || memchr(pair, '\0', size) != NULL)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "a parameter is too long");
    memcpy(name, pair, size);
    name[size] = '\0';
    value = strchr(name, '=');
    if (value == NULL)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "a parameter without a value");
    *value++ = '\0';
    if (q->kind == SHOW_QUERY_PREVIEW)
        return add_preview(q, name, value, err);
    if (q->kind != SHOW_QUERY_NONE && strcmp(name, "from") == 0)
        return add_time(&q->from_ns, "from", value, err);
    if (q->kind != SHOW_QUERY_NONE && strcmp(name, "to") == 0)
        return add_time(&q->to_ns, "to", value, err);
    if (q->kind == SHOW_QUERY_HISTORY)
        return add_history(q, name, value, err);
    if (q->kind == SHOW_QUERY_EVENTS)
        return add_events(q, name, value, err);
    return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "this address takes no parameters");
}

/* Looks at the parameters together and fills in what was not given: a history ends now
 * and begins an hour before its end. */
enum vd_status show_query_finish(struct show_query *q, int64_t now_ns,
                                 struct vd_error *err)
{
    if (q->kind == SHOW_QUERY_HISTORY) {
        if (q->n_metrics == 0)
            return vd_error_set(err, VD_ERR_ARGUMENT, "metric=cpu_percent",
                                "no metric is asked for");
        if (q->n_metrics * q->points > SHOW_QUERY_VALUES)
            return vd_error_set(err, VD_ERR_ARGUMENT, "ask for fewer points",
                                "%zu metrics of %zu points are too many values",
                                q->n_metrics, q->points);
        if (q->to_ns == 0)
            q->to_ns = now_ns;
        if (q->from_ns == 0)
            q->from_ns = q->to_ns > 3600000000000 ? q->to_ns - 3600000000000 : 0;
    }
    if (q->kind == SHOW_QUERY_PREVIEW && q->word == NULL)
        return vd_error_set(err, VD_ERR_ARGUMENT, "feedback=normal",
                            "it is not said what would be said");
    /* The store takes 0, 0 for all of time; a span that is open on one side is closed. */
    if (q->kind == SHOW_QUERY_EVENTS && q->from_ns != 0 && q->to_ns == 0)
        q->to_ns = INT64_MAX;
    if ((q->from_ns != 0 || q->to_ns != 0) && q->from_ns >= q->to_ns)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "from must lie before to");
    return VD_OK;
}

/* Takes the path of an event apart: its id and what of it is asked for. A number of more
 * than 19 digits is no id. */
bool show_query_event_path(const char *path, int64_t *id, enum show_event_part *part)
{
    static const char *const part_path[] = {[SHOW_EVENT_WHOLE] = "",
                                            [SHOW_EVENT_FEEDBACK] = "/feedback",
                                            [SHOW_EVENT_PREVIEW] = "/preview"};
    static const char base[] = "/api/v1/events/";
    size_t digits;
    char number[20];

    if (strncmp(path, base, sizeof base - 1) != 0)
        return false;
    path += sizeof base - 1;
    digits = strspn(path, "0123456789");
    if (digits == 0 || digits >= sizeof number)
        return false;
    memcpy(number, path, digits);
    number[digits] = '\0';
    path += digits;
    for (int i = SHOW_EVENT_WHOLE; i <= SHOW_EVENT_PREVIEW; i++)
        if (strcmp(path, part_path[i]) == 0) {
            *part = (enum show_event_part)i;
            return parse_count(number, 1, INT64_MAX, id);
        }
    return false;
}

/* Reads the body of feedback. A key that comes twice is refused, because two readers
 * could take different ones. */
enum vd_status show_query_feedback(const char *body, size_t size, const char **word,
                                   struct vd_error *err)
{
    json_error_t where;
    json_t *root = json_loadb(body, size, JSON_REJECT_DUPLICATES, &where);
    const char *text = json_string_value(json_object_get(root, "feedback"));

    *word = text == NULL ? NULL : known_word(text);
    if (root == NULL)
        vd_error_set(err, VD_ERR_ARGUMENT, NULL, "the body is not JSON: %s", where.text);
    else if (*word == NULL)
        vd_error_set(err, VD_ERR_ARGUMENT,
                     "send {\"feedback\": \"normal\"}, \"real\", \"expected\" or \"\"",
                     "no such feedback");
    json_decref(root);
    return *word == NULL ? VD_ERR_ARGUMENT : VD_OK;
}

bool show_view_has(const struct show_view *view, size_t metric)
{
    return view->all_metrics || (metric < RECORD_METRICS_MAX &&
                                 (view->metrics[metric / 64] >> metric % 64 & 1) != 0);
}

/* Reads the index of a metric and keeps it within the bitmap. */
static bool read_index(const json_t *item, size_t *index)
{
    json_int_t value = json_integer_value(item);

    *index = (size_t)value;
    return json_is_integer(item) && value >= 0 && value < RECORD_METRICS_MAX;
}

/* Takes an index, or the first and the last of a run, into the bitmap of metrics. A run
 * that ends before it begins is refused. */
static bool read_run(const json_t *item, struct show_view *view)
{
    bool is_run = json_is_array(item) && json_array_size(item) == 2;
    size_t first, last;

    if (!read_index(is_run ? json_array_get(item, 0) : item, &first) ||
        !read_index(is_run ? json_array_get(item, 1) : item, &last))
        return false;
    for (size_t i = first; i <= last; i++)
        view->metrics[i / 64] |= (uint64_t)1 << i % 64;
    return first <= last;
}

/* Reads a flag that may be missing, which means false. */
static bool read_flag(const json_t *flag, bool *value)
{
    *value = json_is_true(flag);
    return flag == NULL || json_is_boolean(flag);
}

/* Reads what a page shows. Without a list of metrics it shows all of them. */
static bool read_view(const json_t *root, struct show_view *view)
{
    const json_t *list = json_object_get(root, "metrics"), *item;
    size_t i;

    view->all_metrics = list == NULL;
    if (list != NULL && !json_is_array(list))
        return false;
    json_array_foreach(list, i, item)
    {
        if (!read_run(item, view))
            return false;
    }
    return read_flag(json_object_get(root, "detectors"), &view->detectors) &&
           read_flag(json_object_get(root, "top"), &view->top);
}

/* Reads a message of a live page. A kind that is not known is no error, so that a newer
 * page can talk to an older server. */
bool show_query_message(const char *text, size_t size, struct show_wish *wish)
{
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    const char *type = json_string_value(json_object_get(root, "type"));
    const json_t *on = json_object_get(root, "on");
    bool good = type != NULL;

    *wish = (struct show_wish){0};
    if (good && strcmp(type, "processes") == 0 && json_is_boolean(on)) {
        wish->kind = SHOW_WISH_PROCESSES;
        wish->on = json_is_true(on);
        wish->changes = json_is_true(json_object_get(root, "changes"));
    } else if (good && strcmp(type, "view") == 0) {
        good = read_view(root, &wish->view);
        wish->kind = good ? SHOW_WISH_VIEW : SHOW_WISH_OTHER;
    }
    json_decref(root);
    return good;
}
