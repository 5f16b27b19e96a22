/* vedette feedback: what a person says of an event. A running monitor is told through its
 * API, so that it acts at once; without one the word goes into the store, where the next
 * monitor finds it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/preview.h"
#include "cmd/commands.h"
#include "cmd/data_dir.h"
#include "cmd/json_out.h"
#include "cmd/local_api.h"
#include "monitor/monitor.h"
#include "os/clock.h"
#include "os/utf8.h"
#include "store/inspect.h"
#include "store/lock.h"

struct feedback_settings {
    char *data_dir;
    bool preview, json;
};

#define AT(field) offsetof(struct feedback_settings, field)

static const struct os_option options[] = {
    {.name = "preview",
     .letter = 'n',
     .type = OS_OPTION_FLAG,
     .fallback = "false",
     .offset = AT(preview),
     .help = "Only say what it would change on the events of the last seven days"},
    CMD_JSON_OPTION(AT(json)),
    {.name = "data-dir",
     .letter = 'd',
     .type = OS_OPTION_TEXT,
     .value = "DIR",
     .offset = AT(data_dir),
     .help = "The data directory (default: the monitor's)"},
    {.name = NULL},
};

/* ---- list ---- */

/* Prints one event. Its reason may hold names of processes, so signs that steer a
 * terminal are made visible first. */
static void print_said(const struct record_event *event)
{
    char when[OS_CLOCK_TEXT], reason[sizeof event->reason * 2];

    printf("%6" PRId64 "  %-8s  %s  %s\n", event->id, event->feedback,
           os_clock_text(event->feedback_ns, when),
           os_utf8_visible(event->reason, reason, sizeof reason));
}

/* Prints [{"event": 12, "feedback": "normal", "time": "...", "reason": "..."}, ...]. */
static int list_json(const struct record_event *event, size_t n)
{
    json_t *root = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(root, json_pack("{s:I, s:s, s:o, s:o}", "event",
                                              (json_int_t)event[i].id, "feedback",
                                              event[i].feedback, "time",
                                              cmd_json_time(event[i].feedback_ns),
                                              "reason", cmd_json_text(event[i].reason)));
    return cmd_json_print(root);
}

/* Lists all feedback, at most the 1000 newest events that have one. */
static int list(const struct history_reader *history, bool json)
{
    struct history_event_query query = {.judged_only = true, .limit = 1000};
    struct record_event *event = NULL;
    struct vd_error err = {0};
    size_t n = 0;

    if (history->events(history->context, &query, &event, &n, &err) != VD_OK)
        return cmd_failed(&err);
    if (json) {
        int code = list_json(event, n);

        free(event);
        return code;
    }
    if (n == 0)
        puts("Nothing was said of any event.");
    else
        printf("%6s  %-8s  %-29s  %s\n", "EVENT", "IS", "SAID", "REASON");
    for (size_t i = 0; i < n; i++)
        print_said(&event[i]);
    free(event);
    return CMD_OK;
}

/* ---- saying and undoing ---- */

/* Tells the monitor that uses the directory, or writes to the store where none does. Two
 * writers at once would fight over the store, and the monitor must act on the feedback at
 * once. */
static enum vd_status tell(const struct os_data_dir *dir, int64_t event_id,
                           const char *word, struct vd_error *err)
{
    char address[112], path[64], body[64];
    int owner = store_lock_owner(dir, address, sizeof address);

    if (owner == 0)
        return store_feedback_keep(dir->path, event_id, word, os_clock_wall_ns(), err);
    if (*address == '\0')
        return vd_error_set(
            err, VD_ERR_BUSY, "stop it, or start it with its dashboard on",
            "the monitor with pid %d uses %s and cannot be asked", owner, dir->path);
    snprintf(path, sizeof path, "/api/v1/events/%" PRId64 "/feedback", event_id);
    snprintf(body, sizeof body, "{\"feedback\": \"%s\"}", word);
    return cmd_local_api_post(address, path, body, err);
}

/* Says the word and what it changes. The change is worked out before the word is said:
 * afterwards nothing is left that it would change. */
