/* vedette collect: rows of this machine's core metrics for training, with labels given at
 * the keyboard while something is made to go wrong. */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "cmd/root.h"
#include "collect/collectors.h"
#include "feature/rates.h"
#include "os/clock.h"
#include "os/output.h"
#include "os/terminal.h"

/* Holds what the options say; times are in seconds. A duration of 0 means that the kind
 * of rows decides. */
struct collect_settings {
    double duration, interval;
    char *out, *root;
    bool force;
};

#define AT(field) offsetof(struct collect_settings, field)

static const struct os_option options[] = {
    {.name = "duration",
     .type = OS_OPTION_DURATION,
     .value = "TIME",
     .min = 0.1,
     .max = 1e9,
     .offset = AT(duration),
     .help =
         "How long to collect (default: 20min of normal rows, 5min of labelled ones)"},
    {.name = "interval",
     .letter = 'i',
     .type = OS_OPTION_DURATION,
     .value = "TIME",
     .fallback = "1s",
     .min = 0.05,
     .max = 3600,
     .offset = AT(interval),
     .help = "Time between two rows"},
    {.name = "out",
     .letter = 'o',
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .offset = AT(out),
     .help = "Where the rows go (default: normal_training.csv or labeled_raw.csv)"},
    {.name = "force",
     .letter = 'f',
     .type = OS_OPTION_FLAG,
     .fallback = "false",
     .offset = AT(force),
     .help = "Replace the file when it is there"},
    {.name = "root",
     .type = OS_OPTION_TEXT,
     .value = "DIR",
     .check = cmd_check_root,
     .offset = AT(root),
     .help = "Read /proc and /sys below this folder"},
    {.name = NULL},
};

/* Names the columns of the file in the order in which they are written. They are the core
 * metrics, which the detectors learn from. */
static const char *const column[] = {
    "cpu_percent", "cpu_freq",   "cpu_memory", "cpu_temp",
    "gpu_percent", "gpu_memory", "gpu_temp",
};

enum { COLUMNS = sizeof column / sizeof *column };

/* Holds all that a signal handler may touch. Everything else is done by the loop, which
 * looks at these between two rows. */
static volatile sig_atomic_t stop_asked, was_stopped;

/* Notes the signal and does nothing else, as a handler may interrupt any call. */
static void on_signal(int number)
{
    if (number == SIGCONT)
        was_stopped = 1;
    else
        stop_asked = 1;
}

/* Holds one run of the command. `odd` counts the rows with the label 1; `label` is the
 * one that the next rows get; `before` is the terminal as it was, to be restored. */
struct session {
    const struct collect_settings *settings;
    bool labelled;
    double duration_s;
    const char *path;
    struct os_output out;
    collect_set *collect;
    feature_rates *rates;
    struct record_schema schema;
    struct record_sample sample;
    size_t rows, odd;
    int label;
    bool keys; /* standard input gives keys */
    struct termios before;
    bool raw_terminal;
};

/* ---- keyboard ---- */

/* Tells whether this program may touch the terminal. The kernel stops a background
 * program that does, and then no rows would come any more. */
