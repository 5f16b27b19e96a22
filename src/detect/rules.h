/* Rules: hard limits that need no learning. Some are built in, more come from the
 * configuration: a metric, a comparison, a value, and for how long it must hold.
 *
 *     cpu_percent > 95 for 10s
 *     filesystem_percent > 95          any file system
 *     memory_available_gb < 0.5 for 1min
 */
#ifndef VD_DETECT_RULES_H
#define VD_DETECT_RULES_H

#include "record.h"

enum { DETECT_RULES_MAX = 64 };

struct detect_rule {
    char metric[RECORD_NAME_MAX +
                RECORD_LABEL_MAX]; /* a family means each of its metrics */
    bool above;                    /* else below */
    double value;
    double for_s; /* how long it must hold without a break */
    enum record_severity severity;
    /* A second metric of the family that breaks the limit is news of its own: another
     * disk is full. False: one of many (cores) says it for all. */
    bool each;
    const char *before, *after; /* says it in words around the label, as in "Unit " ssh
                                   " has failed"; NULL = in numbers. Static */
};

/* "METRIC >|< VALUE [for DURATION] [low|medium|high|critical]"; severity is high unless
 * said. The error names the place in the text. */
enum vd_status detect_rule_parse(struct detect_rule *rule, const char *text,
                                 struct vd_error *err);

/* The text again, canonical. Returns text. */
char *detect_rule_text(const struct detect_rule *rule, char *text, size_t size);

/* Whether the rule speaks of this metric: by its full name or by its family. */
bool detect_rule_speaks_of(const struct detect_rule *rule,
                           const struct record_metric *metric);

/* The rules that are always there; `*n` rows. */
const struct detect_rule *detect_rules_builtin(size_t *n);

/* What fires now. */
struct detect_rule_hit {
    const struct detect_rule *rule;
    size_t metric;
    double value;
};

/* One metric that breaks, or broke, the limit of one rule. */
struct detect_broken {
    size_t rule, metric;
    int64_t since_ns; /* monotonic; 0 = it is kept again */
    int64_t told_ns;  /* monotonic: last alert; 0 = never */
};

enum { DETECT_BROKEN_MAX = 256 };

struct detect_rules {
    struct detect_rule rule[DETECT_RULES_MAX];
    size_t n;
    struct detect_broken broken[DETECT_BROKEN_MAX];
    size_t n_broken;
};

/* The built-in rules. */
void detect_rules_init(struct detect_rules *rules);

/* VD_ERR_LIMIT beyond DETECT_RULES_MAX. */
enum vd_status detect_rules_add(struct detect_rules *rules,
                                const struct detect_rule *rule);

/* The next user-written rule, from the `from`-th rule on, that speaks of no metric of the
 * schema; `rules->n` when there is none. */
size_t detect_rules_unknown(const struct detect_rules *rules,
                            const struct record_schema *schema, size_t from);

/* Checks all rules; what fires goes to `hit` (room for DETECT_HITS_MAX): the worst metric
 * of a rule, or of one for each metric the worst few, those that are news before others.
 * Returns how many. NaN never fires. */
enum { DETECT_HITS_MAX = DETECT_RULES_MAX };
size_t detect_rules_check(struct detect_rules *rules, const struct record_schema *schema,
                          const double *value, int64_t mono_ns,
                          struct detect_rule_hit *hit);

/* Whether a condition holds that has not held for long enough yet. After a check. */
bool detect_rules_pending(const struct detect_rules *rules);

/* Whether any of the hits is news. A limit that goes on being broken is none after it was
 * told of; one that is broken again within the hour is noted, and wakes nobody. */
bool detect_rules_news(const struct detect_rules *rules,
                       const struct detect_rule_hit *hit, size_t n, int64_t mono_ns);

/* An alert about the hits went out. */
void detect_rules_told(struct detect_rules *rules, const struct detect_rule_hit *hit,
                       size_t n, int64_t mono_ns);

/* What a hit says: "Unit ssh.service has failed", or "cpu_percent is 97 (limit: ...)".
 * Returns text. */
char *detect_rule_hit_text(const struct detect_rule_hit *hit,
                           const struct record_schema *schema, char *text, size_t size);

#endif
