/* Events as text. Everything in them may come from outside: names of processes, labels of
 * devices, the words of a rule. */
#include "cmd/event_text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "os/utf8.h"

/* Gives the layout: the column where the reason begins in a list, the width of the names
 * when one event is shown, and how many processes of the flight recorder are shown. */
enum { REASON_COLUMN = 54, NAME_COLUMN = 12, BUSIEST = 5 };

/* Gives the text of a field, "" when it is missing or no text: events may come from an
 * older monitor. */
const char *cmd_event_string(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

/* Gives the number of a field, NaN when it is missing or null. */
double cmd_event_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_number(value) ? json_number_value(value) : NAN;
}

int64_t cmd_event_time(const json_t *object, const char *key)
{
    double seconds = cmd_event_number(object, key);

    /* Microseconds: a double of today's seconds has no more than that. */
    return fabs(seconds) < 9e9 ? llround(seconds * 1e6) * 1000 : 0;
}

/* Writes two units at most: people want to know "about how long". A negative or unknown
 * span is shown as 0 s, as it comes from a clock that was set back. */
char *cmd_event_span(double seconds, char text[24])
{
    long long s = isfinite(seconds) && seconds > 0 ? (long long)fmin(seconds, 9e9) : 0;

    if (s < 60)
        snprintf(text, 24, "%lld s", s);
    else if (s < 3600)
        snprintf(text, 24, "%lld min", s / 60);
    else if (s < 86400)
        snprintf(text, 24, "%lld h %lld min", s / 3600, s / 60 % 60);
    else
        snprintf(text, 24, "%lld d %lld h", s / 86400, s / 3600 % 24);
    return text;
}

/* Tells whether the event goes on: its end is null until it is over. */
static bool is_open(const json_t *event)
{
    return !json_is_number(json_object_get(event, "end"));
}

/* Gives the seconds that the event lasted, or has lasted so far. The store and this
 * command share the wall clock of the machine. */
static double lasted_s(const json_t *event)
{
    int64_t end_ns = is_open(event) ? os_clock_wall_ns() : cmd_event_time(event, "end");

    return (double)(end_ns - cmd_event_time(event, "start")) * 1e-9;
}

/* Copies the severity in capitals. The text comes from outside, so every byte that is no
 * letter becomes '?'. */
static const char *severity_word(const json_t *event, char word[16])
{
    const char *name = cmd_event_string(event, "severity");
    size_t n = 0;

    for (; name[n] != '\0' && n < 15; n++)
        word[n] =
            isalpha((unsigned char)name[n]) ? (char)toupper((unsigned char)name[n]) : '?';
    word[n] = '\0';
    return word;
}

/* Pads by the length of the text, not of what is printed: the colour codes take no
 * columns. At least one blank follows. */
static void print_padded(const struct cmd_sheet *sheet, const char *style,
                         const char *text, int width)
{
    cmd_sheet_styled(sheet, style, text);
    fprintf(sheet->out, "%*s", (int)strlen(text) < width ? width - (int)strlen(text) : 1,
            "");
}

/* Prints one line of a list. On a narrow terminal the reason moves to a line of its own,
 * since less than 40 columns beside the rest would tear it apart. */