static bool owns_terminal(void)
{
    return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/* Lets keys arrive at once and without an echo. ISIG stays set, so Ctrl-C and Ctrl-Z
 * still send their signals. */
static void terminal_raw(struct session *s)
{
    struct termios raw;

    if (!owns_terminal() || tcgetattr(STDIN_FILENO, &s->before) != 0)
        return;
    raw = s->before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    s->raw_terminal = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

/* Sets the terminal up again after Ctrl-Z and fg, when the shell has put its own settings
 * back. A SIGCONT that follows no stop finds our settings in place (no ICANON), and then
 * nothing must be done. */
static void terminal_again(struct session *s)
{
    struct termios now;

    if (!was_stopped || !s->raw_terminal || !owns_terminal())
        return;
    was_stopped = 0;
    if (tcgetattr(STDIN_FILENO, &now) == 0 && (now.c_lflag & ICANON) != 0)
        terminal_raw(s);
}

/* Gives the terminal back as it was. In the background it is not ours to change. */
static void terminal_restore(struct session *s)
{
    if (s->raw_terminal && owns_terminal())
        tcsetattr(STDIN_FILENO, TCSANOW, &s->before);
}

/* Takes the keys that wait. "a" and "n" choose the label of the rows that follow, "q"
 * ends. "a" does nothing when normal rows are collected, since they have no label. */
static void read_keys(struct session *s)
{
    char key[64];
    ssize_t n = read(STDIN_FILENO, key, sizeof key);

    if (n <= 0) {
        s->keys = false; /* a pipe that ended gives no more keys */
        return;
    }
    for (ssize_t i = 0; i < n; i++) {
        if (key[i] == 'a' || key[i] == 'A')
            s->label = s->labelled;
        else if (key[i] == 'n' || key[i] == 'N')
            s->label = 0;
        else if (key[i] == 'q' || key[i] == 'Q')
            stop_asked = 1;
    }
}

/* Waits until the monotonic time `due_ns` and takes keys as they come. It wakes up at
 * least once a second, so that a return from the background is noticed. A signal ends
 * poll() early, and the loop looks at stop_asked again. */
static void wait_until(struct session *s, int64_t due_ns)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    int64_t left;

    while (!stop_asked && (left = due_ns - os_clock_mono_ns()) > 0) {
        int ms = left > 1000000000 ? 1000 : (int)((left + 999999) / 1000000);
        bool keys = s->keys && (!isatty(STDIN_FILENO) || owns_terminal());

        terminal_again(s);
        if (poll(&in, keys ? 1 : 0, ms) > 0)
            read_keys(s);
    }
}

/* ---- rows ---- */

/* Draws a line over the last one. The keys are named only where they do something. */
static void show_progress(const struct session *s, double seconds)
{
    enum { WIDTH = 30 };
    static const char full[] = "##############################";
    static const char empty[] = "..............................";
    int done = (int)(WIDTH * fmin(seconds / s->duration_s, 1));
    char text[160];

    snprintf(text, sizeof text, "[%.*s%.*s] %zu rows, %.0f s left%s%s%s", done, full,
             WIDTH - done, empty, s->rows, fmax(s->duration_s - seconds, 0),
             !s->labelled ? ""
             : s->label   ? ", now: ANOMALY"
                          : ", now: normal",
             s->labelled ? " (a anomaly, n normal, q stop and save)" : "",
             !s->labelled && s->keys ? " (q stop and save)" : "");
    os_terminal_status(text);
}

/* Writes one row; what this machine does not have is an empty field. */
static void write_fields(struct session *s, const double *value)
{
    FILE *file = s->out.file;

    for (size_t c = 0; c < COLUMNS; c++) {
        size_t i = record_schema_find(&s->schema, column[c]);

        if (c > 0)
            fputc(',', file);
        if (i != SIZE_MAX && !isnan(value[i]))
            fprintf(file, "%.10g", value[i]);
    }
    if (s->labelled)
        fprintf(file, ",%d", s->label);
    fputc('\n', file);
}

/* Reads one sample and writes it. Each row reaches the kernel before the next is read, so
 * whatever ends this program, what was collected is kept. The file takes its place with
 * the first row: a start that collects nothing leaves an older file alone. */
static enum vd_status write_row(struct session *s, int64_t now_ns, struct vd_error *err)
{
    const double *value;

    s->sample.time_ns = os_clock_wall_ns();
    s->sample.mono_ns = now_ns;
    collect_set_read(s->collect, &s->sample);
    value = feature_rates_update(s->rates, &s->sample);
    /* Skips the first sample: rates need two of them, so it has no percentages yet. */
    if (s->rows == 0 && isnan(value[0]))
        return VD_OK;
    write_fields(s, value);
    s->rows++;
    s->odd += s->label == 1;
    if (s->rows == 1)
        return os_output_commit(&s->out, 1, err);
    if (fflush(s->out.file) == 0)
        return VD_OK;
    return vd_error_set(err, VD_ERR_IO, "what was written before is kept", "%s: %s",
                        s->path, strerror(errno));
}

/* Writes rows until the time is over or somebody stops it. A late row moves those after
 * it, because rates need a whole interval between two readings. */
static enum vd_status collect_rows(struct session *s, struct vd_error *err)
{
    int64_t interval_ns = (int64_t)(s->settings->interval * 1e9);
    int64_t start_ns = os_clock_mono_ns(), due_ns = start_ns;

    while (!stop_asked) {
        enum vd_status status;
        int64_t now_ns = os_clock_mono_ns();
        double seconds = (double)(now_ns - start_ns) * 1e-9;

        if (seconds >= s->duration_s)
            break;
        status = write_row(s, now_ns, err);
        if (status != VD_OK)
            return status;
        show_progress(s, seconds);
        /* Two readings at once would see counters that did not move. */
        due_ns += interval_ns;
        if (due_ns < now_ns + interval_ns / 2)
            due_ns = now_ns + interval_ns;
        wait_until(s, due_ns);
    }
    os_terminal_status(NULL);
    if (s->rows > 0)
        return VD_OK;
    return vd_error_set(err, VD_ERR_DATA,
                        "a row takes two readings, an interval apart, between which the "
                        "counters of the processor moved",
                        "%s: no row was collected, nothing is written", s->path);
}

/* ---- start and end ---- */

static void choose_output(struct session *s)
{
    s->path = s->settings->out != NULL ? s->settings->out
              : s->labelled            ? "labeled_raw.csv"
                                       : "normal_training.csv";
}

/* Opens the output first, so that a file that exists is refused before anything is read.
 * After a failure close_session() must still be called. */
static enum vd_status open_session(struct session *s, struct vd_error *err)
{
    struct collect_config config = collect_config_default();
    enum vd_status status;

    config.root = s->settings->root;
    s->sample.schema = &s->schema;
    status = os_output_open_as(&s->out, s->path,
                               s->settings->force ? OS_OUTPUT_ANY : OS_OUTPUT_NEW, err);
    if (status != VD_OK)
        return status;
    for (size_t c = 0; c < COLUMNS; c++)
        fprintf(s->out.file, "%s%s", c > 0 ? "," : "", column[c]);
    fputs(s->labelled ? ",label\n" : "\n", s->out.file);
    status = collect_set_new(&s->collect, &config, NULL, &s->schema, err);
    return status == VD_OK ? feature_rates_new(&s->rates, err) : status;
}

/* Releases what open_session() took. An output that was committed stays; one that never
 * got a row is removed. */
static void close_session(struct session *s)
{
    os_output_drop(&s->out);
    feature_rates_free(s->rates);
    collect_set_free(s->collect);
    collect_sample_release(&s->sample);
    record_schema_release(&s->schema);
}

/* Makes every signal that would end the program end the loop instead, so that the
 * terminal gets its echo back. A hang-up that is ignored already (nohup) stays ignored,
 * and collecting goes on. */
static void take_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGPIPE, SIGCONT};
    const struct sigaction action = {.sa_handler = on_signal};
    struct sigaction old;

    stop_asked = was_stopped = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i] != SIGHUP || sigaction(SIGHUP, NULL, &old) != 0 ||
            old.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
}

