/* Follows events by asking for the newest ones every half second and comparing: the same
 * for a monitor that runs, one that is started anew, and a store that another process
 * writes. What opens and ends between two questions is told in one go. */
#include "cmd/events_follow.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "cmd/event_text.h"
#include "cmd/json_out.h"
#include "os/clock.h"
#include "os/log.h"

/* Sets how many events each question asks for, and the time between two questions: half a
 * second is soon enough for a reader and costs the monitor next to nothing. */
enum { NEWEST = 100, EVERY_MS = 500 };

/* Holds what was told of an event last. A later answer is compared with it. */
struct known {
    int64_t id;
    int severity;
    bool alerted, open;
};

/* Holds the state of following. There is room for twice the events of one answer, so that
 * open events that are no longer among the newest are kept as well. */
struct follower {
    struct cmd_follow *by;
    struct known known[2 * NEWEST];
    size_t n;
    int64_t newest; /* all up to this id have been seen */
    bool lost;      /* it was said that there is no contact */
};

/* Orders the severities, so that a rise can be told from a fall. An unknown word counts
 * as the lowest and is never told as a rise. */
static int severity_rank(const json_t *event)
{
    static const char *const name[] = {"normal", "low", "medium", "high", "critical"};
    const char *is = cmd_event_string(event, "severity");

    for (int i = 0; i < 5; i++)
        if (strcmp(is, name[i]) == 0)
            return i;
    return 0;
}

/* Notes what of the event is compared later. */
static struct known describe(const json_t *event)
{
    return (struct known){
        .id = json_integer_value(json_object_get(event, "id")),
        .severity = severity_rank(event),
        .alerted = json_is_true(json_object_get(event, "alerted")),
        .open = !json_is_number(json_object_get(event, "end")),
    };
}

/* Finds what was told of the event last; NULL when it is not known. The list is short
 * enough to be walked through. */
static struct known *find(struct follower *f, int64_t id)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->known[i].id == id)
            return &f->known[i];
    return NULL;
}

/* Adds an event to those that are known. When there is no room it forgets the newest one
 * that has ended, or else the oldest: an open event can still change, an ended one
 * hardly. */
static void remember(struct follower *f, const struct known *now)
{
    size_t out = 0;

    if (now->id > f->newest)
        f->newest = now->id;
    if (f->n == sizeof f->known / sizeof *f->known) {
        for (size_t i = 0; i < f->n; i++)
            if (!f->known[i].open)
                out = i;
        memmove(&f->known[out], &f->known[out + 1], (f->n - out - 1) * sizeof *f->known);
        f->n--;
    }
    f->known[f->n++] = *now;
}

/* Prints a change as a line of text or of JSON. JSON uses the words of the live feed of
 * the API (opened, updated, ended). */
static int tell(struct follower *f, const json_t *event, const char *change)
{
    static const char *const api[][2] = {
        {"began", "opened"}, {"now", "updated"}, {"ended", "ended"}};
    json_t *copy;

    if (!f->by->json) {
        cmd_event_line(&f->by->sheet, event, change);
        return fflush(stdout) == 0 ? CMD_OK : CMD_FAILED;
    }
    copy = json_deep_copy(event);
    cmd_json_name_times(copy);
    for (size_t i = 0; i < 3; i++)
        if (strcmp(change, api[i][0]) == 0)
            change = api[i][1];
    return cmd_json_print_line(json_pack("{s:s, s:o}", "change", change, "event", copy));
}

/* Tells what is new of one event. An event that opened and ended between two questions is
 * told twice, once for each. A severity that falls is not told. */
static int compare(struct follower *f, const json_t *event)
{
    struct known now = describe(event), *before = find(f, now.id);
    int code = CMD_OK;

    /* Leaves out what was over when following began, and what was forgotten. */
    if (before == NULL && now.id <= f->newest)
        return CMD_OK; /* it was over when we began, or is forgotten */
    if (before == NULL) {
        code = tell(f, event, "began");
        if (code == CMD_OK && !now.open)
            code = tell(f, event, "ended");
        remember(f, &now);
        return code;
    }
    if (before->open && !now.open)
        code = tell(f, event, "ended");
    else if (now.severity > before->severity || (now.alerted && !before->alerted))
        code = tell(f, event, "now");
    *before = now;
    return code;
}

