/* The built-in limits, and a parser of one line for those of the configuration: words
 * parted by blanks, where a comparison is a word of its own even without them. Checking
 * them on each tick is rules_check.c. */
#include "detect/rules.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"
#include "os/options.h"

/* Lists the built-in limits: metric, whether above it is bad, value, seconds that it must
 * hold, severity. `words` make the sentence of a metric whose number says nothing to a
 * reader. */
static const struct detect_rule builtin[] = {
    {"cpu_percent", true, 95, 10, RECORD_HIGH, .builtin = true},
    {"cpu_memory", true, 95, 5, RECORD_CRITICAL, .builtin = true},
    {"filesystem_percent", true, 95, 5, RECORD_HIGH, .builtin = true},
    {"oom_kills", true, 0, 0, RECORD_CRITICAL, .builtin = true, .kills = true},
    {"cpu_temp", true, 95, 10, RECORD_HIGH, .builtin = true},
    {"gpu_temp", true, 95, 10, RECORD_HIGH, .builtin = true},
    {"unit_failed", true, 0, 0, RECORD_HIGH, .builtin = true,
     .words = {"Unit ", " has failed"}},
    {"unit_restarts", true, 2, 0, RECORD_HIGH, .builtin = true,
     .words = {"Unit ", " is started again and again"}},
    {"raid_missing_disks", true, 0, 10, RECORD_HIGH, .builtin = true,
     .words = {"Disk array ", " is degraded: disks are missing"}},
    {"zfs_pool_fault", true, 0, 10, RECORD_HIGH, .builtin = true,
     .words = {"ZFS pool ", " is degraded or faulted"}},
};

const struct detect_rule *detect_rules_builtin(size_t *n)
{
    *n = sizeof builtin / sizeof *builtin;
    return builtin;
}

void detect_rules_init(struct detect_rules *rules)
{
    size_t n;
    const struct detect_rule *row = detect_rules_builtin(&n);

    *rules = (struct detect_rules){0};
    for (size_t i = 0; i < n; i++)
        detect_rules_add(rules, &row[i]);
}

enum vd_status detect_rules_add(struct detect_rules *rules,
                                const struct detect_rule *rule)
{
    if (rules->n == DETECT_RULES_MAX)
        return VD_ERR_LIMIT;
    rules->rule[rules->n++] = *rule;
    return VD_OK;
}

/* Copies the next word of *text into `word`; "" at the end. Words end at blanks; a
 * comparison sign is a word of its own, so "cpu_percent>90" is read as well. */
static void next_word(const char **text, char *word, size_t size)
{
    const char *at = *text + strspn(*text, " \t");
    size_t length = *at == '<' || *at == '>' ? 1 + (at[1] == '=') : strcspn(at, " \t<>");
    size_t kept = length < size ? length : size - 1;

    memcpy(word, at, kept);
    word[kept] = '\0';
    *text = at + length;
}

/* Finds a severity by its name. "normal" is none that a rule can have. */
static bool parse_severity(const char *word, enum record_severity *severity)
{
    for (enum record_severity s = RECORD_LOW; s <= RECORD_CRITICAL; s++) {
        if (strcmp(word, record_severity_name(s)) == 0) {
            *severity = s;
            return true;
        }
    }
    return false;
}

/* Takes a metric by our name where it goes by another one elsewhere, as in features and
 * files. False when it is longer than any metric's. */
static bool take_metric(struct detect_rule *rule, const char *word)
{
    size_t length = strcspn(word, "{");
    char family[RECORD_NAME_MAX];
    int n;

    if (length >= sizeof family)
        return false;
    snprintf(family, sizeof family, "%.*s", (int)length, word);
    n = snprintf(rule->metric, sizeof rule->metric, "%s%s", metrics_canonical(family),
                 word + length);
    return (size_t)n < sizeof rule->metric;
}

/* Reads a rule word by word. "for" and the severity may come in any order; of one that
 * comes twice the last counts. */
enum vd_status detect_rule_parse(struct detect_rule *rule, const char *text,
                                 struct vd_error *err)
{
    static const char *const hint =
        "write METRIC >|< VALUE [for DURATION] [low|medium|high|critical], for example "
        "\"cpu_percent > 90 for 30s\"";
    const char *at = text;
    char word[160];
    size_t length;

