/* vedette events: the list, one event whole, or what becomes of them as it happens. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "cmd/event_text.h"
#include "cmd/events_follow.h"
#include "cmd/json_out.h"
#include "cmd/source.h"
#include "cmd/when.h"
#include "os/clock.h"
#include "os/log.h"

struct events_settings {
    struct cmd_source_settings source;
    char *since;
    long lines;
    bool follow, alerts, json;
};

#define AT(field) offsetof(struct events_settings, field)

static const struct os_option options[] = {
    {.name = "follow",
     .letter = 'f',
     .type = OS_OPTION_FLAG,
     .offset = AT(follow),
     .help = "Go on and print what becomes of events, until Ctrl-C"},
    {.name = "since",
     .letter = 's',
     .type = OS_OPTION_TEXT,
     .value = "TIME",
     .offset = AT(since),
     .help = "Those that were open at or after TIME: " CMD_WHEN_HELP},
    {.name = "lines",
     .letter = 'n',
     .type = OS_OPTION_INTEGER,
     .value = "N",
     .fallback = "0",
     .min = 0,
     .max = 1000,
     .offset = AT(lines),
     .help = "Show the newest N; 0 is all with --since, 10 with --follow, else 50"},
    {.name = "alerts",
     .letter = 'a',
     .type = OS_OPTION_FLAG,
     .offset = AT(alerts),
     .help = "Only those that alerted"},
    CMD_JSON_OPTION(AT(json)),
    CMD_SOURCE_OPTIONS(AT(source)),
    {.name = NULL},
};

/* Limits the list: about a screen without options, a few before --follow goes on, and the
 * most that the API gives with --since. */
enum { SHOWN = 50, SHOWN_BEFORE = 10, MOST = 1000 };

/* Chooses the number of events. A user who names a time wants all since then; before
 * following, a few lines are context enough. */
static size_t lines_wanted(const struct events_settings *s)
{
    if (s->lines > 0)
        return (size_t)s->lines;
    return s->since != NULL ? MOST : s->follow ? SHOWN_BEFORE : SHOWN;
}

/* Lays the list out for a terminal. Into a pipe every event is one whole line, so that
 * grep and awk find it. */
static struct cmd_sheet list_sheet(void)
{
    struct cmd_sheet sheet = cmd_sheet_for(stdout);

    if (!isatty(STDOUT_FILENO))
        sheet.width = INT_MAX;
    return sheet;
}

/* Prints the events, oldest first; the API gives the newest first. With --follow and
 * --json nothing is printed here, since there each line is a change and not a state. */
static int print_list(const struct events_settings *s, const json_t *list)
{
    struct cmd_sheet sheet = list_sheet();
    size_t n = json_array_size(list);
    json_t *copy;

    if (s->json && !s->follow) {
        copy = json_array();
        for (size_t i = n; i-- > 0;)
            json_array_append(copy, json_array_get(list, i));
        cmd_json_name_times(copy);
        return cmd_json_print(copy);
    }
    for (size_t i = n; i-- > 0 && !s->json;)
        cmd_event_line(&sheet, json_array_get(list, i), NULL);
    return fflush(stdout) == 0 ? CMD_OK : CMD_FAILED;
}

/* Says on standard error that the list is cut off or empty, so that silence is not taken
 * for "nothing happened". */
static void say_what_is_not_shown(const struct events_settings *s, size_t n)
{
    if (n == 0 && !s->follow && !s->json)
        os_log_info("no events%s", s->since != NULL ? " since then" : "");
    else if (n == lines_wanted(s) && s->lines == 0 && !s->follow)
        os_log_info("these are the newest %zu; --since or --lines shows others", n);
}

/* Lists the events and follows them when asked to. With --follow a failure to read is no
 * end: the monitor may come back, and following says when it does. */
