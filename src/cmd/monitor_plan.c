/* From the settings to the monitor's configuration. What is refused here is refused by
 * `vedette monitor` and by `vedette config check` alike, since both come by this way. */
#include "cmd/monitor_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batch/model_file.h"
#include "cmd/data_dir.h"
#include "vedette/detector.h"

/* Tells whether there is a desktop to notify: a session bus. A server has none, and that
 * is no failure to speak of. */
static bool has_desktop(void)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char path[4096];

    if (getenv("DBUS_SESSION_BUS_ADDRESS") != NULL)
        return true;
    if (runtime == NULL)
        return false;
    snprintf(path, sizeof path, "%s/bus", runtime);
    return access(path, F_OK) == 0;
}

/* Tells whether the folder is there or could be made: it goes up to the first part of the
 * path that exists, and that must be a folder. Nothing is made, since `config check` must
 * leave no trace. */
static enum vd_status check_folder(const char *dir, struct vd_error *err)
{
    char path[MONITOR_PATH_MAX];
    struct stat info;
    char *slash;

    snprintf(path, sizeof path, "%s", dir);
    while (stat(path, &info) != 0) {
        if (errno != ENOENT)
            return vd_error_set(err, VD_ERR_IO, NULL, "%s: %s", path, strerror(errno));
        slash = strrchr(path, '/');
        if (slash == NULL || slash == path)
            return VD_OK;
        *slash = '\0';
    }
    return S_ISDIR(info.st_mode)
               ? VD_OK
               : vd_error_set(err, VD_ERR_ARGUMENT, NULL, "%s is no folder", path);
}

/* Chooses the data directory. The 64 bytes that must be left are for the names of the
 * files in it. */
static enum vd_status choose_data_dir(struct monitor_plan *plan,
                                      const struct monitor_settings *s,
                                      struct cmd_fault *fault, struct vd_error *err)
{
    enum vd_status status;

    *fault = (struct cmd_fault){.option = "data-dir"};
    plan->config.store.dir = plan->data_dir;
    if (s->data_dir != NULL &&
        (s->data_dir[0] == '\0' || strlen(s->data_dir) + 64 > sizeof plan->data_dir))
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL,
                            "the path is empty, or longer than %zu bytes",
                            sizeof plan->data_dir - 64);
    status = cmd_data_dir(s->data_dir, plan->data_dir, sizeof plan->data_dir, err);
    return status == VD_OK && s->store ? check_folder(plan->data_dir, err) : status;
}

/* Says why the name is refused: the detector needs labels, or there is none of that name.
 * The hint is the nearest name, or all that may be chosen. */
static enum vd_status no_such_detector(const char *name, struct vd_error *err)
{
    const struct vd_detector_info *info = vd_detector_find(name);
    struct os_nearest nearest = {.word = name};
    char hint[256] = "";
    size_t length = 0;

    if (info != NULL && info->needs_labels)
        return vd_error_set(err, VD_ERR_ARGUMENT,
                            "train it with 'vedette train' and give the file with model",
                            "%s learns from labels only", name);
    for (size_t i = 0; (info = vd_detector_at(i)) != NULL && length < sizeof hint; i++) {
        if (info->needs_labels)
            continue;
        os_nearest_try(&nearest, info->name);
        length += (size_t)snprintf(hint + length, sizeof hint - length, "%s%s",
                                   length > 0 ? ", " : "choose from ", info->name);
    }
    if (nearest.best != NULL)
        snprintf(hint, sizeof hint, "did you mean '%s'?", nearest.best);
    return vd_error_set(err, VD_ERR_ARGUMENT, hint,
                        "\"%.60s\" is no detector that learns without labels", name);
}

/* Adds one detector. The limit leaves room for the layer's own detectors, which have
 * places in the same verdict. */
static enum vd_status take_detector(struct monitor_plan *plan, const char *name,
                                    struct vd_error *err)
{
    struct detect_multivariate_config *layer = &plan->config.detect.multivariate;
    const struct vd_detector_info *info = vd_detector_find(name);

