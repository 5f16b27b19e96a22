/* vedette store: what is kept, making room, taking a span out as CSV. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "cmd/data_dir.h"
#include "cmd/json_out.h"
#include "cmd/when.h"
#include "os/clock.h"
#include "os/log.h"
#include "store/inspect.h"

/* Holds what the options say; times are in seconds, sizes in bytes. Which of them count
 * depends on the word of the command. */
struct store_settings {
    char *data_dir;
    bool dry_run, json;
    double keep_raw, keep_minutes, keep_hours, max_disk;
    char *now, *from, *to, *output;
    double last;
    struct os_list metrics;
    int tier;
};

#define AT(field) offsetof(struct store_settings, field)

static const struct os_option options[] = {
    {.name = "data-dir",
     .letter = 'd',
     .type = OS_OPTION_TEXT,
     .value = "DIR",
     .offset = AT(data_dir),
     .help = "The data directory (default: the monitor's)"},
    CMD_JSON_OPTION(AT(json)),

    {.name = "dry-run",
     .letter = 'n',
     .type = OS_OPTION_FLAG,
     .fallback = "false",
     .offset = AT(dry_run),
     .group = "Clean",
     .help = "Only say how many rows would go"},
    {.name = "keep-raw",
     .type = OS_OPTION_DURATION,
     .value = "TIME",
     .fallback = "1d",
     .min = 60,
     .max = 3.2e9,
     .offset = AT(keep_raw),
     .group = "Clean",
     .help = "How long every sample is kept"},
    {.name = "keep-minutes",
     .type = OS_OPTION_DURATION,
     .value = "TIME",
     .fallback = "14d",
     .min = 3600,
     .max = 3.2e9,
     .offset = AT(keep_minutes),
     .group = "Clean",
     .help = "How long one value a minute is kept"},
    {.name = "keep-hours",
     .type = OS_OPTION_DURATION,
     .value = "TIME",
     .fallback = "400d",
     .min = 86400,
     .max = 3.2e9,
     .offset = AT(keep_hours),
     .group = "Clean",
     .help = "How long one value an hour, and the events, are kept"},
    {.name = "max-disk",
     .type = OS_OPTION_SIZE,
     .value = "SIZE",
     .fallback = "500MB",
     .min = 8e6,
     .max = 1e15,
     .offset = AT(max_disk),
     .group = "Clean",
     .help = "How large the database may be; the oldest samples go first"},
    {.name = "now",
     .type = OS_OPTION_TEXT,
     .value = "WHEN",
     .offset = AT(now),
     .group = "Clean",
     .help = "Count ages from this time, written as for --from (default: the clock)"},

    {.name = "from",
     .type = OS_OPTION_TEXT,
     .value = "WHEN",
     .offset = AT(from),
     .group = "Export",
     .help = "Begin: " CMD_WHEN_HELP},
    {.name = "to",
     .type = OS_OPTION_TEXT,
     .value = "WHEN",
     .offset = AT(to),
     .group = "Export",
     .help = "End, in the same way (default: now)"},
    {.name = "last",
     .letter = 'l',
     .type = OS_OPTION_DURATION,
     .value = "TIME",
     .fallback = "1h",
     .min = 0.001,
     .max = 3.2e9,
     .offset = AT(last),
     .group = "Export",
     .help = "Without --from: so long before the end"},
    {.name = "metric",
     .letter = 'm',
     .type = OS_OPTION_LIST,
     .value = "NAME",
     .offset = AT(metrics),
     .group = "Export",
     .help = "A metric, or a family of them; may be given again (default: all)"},
    {.name = "tier",
     .letter = 't',
     .type = OS_OPTION_CHOICE,
     .value = "TIER",
     .choices = "raw|minute|hour",
     .fallback = "raw",
     .offset = AT(tier),
     .group = "Export",
     .help = "Every sample, or the mean of each minute or hour"},
    {.name = "output",
     .letter = 'o',
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .offset = AT(output),
     .group = "Export",
     .help = "Where to write (default: standard output)"},
    {.name = NULL},
};