void cmd_event_line(const struct cmd_sheet *sheet, const json_t *event,
                    const char *change)
{
    bool over = change != NULL && strcmp(change, "ended") == 0;
    int64_t when_ns = over ? cmd_event_time(event, "end")
                      : change != NULL && strcmp(change, "now") == 0
                          ? os_clock_wall_ns()
                          : cmd_event_time(event, "start");
    const char *severity = cmd_event_string(event, "severity");
    char clock[OS_CLOCK_TEXT], word[16], id[24], span[24], state[80];
    bool narrow = sheet->width < REASON_COLUMN + 40;
    int indent = narrow ? 4 : REASON_COLUMN;
    char *text = NULL;

    snprintf(id, sizeof id, "%lld",
             (long long)json_integer_value(json_object_get(event, "id")));
    fprintf(sheet->out, "%s  ", os_clock_text(when_ns, clock));
    print_padded(sheet, over ? "32" : cmd_sheet_severity(severity),
                 over ? "ENDED" : severity_word(event, word), 9);
    fprintf(sheet->out, "%5s  %-6s", id,
            json_is_true(json_object_get(event, "alerted")) ? "alert" : "");
    cmd_event_span(lasted_s(event), span);
    if (change != NULL && !over)
        snprintf(state, sizeof state, strcmp(change, "now") == 0 ? " (rises)" : "");
    else
        snprintf(state, sizeof state, is_open(event) ? " (open, %s so far)" : " (%s)",
                 span);
    if (asprintf(&text, "%s%s", cmd_event_string(event, "reason"), state) < 0)
        return;
    if (narrow)
        fputc('\n', sheet->out);
    cmd_sheet_foreign(sheet, text, indent, narrow ? 0 : indent);
    free(text);
}

/* ---- one event, whole ---- */

/* Prints a name and its text; further lines of the text begin below its first. */
static void print_row(const struct cmd_sheet *sheet, const char *name, const char *text)
{
    fprintf(sheet->out, "%-*s", NAME_COLUMN, name);
    cmd_sheet_foreign(sheet, text, NAME_COLUMN, NAME_COLUMN);
}

/* Prints the times. An event that is open has no end, so its line says how long it has
 * lasted. */
static void print_when(const struct cmd_sheet *sheet, const json_t *event)
{
    char clock[OS_CLOCK_TEXT], span[24], text[96];

    print_row(sheet, "Began", os_clock_text(cmd_event_time(event, "start"), clock));
    print_row(sheet, "Peak", os_clock_text(cmd_event_time(event, "peak"), clock));
    cmd_event_span(lasted_s(event), span);
    if (is_open(event))
        snprintf(text, sizeof text, "still open, for %s so far", span);
    else
        snprintf(text, sizeof text, "%s, after %s",
                 os_clock_text(cmd_event_time(event, "end"), clock), span);
    print_row(sheet, "Ended", text);
}

/* Prints the rule that was broken, {"rule": "cpu_percent > 95 for 10 s", "above": true,
 * "value": 95, ...}. Events of other kinds have none. */
static void print_limit(const struct cmd_sheet *sheet, const json_t *event)
{
    const json_t *limit = json_object_get(event, "limit");
    int64_t since_ns = cmd_event_time(limit, "since");
    char clock[OS_CLOCK_TEXT];
    char *text = NULL;

    if (!json_is_object(limit))
        return;
    if (asprintf(&text, "%s%s%s", cmd_event_string(limit, "rule"),
                 since_ns == 0 ? "" : ", exceeded since ",
                 since_ns == 0 ? "" : os_clock_text(since_ns, clock)) < 0)
        return;
    print_row(sheet, "Limit", text);
    free(text);
}

/* Prints how sure the detectors were, and what the user said. A limit has no score: it is
 * exceeded or it is not. */
static void print_judgement(const struct cmd_sheet *sheet, const json_t *event)
{
    const char *said = cmd_event_string(event, "feedback");
    char clock[OS_CLOCK_TEXT], text[128];
    double score = cmd_event_number(event, "score");

    if (isfinite(score)) {
        snprintf(text, sizeof text, "%.2f, with a confidence of %.0f %%", score,
                 100 * cmd_event_number(event, "confidence"));
        print_row(sheet, "Score", text);
    }
    if (*cmd_event_string(event, "note") != '\0')
        print_row(sheet, "Note", cmd_event_string(event, "note"));
    if (*said != '\0') {
        snprintf(text, sizeof text, "%.24s, said %s", said,
                 os_clock_text(cmd_event_time(event, "feedback_time"), clock));
        print_row(sheet, "Feedback", text);
    }
}

