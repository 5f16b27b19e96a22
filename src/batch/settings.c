/* Settings of detectors, driven by their own tables of parameters; see settings.h. */
#include "batch/settings.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/log.h"
#include "os/terminal.h"

/* ---- one setting as text ---- */

/* Finds a setting of a detector by its name, which need not end with a zero byte. */
static const struct vd_param *find_param(const struct vd_detector_info *info,
                                         const char *name, size_t length)
{
    for (size_t i = 0; i < info->n_params; i++)
        if (strlen(info->params[i].name) == length &&
            memcmp(info->params[i].name, name, length) == 0)
            return &info->params[i];
    return NULL;
}

/* Finds a word in "rbf|linear|poly": "poly" is 2. False when it is none of the words. */
static bool word_index(const char *words, const char *word, double *index)
{
    size_t length = strlen(word);

    for (*index = 0; words != NULL; ++*index) {
        size_t next = strcspn(words, "|");

        if (next == length && memcmp(words, word, length) == 0)
            return true;
        words = words[next] == '\0' ? NULL : words + next + 1;
    }
    return false;
}

/* Writes " kernel=sigmoid": the word where the setting has words, else the number. */
static void put_setting(FILE *out, const struct vd_detector_info *info,
                        const struct vd_setting *setting)
{
    const struct vd_param *param = find_param(info, setting->name, strlen(setting->name));
    const char *word = param == NULL ? NULL : param->choices;

    for (double k = 0; word != NULL && k < setting->value; k++) {
        word = strchr(word, '|');
        word = word == NULL ? NULL : word + 1;
    }
    if (word != NULL)
        fprintf(out, " %s=%.*s", setting->name, (int)strcspn(word, "|"), word);
    else
        fprintf(out, " %s=%g", setting->name, setting->value);
}

/* Holds an item of --set, taken apart. */
struct item {
    const struct vd_detector_info *detector;
    const struct vd_param *param;
    double value;
};

/* Takes an item such as "lof.n_neighbors=10" apart and checks its value against the
 * detector's own table. */
static enum vd_status parse(const char *text, struct item *item, struct vd_error *err)
{
    static const char hint[] = "'vedette model settings' shows what there is";
    size_t dot = strcspn(text, "."), equals = strcspn(text, "=");
    char name[VD_TUNE_NAME_MAX];

    if (text[dot] == '\0' || text[equals] == '\0' || equals < dot)
        return vd_error_set(err, VD_ERR_ARGUMENT, hint,
                            "\"%s\" is not DETECTOR.SETTING=VALUE", text);
    snprintf(name, sizeof name, "%.*s", (int)dot, text);
    item->detector = vd_detector_find(name);
    if (item->detector == NULL)
        return vd_error_set(err, VD_ERR_ARGUMENT, hint, "no detector is called \"%s\"",
                            name);
    item->param = find_param(item->detector, text + dot + 1, equals - dot - 1);
    if (item->param == NULL)
        return vd_error_set(err, VD_ERR_ARGUMENT, hint, "%s has no setting \"%.*s\"",
                            name, (int)(equals - dot - 1), text + dot + 1);
    text += equals + 1;
    if (item->param->choices != NULL) {
        if (!word_index(item->param->choices, text, &item->value))
            return vd_error_set(err, VD_ERR_ARGUMENT, hint,
                                "%s.%s is one of %s, not \"%s\"", name, item->param->name,
                                item->param->choices, text);
    } else if (!os_parse_number(text, &item->value) ||
               !(item->value >= item->param->min && item->value <= item->param->max)) {
        return vd_error_set(err, VD_ERR_ARGUMENT, hint,
                            "%s.%s is a number from %g to %g, not \"%s\"", name,
                            item->param->name, item->param->min, item->param->max, text);
    }
    return VD_OK;
}

enum vd_status batch_settings_check(const char *text, struct vd_error *err)
{
    struct item item;

    return parse(text, &item, err);
}

