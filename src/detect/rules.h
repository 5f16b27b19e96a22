/* Rules: hard limits that need no learning. Some are built in and can be switched off,
 * more come from the configuration: a metric, a comparison, a value, and for how long it
 * must hold. Each metric under each rule is watched by itself.
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
    bool builtin;
    bool off;                  /* built in, and not wanted: it never fires */
    struct record_words words; /* what it says when it fires; NULL = it says numbers */
    bool kills;                /* it counts processes that were killed: they are named */
};

/* "METRIC >|< VALUE [for DURATION] [low|medium|high|critical]"; severity is high unless
 * said. The error names the place in the text. */
enum vd_status detect_rule_parse(struct detect_rule *rule, const char *text,
                                 struct vd_error *err);

enum { DETECT_RULE_TEXT = RECORD_NAME_MAX + RECORD_LABEL_MAX + 64 };

/* The text again, canonical. Returns text. */
char *detect_rule_text(const struct detect_rule *rule, char *text, size_t size);

/* Whether the rule speaks of this metric: by its full name or by its family. */
bool detect_rule_speaks_of(const struct detect_rule *rule,
                           const struct record_metric *metric);

/* The rules that are always there; `*n` rows. */
const struct detect_rule *detect_rules_builtin(size_t *n);

/* One metric that exceeds the limit of one rule now. */
struct detect_rule_hit {
    size_t rule, metric; /* indices: of detect_rules.rule, of the schema */
    double value;
    int64_t since_ns; /* monotonic: without a break */
    bool fires;       /* for as long as the rule wants; else that is still to come */
};

/* One metric that exceeds a limit, as it is remembered. */
struct detect_broken {
    size_t rule, metric;
    int64_t since_ns; /* monotonic */
};

/* Hits of one rule: a limit on a family (cores, disks) may be exceeded by hundreds. */
enum { DETECT_BROKEN_MAX = 256, DETECT_HITS_MAX = 64, DETECT_EACH_MAX = 8 };

struct detect_rules {
    struct detect_rule rule[DETECT_RULES_MAX];
    size_t n;
};

/* What one host remembers of the limits that it exceeds; zero at first. */
struct detect_rules_state {
    struct detect_broken *broken; /* n_broken, in the order in which they broke; owned */
    size_t n_broken, capacity;
    size_t left_out; /* of this tick: exceed a limit, and had no room in the hits */
};

void detect_rules_state_release(struct detect_rules_state *state);

/* The built-in rules. */
void detect_rules_init(struct detect_rules *rules);

/* VD_ERR_LIMIT beyond DETECT_RULES_MAX. */
enum vd_status detect_rules_add(struct detect_rules *rules,
                                const struct detect_rule *rule);

/* Switches a built-in rule off, by its metric; "all" = each of them. VD_ERR_ARGUMENT when
 * there is none, with the nearest name as a hint. */
enum vd_status detect_rules_switch_off(struct detect_rules *rules, const char *metric,
                                       struct vd_error *err);

/* The next user-written rule, from the `from`-th rule on, that speaks of no metric of the
 * schema; `rules->n` when there is none. */
size_t detect_rules_unknown(const struct detect_rules *rules,
                            const struct record_schema *schema, size_t from);

/* Looks which limits are exceeded; NaN exceeds none. Writes at most DETECT_HITS_MAX hits,
 * of one rule at most DETECT_EACH_MAX, those that have lasted longest first; the others
 * are counted in left_out. Returns how many. */
size_t detect_rules_check(const struct detect_rules *rules,
                          struct detect_rules_state *state,
                          const struct record_schema *schema, const double *value,
                          int64_t mono_ns, struct detect_rule_hit hit[DETECT_HITS_MAX]);

#endif
