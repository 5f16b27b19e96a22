/* A rule written as a mapping becomes the rule's one text form. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/config.h"

/* Numbers the keys of a rule; KEYS counts them. `keys` below has their names in the same
 * order. */
enum rule_key {
    METRIC,
    ABOVE,
    BELOW,
    COMPARE,
    VALUE,
    FOR,
    SEVERITY,
    NAME,
    KEYS,
};

static const char *const keys[KEYS] = {"metric", "above", "below",    "compare",
                                       "value",  "for",   "severity", "name"};

/* Puts each pair at the place of its key. An unknown key is refused with its line and the
 * nearest word; of a key that comes twice the last one counts. */
static enum vd_status sort_pairs(const struct os_pair *pairs, size_t n,
                                 const struct os_pair *found[KEYS], struct vd_error *err)
{
    for (size_t i = 0; i < n; i++) {
        struct os_nearest nearest = {.word = pairs[i].key};
        char hint[64] = "";
        size_t k = 0;

        for (size_t j = 0; j < KEYS; j++)
            os_nearest_try(&nearest, keys[j]);
        while (k < KEYS && strcmp(keys[k], pairs[i].key) != 0)
            k++;
        if (k < KEYS) {
            found[k] = &pairs[i];
            continue;
        }
        if (nearest.best != NULL)
            snprintf(hint, sizeof hint, "did you mean '%s'?", nearest.best);
        return vd_error_set(err, VD_ERR_FORMAT, hint, "%s: unknown key '%.60s' in a rule",
                            pairs[i].where, pairs[i].key);
    }
    return VD_OK;
}

/* Finds the direction of the limit, '>' or '<', and the pair with its number. It returns
 * 0 when the rule says neither or both: exactly one of "above", "below" and "compare"
 * with "value" may stand there. */
static char comparison(const struct os_pair *found[KEYS], const struct os_pair **limit)
{
    const char *text;

    if ((found[ABOVE] != NULL) + (found[BELOW] != NULL) + (found[COMPARE] != NULL) != 1)
        return 0;
    if ((found[COMPARE] != NULL) != (found[VALUE] != NULL))
        return 0;
    *limit = found[ABOVE] != NULL   ? found[ABOVE]
             : found[BELOW] != NULL ? found[BELOW]
                                    : found[VALUE];
    if (found[COMPARE] == NULL)
        return found[ABOVE] != NULL ? '>' : '<';
    text = found[COMPARE]->value;
    if (strcmp(text, ">") == 0 || strcmp(text, "above") == 0)
        return '>';
    return strcmp(text, "<") == 0 || strcmp(text, "below") == 0 ? '<' : 0;
}

/* Builds "METRIC > VALUE for TIME SEVERITY" from the mapping, the one text form that the
 * command line has too: so one parser checks both. Numbers and durations are checked here
 * already, because only here is the line of each known. */
enum vd_status cmd_config_rule(const struct os_pair *pairs, size_t n, const char *where,
                               char **text, struct vd_error *err)
{
    const struct os_pair *found[KEYS] = {NULL}, *limit = NULL;
    enum vd_status status = sort_pairs(pairs, n, found, err);
    double number;
    char compare;

    if (status != VD_OK)
        return status;
    if (found[METRIC] == NULL)
        return vd_error_set(err, VD_ERR_FORMAT,
                            "for example {metric: cpu_percent, above: 90}",
                            "%s: the rule names no metric", where);
    compare = comparison(found, &limit);
    if (compare == 0)
        return vd_error_set(
            err, VD_ERR_FORMAT, NULL,
            "%s: a rule needs 'above: N', 'below: N', or 'compare' (\">\" "
            "or \"<\") with 'value: N'",
            where);
    if (!os_parse_number(limit->value, &number))
        return vd_error_set(err, VD_ERR_FORMAT, NULL, "%s: '%.60s' is not a number",
                            limit->where, limit->value);
    if (found[FOR] != NULL && !os_parse_duration(found[FOR]->value, &number))
        return vd_error_set(err, VD_ERR_FORMAT, NULL,
                            "%s: '%.60s' is not a duration such as 10s or 5min",
                            found[FOR]->where, found[FOR]->value);
    if (asprintf(text, "%s %c %s%s%s%s%s", found[METRIC]->value, compare, limit->value,
                 found[FOR] != NULL ? " for " : "",
                 found[FOR] != NULL ? found[FOR]->value : "",
                 found[SEVERITY] != NULL ? " " : "",
                 found[SEVERITY] != NULL ? found[SEVERITY]->value : "") < 0) {
        *text = NULL;
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "out of memory");
    }
    return VD_OK;
}
