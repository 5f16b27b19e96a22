/* vedette status: what the overview of the page says, in a terminal. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "cmd/event_text.h"
#include "cmd/json_out.h"
#include "cmd/source.h"
#include "os/clock.h"
#include "os/utf8.h"

struct status_settings {
    struct cmd_source_settings source;
    bool json;
};

#define AT(field) offsetof(struct status_settings, field)

static const struct os_option options[] = {
    CMD_JSON_OPTION(AT(json)),
    CMD_SOURCE_OPTIONS(AT(source)),
    {.name = NULL},
};

/* Gives the width of the names, the most open events that are shown, and the span over
 * which alerts are counted. */
enum { NAME_COLUMN = 13, OPEN_MAX = 200, WEEK_S = 7 * 86400 };

/* Holds what was asked of the monitor. `open` is NULL where the store does not answer,
 * which is not the same as an empty list. */
struct report {
    json_t *status;
    json_t *open;   /* events, newest first */
    size_t alerts;  /* of the last seven days */
    double up_s;    /* the machine */
    bool rule, odd; /* open: a limit is exceeded; something else but drift */
};

/* Asks for all that the report shows. A program that is no monitor may answer at the
 * address, so the status must look like one. A monitor without a store knows no events;
 * that is no failure. */
static enum vd_status ask(struct cmd_source *source, struct report *r,
                          struct vd_error *err)
{
    const struct history_event_query open = {.limit = OPEN_MAX, .open_only = true};
    const struct history_event_query week = {.limit = 1000,
                                             .alerted_only = true,
                                             .from_ns = os_clock_wall_ns() -
                                                        INT64_C(1000000000) * WEEK_S};
    struct timespec up = {0};
    json_t *alerts = NULL;
    enum vd_status status = cmd_source_ask(source, "/api/v1/status", &r->status, err);

    if (status == VD_OK && !json_is_string(json_object_get(r->status, "state")))
        status = vd_error_set(err, VD_ERR_FORMAT, NULL,
                              "what answers at the address %s is not a monitor",
                              source->address);
    /* A monitor without a store knows no events. */
    if (status == VD_OK && cmd_source_events(source, &open, &r->open, NULL) != VD_OK)
        r->open = NULL;
    if (status == VD_OK && cmd_source_events(source, &week, &alerts, NULL) == VD_OK)
        r->alerts = json_array_size(alerts);
    json_decref(alerts);
    clock_gettime(CLOCK_BOOTTIME, &up);
    r->up_s = (double)up.tv_sec;
    return status;
}

/* Sums up what is open: whether a limit is exceeded, and whether anything else goes on. A
 * drift does not count, since a level that has moved to stay is not an alarm by
 * itself. */
static void look_at_open(struct report *r)
{
    for (size_t i = 0; i < json_array_size(r->open); i++) {
        const char *kind = cmd_event_string(json_array_get(r->open, i), "kind");

        r->rule |= strcmp(kind, "rule") == 0;
        r->odd |= strcmp(kind, "rule") != 0 && strcmp(kind, "drift") != 0;
    }
}

/* Gives the sentence at the top, the same as the page's. The worst comes first. */
static const char *verdict(const struct report *r)
{
    const char *state = cmd_event_string(r->status, "state");

    if (r->rule)
        return r->odd ? "A limit is exceeded, and something is unusual"
                      : "A limit is exceeded";
    if (r->odd)
        return "Something is unusual";
    return strcmp(state, "warming") == 0    ? "Warming up: no verdict yet"
           : strcmp(state, "paused") == 0   ? "Detection is paused"
           : strcmp(state, "learning") == 0 ? "All as usual, as far as is known yet"
                                            : "All as usual";
}

/* ---- lines ---- */

static void print_row(const struct cmd_sheet *sheet, const char *name, const char *format,
                      ...) __attribute__((format(printf, 3, 4)));

/* Prints a name and its text, and makes foreign text visible. No memory means that the
 * row is left out. */
static void print_row(const struct cmd_sheet *sheet, const char *name, const char *format,
                      ...)
{
    char *text = NULL;
    va_list args;
    int n;

    va_start(args, format);
    n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0)
        return;
    fprintf(sheet->out, "%-*s", NAME_COLUMN, name);
    cmd_sheet_foreign(sheet, text, NAME_COLUMN, NAME_COLUMN);
    free(text);
}