/* ---- times ---- */

/* Reads a time that was given, and leaves *time_ns as it is when none was. */
static enum vd_status read_when(const char *option, const char *text, int64_t *time_ns,
                                struct vd_error *err)
{
    return text == NULL ? VD_OK
                        : cmd_when(option, text, os_clock_wall_ns(), time_ns, err);
}

/* ---- info ---- */

/* Writes a size in decimal units, as df -H and disks have it. The limits keep three
 * digits: 999.5 would be rounded to 1000. */
static char *size_text(int64_t bytes, char text[24])
{
    static const char *const unit[] = {"B", "kB", "MB", "GB", "TB"};
    double size = (double)bytes;
    int k = 0;

    while (size >= 999.5 && k < 4) {
        size /= 1000;
        k++;
    }
    snprintf(text, 24, k > 0 && size < 99.95 ? "%.1f %s" : "%.0f %s", size, unit[k]);
    return text;
}

/* Prints what the database holds. A tier without rows has no times to show. */
static void print_database(const struct store_info *info)
{
    static const char *const name[STORE_TIERS] = {"samples", "minutes", "hours"};
    char size[24], log[24], unused[24], first[OS_CLOCK_TEXT], last[OS_CLOCK_TEXT];

    printf("Database     %s, log %s, free inside %s\n",
           size_text(info->database_bytes, size), size_text(info->log_bytes, log),
           size_text(info->unused_bytes, unused));
    for (int tier = STORE_RAW; tier < STORE_TIERS; tier++) {
        printf("  %-10s %8" PRId64 " rows", name[tier], info->tier[tier].rows);
        if (info->tier[tier].rows > 0)
            printf("  %s .. %s", os_clock_text(info->tier[tier].first_ns, first),
                   os_clock_text(info->tier[tier].last_ns, last));
        printf("\n");
    }
    printf("  %-10s %8" PRId64 "\n", "metrics", info->metrics);
    printf("  %-10s %8" PRId64 " of which %" PRId64 " alerted, %" PRId64
           " with feedback, %" PRId64 " with a flight recorder\n",
           "events", info->events, info->alerted, info->feedback, info->recorders);
}

/* Makes the same numbers as JSON, in bytes and rows. */
static json_t *json_database(const struct store_info *info)
{
    static const char *const name[STORE_TIERS] = {"samples", "minutes", "hours"};
    json_t *root = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "bytes",
        (json_int_t)info->database_bytes, "log_bytes", (json_int_t)info->log_bytes,
        "unused_bytes", (json_int_t)info->unused_bytes, "metrics",
        (json_int_t)info->metrics, "events", (json_int_t)info->events, "alerted",
        (json_int_t)info->alerted, "feedback", (json_int_t)info->feedback, "recorders",
        (json_int_t)info->recorders);

    for (int tier = STORE_RAW; tier < STORE_TIERS; tier++)
        json_object_set_new(root, name[tier],
                            json_pack("{s:I, s:o, s:o}", "rows",
                                      (json_int_t)info->tier[tier].rows, "first",
                                      cmd_json_time(info->tier[tier].first_ns), "last",
                                      cmd_json_time(info->tier[tier].last_ns)));
    return root;
}

/* Prints the directory. A database that is there and cannot be read is null, as one that
 * is not there; the error follows on standard error. */
static int print_info_json(const char *dir, const struct store_info *info, bool readable)
{
    json_t *files = json_array();

    for (size_t i = 0; i < info->n_files; i++)
        json_array_append_new(files, json_pack("{s:o, s:I, s:o}", "name",
                                               cmd_json_text(info->file[i].name), "bytes",
                                               (json_int_t)info->file[i].bytes, "changed",
                                               cmd_json_time(info->file[i].changed_ns)));
    return cmd_json_print(
        json_pack("{s:o, s:o, s:o, s:o}", "directory", cmd_json_text(dir), "pid",
                  info->owner != 0 ? json_integer(info->owner) : json_null(), "database",
                  info->has_database && readable ? json_database(info) : json_null(),
                  "files", files));
}

