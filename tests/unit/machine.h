/* A machine to be read: a tree, the collectors on it, and the values they come to. */
#ifndef VD_MACHINE_H
#define VD_MACHINE_H

#include "collect/collectors.h"
#include "feature/rates.h"

struct machine {
    struct collect_config config;
    struct record_schema schema;
    struct record_sample sample;
    collect_set *set;
    feature_rates *rates;
    const double *value; /* of the last tick */
};

/* Fills the configuration: root, no threads. */
void machine_init(struct machine *machine, const char *root);

/* Makes the collectors in `only` (parted by blanks; NULL = all); aborts on failure. */
void machine_start(struct machine *machine, const char *only);

/* One tick `seconds` after the last one. */
void machine_tick(struct machine *machine, double seconds);

/* The value of a metric; NaN also when there is no such metric. */
double machine_value(const struct machine *machine, const char *name);

/* Whether a metric is in the schema. */
bool machine_has(const struct machine *machine, const char *name);

/* What collector `name` said on the last tick; "" when it did not fail. */
const char *machine_error(const struct machine *machine, const char *name);

/* The process of that pid on the last tick, NULL when there is none. */
const struct record_process *machine_process(const struct machine *machine, int pid);

void machine_release(struct machine *machine);

#endif