void batch_settings_print_all(void)
{
    const struct vd_detector_info *info;

    for (size_t i = 0; (info = vd_detector_at(i)) != NULL; i++) {
        printf("%s%s\n", i == 0 ? "" : "\n", info->name);
        for (size_t k = 0; k < info->n_params; k++) {
            const struct vd_param *param = &info->params[k];
            struct vd_setting fallback = {param->name, param->value};
            char range[64];

            put_setting(stdout, info, &fallback);
            if (param->choices != NULL)
                snprintf(range, sizeof range, "%s", param->choices);
            else
                snprintf(range, sizeof range, "%g to %g", param->min, param->max);
            printf("\n     %s (%s)\n", param->help, range);
        }
    }
}

/* ---- those of one training ---- */

/* Takes what was given for `info`; of what was given twice, the last. The items were
 * checked when the options were read. */
static void take_given(const struct os_list *given, const struct vd_detector_info *info,
                       struct vd_tune_choice *choice)
{
    struct vd_error err = {0};
    struct item item;

    for (size_t i = 0; given != NULL && i < given->n; i++)
        if (parse(given->at[i], &item, &err) == VD_OK && item.detector == info)
            vd_tune_set(choice, "", item.param->name, item.value);
}

void batch_settings_put(FILE *out, const struct vd_detector_info *info,
                        const struct vd_tune_choice *choice)
{
    for (size_t i = 0; i < choice->n; i++)
        put_setting(out, info, &choice->setting[i]);
    if (!info->needs_labels && choice->contamination > 0)
        fprintf(out, " contamination=%g", choice->contamination);
    else if (!info->needs_labels)
        fputs(" contamination=auto", out);
}

/* Prints what was chosen: "lof: scale=robust n_neighbors=20 contamination=0.002 (folds:
 * F1 0.893, ROC AUC 0.923)". */
static void print_choice(FILE *out, const struct vd_detector_info *info,
                         const struct vd_tune_choice *choice)
{
    os_terminal_status(NULL);
    fprintf(out, "%s:", info->name);
    batch_settings_put(out, info, choice);
    fprintf(out, " (folds: F1 %.3f, ROC AUC %.3f)\n", choice->f1, choice->roc_auc);
    fflush(out);
}

void batch_settings_choose_by(struct batch_settings_plan *plan,
                              const struct vd_tune_rows *rows)
{
    struct vd_error err = {0};

    if (vd_tune_check(rows, &err) == VD_OK)
        plan->rows = *rows;
    else
        os_log_warning("settings are left at their defaults: %s", err.text);
}

/* Gives an ensemble the settings of its members, which are chosen first when they are not
 * yet. */
static void take_members(struct batch_settings_plan *plan, struct vd_tune_choice *choice)
{
    const struct vd_detector_info *member;

    for (size_t i = 0; (member = vd_detector_at(i)) != NULL; i++)
        if (!member->combines && member->unavailable == NULL)
            vd_tune_add_member(choice, member->name, batch_settings_for(plan, member));
}

/* Makes the settings of one detector: the defaults, over them what was given, and what is
 * still free chosen by cross-validation where there are rows for it. */
static void make(struct batch_settings_plan *plan, const struct vd_detector_info *info,
                 struct vd_tune_choice *choice)
{
    struct vd_tune_choice given = {
        .contamination = plan->contamination, .f1 = NAN, .roc_auc = NAN};
    struct vd_error err = {0};

    if (isnan(given.contamination))
        given.contamination = vd_fit_params_default().contamination;
    take_given(plan->given, info, &given);
    vd_tune_copy(choice, &given);
    if (info->combines) {
        take_members(plan, choice);
    } else if (plan->rows.x != NULL) {
        if (vd_tune_detector(choice, info->name, &plan->rows, &given,
                             isnan(plan->contamination), &err) == VD_OK) {
            print_choice(plan->say != NULL ? plan->say : stdout, info, choice);
        } else {
            os_log_warning("%s: settings are left at their defaults: %s", info->name,
                           err.text);
            vd_tune_copy(choice, &given);
        }
    }
}

/* Gives the settings of a detector and makes them once: an ensemble asks for those of its
 * members again. */
const struct vd_tune_choice *batch_settings_for(struct batch_settings_plan *plan,
                                                const struct vd_detector_info *info)
{
    size_t row = 0;

    while (vd_detector_at(row) != info)
        row++;
    if (!plan->is_made[row])
        make(plan, info, &plan->choice[row]);
    plan->is_made[row] = true;
    return &plan->choice[row];
}
