/* Which limits are exceeded, and since when. A metric that exceeds a limit has an entry
 * until it does not any more. */
#include <assert.h>
#include <string.h>

#include "detect/rules.h"

/* Compares. An absent value (NaN) exceeds nothing, either way. */
static bool exceeds(const struct detect_rule *rule, double value)
{
    return rule->above ? value > rule->value : value < rule->value;
}

/* Tells whether the limit has an entry for the metric, which then knows since when. */
static bool is_known(const struct detect_rules *rules, size_t rule, size_t metric)
{
    for (size_t i = 0; i < rules->n_broken; i++)
        if (rules->broken[i].rule == rule && rules->broken[i].metric == metric)
            return true;
    return false;
}

/* Removes the entries of limits that are kept again; the others stay in their order. */
static void forget_kept(struct detect_rules *rules, const double *value)
{
    size_t n = 0;

    for (size_t i = 0; i < rules->n_broken; i++) {
        const struct detect_broken *entry = &rules->broken[i];

        if (!rules->rule[entry->rule].off &&
            exceeds(&rules->rule[entry->rule], value[entry->metric]))
            rules->broken[n++] = *entry;
    }
    rules->n_broken = n;
}

/* Adds entries for limits that are exceeded from now on. The comparison comes first,
 * since it rules nearly all metrics out. */
static void note_broken(struct detect_rules *rules, const struct record_schema *schema,
                        const double *value, int64_t mono_ns)
{
    for (size_t i = 0; i < rules->n; i++)
        for (size_t k = 0; k < schema->n; k++) {
            if (!exceeds(&rules->rule[i], value[k]) || rules->rule[i].off ||
                !detect_rule_speaks_of(&rules->rule[i], &schema->metric[k]) ||
                is_known(rules, i, k))
                continue;
            if (rules->n_broken < DETECT_BROKEN_MAX)
                rules->broken[rules->n_broken++] = (struct detect_broken){i, k, mono_ns};
            else
                rules->left_out++;
        }
}

/* Lists what is exceeded now. What does not fit is counted, so that it can be told: a
 * rule may hit hundreds of devices at once. */
size_t detect_rules_check(struct detect_rules *rules, const struct record_schema *schema,
                          const double *value, int64_t mono_ns,
                          struct detect_rule_hit hit[DETECT_HITS_MAX])
{
    size_t of_rule[DETECT_RULES_MAX] = {0}, n = 0;

    rules->left_out = 0;
    forget_kept(rules, value);
    note_broken(rules, schema, value, mono_ns);
    for (size_t i = 0; i < rules->n_broken; i++) {
        const struct detect_broken *entry = &rules->broken[i];
        double lasted_s = (double)(mono_ns - entry->since_ns) * 1e-9;

        assert(entry->rule < rules->n && entry->metric < schema->n);
        if (n == DETECT_HITS_MAX || of_rule[entry->rule] == DETECT_EACH_MAX) {
            rules->left_out++;
            continue;
        }
        of_rule[entry->rule]++;
        hit[n++] = (struct detect_rule_hit){
            .rule = entry->rule,
            .metric = entry->metric,
            .value = value[entry->metric],
            .since_ns = entry->since_ns,
            .fires = lasted_s >= rules->rule[entry->rule].for_s,
        };
    }
    return n;
}