    if (info == NULL || info->needs_labels)
        return no_such_detector(name, err);
    if (info->unavailable != NULL)
        return vd_error_set(err, VD_ERR_UNAVAILABLE, NULL, "%s: %s", info->name,
                            info->unavailable);
    for (size_t i = 0; i < layer->n_detectors; i++)
        if (strcmp(layer->detector[i], info->name) == 0)
            return vd_error_set(err, VD_ERR_ARGUMENT, NULL,
                                "%s is here for the second time", info->name);
    if (layer->n_detectors == RECORD_DETECTORS_MAX - DETECT_MULTIVARIATE_OWN)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "at most %d detectors",
                            RECORD_DETECTORS_MAX - DETECT_MULTIVARIATE_OWN);
    plan->detector[layer->n_detectors++] = info->name;
    return VD_OK;
}

/* Takes the detectors that were named, or all that need no labels and are in this build.
 * `fault` always names the item that was tried last, for the error's line. */
static enum vd_status choose_detectors(struct monitor_plan *plan,
                                       const struct monitor_settings *s,
                                       struct cmd_fault *fault, struct vd_error *err)
{
    struct detect_multivariate_config *layer = &plan->config.detect.multivariate;
    const struct vd_detector_info *info;
    enum vd_status status = VD_OK;

    layer->detector = plan->detector;
    for (size_t i = 0; i < s->detectors.n && status == VD_OK; i++) {
        *fault = (struct cmd_fault){"detector", i};
        status = take_detector(plan, s->detectors.at[i], err);
    }
    for (size_t i = 0; s->detectors.n == 0 && (info = vd_detector_at(i)) != NULL; i++)
        if (!info->needs_labels && info->unavailable == NULL)
            status = take_detector(plan, info->name, err);
    return status;
}

/* Tells whether any machine may have the metric, not whether this one has: a disk may be
 * plugged in later. What a recording has is known only when it is open. */
static enum vd_status check_metric(const struct monitor_settings *s, const char *metric,
                                   struct vd_error *err)
{
    const char *nearest;
    char hint[160] = "'vedette probe' lists the metrics of this machine";

    if (s->replay != NULL || collect_knows(metric, &nearest))
        return VD_OK;
    if (nearest != NULL)
        snprintf(hint, sizeof hint, "did you mean '%s'?", nearest);
    return vd_error_set(err, VD_ERR_ARGUMENT, hint,
                        "there is no metric \"%.60s\" on any machine", metric);
}

/* Takes the metrics that were named. Without any, the defaults of the configuration
 * stay. */
static enum vd_status choose_features(struct monitor_plan *plan,
                                      const struct monitor_settings *s,
                                      struct cmd_fault *fault, struct vd_error *err)
{
    struct detect_multivariate_config *layer = &plan->config.detect.multivariate;
    enum vd_status status = VD_OK;

    for (size_t i = 0; i < s->features.n && status == VD_OK; i++) {
        *fault = (struct cmd_fault){"feature", i};
        status = i < DETECT_MULTIVARIATE_COLUMNS
                     ? check_metric(s, s->features.at[i], err)
                     : vd_error_set(err, VD_ERR_ARGUMENT, NULL, "at most %d metrics",
                                    DETECT_MULTIVARIATE_COLUMNS);
        if (status == VD_OK)
            plan->feature[i] = s->features.at[i];
    }
    if (s->features.n > 0) {
        layer->column = plan->feature;
        layer->n_columns = layer->n_asked = s->features.n;
    }
    return status;
}

/* Adds the columns of the model to those that are collected, so that one row serves the
 * model and the rest. The names stay the model's, which lives as long as the plan. */
static enum vd_status add_columns_of_model(struct monitor_plan *plan,
                                           struct vd_error *err)
{
    struct detect_multivariate_config *layer = &plan->config.detect.multivariate;

    if (layer->column != plan->feature)
        memcpy(plan->feature, layer->column, layer->n_columns * sizeof *layer->column);
    layer->column = plan->feature;
    for (size_t i = 0; i < vd_model_columns(plan->model); i++) {
        const char *name = vd_model_column(plan->model, i);
        bool there = false;

        for (size_t c = 0; c < layer->n_columns; c++)
            there |= strcmp(layer->column[c], name) == 0;
        if (there)
            continue;
        if (layer->n_columns == DETECT_MULTIVARIATE_COLUMNS)
            return vd_error_set(err, VD_ERR_SCHEMA, "choose fewer with --feature",
                                "with its columns there are more than %d",
                                DETECT_MULTIVARIATE_COLUMNS);
        plan->feature[layer->n_columns++] = name;
    }
    return VD_OK;
}

