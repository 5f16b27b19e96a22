/* Which rules fire. For each metric that breaks a limit there is an entry that knows
 * since when, and when somebody was told. It goes when the limit is kept again and the
 * hour in which it would be no news is over.
 */
#include <math.h>
#include <stdio.h>

#include "detect/rules.h"

/* A machine that is always busy breaks the same limit every other minute. */
static const double TELL_AGAIN_S = 3600;

/* Hits of one rule that is for each metric: as many as an event has room for. */
enum { EACH_MAX = RECORD_TOP };

static double seconds_since(int64_t then_ns, int64_t mono_ns)
{
    return (double)(mono_ns - then_ns) * 1e-9;
}

static struct detect_broken *entry_of(struct detect_rules *rules, size_t rule,
                                      size_t metric)
{
    for (size_t i = 0; i < rules->n_broken; i++)
        if (rules->broken[i].rule == rule && rules->broken[i].metric == metric)
            return &rules->broken[i];
    return NULL;
}

static bool breaks(const struct detect_rule *rule, double value)
{
    return rule->above ? value > rule->value : value < rule->value;
}

static void note(struct detect_rules *rules, size_t rule, size_t metric, int64_t mono_ns)
{
    struct detect_broken *entry = entry_of(rules, rule, metric);

    if (entry == NULL && rules->n_broken < DETECT_BROKEN_MAX) {
        entry = &rules->broken[rules->n_broken++];
        *entry = (struct detect_broken){.rule = rule, .metric = metric};
    }
    if (entry != NULL && entry->since_ns == 0)
        entry->since_ns = mono_ns;
}

static void note_broken(struct detect_rules *rules, const struct record_schema *schema,
                        const double *value, int64_t mono_ns)
{
    for (size_t i = 0; i < rules->n; i++)
        for (size_t k = 0; k < schema->n; k++)
            if (breaks(&rules->rule[i], value[k]) &&
                detect_rule_speaks_of(&rules->rule[i], &schema->metric[k]))
                note(rules, i, k, mono_ns);
}

static void note_kept(struct detect_rules *rules, const double *value, int64_t mono_ns)
{
    size_t kept = 0;

    for (size_t i = 0; i < rules->n_broken; i++) {
        struct detect_broken *entry = &rules->broken[i];

        if (!breaks(&rules->rule[entry->rule], value[entry->metric]))
            entry->since_ns = 0;
        if (entry->since_ns != 0 ||
            (entry->told_ns != 0 &&
             seconds_since(entry->told_ns, mono_ns) < TELL_AGAIN_S))
            rules->broken[kept++] = *entry;
    }
    rules->n_broken = kept;
}

/* It was told of neither in this course of it nor within the hour. */
static bool is_news(const struct detect_broken *entry, int64_t mono_ns)
{
    return entry->told_ns == 0 ||
           (entry->since_ns > entry->told_ns &&
            seconds_since(entry->told_ns, mono_ns) >= TELL_AGAIN_S);
}

/* Of a rule for all metrics: whether none of them was told of. */
static bool is_rule_news(const struct detect_rules *rules, size_t rule, int64_t mono_ns)
{
    for (size_t i = 0; i < rules->n_broken; i++)
        if (rules->broken[i].rule == rule && !is_news(&rules->broken[i], mono_ns))
            return false;
    return true;
}

static bool hit_is_news(const struct detect_rules *rules,
                        const struct detect_rule_hit *hit, int64_t mono_ns)
{
    size_t rule = (size_t)(hit->rule - rules->rule);

    if (!hit->rule->each)
        return is_rule_news(rules, rule, mono_ns);
    for (size_t i = 0; i < rules->n_broken; i++)
        if (rules->broken[i].rule == rule && rules->broken[i].metric == hit->metric)
            return is_news(&rules->broken[i], mono_ns);
    return false;
}

/* Whether `a` comes before `b` in the list of a rule's hits. */
static bool comes_first(const struct detect_rules *rules, const struct detect_rule_hit *a,
                        const struct detect_rule_hit *b, int64_t mono_ns)
{
    bool news_a = hit_is_news(rules, a, mono_ns), news_b = hit_is_news(rules, b, mono_ns);

    if (news_a != news_b)
        return news_a;
    return a->rule->above ? a->value > b->value : a->value < b->value;
}

/* Puts a hit into the list of its rule's, which has room for `max` and one more. */
static size_t put(const struct detect_rules *rules, struct detect_rule_hit *list,
                  size_t n, size_t max, struct detect_rule_hit hit, int64_t mono_ns)
{
    size_t i = n;

    for (; i > 0 && comes_first(rules, &hit, &list[i - 1], mono_ns); i--)
        list[i] = list[i - 1];
    list[i] = hit;
    return n < max ? n + 1 : max;
}

size_t detect_rules_check(struct detect_rules *rules, const struct record_schema *schema,
                          const double *value, int64_t mono_ns,
                          struct detect_rule_hit *hit)
{
    size_t n = 0;

    note_broken(rules, schema, value, mono_ns);
    note_kept(rules, value, mono_ns);
    for (size_t i = 0; i < rules->n; i++) {
        const struct detect_rule *rule = &rules->rule[i];
        struct detect_rule_hit list[EACH_MAX + 1];
        size_t n_list = 0;

        for (size_t k = 0; k < rules->n_broken; k++) {
            const struct detect_broken *entry = &rules->broken[k];

            if (entry->rule == i && entry->since_ns != 0 &&
                seconds_since(entry->since_ns, mono_ns) >= rule->for_s)
                n_list = put(
                    rules, list, n_list, rule->each ? EACH_MAX : 1,
                    (struct detect_rule_hit){rule, entry->metric, value[entry->metric]},
                    mono_ns);
        }
        for (size_t k = 0; k < n_list && n < DETECT_HITS_MAX; k++)
            hit[n++] = list[k];
    }
    return n;
}

bool detect_rules_pending(const struct detect_rules *rules)
{
    for (size_t i = 0; i < rules->n_broken; i++)
        if (rules->broken[i].since_ns != 0)
            return true;
    return false;
}

bool detect_rules_news(const struct detect_rules *rules,
                       const struct detect_rule_hit *hit, size_t n, int64_t mono_ns)
{
    for (size_t i = 0; i < n; i++)
        if (hit_is_news(rules, &hit[i], mono_ns))
            return true;
    return false;
}

void detect_rules_told(struct detect_rules *rules, const struct detect_rule_hit *hit,
                       size_t n, int64_t mono_ns)
{
    for (size_t i = 0; i < n; i++) {
        struct detect_broken *entry =
            entry_of(rules, (size_t)(hit[i].rule - rules->rule), hit[i].metric);

        if (entry != NULL && (!hit[i].rule->each || is_news(entry, mono_ns)))
            entry->told_ns = mono_ns;
    }
}

char *detect_rule_hit_text(const struct detect_rule_hit *hit,
                           const struct record_schema *schema, char *text, size_t size)
{
    const struct record_metric *metric = &schema->metric[hit->metric];
    char name[RECORD_NAME_MAX + RECORD_LABEL_MAX + 2], rule[192];

    if (hit->rule->before != NULL)
        snprintf(text, size, "%s%s%s", hit->rule->before, metric->label,
                 hit->rule->after);
    else
        snprintf(text, size, "%s is %.4g (limit: %s)",
                 record_metric_label(metric, name, sizeof name), hit->value,
                 detect_rule_text(hit->rule, rule, sizeof rule));
    return text;
}
