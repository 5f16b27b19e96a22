/* The schema is an array with linear search: names are looked up when devices appear, and
 * by index on each tick. Here, too, are the texts of the vocabulary's enums. */
#include "record.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"

/* Doubles the schema up to its bound; false when it is full or there is no memory. */
static bool grow(struct record_schema *schema)
{
    size_t capacity = schema->capacity == 0 ? 128 : schema->capacity * 2;
    struct record_metric *metric;

    if (capacity > RECORD_METRICS_MAX)
        capacity = RECORD_METRICS_MAX;
    if (schema->n >= capacity)
        return false;
    metric = realloc(schema->metric, capacity * sizeof *metric);
    if (metric == NULL)
        return false;
    schema->metric = metric;
    schema->capacity = capacity;
    return true;
}

/* Tells whether the byte is one of UTF-8 that does not begin a character. */
static bool is_inside_character(const char *text)
{
    return ((unsigned char)*text & 0xc0) == 0x80;
}

/* Computes FNV-1a, which is short and spreads names well enough. */
static uint32_t hash(const char *text)
{
    uint32_t sum = 2166136261u;

    for (; *text != '\0'; text++)
        sum = (sum ^ (unsigned char)*text) * 16777619u;
    return sum;
}

/* Shortens a label that is too long to its beginning, a hash of the whole, and its end.
 * Long names often differ at the end only, and the hash keeps those apart that differ in
 * the middle. */
char *record_label(char label[RECORD_LABEL_MAX], const char *whole)
{
    enum { HEAD = 18, MARK = 12, TAIL = RECORD_LABEL_MAX - 1 - HEAD - MARK };
    size_t length = strlen(whole);
    int head = HEAD;
    const char *tail = whole + length - TAIL;

    if (length < RECORD_LABEL_MAX) {
        memcpy(label, whole, length + 1);
        return label;
    }
    while (head > 0 && is_inside_character(whole + head))
        head--;
    while (is_inside_character(tail))
        tail++;
    snprintf(label, RECORD_LABEL_MAX, "%.*s..%08" PRIx32 "..%s", head, whole, hash(whole),
             tail);
    return label;
}

/* Tells whether an index that was given back may be another metric's. It rests for a
 * while first, so that stores and pages do not take the new metric for the old one. */
static bool is_rested(const struct record_schema *schema,
                      const struct record_metric *metric)
{
    return metric->given_back_ns != 0 &&
           schema->mono_ns - metric->given_back_ns >= RECORD_REST_S * INT64_C(1000000000);
}

/* Finds an index for one more metric; SIZE_MAX when all are taken. One that has rested is
 * used before the table grows. */
static size_t free_index(struct record_schema *schema)
{
    for (size_t i = 0; i < schema->n; i++)
        if (is_rested(schema, &schema->metric[i]))
            return i;
    if (schema->n < schema->capacity || grow(schema))
        return schema->n++;
    return SIZE_MAX;
}

/* Adds a metric or finds it again. One that was given back and comes back in time keeps
 * its index and its serial number. */
size_t record_schema_add(struct record_schema *schema, const struct record_metric *row,
                         const char *label)
{
    char text[RECORD_LABEL_MAX];
    struct record_metric *metric;
    size_t i;

    assert(row->name != NULL);
    assert(schema->n <= schema->capacity && schema->capacity <= RECORD_METRICS_MAX);
    record_label(text, label == NULL ? "" : label);
    for (i = 0; i < schema->n; i++) {
        metric = &schema->metric[i];
        if (strcmp(metric->name, row->name) == 0 && strcmp(metric->label, text) == 0) {
            metric->given_back_ns = 0;
            return i;
        }
    }
    i = free_index(schema);
    if (i == SIZE_MAX) {
        schema->dropped++;
        return SIZE_MAX;
    }
    metric = &schema->metric[i];
    *metric = *row;
    memcpy(metric->label, text, sizeof text);
    metric->serial = ++schema->serial;
    return i;
}