static void print_info(const char *dir, const struct store_info *info, bool readable)
{
    char size[24], when[OS_CLOCK_TEXT];

    printf("Directory    %s\n", dir);
    if (info->owner != 0)
        printf("In use by    vedette, pid %d\n", info->owner);
    if (info->has_database && readable)
        print_database(info);
    for (size_t i = 0; i < info->n_files; i++)
        printf("%-38s %10s  %s\n", info->file[i].name,
               size_text(info->file[i].bytes, size),
               os_clock_text(info->file[i].changed_ns, when));
}

/* Shows the directory. When only the database cannot be read, the files are still shown
 * before the failure is told: that helps to see why. */
static int run_info(const char *dir, bool json)
{
    struct store_info *info = calloc(1, sizeof *info);
    struct vd_error err = {0};
    int code = CMD_OK;

    if (info == NULL) {
        vd_error_set(&err, VD_ERR_MEMORY, NULL, "no memory");
        return cmd_failed(&err);
    }
    if (store_info_read(dir, info, &err) != VD_OK && info->n_files == 0 &&
        !info->has_database) {
        free(info);
        return cmd_failed(&err);
    }
    if (json)
        code = print_info_json(dir, info, err.status == VD_OK);
    else
        print_info(dir, info, err.status == VD_OK);
    free(info);
    return err.status == VD_OK ? code : cmd_failed(&err);
}

/* ---- clean ---- */

/* Deletes what is too old, with the rules that the monitor has. A running monitor holds
 * the lock, and then the hint says that it cleans up by itself. */
static int run_clean(const struct store_settings *s, const char *dir)
{
    struct store_config config = store_config_default();
    struct vd_error err = {0};
    struct store_trim trim;
    int64_t now_ns = 0;

    if (read_when("--now", s->now, &now_ns, &err) != VD_OK)
        return cmd_failed(&err);
    config.dir = dir;
    config.retention_raw_s = s->keep_raw;
    config.retention_minute_s = s->keep_minutes;
    config.retention_hour_s = s->keep_hours;
    config.max_bytes = s->max_disk;
    if (store_clean(&config, s->dry_run, now_ns, &trim, &err) != VD_OK) {
        if (err.status == VD_ERR_BUSY)
            snprintf(err.hint, sizeof err.hint,
                     "a running monitor cleans up by itself, by its own --keep-raw, "
                     "--keep-minutes, --keep-hours and --max-disk; or stop it first");
        return cmd_failed(&err);
    }
    if (s->json)
        return cmd_json_print(json_pack(
            "{s:b, s:I, s:I, s:I, s:I}", "dry_run", (int)s->dry_run, "samples",
            (json_int_t)trim.rows[STORE_RAW], "minutes",
            (json_int_t)trim.rows[STORE_MINUTE], "hours",
            (json_int_t)trim.rows[STORE_HOUR], "events", (json_int_t)trim.events));
    printf("%s %" PRId64 " samples, %" PRId64 " minutes, %" PRId64 " hours, %" PRId64
           " events\n",
           s->dry_run ? "Would delete" : "Deleted", trim.rows[STORE_RAW],
           trim.rows[STORE_MINUTE], trim.rows[STORE_HOUR], trim.events);
    return CMD_OK;
}

/* ---- export ---- */

/* Finds the span of the export. --last counts back from the end, and an explicit --from
 * overrules it. */
static enum vd_status choose_span(const struct store_settings *s,
                                  struct store_export *what, struct vd_error *err)
{
    enum vd_status status;

    what->to_ns = os_clock_wall_ns();
    status = read_when("--to", s->to, &what->to_ns, err);
    what->from_ns = what->to_ns - (int64_t)(s->last * 1e9);
    if (status == VD_OK)
        status = read_when("--from", s->from, &what->from_ns, err);
    if (status != VD_OK)
        return status;
    if (what->from_ns >= what->to_ns)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "the span ends before it begins");
    return VD_OK;
}