static long long integer(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* Prints the host and the verdict. The host's name is text from outside. */
static void print_head(const struct cmd_sheet *sheet, const struct report *r)
{
    const char *style = r->rule ? "1;31" : r->odd ? "1;33" : "1;32";
    char host[256];

    cmd_sheet_styled(
        sheet, "1",
        os_utf8_visible(cmd_event_string(r->status, "host"), host, sizeof host));
    fputs(": ", sheet->out);
    cmd_sheet_styled(sheet, style, verdict(r));
    fputs("\n", sheet->out);
}

/* Prints how long the machine and the monitor have been up. The monitor's time is by its
 * own clock. */
static void print_times(const struct cmd_sheet *sheet, const struct report *r)
{
    double now = cmd_event_number(r->status, "now");
    double started = cmd_event_number(r->status, "started");
    char up[24], watched[24], clock[OS_CLOCK_TEXT];

    print_row(sheet, "Machine", "up %s", cmd_event_span(r->up_s, up));
    print_row(sheet, "Monitor", "vedette %s, up %s, since %s",
              cmd_event_string(r->status, "version"),
              cmd_event_span(now - started, watched),
              os_clock_text(cmd_event_time(r->status, "started"), clock));
}

/* Prints how much the monitor knows, which is how far its verdict can be trusted. */
static void print_learning(const struct cmd_sheet *sheet, const struct report *r)
{
    const json_t *training = json_object_get(r->status, "training");
    int64_t last_ns = cmd_event_time(training, "last");
    char clock[OS_CLOCK_TEXT];

    print_row(sheet, "Confidence", "%.0f %%, %s; %lld samples",
              100 * cmd_event_number(r->status, "confidence"),
              cmd_event_string(r->status, "state"), integer(r->status, "points"));
    if (last_ns == 0)
        print_row(sheet, "Training", "none yet");
    else
        print_row(sheet, "Training", "%s, on %lld samples; %lld kept out",
                  os_clock_text(last_ns, clock), integer(training, "rows"),
                  integer(training, "quarantined"));
}

/* Prints the alerts of the last week against the budget. A monitor that does not count
 * them leaves it to the events. */
static void print_budget(const struct cmd_sheet *sheet, const struct report *r)
{
    const json_t *budget = json_object_get(r->status, "budget");
    double used = cmd_event_number(budget, "used");

    print_row(sheet, "Budget", "%g of %g alerts a week used",
              isfinite(used) ? used : (double)r->alerts,
              cmd_event_number(budget, "per_week"));
}

/* Prints the open events. The sheet is made narrow on purpose, so that each reason has a
 * line of its own. */
static void print_open(const struct cmd_sheet *sheet, const struct report *r)
{
    struct cmd_sheet narrow = *sheet; /* the reason has a line of its own */
    size_t n = json_array_size(r->open);

    if (narrow.width > 80)
        narrow.width = 80;
    if (r->open == NULL)
        print_row(sheet, "Open events", "not known: the store does not answer");
    else if (n == 0)
        print_row(sheet, "Open events", "none");
    else
        print_row(sheet, "Open events", "%zu%s", n, n == OPEN_MAX ? " or more" : "");
    for (size_t i = 0; i < n; i++) {
        const json_t *event = json_array_get(r->open, i);
        const char *note = cmd_event_string(event, "note");

        fputs("  ", sheet->out);
        cmd_event_line(&narrow, event, NULL);
        if (*note != '\0')
            cmd_sheet_foreign(&narrow, note, 4, 0);
    }
}

/* ---- parts of the monitor ---- */

/* Gives why a part of the monitor is not there, NULL when it is. */
static const char *unavailable(const json_t *row)
{
    return json_string_value(json_object_get(row, "unavailable"));
}

/* Counts the detectors that are ready; those that this build or machine cannot have do
 * not count. Only those that are not ready are named. */
static void print_detectors(const struct cmd_sheet *sheet, const struct report *r)
{
    const json_t *list = json_object_get(r->status, "detectors");
    size_t ready = 0, absent = 0, n = json_array_size(list);

    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(list, i);

        ready += json_is_true(json_object_get(row, "ready"));
        absent += unavailable(row) != NULL;
    }
    if (n == 0)
        print_row(sheet, "Detectors", "none has a model yet");
    else
        print_row(sheet, "Detectors", "%zu of %zu ready", ready, n - absent);
    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(list, i);

        if (unavailable(row) != NULL || !json_is_true(json_object_get(row, "ready")))
            print_row(sheet, "", "%s: %s", cmd_event_string(row, "name"),
                      unavailable(row) != NULL ? unavailable(row) : "not ready");
    }
}

static void print_troubles(const struct cmd_sheet *sheet, const struct report *r)
{
    const json_t *list = json_object_get(r->status, "troubles");
    char clock[OS_CLOCK_TEXT];

    if (json_array_size(list) == 0)
        print_row(sheet, "Collectors", "all well");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);

        print_row(sheet, i == 0 ? "Collectors" : "", "%s: %s, since %s",
                  cmd_event_string(row, "collector"), cmd_event_string(row, "reason"),
                  os_clock_text(cmd_event_time(row, "since"), clock));
    }
}

/* Prints what became of the alerts that were sent. Lost and given-up alerts are one
 * number: in both cases nobody got them. */