/* Notes when the index was given back. 0 means that it was not, so the first moment of
 * the clock becomes 1. */
void record_schema_give_back(struct record_schema *schema, size_t i)
{
    if (i < schema->n)
        schema->metric[i].given_back_ns = schema->mono_ns == 0 ? 1 : schema->mono_ns;
}

bool record_schema_has_room(const struct record_schema *schema)
{
    if (schema->n < RECORD_METRICS_MAX)
        return true;
    for (size_t i = 0; i < schema->n; i++)
        if (is_rested(schema, &schema->metric[i]))
            return true;
    return false;
}

/* Gives the copy of `name` that the schema keeps; NULL without memory. Metrics point to
 * their names, so the copies live as long as the schema. */
static const char *keep_name(struct record_schema *schema, const char *name)
{
    char **grown;

    for (size_t i = 0; i < schema->n_own_names; i++)
        if (strncmp(schema->own_name[i], name, RECORD_NAME_MAX - 1) == 0)
            return schema->own_name[i];
    grown = realloc(schema->own_name, (schema->n_own_names + 1) * sizeof *grown);
    if (grown == NULL)
        return NULL;
    schema->own_name = grown;
    grown[schema->n_own_names] = strndup(name, RECORD_NAME_MAX - 1);
    if (grown[schema->n_own_names] == NULL)
        return NULL;
    return grown[schema->n_own_names++];
}

size_t record_schema_add_named(struct record_schema *schema,
                               const struct record_metric *row, const char *name,
                               const char *label)
{
    struct record_metric named = *row;

    named.name = keep_name(schema, name);
    return named.name == NULL ? SIZE_MAX : record_schema_add(schema, &named, label);
}

char *record_metric_label(const struct record_metric *metric, char *text, size_t size)
{
    if (metric->label[0] == '\0')
        snprintf(text, size, "%s", metric->name);
    else
        snprintf(text, size, "%s{%s}", metric->name, metric->label);
    return text;
}

/* Tells whether `label` is what became of a text of that length, which may have been
 * shortened. */
static bool is_label(const char *label, const char *text, size_t length)
{
    char whole[PATH_MAX], shortened[RECORD_LABEL_MAX];

    if (length < RECORD_LABEL_MAX)
        return strlen(label) == length && strncmp(label, text, length) == 0;
    if (length >= sizeof whole)
        return false;
    memcpy(whole, text, length);
    whole[length] = '\0';
    return strcmp(label, record_label(shortened, whole)) == 0;
}

/* Compares with a name as people and other programs write it: "name", "name{label}", or
 * name{key="label"} as in a scrape. */
bool record_metric_is_named(const struct record_metric *metric, const char *name)
{
    size_t length = strlen(metric->name);
    size_t rest;

    if (strncmp(name, metric->name, length) != 0)
        return false;
    name += length;
    if (*name == '\0')
        return metric->label[0] == '\0';
    if (*name++ != '{')
        return false;
    if (metric->label_key != NULL) {
        size_t key = strlen(metric->label_key);

        if (strncmp(name, metric->label_key, key) == 0 && name[key] == '=')
            name += key + 1;
    }
    rest = strlen(name);
    if (rest > 0 && name[rest - 1] == '}')
        rest--;
    if (rest >= 2 && name[0] == '"' && name[rest - 1] == '"') {
        name++;
        rest -= 2;
    }
    return is_label(metric->label, name, rest);
}

size_t record_schema_find(const struct record_schema *schema, const char *name)
{
    name = metrics_canonical(name);
    for (size_t i = 0; i < schema->n; i++)
        if (record_metric_is_named(&schema->metric[i], name))
            return i;
    return SIZE_MAX;
}

void record_schema_release(struct record_schema *schema)
{
    if (schema == NULL)
        return;
    for (size_t i = 0; i < schema->n_own_names; i++)
        free(schema->own_name[i]);
    free(schema->own_name);
    free(schema->metric);
    *schema = (struct record_schema){0};
}