/* Reads the bundle, which the plan owns from then on. */
static enum vd_status read_model(struct monitor_plan *plan,
                                 const struct monitor_settings *s,
                                 struct cmd_fault *fault, struct vd_error *err)
{
    enum vd_status status;

    if (s->model == NULL)
        return VD_OK;
    *fault = (struct cmd_fault){.option = "model"};
    status = batch_model_file_read(&plan->model, s->model, NULL, err);
    plan->config.detect.bundle = plan->model;
    return status == VD_OK ? add_columns_of_model(plan, err) : status;
}

/* Switches built-in limits off first and then adds the user's, so that a user can replace
 * one of them. */
static enum vd_status add_rules(struct monitor_plan *plan,
                                const struct monitor_settings *s, struct cmd_fault *fault,
                                struct vd_error *err)
{
    enum vd_status status = VD_OK;

    detect_rules_init(&plan->config.rules);
    for (size_t i = 0; i < s->without_rules.n && status == VD_OK; i++) {
        *fault = (struct cmd_fault){"without-rule", i};
        status =
            detect_rules_switch_off(&plan->config.rules, s->without_rules.at[i], err);
    }
    for (size_t i = 0; i < s->rules.n && status == VD_OK; i++) {
        struct detect_rule rule;

        *fault = (struct cmd_fault){"rule", i};
        status = detect_rule_parse(&rule, s->rules.at[i], err);
        if (status == VD_OK)
            status = check_metric(s, rule.metric, err);
        if (status == VD_OK && detect_rules_add(&plan->config.rules, &rule) != VD_OK)
            status = vd_error_set(err, VD_ERR_LIMIT, NULL,
                                  "at most %d rules, the built-in ones included",
                                  DETECT_RULES_MAX);
    }
    return status;
}

/* Tells only whether the recording is there and can be read. Its contents are read when
 * it is played, and "-" is standard input. */
static enum vd_status check_replay(const struct monitor_settings *s,
                                   struct cmd_fault *fault, struct vd_error *err)
{
    struct stat info;

    if (s->replay == NULL || strcmp(s->replay, "-") == 0)
        return VD_OK;
    *fault = (struct cmd_fault){.option = "replay"};
    if (stat(s->replay, &info) != 0 || access(s->replay, R_OK) != 0)
        return vd_error_set(err, VD_ERR_IO, NULL, "cannot open %s: %s", s->replay,
                            strerror(errno));
    return S_ISDIR(info.st_mode)
               ? vd_error_set(err, VD_ERR_IO, NULL, "%s is a directory", s->replay)
               : VD_OK;
}

/* Copies the settings of the store. Times are in seconds, sizes in bytes. */
static void set_store(const struct monitor_settings *s, struct monitor_config *config)
{
    config->store_on = s->store;
    config->store.interval_s = s->interval;
    config->store.performance_log = s->performance_log;
    config->store.metrics_history = s->metrics_history;
    config->store.alerts = s->alerts;
    config->store.events = s->events;
    config->store.anomalies = s->anomalies;
    config->store.retention_raw_s = s->keep_raw;
    config->store.retention_minute_s = s->keep_minutes;
    config->store.retention_hour_s = s->keep_hours;
    config->store.max_bytes = s->max_disk;
}

/* Copies the settings. A replay starts no threads (its rows come one after another),
 * shows no page and notifies no desktop. */