static int list(const struct events_settings *s, struct cmd_source *source)
{
    struct history_event_query query = {.limit = lines_wanted(s),
                                        .alerted_only = s->alerts};
    struct vd_error err = {0};
    json_t *list = NULL;
    int code;

    if (s->since != NULL &&
        cmd_when("--since", s->since, os_clock_wall_ns(), &query.from_ns, &err) != VD_OK)
        return cmd_failed(&err);
    if (cmd_source_events(source, &query, &list, &err) != VD_OK && !s->follow)
        return cmd_failed(&err);
    code = print_list(s, list);
    say_what_is_not_shown(s, json_array_size(list));
    if (code == CMD_OK && s->follow)
        code = cmd_events_follow(&(struct cmd_follow){.source = source,
                                                      .sheet = list_sheet(),
                                                      .alerted_only = s->alerts,
                                                      .json = s->json,
                                                      .shown = list});
    json_decref(list);
    return code;
}

/* Prints one event whole, from the monitor or from the store. */
static int show_one(const struct events_settings *s, struct cmd_source *source,
                    int64_t id)
{
    struct cmd_sheet sheet = cmd_sheet_for(stdout);
    struct vd_error err = {0};
    json_t *event;

    if (cmd_source_event(source, id, &event, &err) != VD_OK)
        return cmd_failed(&err);
    if (s->json) {
        cmd_json_name_times(event);
        return cmd_json_print(event);
    }
    cmd_event_whole(&sheet, event);
    json_decref(event);
    return CMD_OK;
}

/* Reads a number of digits only: strtoll() alone would take "+7", " 7" and "7x". */
static bool parse_id(const char *text, int64_t *id)
{
    errno = 0;
    *id = strtoll(text, NULL, 10);
    return errno == 0 && *text != '\0' && strspn(text, "0123456789") == strlen(text) &&
           *id > 0;
}

/* Refuses options of the list when one event is asked for. *id stays 0 when no event is
 * named. */
static enum vd_status check_use(const struct events_settings *s, int argc, char **argv,
                                int64_t *id, struct vd_error *err)
{
    if (argc > 1)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL, "events: one number is enough");
    if (argc == 1 && !parse_id(argv[0], id))
        return vd_error_set(err, VD_ERR_ARGUMENT, "vedette events lists them",
                            "events: \"%.64s\" is not the number of an event", argv[0]);
    if (argc == 1 && (s->follow || s->since != NULL || s->lines > 0 || s->alerts))
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL,
                            "events: --follow, --since, --lines and --alerts are for the "
                            "list, not for one event");
    return VD_OK;
}

/* Prints one event when its number is given, else the list. */
static int run_events(void *data, int argc, char **argv)
{
    const struct events_settings *s = data;
    struct cmd_source source;
    struct vd_error err = {0};
    int64_t id = 0;

    if (check_use(s, argc, argv, &id, &err) != VD_OK ||
        cmd_source_init(&source, &s->source, &err) != VD_OK)
        return cmd_failed(&err);
    return id > 0 ? show_one(s, &source, id) : list(s, &source);
}

const struct cmd_command cmd_events = {
    .name = "events",
    .summary = "List what the monitor noticed, tell all of one, or follow",
    .arguments = "[EVENT]",
    .about =
        "Prints a line for each event, the newest last: when it began, its severity, its "
        "number, whether it alerted, and why. With the number of an event it prints all "
        "that is known of that one: limits, deviations, suspects, why it did not alert "
        "or what the alert cost, and a summary of its flight recorder.\n\n"
        "With --follow it goes on: a line when an event opens, when it becomes more "
        "severe or alerts later, and when it ends. It outlives a restart of the monitor: "
        "it says \"no contact\" and \"in contact again\" on standard error.\n\n"
        "The monitor that runs is asked. Where none runs the events are read from its "
        "store, when the data directory may be read.",
    .examples = "vedette events\n    the newest events\n"
                "vedette events --since yesterday --alerts\n"
                "    what alerted since yesterday's midnight\n"
                "vedette events 12\n    all of one\n"
                "vedette events --follow --json | jq -r .event.reason\n"
                "    one JSON object per change, as it happens\n",
    .options = options,
    .settings_size = sizeof(struct events_settings),
    .run = run_events,
};
