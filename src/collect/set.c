/* A set holds one instance of each collector that was asked for. One that fails keeps its
 * place: it is asked again on each tick, and what failed is kept until the next one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "collect/collectors.h"
#include "collect/fill.h"
#include "os/clock.h"

/* More than there are collectors in the table. */
enum { MEMBERS_MAX = 32 };

struct member {
    const struct collect_type *type;
    void *self; /* NULL = could not be made; create_error says why */
    struct vd_error create_error;
    struct vd_error error; /* of the last tick */
    struct collect_trouble trouble;
    enum collect_news news; /* of the last tick */
    int64_t ns;             /* what the last tick took */
};

struct collect_set {
    struct member member[MEMBERS_MAX];
    size_t n;
    struct member whole; /* what none of them can say */
};

struct collect_config collect_config_default(void)
{
    return (struct collect_config){.root = "", .threads = true};
}

static const struct collect_type *find(const char *name)
{
    size_t n;
    const struct collect_type *const *table = collect_table(&n);

    for (size_t i = 0; i < n; i++)
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    return NULL;
}

/* Tells whether the collector is asked for. Without a list all are, but a replay stands
 * in for all others: numbers of this machine must not mix with those of a file. */
static bool is_wanted(const struct collect_type *type,
                      const struct collect_config *config, const char *const *only)
{
    bool replay = strcmp(type->name, "replay") == 0;

    if (only == NULL)
        return replay == (config->replay != NULL);
    for (; *only != NULL; only++)
        if (strcmp(*only, type->name) == 0)
            return true;
    return false;
}

static enum vd_status check_names(const char *const *only, struct vd_error *err)
{
    for (; only != NULL && *only != NULL; only++)
        if (find(*only) == NULL)
            return vd_error_set(err, VD_ERR_ARGUMENT,
                                "`vedette probe` lists the collectors",
                                "there is no collector '%s'", *only);
    return VD_OK;
}

/* Makes a collector. That it cannot be made is told on each tick, and is fatal only for
 * want of memory, or for a replay, without which there is nothing to do. */
static enum vd_status add_member(collect_set *set, const struct collect_type *type,
                                 const struct collect_config *config,
                                 struct record_schema *schema, struct vd_error *err)
{
    struct member *member = &set->member[set->n];
    enum vd_status status;

    member->type = type;
    if (type->unavailable != NULL)
        status = vd_error_set(&member->create_error, VD_ERR_UNAVAILABLE, NULL, "%s",
                              type->unavailable);
    else
        status = type->create(&member->self, config, schema, &member->create_error);
    set->n++;
    if (status == VD_OK)
        return VD_OK;
    member->self = NULL;
    if (status == VD_ERR_MEMORY || type->course != NULL) {
        if (err != NULL && err->status == VD_OK)
            *err = member->create_error;
        return status;
    }
    return VD_OK;
}

static enum vd_status add_members(collect_set *set, const struct collect_config *config,
                                  const char *const *only, struct record_schema *schema,
                                  struct vd_error *err)
{
    size_t n;
    const struct collect_type *const *table = collect_table(&n);

    for (size_t i = 0; i < n && set->n < MEMBERS_MAX; i++) {
        enum vd_status status;

        if (!is_wanted(table[i], config, only))
            continue;
        status = add_member(set, table[i], config, schema, err);
        if (status != VD_OK)
            return status;
    }
    return VD_OK;
}

enum vd_status collect_set_new(collect_set **out, const struct collect_config *config,
                               const char *const *only, struct record_schema *schema,
                               struct vd_error *err)
{
    collect_set *set;
    enum vd_status status = check_names(only, err);