static void set_values(struct monitor_config *config, const struct monitor_settings *s)
{
    *config = monitor_config_default();
    config->interval_s = s->interval;
    config->collect.root = s->root;
    config->collect.nvml_library = s->nvml;
    config->collect.replay = s->replay;
    config->collect.threads = s->replay == NULL;
    config->detect.interval_s = s->interval;
    config->detect.warm_up_s = s->warm_up;
    config->detect.retrain_s = s->retrain;
    config->detect.multivariate.contamination = s->contamination;
    config->detect.multivariate.window = (size_t)s->window_size;
    config->detect.multivariate.seed = (uint64_t)s->seed;
    config->alert.interval_s = s->interval;
    config->alert.budget_per_week = s->budget;
    config->alert.cooldown_s = s->cooldown;
    config->alert.adopt_s = s->adopt;
    config->backfill_s = s->backfill;
    config->show_on = s->dashboard && s->replay == NULL;
    config->show.address = s->address;
    config->show.port = (int)s->port;
    config->show.max_clients = (size_t)s->max_clients;
    config->show.version = VEDETTE_VERSION;
    config->show.upload_max = s->upload_max;
    config->show.uploads_disk = s->uploads_disk;
    config->channels.terminal = s->terminal;
    config->channels.bell = s->bell;
    config->channels.desktop = s->desktop && s->replay == NULL && has_desktop();
    config->channels.webhook = s->webhook;
    set_store(s, config);
}

/* Makes the plan. The metrics are chosen before the model is read, because its columns
 * are added to them. After a failure the plan must still be released. */
enum vd_status monitor_plan_make(struct monitor_plan *plan,
                                 const struct monitor_settings *s,
                                 struct cmd_fault *fault, struct vd_error *err)
{
    enum vd_status status;

    *plan = (struct monitor_plan){.folder = OS_DATA_DIR_CLOSED};
    set_values(&plan->config, s);
    plan->table = table_options(&s->table, NULL);
    plan->config.collect.table = &plan->table;
    status = choose_data_dir(plan, s, fault, err);
    if (status == VD_OK)
        status = check_replay(s, fault, err);
    if (status == VD_OK)
        status = choose_detectors(plan, s, fault, err);
    if (status == VD_OK)
        status = choose_features(plan, s, fault, err);
    if (status == VD_OK)
        status = read_model(plan, s, fault, err);
    return status == VD_OK ? add_rules(plan, s, fault, err) : status;
}

/* Frees the model. Names of features point into it and must not be used afterwards. */
void monitor_plan_release(struct monitor_plan *plan)
{
    vd_model_free(plan->model);
    plan->model = NULL;
}

/* Opens what is to be read and looks for the names of the options in it. A pipe can be
 * read only once, so it is left to the run itself; without a replay or a model there is
 * no name to look for. */
static enum vd_status try_collecting(const struct monitor_plan *plan,
                                     struct cmd_fault *fault, struct vd_error *err)
{
    struct collect_config collect = plan->config.collect;
    struct record_schema schema = {0};
    struct monitor_fault found = {0};
    collect_set *set = NULL;
    struct stat info;
    enum vd_status status;

    if (collect.replay == NULL
            ? plan->model == NULL
            : stat(collect.replay, &info) != 0 || !S_ISREG(info.st_mode))
        return VD_OK;
    collect.threads = false;
    found.option = collect.replay == NULL ? NULL : "replay";
    status = collect_set_new(&set, &collect, NULL, &schema, err);
    if (status == VD_OK)
        status = monitor_check_names(&plan->config, &schema, &found, err);
    *fault = (struct cmd_fault){found.option, found.item};
    collect_set_free(set);
    record_schema_release(&schema);
    return status;
}

/* Makes a plan to see whether it can be made. It is on the heap because the paths and
 * rules in it are large. */
static enum vd_status check(const struct monitor_settings *s, bool rehearse,
                            struct cmd_fault *fault, struct vd_error *err)
{
    struct monitor_plan *plan = malloc(sizeof *plan);
    enum vd_status status;

    if (plan == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "out of memory");
    status = monitor_plan_make(plan, s, fault, err);
    if (status == VD_OK && rehearse)
        status = try_collecting(plan, fault, err);
    monitor_plan_release(plan);
    free(plan);
    return status;
}

/* Makes a plan and throws it away: whatever the monitor would refuse is refused here. */
enum vd_status monitor_check(const void *settings, struct cmd_fault *fault,
                             struct vd_error *err)
{
    return check(settings, false, fault, err);
}

/* Opens the collectors as well, which `config check` does and the monitor itself does
 * later on. */
enum vd_status monitor_rehearse(const void *settings, struct cmd_fault *fault,
                                struct vd_error *err)
{
    return check(settings, true, fault, err);
}
