/* The names in the settings: of rules, features and the model. */
#include <stdio.h>

#include "metrics.h"
#include "monitor/monitor.h"
#include "os/options.h"

/* Gives the group of a metric: of one that some machine has, its own; else what the name
 * says. */
int monitor_group_of(const char *metric)
{
    const struct record_metric *known = collect_find(metric);

    return (int)(known != NULL ? known->group : metrics_guess(metric, false).group);
}

/* Refuses a name that neither is here nor can come later: it is a slip of the pen. */
static enum vd_status check_name(const char *metric, const struct record_schema *schema,
                                 struct vd_error *err)
{
    struct os_nearest nearest = {.word = metric};
    const char *known;
    char hint[160] = "'vedette probe' lists the metrics of this machine";

    if (record_schema_find(schema, metric) != SIZE_MAX || collect_knows(metric, &known))
        return VD_OK;
    if (known != NULL)
        os_nearest_try(&nearest, known);
    for (size_t i = 0; i < schema->n; i++)
        os_nearest_try(&nearest, schema->metric[i].name);
    if (nearest.best != NULL)
        snprintf(hint, sizeof hint, "did you mean '%s'?", nearest.best);
    return vd_error_set(err, VD_ERR_SCHEMA, hint, "there is no metric \"%.60s\"", metric);
}

/* Refuses a model that was taught on metrics which this host does not collect. */
static enum vd_status check_bundle(const vd_model *bundle,
                                   const struct record_schema *schema,
                                   struct vd_error *err)
{
    size_t d = bundle == NULL ? 0 : vd_model_columns(bundle);

    for (size_t i = 0; i < d; i++)
        if (record_schema_find(schema, vd_model_column(bundle, i)) == SIZE_MAX)
            return vd_error_set(err, VD_ERR_SCHEMA,
                                "'vedette probe' lists what there is; train it on that",
                                "the model needs the metric \"%s\", which this host does "
                                "not collect",
                                vd_model_column(bundle, i));
    return VD_OK;
}

/* Checks the names of rules, features and the model. *fault says which option and item is
 * being looked at, so that the error finds its line. */
enum vd_status monitor_check_names(const struct monitor_config *config,
                                   const struct record_schema *schema,
                                   struct monitor_fault *fault, struct vd_error *err)
{
    const struct detect_multivariate_config *layer = &config->detect.multivariate;
    enum vd_status status = VD_OK;
    size_t written = 0;

    for (size_t i = 0; i < config->rules.n && status == VD_OK; i++) {
        if (config->rules.rule[i].builtin)
            continue;
        *fault = (struct monitor_fault){"rule", written++};
        status = check_name(config->rules.rule[i].metric, schema, err);
    }
    for (size_t i = 0; i < layer->n_asked && status == VD_OK; i++) {
        *fault = (struct monitor_fault){"feature", i};
        status = check_name(layer->column[i], schema, err);
    }
    if (status != VD_OK)
        return status;
    *fault = (struct monitor_fault){.option = "model"};
    return check_bundle(config->detect.bundle, schema, err);
}