static void print_receivers(const struct cmd_sheet *sheet, const struct report *r)
{
    const json_t *list = json_object_get(r->status, "receivers");

    if (json_array_size(list) == 0)
        print_row(sheet, "Receivers", "none");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        const char *name = i == 0 ? "Receivers" : "";
        const char *error = cmd_event_string(row, "error");

        if (unavailable(row) != NULL)
            print_row(sheet, name, "%s: %s", cmd_event_string(row, "name"),
                      unavailable(row));
        else
            print_row(sheet, name,
                      "%s: %s; %lld sent, %lld retried, %lld waiting, %lld given up%s%s",
                      cmd_event_string(row, "name"), cmd_event_string(row, "state"),
                      integer(row, "sent"), integer(row, "retried"),
                      integer(row, "waiting"),
                      integer(row, "given_up") + integer(row, "lost"),
                      *error == '\0' ? "" : "; ", error);
    }
}

/* Prints the database always, and other files only when they cannot be written or lost
 * something. */
static void print_store(const struct cmd_sheet *sheet, const struct report *r)
{
    const json_t *list = json_object_get(r->status, "sinks");
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *row = json_array_get(list, i);
        const char *name = n == 0 ? "Store" : "";

        if (unavailable(row) == NULL && integer(row, "lost") == 0 &&
            strcmp(cmd_event_string(row, "name"), "sqlite") != 0)
            continue;
        n++;
        if (unavailable(row) != NULL)
            print_row(sheet, name, "%s: %s", cmd_event_string(row, "name"),
                      unavailable(row));
        else
            print_row(sheet, name, "%s: %lld written, %lld lost",
                      cmd_event_string(row, "name"), integer(row, "sent"),
                      integer(row, "lost"));
    }
    if (n == 0)
        print_row(sheet, "Store", "%s", json_array_size(list) == 0 ? "off" : "well");
}

/* Prints what the monitor itself uses; the values are missing in its first seconds. */
static void print_self(const struct cmd_sheet *sheet, const struct report *r)
{
    const json_t *self = json_object_get(r->status, "self");
    double cpu = cmd_event_number(self, "cpu_percent");
    double rss = cmd_event_number(self, "rss_mb");

    if (isfinite(cpu) && isfinite(rss))
        print_row(sheet, "Itself", "%.1f %% of a core, %.0f MB", cpu, rss);
    print_row(sheet, "Dropped", "%lld", integer(self, "dropped"));
}

/* Prints the report, what needs a person first. */
static void print_report(const struct report *r)
{
    struct cmd_sheet sheet = cmd_sheet_for(stdout);

    print_head(&sheet, r);
    print_open(&sheet, r);
    print_times(&sheet, r);
    print_learning(&sheet, r);
    print_budget(&sheet, r);
    print_detectors(&sheet, r);
    print_troubles(&sheet, r);
    print_receivers(&sheet, r);
    print_store(&sheet, r);
    print_self(&sheet, r);
}

/* Prints the status of the API and adds what the other lines are made of. */
static int print_json(const struct report *r)
{
    json_t *root = json_deep_copy(r->status);

    json_object_set_new(root, "verdict", json_string(verdict(r)));
    json_object_set_new(root, "well", json_boolean(!r->rule && !r->odd));
    json_object_set_new(root, "open",
                        r->open == NULL ? json_null() : json_deep_copy(r->open));
    json_object_set_new(root, "alerts_this_week", json_integer((json_int_t)r->alerts));
    json_object_set_new(root, "machine_up_s", json_real(r->up_s));
    cmd_json_name_times(root);
    return cmd_json_print(root);
}

/* Reports, and tells a script by the exit status whether something is unusual. */
static int run_status(void *data, int argc, char **argv)
{
    const struct status_settings *s = data;
    struct cmd_source source;
    struct report r = {0};
    struct vd_error err = {0};
    int code = CMD_OK;

    (void)argc;
    (void)argv;
    if (cmd_source_init(&source, &s->source, &err) != VD_OK ||
        ask(&source, &r, &err) != VD_OK) {
        code = cmd_failed(&err);
    } else {
        look_at_open(&r);
        if (s->json)
            code = print_json(&r);
        else
            print_report(&r);
        if (code == CMD_OK && (r.rule || r.odd))
            code = CMD_UNUSUAL;
    }
    json_decref(r.status);
    json_decref(r.open);
    return code;
}

const struct cmd_command cmd_status = {
    .name = "status",
    .summary = "Say how this machine and its monitor are",
    .about =
        "Asks the monitor that runs and prints what the dashboard's overview says: the "
        "verdict, what is open, how much is known, the alert budget, and how detectors, "
        "collectors, receivers of alerts and the store do.\n\n"
        "Exit status: 0 when all is as usual, 3 while a limit is exceeded or something "
        "is unusual, 1 when no monitor answers, 2 for wrong use.",
    .examples = "vedette status\n    how is it?\n"
                "vedette status --json | jq .receivers\n    do alerts arrive?\n"
                "vedette status > /dev/null || echo look at it\n    for scripts\n",
    .options = options,
    .settings_size = sizeof(struct status_settings),
    .run = run_status,
};
