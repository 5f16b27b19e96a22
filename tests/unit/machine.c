#include "machine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

void machine_init(struct machine *machine, const char *root)
{
    *machine = (struct machine){.config = collect_config_default()};
    machine->config.root = root;
    machine->config.threads = false;
    machine->sample.schema = &machine->schema;
    machine->sample.time_ns = 1700000000000000000;
    machine->sample.mono_ns = 1000000000;
}

void machine_start(struct machine *machine, const char *only)
{
    char words[256] = "", *save = NULL;
    const char *list[32] = {NULL};
    struct vd_error err = {0};
    size_t n = 0;

    if (only != NULL)
        snprintf(words, sizeof words, "%s", only);
    for (char *word = strtok_r(words, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save))
        list[n++] = word;
    if (collect_set_new(&machine->set, &machine->config, n > 0 ? list : NULL,
                        &machine->schema, &err) != VD_OK ||
        feature_rates_new(&machine->rates, &err) != VD_OK) {
        fprintf(stderr, "machine: %s\n", err.text);
        abort();
    }
}

void machine_tick(struct machine *machine, double seconds)
{
    machine->sample.time_ns += (int64_t)(seconds * 1e9);
    machine->sample.mono_ns += (int64_t)(seconds * 1e9);
    collect_set_read(machine->set, &machine->sample);
    machine->value = feature_rates_update(machine->rates, &machine->sample);
}

bool machine_has(const struct machine *machine, const char *name)
{
    return record_schema_find(&machine->schema, name) != SIZE_MAX;
}

double machine_value(const struct machine *machine, const char *name)
{
    size_t i = record_schema_find(&machine->schema, name);

    return i == SIZE_MAX ? NAN : machine->value[i];
}

const char *machine_error(const struct machine *machine, const char *name)
{
    static struct vd_error errors[32];
    const char *names[32];
    size_t n;

    memset(errors, 0, sizeof errors);
    n = collect_set_errors(machine->set, names, errors, 32);
    for (size_t i = 0; i < n && i < 32; i++)
        if (strcmp(names[i], name) == 0)
            return errors[i].text;
    return "";
}

const struct record_process *machine_process(const struct machine *machine, int pid)
{
    const struct record_processes *all = machine->sample.processes;

    for (size_t i = 0; all != NULL && i < all->n; i++)
        if (all->at[i].pid == pid)
            return &all->at[i];
    return NULL;
}

/* Every name that a tree brings forth is one that the tables of collectors know, or a
 * rule on it would be refused. */
static void check_families(const struct record_schema *schema)
{
    for (size_t i = 0; i < schema->n; i++)
        if (!collect_knows(schema->metric[i].name, NULL))
            fail_msg("the family \"%s\" is in no `rows` of its collect_type",
                     schema->metric[i].name);
}

void machine_release(struct machine *machine)
{
    if (machine->config.replay == NULL)
        check_families(&machine->schema);
    collect_set_free(machine->set);
    feature_rates_free(machine->rates);
    collect_sample_release(&machine->sample);
    record_schema_release(&machine->schema);
}