static int run(void *settings, int argc, char **argv)
{
    struct session s = {.settings = settings};
    struct vd_error err = {0};
    enum vd_status status;

    s.labelled = argc == 1 && strcmp(argv[0], "labeled") == 0;
    if (argc != 1 || (!s.labelled && strcmp(argv[0], "normal") != 0)) {
        vd_error_set(&err, VD_ERR_ARGUMENT, "see vedette help collect",
                     "say what to collect: normal or labeled");
        return cmd_failed(&err);
    }
    s.duration_s = s.settings->duration > 0 ? s.settings->duration
                   : s.labelled             ? 300
                                            : 1200;
    s.keys = s.labelled || owns_terminal();
    choose_output(&s);
    take_signals();
    status = open_session(&s, &err);
    if (status == VD_OK) {
        if (s.keys)
            terminal_raw(&s);
        status = collect_rows(&s, &err);
        terminal_restore(&s);
    }
    if (status == VD_OK && s.labelled)
        printf("%s: %zu rows, %zu of them anomalies\n", s.path, s.rows, s.odd);
    else if (status == VD_OK)
        printf("%s: %zu rows\n", s.path, s.rows);
    close_session(&s);
    return status == VD_OK ? CMD_OK : cmd_failed(&err);
}

const struct cmd_command cmd_collect = {
    .name = "collect",
    .summary = "Collect rows of this machine to train on",
    .arguments = "normal|labeled",
    .about = "\"normal\" collects rows while the machine does what it usually does. "
             "\"labeled\" "
             "collects rows whose label is set at the keyboard: a = what follows is an "
             "anomaly, "
             "n = normal again, q = stop and save; label 0 is normal, 1 an anomaly.\n\n"
             "Each row is written as it comes, so nothing is lost when the program ends "
             "early; with --force the old file goes when the first row is there. With "
             "--force, rows also go into a pipe. A metric that this machine does not "
             "have is an empty field.",
    .examples = "vedette collect normal\n"
                "    20 minutes to normal_training.csv\n"
                "vedette collect labeled && vedette split labeled_raw.csv\n"
                "    5 minutes with labels, then 70 % to train and 30 % to test\n",
    .options = options,
    .settings_size = sizeof(struct collect_settings),
    .run = run,
};
