/* Three arrays of one length under a lock; a name is written again when the serial number
 * of its index has changed. */
#include "store/names.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void store_names_init(struct store_names *names)
{
    *names = (struct store_names){.n = 0};
    pthread_mutex_init(&names->lock, NULL);
}

void store_names_release(struct store_names *names)
{
    free(names->at);
    free(names->unit);
    free(names->serial);
    pthread_mutex_destroy(&names->lock);
}

/* Makes room for `n` names. The arrays grow one after the other, and `capacity` only when
 * all did. */
static bool reserve(struct store_names *names, size_t n)
{
    size_t capacity = n + n / 4 + 16;
    char(*at)[STORE_NAME_MAX];
    const char **unit;
    uint32_t *serial;

    if (n <= names->capacity)
        return true;
    at = realloc(names->at, capacity * sizeof *at);
    if (at == NULL)
        return false;
    names->at = at;
    unit = realloc(names->unit, capacity * sizeof *unit);
    if (unit == NULL)
        return false;
    names->unit = unit;
    serial = realloc(names->serial, capacity * sizeof *serial);
    if (serial == NULL)
        return false;
    names->serial = serial;
    names->capacity = capacity;
    return true;
}

/* Writes only the names that changed. An index goes to another metric when a device has
 * gone, which its serial number tells. Without memory all names stay as they were. */
size_t store_names_note(struct store_names *names, const struct record_schema *schema)
{
    size_t n;

    pthread_mutex_lock(&names->lock);
    if (reserve(names, schema->n)) {
        for (size_t i = 0; i < schema->n; i++) {
            if (i < names->n && names->serial[i] == schema->metric[i].serial)
                continue;
            record_metric_label(&schema->metric[i], names->at[i], STORE_NAME_MAX);
            names->unit[i] = schema->metric[i].unit;
            names->serial[i] = schema->metric[i].serial;
        }
        assert(schema->n <= names->capacity);
        names->n = schema->n;
    }
    n = names->n;
    pthread_mutex_unlock(&names->lock);
    return n;
}

bool store_names_get(struct store_names *names, size_t i, char name[STORE_NAME_MAX],
                     const char **unit)
{
    bool found;

    pthread_mutex_lock(&names->lock);
    found = i < names->n;
    if (found) {
        memcpy(name, names->at[i], STORE_NAME_MAX);
        *unit = names->unit[i] == NULL ? "" : names->unit[i];
    }
    pthread_mutex_unlock(&names->lock);
    return found;
}

/* Goes through all names: only questions of people come here, and none of a tick. */
size_t store_names_find(struct store_names *names, const char *name)
{
    size_t found = SIZE_MAX;

    pthread_mutex_lock(&names->lock);
    for (size_t i = 0; i < names->n && found == SIZE_MAX; i++)
        if (strcmp(names->at[i], name) == 0)
            found = i;
    pthread_mutex_unlock(&names->lock);
    return found;
}