static void print_deviations(const struct cmd_sheet *sheet, const json_t *event)
{
    const json_t *list = json_object_get(event, "explanation");

    if (json_array_size(list) == 0)
        return;
    cmd_sheet_heading(sheet, "Deviations");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));

        cmd_sheet_foreign(sheet, text == NULL ? "?" : text, 2, 0);
    }
}

/* Gives the unit in which the API has the use of a resource. */
static const char *unit_of(const char *resource)
{
    return strcmp(resource, "cpu") == 0      ? "% of a core"
           : strcmp(resource, "memory") == 0 ? "MB"
                                             : "MB/s";
}

/* Prints "burn (pid 4242): cpu 0 to 180 % of a core", then its share and its command
 * line. The share is of the excess or of all use, as the event says. */
static void print_suspect(const struct cmd_sheet *sheet, const json_t *suspect)
{
    const json_t *process = json_object_get(suspect, "process");
    const char *resource = cmd_event_string(suspect, "resource");
    const char *command = cmd_event_string(process, "command");
    bool of_use = strcmp(cmd_event_string(suspect, "of"), "use") == 0;
    double share = cmd_event_number(suspect, "share");
    char *text = NULL;

    if (asprintf(&text, "%s (pid %lld): %s %.4g to %.4g %s",
                 cmd_event_string(process, "name"),
                 (long long)json_integer_value(json_object_get(process, "pid")), resource,
                 cmd_event_number(suspect, "before"), cmd_event_number(suspect, "during"),
                 unit_of(resource)) >= 0)
        cmd_sheet_foreign(sheet, text, 2, 0);
    free(text);
    text = NULL;
    if (isfinite(share) && asprintf(&text, "%.0f %% of %s%s%s", 100 * share,
                                    of_use ? "all use" : "the excess",
                                    *command == '\0' ? "" : "; ", command) >= 0)
        cmd_sheet_foreign(sheet, text, 6, 0);
    free(text);
}

static void print_suspects(const struct cmd_sheet *sheet, const json_t *event)
{
    const json_t *list = json_object_get(event, "suspects");

    if (json_array_size(list) == 0)
        return;
    cmd_sheet_heading(sheet, "Suspects");
    for (size_t i = 0; i < json_array_size(list); i++)
        print_suspect(sheet, json_array_get(list, i));
}

/* ---- the flight recorder ---- */

/* Holds the most that a process was seen to use in the flight recorder. `process` is
 * borrowed from the event. */
struct busy {
    const json_t *process;
    long long pid;
    double cpu, memory, io;
};

static int by_pid(const void *a, const void *b)
{
    const struct busy *x = a, *y = b;

    return (x->pid > y->pid) - (x->pid < y->pid);
}

static int by_cpu(const void *a, const void *b)
{
    const struct busy *x = a, *y = b;

    return (x->cpu < y->cpu) - (x->cpu > y->cpu);
}

/* Counts the processes of all moments, those that come again included. */
static size_t count_processes(const json_t *recorder)
{
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(recorder); i++)
        n += json_array_size(json_object_get(json_array_get(recorder, i), "processes"));
    return n;
}

/* Copies every process of every moment into `all`, which has room for count_processes()
 * of them. An absent value becomes 0, so that a maximum can be taken. */
static void collect(const json_t *recorder, struct busy *all)
{
    for (size_t i = 0; i < json_array_size(recorder); i++) {
        const json_t *list = json_object_get(json_array_get(recorder, i), "processes");

        for (size_t k = 0; k < json_array_size(list); k++) {
            const json_t *p = json_array_get(list, k);

            *all++ = (struct busy){p, json_integer_value(json_object_get(p, "pid")),
                                   fmax(0, cmd_event_number(p, "cpu_percent")),
                                   fmax(0, cmd_event_number(p, "rss_mb")),
                                   fmax(0, cmd_event_number(p, "read_mb_s")) +
                                       fmax(0, cmd_event_number(p, "write_mb_s"))};
        }
    }
}

