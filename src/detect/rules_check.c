/* Which limits are exceeded, and since when. A metric that exceeds a limit has an entry
 * until it does not any more. */
#include <assert.h>
#include <stdlib.h>

#include "detect/rules.h"

/* Compares. An absent value (NaN) exceeds nothing, either way. */
static bool exceeds(const struct detect_rule *rule, double value)
{
    return rule->above ? value > rule->value : value < rule->value;
}

/* Tells whether the limit has an entry for the metric, which then knows since when. */
static bool is_known(const struct detect_rules_state *state, size_t rule, size_t metric)
{
    for (size_t i = 0; i < state->n_broken; i++)
        if (state->broken[i].rule == rule && state->broken[i].metric == metric)
            return true;
    return false;
}

/* Removes the entries of limits that are kept again; the others stay in their order. */
static void forget_kept(const struct detect_rules *rules,
                        struct detect_rules_state *state, const double *value)
{
    size_t n = 0;

    for (size_t i = 0; i < state->n_broken; i++) {
        const struct detect_broken *entry = &state->broken[i];

        if (!rules->rule[entry->rule].off &&
            exceeds(&rules->rule[entry->rule], value[entry->metric]))
            state->broken[n++] = *entry;
    }
    state->n_broken = n;
}

/* Makes room for one more entry; false at the bound or without memory. */
static bool make_room(struct detect_rules_state *state)
{
    size_t capacity = state->capacity == 0 ? 8 : 2 * state->capacity;
    struct detect_broken *grown;

    if (state->n_broken < state->capacity)
        return true;
    if (capacity > DETECT_BROKEN_MAX)
        return false;
    grown = realloc(state->broken, capacity * sizeof *grown);
    if (grown == NULL)
        return false;
    state->broken = grown;
    state->capacity = capacity;
    return true;
}

void detect_rules_state_release(struct detect_rules_state *state)
{
    free(state->broken);
    *state = (struct detect_rules_state){0};
}

/* Adds entries for limits that are exceeded from now on. The comparison comes first,
 * since it rules nearly all metrics out. */
static void note_broken(const struct detect_rules *rules,
                        struct detect_rules_state *state,
                        const struct record_schema *schema, const double *value,
                        int64_t mono_ns)
{
    for (size_t i = 0; i < rules->n; i++)
        for (size_t k = 0; k < schema->n; k++) {
            if (!exceeds(&rules->rule[i], value[k]) || rules->rule[i].off ||
                !detect_rule_speaks_of(&rules->rule[i], &schema->metric[k]) ||
                is_known(state, i, k))
                continue;
            if (make_room(state))
                state->broken[state->n_broken++] = (struct detect_broken){i, k, mono_ns};
            else
                state->left_out++;
        }
}

/* Lists what is exceeded now. What does not fit is counted, so that it can be told: a
 * rule may hit hundreds of devices at once. */
size_t detect_rules_check(const struct detect_rules *rules,
                          struct detect_rules_state *state,
                          const struct record_schema *schema, const double *value,
                          int64_t mono_ns, struct detect_rule_hit hit[DETECT_HITS_MAX])
{
    size_t of_rule[DETECT_RULES_MAX] = {0}, n = 0;

    state->left_out = 0;
    forget_kept(rules, state, value);
    note_broken(rules, state, schema, value, mono_ns);
    for (size_t i = 0; i < state->n_broken; i++) {
        const struct detect_broken *entry = &state->broken[i];
        double lasted_s = (double)(mono_ns - entry->since_ns) * 1e-9;

        assert(entry->rule < rules->n && entry->metric < schema->n);
        if (n == DETECT_HITS_MAX || of_rule[entry->rule] == DETECT_EACH_MAX) {
            state->left_out++;
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
