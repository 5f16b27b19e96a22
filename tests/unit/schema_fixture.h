/* A small machine's schema, for the tests of src/detect: one metric that is not always
 * there (cpu_temp) and two that carry a label. */
#ifndef VD_SCHEMA_FIXTURE_H
#define VD_SCHEMA_FIXTURE_H

#include "record.h"

enum { CPU, MEMORY, TEMP, WRITE, ROOT, HOME, METRICS };

static inline void make_schema(struct record_schema *schema)
{
    static const struct record_metric metric[] = {
        {.name = "cpu_percent", .unit = "%", .sigma_floor = 2, .core = true},
        {.name = "cpu_memory", .unit = "%", .sigma_floor = 0.75, .core = true},
        {.name = "cpu_temp", .unit = "C", .sigma_floor = 2, .core = true},
        {.name = "disk_write_mb", .unit = "MB/s", .sigma_floor = 1, .is_byte_rate = true},
        {.name = "filesystem_percent",
         .unit = "%",
         .sigma_floor = 2,
         .label_key = "mount"},
    };

    *schema = (struct record_schema){0};
    for (int i = 0; i < ROOT; i++)
        record_schema_add(schema, &metric[i], NULL);
    record_schema_add(schema, &metric[ROOT], "/");
    record_schema_add(schema, &metric[ROOT], "/home");
}

#endif