/* Leaves one entry per process with its maxima, the busiest first, and returns how many
 * there are. Sorting by pid brings the entries of one process together. */
static size_t merge(struct busy *all, size_t n)
{
    size_t kept = 0;

    qsort(all, n, sizeof *all, by_pid);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || all[kept - 1].pid != all[i].pid) {
            all[kept++] = all[i];
            continue;
        }
        all[kept - 1].cpu = fmax(all[kept - 1].cpu, all[i].cpu);
        all[kept - 1].memory = fmax(all[kept - 1].memory, all[i].memory);
        all[kept - 1].io = fmax(all[kept - 1].io, all[i].io);
    }
    qsort(all, kept, sizeof *all, by_cpu);
    return kept;
}

/* Prints the few processes that were busiest at any moment. The whole recorder has
 * hundreds of rows; --json gives them all. */
static void print_busiest(const struct cmd_sheet *sheet, const json_t *recorder)
{
    size_t n = count_processes(recorder);
    struct busy *all = calloc(n + 1, sizeof *all);

    if (all == NULL)
        return;
    collect(recorder, all);
    n = merge(all, n);
    fprintf(sheet->out, "  %zu processes; the busiest, at their most\n", n);
    fprintf(sheet->out, "  %8s %8s %10s %9s  %s\n", "PID", "CPU %", "RSS MB", "I/O MB/s",
            "NAME");
    for (size_t i = 0; i < n && i < BUSIEST; i++) {
        fprintf(sheet->out, "  %8lld %8.1f %10.1f %9.2f  ", all[i].pid, all[i].cpu,
                all[i].memory, all[i].io);
        cmd_sheet_foreign(sheet, cmd_event_string(all[i].process, "name"), 41, 41);
    }
    free(all);
}

/* Prints the span of the flight recorder and its busiest processes. */
static void print_recorder(const struct cmd_sheet *sheet, const json_t *event)
{
    const json_t *recorder = json_object_get(event, "recorder");
    size_t n = json_array_size(recorder);
    char first[OS_CLOCK_TEXT], last[OS_CLOCK_TEXT];

    cmd_sheet_heading(sheet, "Flight recorder");
    if (n == 0) {
        cmd_sheet_wrapped(sheet, "Nothing was kept of this event.", 2, 0);
        return;
    }
    fprintf(sheet->out, "  %zu moments, %s to %s\n", n,
            os_clock_text(cmd_event_time(json_array_get(recorder, 0), "t"), first),
            os_clock_text(cmd_event_time(json_array_get(recorder, n - 1), "t"), last));
    print_busiest(sheet, recorder);
}

/* Prints all of one event, what matters most first. */
void cmd_event_whole(const struct cmd_sheet *sheet, const json_t *event)
{
    char word[16], head[96];

    snprintf(head, sizeof head,
             "Event %lld: ", (long long)json_integer_value(json_object_get(event, "id")));
    cmd_sheet_styled(sheet, "1", head);
    cmd_sheet_styled(sheet, cmd_sheet_severity(cmd_event_string(event, "severity")),
                     severity_word(event, word));
    fprintf(sheet->out, "\n");
    print_row(sheet, "What", cmd_event_string(event, "reason"));
    print_row(sheet, "Kind", cmd_event_string(event, "kind"));
    if (*cmd_event_string(event, "pattern") != '\0')
        print_row(sheet, "Pattern", cmd_event_string(event, "pattern"));
    print_when(sheet, event);
    print_row(sheet, "Alerted",
              json_is_true(json_object_get(event, "alerted")) ? "yes" : "no");
    print_limit(sheet, event);
    print_judgement(sheet, event);
    print_deviations(sheet, event);
    print_suspects(sheet, event);
    print_recorder(sheet, event);
}
