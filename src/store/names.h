/* The metric names of this run, by index in the schema: what the tick knows and the
 * writer and the readers need. Any thread may ask. A name changes when the schema gives
 * its index to another metric: rows that wait for the writer hold none of the old one
 * then (see record.h).
 */
#ifndef VD_STORE_NAMES_H
#define VD_STORE_NAMES_H

#include <pthread.h>

#include "record.h"

enum { STORE_NAME_MAX = RECORD_NAME_MAX + RECORD_LABEL_MAX + 4 };

struct store_names {
    pthread_mutex_t lock;
    char (*at)[STORE_NAME_MAX]; /* owned */
    const char **unit;          /* owned array of static strings */
    uint32_t *serial;           /* owned; of the metrics in the schema */
    size_t n, capacity;
};

void store_names_init(struct store_names *names);
void store_names_release(struct store_names *names);

/* Takes over the metrics of `schema` that are new; how many names there are now. They can
 * be fewer than schema->n when there is no memory. */
size_t store_names_note(struct store_names *names, const struct record_schema *schema);

/* Copies name and unit of metric `i`; false when there is no such metric. */
bool store_names_get(struct store_names *names, size_t i, char name[STORE_NAME_MAX],
                     const char **unit);

/* SIZE_MAX when no metric of this run is called so. */
size_t store_names_find(struct store_names *names, const char *name);

#endif