static int say(const struct feedback_settings *s, const struct os_data_dir *dir,
               const struct history_reader *history, int64_t event_id, const char *word)
{
    struct vd_error err = {0};
    struct record_preview preview;

    /* Before it is said: afterwards there is nothing left that it would change. */
    if (alert_preview(history, event_id, alert_feedback_of(word), os_clock_wall_ns(),
                      monitor_group_of, &preview, &err) != VD_OK)
        return cmd_failed(&err);
    if (!s->preview && tell(dir, event_id, word, &err) != VD_OK)
        return cmd_failed(&err);
    if (!s->preview && *word == '\0')
        printf("Event %" PRId64 ": undone. ", event_id);
    else if (!s->preview)
        printf("Event %" PRId64 " is marked as %s. ", event_id, word);
    puts(preview.text);
    return CMD_OK;
}

/* ---- the words of the command line ---- */

/* Reads a number of digits only: strtoll() alone would take a sign, blanks or an empty
 * text. */
static bool parse_event(const char *text, int64_t *id)
{
    char *end;

    errno = 0;
    *id = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' && strspn(text, "0123456789") == strlen(text) &&
           *id > 0;
}

/* Tells the words that can be said. The empty word, which undoes, is not said but asked
 * for with "undo". */
static bool is_word(const char *text)
{
    enum record_feedback said;

    return record_feedback_of(text, &said) && said != RECORD_UNSAID;
}

static int wrong_use(const char *what)
{
    struct vd_error err = {0};

    vd_error_set(&err, VD_ERR_ARGUMENT,
                 "write list, EVENT normal|real|expected, or undo EVENT", "feedback: %s",
                 what);
    return cmd_failed(&err);
}

/* Reads the words after the command and does what they mean. --json is refused where
 * there is no list, rather than ignored. */
static int obey(const struct feedback_settings *s, struct store_reader *reader, int argc,
                char **argv)
{
    struct history_reader history = store_reader_history(reader);
    bool undo = argc > 0 && strcmp(argv[0], "undo") == 0;
    int64_t id;

    if (argc == 1 && strcmp(argv[0], "list") == 0)
        return list(&history, s->json);
    if (s->json)
        return wrong_use("--json is for list");
    if (argc != 2)
        return wrong_use(argc == 0 ? "nothing to do" : "two words are needed");
    if (!parse_event(argv[undo ? 1 : 0], &id))
        return wrong_use("an event is called by its number");
    if (!undo && !is_word(argv[1]))
        return wrong_use("an event is normal, real or expected");
    return say(s, reader->dir, &history, id, undo ? "" : argv[1]);
}

/* Opens the store for reading. A monitor may use it at the same time. */
static int run_feedback(void *data, int argc, char **argv)
{
    const struct feedback_settings *s = data;
    struct store_reader reader;
    struct vd_error err = {0};
    char dir[4096];
    int code;

    if (cmd_data_dir(s->data_dir, dir, sizeof dir, &err) != VD_OK ||
        store_reader_open(&reader, dir, &err) != VD_OK)
        return cmd_failed(&err);
    code = obey(s, &reader, argc, argv);
    store_reader_close(&reader);
    return code;
}

const struct cmd_command cmd_feedback = {
    .name = "feedback",
    .summary = "Say what an event was, and the alerts follow",
    .arguments = "list|EVENT normal|real|expected|undo EVENT",
    .about =
        "EVENT is the number of an event, as the dashboard and system_monitor.log have "
        "it. "
        "What is said acts at once, on a running monitor too, and can be undone.\n\n"
        "normal: it was a false alarm. Events like it alert nobody unless they are "
        "clearly larger (one and a half times as far from what is expected), and "
        "its samples are learned as normal.\n\n"
        "expected: the same, but only within an hour of that time of day.\n\n"
        "real: it was worth knowing. Its share of the alert budget comes back, it is "
        "never learned as normal, and events like it alert from a lower bar.\n\n"
        "Events are alike when the same metrics, or metrics about the same thing, "
        "deviate in the same direction and in similar proportion.",
    .examples = "vedette feedback 12 normal --preview\n"
                "    what that would have changed in the last seven days\n"
                "vedette feedback 12 normal\n    alert no more of events like number 12\n"
                "vedette feedback undo 12\n    as if nothing had been said\n"
                "vedette feedback list\n    all that was said\n",
    .options = options,
    .settings_size = sizeof(struct feedback_settings),
    .run = run_feedback,
};
