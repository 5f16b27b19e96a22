/* What is known of metrics whose names come from outside: columns of files,
 * configurations, the series of other tools. Our own are in the tables of the collectors.
 */
#ifndef VD_METRICS_H
#define VD_METRICS_H

#include "record.h"

/* Returns our name for a metric that goes by another one elsewhere, in the same unit
 * ("memory_percent", "cpu_frequency"), else `name` itself. */
const char *metrics_canonical(const char *name);

/* Returns what a name of somebody else's says: unit ("" = nothing), group, sigma floor,
 * whether less of it is worse, whether it fills.
 * `name` is the family, without a label; `counts` = its numbers only grow, and their rate
 * is meant. The name itself is left NULL. */
struct record_metric metrics_guess(const char *name, bool counts);

/* Returns the node exporter's name for a metric of ours, with the factor to its unit, or
 * NULL when it has none. Only what is a gauge there: we have rates, and a rate is no
 * counter. */
const char *metrics_node_name(const char *name, double *factor);

#endif