    *out = NULL;
    if (status != VD_OK)
        return status;
    set = calloc(1, sizeof *set);
    if (set == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the collectors");
    /* The core metrics are registered first, in the same order in each program. */
    for (int i = 0; i < COLLECT_CORE_METRICS; i++)
        if (collect_core(schema, i) == COLLECT_NO_METRIC) {
            status = vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the metrics");
            goto out;
        }
    status = add_members(set, config, only, schema, err);
out:
    if (status != VD_OK) {
        collect_set_free(set);
        return status;
    }
    *out = set;
    return VD_OK;
}

/* Takes the room for all metrics that there may be. The pages behind those that do not
 * exist are never touched, so they cost nothing. */
static bool make_room(struct record_sample *sample)
{
    if (sample->raw != NULL)
        return true;
    sample->raw = malloc(RECORD_METRICS_MAX * sizeof *sample->raw);
    sample->base = malloc(RECORD_METRICS_MAX * sizeof *sample->base);
    if (sample->raw != NULL && sample->base != NULL)
        return true;
    collect_sample_release(sample);
    return false;
}

/* Reads one collector. A failure without a text of its own gets the general text of its
 * status. */
static void read_member(struct member *member, struct record_sample *sample)
{
    enum vd_status status;

    if (member->self == NULL) {
        member->error = member->create_error;
        return;
    }
    if (member->error.status != VD_OK)
        vd_error_clear(&member->error);
    status = member->type->read(member->self, sample, &member->error);
    if (status != VD_OK)
        vd_error_set(&member->error, status, NULL, "%s", vd_status_text(status));
}

/* Lets each collector's trouble, and that of the whole, decide whether it is worth
 * telling. */
static void look_for_news(collect_set *set, const struct record_sample *sample)
{
    for (size_t i = 0; i <= set->n; i++) {
        struct member *member = i < set->n ? &set->member[i] : &set->whole;

        member->news = collect_trouble_tick(&member->trouble, &member->error,
                                            sample->mono_ns, sample->time_ns);
    }
}

void collect_set_read(collect_set *set, struct record_sample *sample)
{
    int64_t before, after;

    vd_error_clear(&set->whole.error);
    sample->processes = NULL;
    if (!make_room(sample)) {
        vd_error_set(&set->whole.error, VD_ERR_MEMORY, NULL, "no memory for a sample");
        look_for_news(set, sample);
        return;
    }
    /* What a collector does not fill in on this tick is unknown, and not as it was
     * before. */
    for (size_t i = 0; i < sample->schema->n; i++) {
        sample->raw[i] = NAN;
        sample->base[i] = NAN;
    }
    sample->schema->mono_ns = sample->mono_ns;
    before = os_clock_mono_ns();
    for (size_t i = 0; i < set->n; i++) {
        read_member(&set->member[i], sample);
        after = os_clock_mono_ns();
        set->member[i].ns = after - before;
        before = after;
    }
    if (sample->schema->dropped > 0)
        vd_error_set(&set->whole.error, VD_ERR_LIMIT, NULL,
                     "there is room for %d metrics: %zu were left out",
                     RECORD_METRICS_MAX, sample->schema->dropped);
    look_for_news(set, sample);
}

bool collect_set_report(const collect_set *set, size_t i, struct collect_report *report,
                        enum collect_news *news)
{
    const struct member *member = i < set->n ? &set->member[i] : &set->whole;

    if (i > set->n)
        return false;
    *news = member->news;
    *report = (struct collect_report){
        .name = i < set->n ? member->type->name : "collect",
        .in_trouble = member->trouble.told,
        .since_ns = member->trouble.since_ns,
        .error = &member->trouble.error,
    };
    return true;
}

size_t collect_set_errors(const collect_set *set, const char **names,
                          struct vd_error *errors, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i <= set->n; i++) {
        bool last = i == set->n;
        const struct vd_error *error = last ? &set->whole.error : &set->member[i].error;

        if (error->status == VD_OK)
            continue;
        if (n < max && names != NULL)
            names[n] = last ? "collect" : set->member[i].type->name;
        if (n < max && errors != NULL)
            errors[n] = *error;
        n++;
    }
    return n;
}

int64_t collect_set_duration(const collect_set *set, size_t i, const char **name)
{
    if (i >= set->n)
        return -1;
    *name = set->member[i].type->name;
    return set->member[i].ns;
}

const char *collect_set_note(const collect_set *set, size_t i)
{
    const struct member *member = &set->member[i];

    if (i >= set->n || member->self == NULL || member->type->note == NULL)
        return "";
    return member->type->note(member->self);
}

struct collect_course collect_set_course(const collect_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct member *member = &set->member[i];

        if (member->type->course != NULL && member->self != NULL)
            return member->type->course(member->self);
    }
    return (struct collect_course){.interval_s = NAN};
}

void collect_set_free(collect_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->n; i++)
        if (set->member[i].self != NULL)
            set->member[i].type->destroy(set->member[i].self);
    free(set);
}

void collect_sample_release(struct record_sample *sample)
{
    free(sample->raw);
    free(sample->base);
    sample->raw = NULL;
    sample->base = NULL;
}