/* Asks for open events by their ids when they are no longer among the newest, so that
 * their end is told as well. That is needed only when the answer was full: a shorter
 * answer has all events. */
static int look_after_old(struct follower *f, const json_t *list)
{
    size_t n = json_array_size(list);
    int64_t oldest =
        n == 0 ? 0
               : json_integer_value(json_object_get(json_array_get(list, n - 1), "id"));
    int code = CMD_OK;

    for (size_t i = 0; n == NEWEST && i < f->n && code == CMD_OK; i++) {
        json_t *event = NULL;

        if (f->known[i].open && f->known[i].id < oldest &&
            cmd_source_event(f->by->source, f->known[i].id, &event, NULL) == VD_OK)
            code = compare(f, event);
        json_decref(event);
    }
    return code;
}

/* Says once when contact is lost and once when it is there again, on standard error, so
 * that the list on standard output stays clean. */
static void say_contact(struct follower *f, const struct vd_error *err)
{
    char clock[OS_CLOCK_TEXT];

    if (err != NULL && !f->lost)
        os_log_warning("no contact since %s: %s",
                       os_clock_text(os_clock_wall_ns(), clock), err->text);
    if (err == NULL && f->lost)
        os_log_warning("in contact again since %s",
                       os_clock_text(os_clock_wall_ns(), clock));
    f->lost = err != NULL;
}

/* Asks once and tells what changed. A failure to ask is no error: the monitor may be
 * starting anew. */
static int ask(struct follower *f)
{
    const struct history_event_query query = {.limit = NEWEST,
                                              .alerted_only = f->by->alerted_only};
    struct vd_error err = {0};
    json_t *list = NULL;
    int code = CMD_OK;

    if (cmd_source_events(f->by->source, &query, &list, &err) != VD_OK) {
        say_contact(f, &err);
        return CMD_OK;
    }
    /* The store answers without a monitor: what is in it is told all the same. */
    if (f->by->source->address[0] == '\0') {
        vd_error_set(&err, VD_ERR_UNAVAILABLE, NULL, "no monitor answers");
        say_contact(f, &err);
    } else {
        say_contact(f, NULL);
    }
    for (size_t i = json_array_size(list); i-- > 0 && code == CMD_OK;)
        code = compare(f, json_array_get(list, i));
    if (code == CMD_OK)
        code = look_after_old(f, list);
    json_decref(list);
    return code;
}

/* Waits until it is time to ask again. Returns false when a signal came or when nobody
 * reads the output any more, as in "vedette events --follow | head -1". */
static bool wait_a_little(int signals)
{
    struct pollfd ready[2] = {{.fd = signals, .events = POLLIN},
                              {.fd = STDOUT_FILENO, .events = 0}};
    int n;

    do
        n = poll(ready, 2, EVERY_MS);
    while (n < 0 && errno == EINTR);
    /* Nobody reads any more: "vedette events --follow | head -1". */
    return ready[0].revents == 0 && (ready[1].revents & (POLLERR | POLLHUP)) == 0;
}

/* Follows until a signal comes. Signals come by a descriptor, so that waiting for the
 * time and for them is one call. What was listed before is known from the start and not
 * told again. */
int cmd_events_follow(struct cmd_follow *follow)
{
    struct follower *f = calloc(1, sizeof *f);
    int signals, code = CMD_OK;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (f == NULL || signals < 0) {
        free(f);
        return CMD_FAILED;
    }
    f->by = follow;
    for (size_t i = json_array_size(follow->shown); i-- > 0;) {
        struct known now = describe(json_array_get(follow->shown, i));

        remember(f, &now);
    }
    do
        code = ask(f);
    while (code == CMD_OK && wait_a_little(signals));
    close(signals);
    free(f);
    return code;
}