    *rule = (struct detect_rule){.severity = RECORD_HIGH};
    next_word(&at, word, sizeof word);
    if (word[0] == '\0' || strchr("<>", word[0]) != NULL)
        return vd_error_set(err, VD_ERR_ARGUMENT, hint, "rule \"%s\": no metric", text);
    if (!take_metric(rule, word))
        return vd_error_set(err, VD_ERR_ARGUMENT, hint,
                            "rule \"%s\": no metric has so long a name", text);
    next_word(&at, word, sizeof word);
    if (word[0] != '<' && word[0] != '>')
        return vd_error_set(err, VD_ERR_ARGUMENT, hint,
                            "rule \"%s\": expected > or < where \"%s\" stands", text,
                            word);
    rule->above = word[0] == '>';
    next_word(&at, word, sizeof word);
    length = strlen(word);
    if (length > 1 && word[length - 1] == '%')
        word[length - 1] = '\0';
    if (!os_parse_number(word, &rule->value))
        return vd_error_set(err, VD_ERR_ARGUMENT, hint,
                            "rule \"%s\": \"%s\" is not a number", text, word);
    for (next_word(&at, word, sizeof word); word[0] != '\0';
         next_word(&at, word, sizeof word)) {
        if (strcmp(word, "for") == 0) {
            next_word(&at, word, sizeof word);
            if (!os_parse_duration(word, &rule->for_s))
                return vd_error_set(err, VD_ERR_ARGUMENT, hint,
                                    "rule \"%s\": \"%s\" is not a duration", text, word);
        } else if (!parse_severity(word, &rule->severity)) {
            return vd_error_set(err, VD_ERR_ARGUMENT, hint,
                                "rule \"%s\": unknown word \"%s\"", text, word);
        }
    }
    return VD_OK;
}

/* Writes a rule in the form that detect_rule_parse() reads, without the severity. Events
 * of another run are found again by this text. */
char *detect_rule_text(const struct detect_rule *rule, char *text, size_t size)
{
    int n = snprintf(text, size, "%s %c %g", rule->metric, rule->above ? '>' : '<',
                     rule->value);

    if (rule->for_s > 0 && n > 0 && (size_t)n < size)
        snprintf(text + n, size - (size_t)n, " for %g s", rule->for_s);
    return text;
}

bool detect_rule_speaks_of(const struct detect_rule *rule,
                           const struct record_metric *metric)
{
    return strcmp(rule->metric, metric->name) == 0 ||
           record_metric_is_named(metric, rule->metric);
}

/* Switches off the built-in limits on a metric, or all of them. A rule of the user is
 * never switched off: it can be removed. */
enum vd_status detect_rules_switch_off(struct detect_rules *rules, const char *metric,
                                       struct vd_error *err)
{
    struct os_nearest nearest = {.word = metric};
    bool all = strcmp(metric, "all") == 0, found = false;
    char hint[160] = "'vedette config show' lists the built-in rules";

    for (size_t i = 0; i < rules->n; i++) {
        struct detect_rule *rule = &rules->rule[i];

        if (!rule->builtin)
            continue;
        os_nearest_try(&nearest, rule->metric);
        if (all || strcmp(rule->metric, metrics_canonical(metric)) == 0)
            rule->off = found = true;
    }
    if (found)
        return VD_OK;
    if (nearest.best != NULL)
        snprintf(hint, sizeof hint, "did you mean '%s'?", nearest.best);
    return vd_error_set(err, VD_ERR_ARGUMENT, hint,
                        "there is no built-in rule on \"%.60s\"", metric);
}

/* Finds the next rule of the user, from `from` on, whose metric is not here. A built-in
 * one may well have none. */
size_t detect_rules_unknown(const struct detect_rules *rules,
                            const struct record_schema *schema, size_t from)
{
    for (size_t i = from; i < rules->n; i++) {
        size_t k = 0;

        if (rules->rule[i].builtin)
            continue;
        while (k < schema->n &&
               !detect_rule_speaks_of(&rules->rule[i], &schema->metric[k]))
            k++;
        if (k == schema->n)
            return i;
    }
    return rules->n;
}