/* Writes the CSV. The result of fclose() counts too: a full disk may show only there. */
static int run_export(const struct store_settings *s, const char *dir)
{
    struct store_export what = {.dir = dir,
                                .tier = (enum store_tier)s->tier,
                                .metric = (const char *const *)s->metrics.at,
                                .n_metrics = s->metrics.n};
    struct vd_error err = {0};
    enum vd_status status;
    FILE *out = stdout;
    int64_t rows = 0;

    if (choose_span(s, &what, &err) != VD_OK)
        return cmd_failed(&err);
    if (s->output != NULL) {
        out = fopen(s->output, "we");
        if (out == NULL) {
            vd_error_set(&err, VD_ERR_IO, NULL, "cannot write %s: %s", s->output,
                         strerror(errno));
            return cmd_failed(&err);
        }
    }
    status = store_export_csv(&what, out, &rows, &err);
    if (out != stdout && fclose(out) != 0 && status == VD_OK)
        status = vd_error_set(&err, VD_ERR_IO, NULL, "cannot write %s: %s", s->output,
                              strerror(errno));
    if (status != VD_OK)
        return cmd_failed(&err);
    if (rows == 0)
        os_log_warning("no rows in that span; 'vedette store info' shows what there is");
    else if (s->output != NULL)
        os_log_info("%" PRId64 " rows written to %s", rows, s->output);
    return CMD_OK;
}

/* Reads the word. --json is refused for the export rather than ignored. */
static int run_store(void *data, int argc, char **argv)
{
    const struct store_settings *s = data;
    struct vd_error err = {0};
    char dir[4096];

    if (cmd_data_dir(s->data_dir, dir, sizeof dir, &err) != VD_OK)
        return cmd_failed(&err);
    if (argc == 1 && strcmp(argv[0], "info") == 0)
        return run_info(dir, s->json);
    if (argc == 1 && strcmp(argv[0], "clean") == 0)
        return run_clean(s, dir);
    if (argc == 1 && strcmp(argv[0], "export") == 0 && s->json) {
        vd_error_set(&err, VD_ERR_ARGUMENT, NULL,
                     "store: export writes CSV, --json is for "
                     "info and clean");
        return cmd_failed(&err);
    }
    if (argc == 1 && strcmp(argv[0], "export") == 0)
        return run_export(s, dir);
    vd_error_set(&err, VD_ERR_ARGUMENT, "write info, clean or export", "%s%.64s",
                 argc == 0  ? "store: nothing to do"
                 : argc > 1 ? "store: one word is enough"
                            : "store: unknown word ",
                 argc == 1 ? argv[0] : "");
    return cmd_failed(&err);
}

const struct cmd_command cmd_store = {
    .name = "store",
    .summary = "Show, clean or export what the monitor has kept",
    .arguments = "info|clean|export",
    .about =
        "info shows the sizes, counts and time spans of everything in the data "
        "directory; export writes a span of one tier as CSV. Both work while a "
        "monitor runs.\n\n"
        "clean deletes what is older than the given times, and the oldest samples "
        "while the database is larger than --max-disk. A running monitor does that "
        "by itself, so clean says so and stops; with --dry-run it only counts. Ages "
        "count from the clock. When the newest rows follow a leap that they have not "
        "outlasted, the clock may be ahead, and ages count from the rows before it: "
        "that is said, and --now overrules it.",
    .examples = "vedette store info\n    what is there\n"
                "vedette store export --last 1h --metric cpu_percent -o cpu.csv\n"
                "    one metric of the last hour\n"
                "vedette store export --tier hour --from 2026-11-01 --to 2026-11-08\n"
                "    a week, one row an hour\n"
                "vedette store clean --keep-raw 6h --dry-run\n"
                "    what would go\n",
    .options = options,
    .settings_size = sizeof(struct store_settings),
    .run = run_store,
};