void record_deviation_name(struct record_deviation *deviation,
                           const struct record_metric *metric)
{
    record_metric_label(metric, deviation->name, sizeof deviation->name);
    deviation->group = metric->group;
    deviation->less_is_worse = metric->less_is_worse;
    deviation->fills = metric->fills;
}

static const char *const resource_name[RECORD_RESOURCES] = {
    [RECORD_CPU] = "cpu",
    [RECORD_MEMORY] = "memory",
    [RECORD_DISK_READ] = "disk_read",
    [RECORD_DISK_WRITE] = "disk_write",
};

const char *record_resource_name(enum record_resource resource)
{
    assert(resource < RECORD_RESOURCES);
    return resource_name[resource];
}

enum record_resource record_resource_of(const char *name)
{
    int i = 0;

    while (i < RECORD_RESOURCES && strcmp(resource_name[i], name) != 0)
        i++;
    return (enum record_resource)i;
}

const char *record_group_name(enum record_group group)
{
    static const char *const name[RECORD_GROUPS] = {
        [RECORD_GROUP_CPU] = "cpu",
        [RECORD_GROUP_MEMORY] = "memory",
        [RECORD_GROUP_DISK] = "disk",
        [RECORD_GROUP_NETWORK] = "network",
        [RECORD_GROUP_TEMPERATURE] = "temperature",
        [RECORD_GROUP_GPU] = "gpu",
        [RECORD_GROUP_PROCESSES] = "processes",
        [RECORD_GROUP_SERVICES] = "services",
        [RECORD_GROUP_KERNEL] = "kernel",
        [RECORD_GROUP_SELF] = "self",
        [RECORD_GROUP_OTHER] = "other",
    };

    assert(group < RECORD_GROUPS);
    return name[group];
}

const char *record_feedback_name(enum record_feedback feedback)
{
    static const char *const name[RECORD_FEEDBACKS] = {"", "normal", "expected", "real"};

    assert(feedback < RECORD_FEEDBACKS);
    return name[feedback];
}

bool record_feedback_of(const char *word, enum record_feedback *feedback)
{
    for (int i = RECORD_UNSAID; i < RECORD_FEEDBACKS; i++) {
        *feedback = (enum record_feedback)i;
        if (strcmp(word, record_feedback_name(*feedback)) == 0)
            return true;
    }
    *feedback = RECORD_UNSAID;
    return false;
}

/* Turns a score into a severity. A score of 0 is the threshold, -1 the worst. */
enum record_severity record_severity_of(double score)
{
    if (isnan(score) || score >= 0)
        return RECORD_NORMAL;
    if (score >= -0.3)
        return RECORD_LOW;
    if (score >= -0.5)
        return RECORD_MEDIUM;
    if (score >= -0.7)
        return RECORD_HIGH;
    return RECORD_CRITICAL;
}

/* Gives an event that has no score, such as one of a limit, the score of its severity:
 * the middle of its range or so. */
double record_score_of(enum record_severity severity)
{
    static const double score[] = {0, -0.2, -0.4, -0.6, -0.9};

    assert(severity <= RECORD_CRITICAL);
    return score[severity];
}

static const char *const event_kind_name[RECORD_EVENT_KINDS] = {"anomaly", "rule",
                                                                "silence", "drift"};

const char *record_event_kind_name(enum record_event_kind kind)
{
    assert(kind < RECORD_EVENT_KINDS);
    return event_kind_name[kind];
}

enum record_event_kind record_event_kind_of(const char *name)
{
    for (int kind = 0; kind < RECORD_EVENT_KINDS; kind++)
        if (strcmp(event_kind_name[kind], name) == 0)
            return (enum record_event_kind)kind;
    return RECORD_EVENT_KINDS;
}

const char *record_severity_name(enum record_severity severity)
{
    static const char *const name[] = {"normal", "low", "medium", "high", "critical"};

    assert(severity <= RECORD_CRITICAL);
    return name[severity];
}
