/* The whole monitor on a made-up machine, its time as well: what becomes an event, what
 * alerts, what is kept of it. */
#include "unit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor/state.h"

enum { TOTAL_KB = 10000000 };

struct machine {
    char dir[64], root[96], data[96];
    struct monitor_config config;
    monitor *p;
    int64_t time_ns, mono_ns;
    unsigned alerts; /* before the step that is looked at */
};

/* ---- the machine ---- */

static void write_as(const struct machine *m, const char *name, const char *text,
                     const char *mode)
{
    char path[160];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", m->root, name);
    file = fopen(path, mode);
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void write_file(const struct machine *m, const char *name, const char *text)
{
    write_as(m, name, text, "w");
}

static void append_file(const struct machine *m, const char *name, const char *text)
{
    write_as(m, name, text, "a");
}

/* The process of this folder ends. */
static void leave(const struct machine *m, const char *name)
{
    char path[160];

    snprintf(path, sizeof path, "%s/%s/stat", m->root, name);
    assert_int_equal(remove(path), 0);
    snprintf(path, sizeof path, "%s/%s", m->root, name);
    assert_int_equal(remove(path), 0);
}

/* Sets how much memory is used, in percent. */
static void use_memory(const struct machine *m, double percent)
{
    char text[256];

    snprintf(text, sizeof text,
             "MemTotal: %d kB\nMemFree: 1000 kB\nMemAvailable: %.0f kB\nBuffers: 10 kB\n"
             "Cached: 500 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
             TOTAL_KB, TOTAL_KB * (1 - percent / 100));
    write_file(m, "proc/meminfo", text);
}

static void machine_open(struct machine *m)
{
    *m = (struct machine){.time_ns = INT64_C(1700000000) * SECOND,
                          .mono_ns = 1000 * SECOND};
    strcpy(m->dir, "/tmp/vedette-test-XXXXXX");
    assert_non_null(mkdtemp(m->dir));
    snprintf(m->root, sizeof m->root, "%s/root", m->dir);
    snprintf(m->data, sizeof m->data, "%s/data", m->dir);
    mkdir(m->root, 0700);
    mkdir(m->data, 0700);
    for (size_t i = 0; i < 2; i++) {
        char path[128];

        snprintf(path, sizeof path, "%s/%s", m->root, i == 0 ? "proc" : "proc/77");
        assert_int_equal(mkdir(path, 0700), 0);
    }
    write_file(m, "proc/77/stat",
               "77 (hog) S 1 77 77 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 500 900000000 200000 "
               "18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n");
    use_memory(m, 40);
    m->config = monitor_config_default();
    m->config.show_on = false;
    m->config.collect.root = m->root;
    m->config.store.dir = m->data;
    m->config.backfill_s = 0;
    m->config.channels.terminal = m->config.channels.desktop = false;
    detect_rules_init(&m->config.rules);
}

static void add_rule(struct machine *m, const char *text)
{
    struct detect_rule rule;

    assert_int_equal(detect_rule_parse(&rule, text, NULL), VD_OK);
    assert_int_equal(detect_rules_add(&m->config.rules, &rule), VD_OK);
}

static void machine_start(struct machine *m)
{
    struct vd_error err = {0};

    if (monitor_new(&m->p, &m->config, &err) != VD_OK)
        fail_msg("%s", err.text);
}

static void tick(struct machine *m, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        m->time_ns += SECOND;
        m->mono_ns += SECOND;
        monitor_tick(m->p, m->time_ns, m->mono_ns, 0);
        /* The writer's queue is bounded, and it works in real time. */
        store_set_settle(m->p->store, 10);
    }
}

static void use_memory_for(struct machine *m, double percent, int seconds)
{
    use_memory(m, percent);
    tick(m, seconds);
}

static int remove_one(const char *path, const struct stat *info, int kind,
                      struct FTW *place)
{
    (void)info, (void)kind, (void)place;
    return remove(path);
}

static void machine_close(struct machine *m)
{
    monitor_free(m->p);
    nftw(m->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct host_status status_of(const struct machine *m)
{
    struct host_status status;

    host_status(m->p->host, &status);
    return status;
}

/* The events of limits in the store, oldest first; free(). */
static struct record_event *limits_of(const struct machine *m, size_t *n)
{
    const struct history_reader *history = store_set_history(m->p->store);
    struct history_event_query query = {.kind = "rule", .limit = 100};
    struct record_event *event;

    assert_int_equal(history->events(history->context, &query, &event, n, NULL), VD_OK);
    for (size_t i = 0; i < *n / 2; i++) {
        struct record_event swap = event[i];

        event[i] = event[*n - 1 - i];
        event[*n - 1 - i] = swap;
    }
    return event;
}

/* ---- limits ---- */

static void limits_of_one_metric_are_events_of_their_own(void **state)
{
    struct record_event *event;
    struct machine m;
    size_t n;

    (void)state;
    machine_open(&m);
    add_rule(&m, "cpu_memory > 60 for 5s medium");
    add_rule(&m, "cpu_memory > 80 for 3s critical");
    add_rule(&m, "memory_available_gb < 1 high");
    machine_start(&m);
    tick(&m, 5);
    use_memory_for(&m, 70, 30);
    use_memory_for(&m, 85, 20);
    use_memory_for(&m, 70, 30);
    use_memory_for(&m, 40, 30);
    event = limits_of(&m, &n);
    assert_int_equal(n, 2);
    assert_string_equal(event[0].limit.rule, "cpu_memory > 60 for 5 s");
    assert_string_equal(event[1].limit.rule, "cpu_memory > 80 for 3 s");
    assert_int_equal(event[0].severity, RECORD_MEDIUM);
    assert_int_equal(event[1].severity, RECORD_CRITICAL);
    for (size_t i = 0; i < n; i++) {
        assert_true(event[i].alerted && event[i].state == RECORD_EVENT_CLOSED);
        assert_string_equal(
            event[i].note,
            "Alerted: a limit always alerts, and costs nothing of the week's budget");
        assert_double_equal(event[i].top[0].value, 85, 0.1);
    }
    /* From where the limit was exceeded; one goes on, ends later, and says how long. */
    assert_int_equal((event[0].end_ns - event[0].start_ns) / SECOND, 89);
    assert_int_equal((event[1].end_ns - event[1].start_ns) / SECOND, 29);
    assert_string_equal(event[0].reason,
                        "cpu_memory 85 %, limit 60 % for 5 s, above it for 79 s");
    assert_int_equal(status_of(&m).alerts, 2);
    assert_double_equal(status_of(&m).used_this_week, 0, 0);
    free(event);
    machine_close(&m);
}

/* A built-in limit alerts once an hour, one that somebody wrote down three times. */
static void limits_exceeded_again_and_again(void **state)
{
    static const char *const written = "cpu_memory > 80";
    struct record_event *event;
    unsigned alerted[2] = {0};
    struct machine m;
    size_t n;

    (void)state;
    machine_open(&m);
    add_rule(&m, written);
    machine_start(&m);
    for (int i = 0; i < 5; i++) {
        use_memory_for(&m, 97, 10);
        use_memory_for(&m, 40, 20);
    }
    event = limits_of(&m, &n);
    assert_int_equal(n, 10);
    for (size_t i = 0; i < n; i++) {
        bool builtin = strcmp(event[i].limit.rule, written) != 0;

        alerted[builtin] += event[i].alerted;
        if (!event[i].alerted)
            assert_string_equal(event[i].note,
                                "Not alerted: this limit has alerted within the hour");
    }
    assert_int_equal(alerted[0], 3);
    assert_int_equal(alerted[1], 1);
    free(event);
    /* An hour later both do. */
    m.time_ns += 3600 * SECOND;
    m.mono_ns += 3600 * SECOND;
    use_memory_for(&m, 97, 10);
    assert_int_equal(status_of(&m).alerts, 6);
    machine_close(&m);
}

static void write_kills(const struct machine *m, int kills)
{
    char text[64];

    snprintf(text, sizeof text, "pgfault 1\npgmajfault 1\noom_kill %d\n", kills);
    write_file(m, "proc/vmstat", text);
}

/* The kernel says so; with the log that may be read, and without it. */
static void who_was_killed_is_named(void **state)
{
    static const struct {
        const char *log; /* NULL = there is none */
        int kills;
        const char *reason;
    } cases[] = {
        {"3,1,2,-;Out of memory: Killed process 77 (hog) total-vm:1kB\n", 1,
         "1 process killed, memory ran out: hog (77)"},
        {"3,1,2,-;Out of memory: Killed process 88 (a) b) total-vm:1kB, uid 0\n", 3,
         "3 processes killed, memory ran out: a) b (88) and 2 more"},
        {NULL, 1, "1 process killed, memory ran out: probably hog (77)"},
        {NULL, 4, "4 processes killed, memory ran out: probably hog (77) and 3 more"},
        {"11,1,2,-;Out of memory: Killed process 99 (forged) total-vm:1kB\n", 1,
         "1 process killed, memory ran out"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[128];
        struct record_event *event;
        struct machine m;
        size_t n;

        machine_open(&m);
        write_kills(&m, 5);
        snprintf(path, sizeof path, "%s/dev", m.root);
        mkdir(path, 0700);
        if (cases[i].log != NULL)
            write_file(&m, "dev/kmsg", "3,1,1,-;Killed process 1 (old) total-vm:1kB\n");
        machine_start(&m);
        tick(&m, 5);
        if (cases[i].log != NULL)
            append_file(&m, "dev/kmsg", cases[i].log);
        write_kills(&m, 5 + cases[i].kills);
        leave(&m, "proc/77");
        tick(&m, 20);
        event = limits_of(&m, &n);
        assert_int_equal(n, 1);
        assert_string_equal(event[0].reason, cases[i].reason);
        assert_true(event[0].alerted && event[0].severity == RECORD_CRITICAL);
        free(event);
        machine_close(&m);
    }
}

static void a_limit_that_is_switched_off_is_silent(void **state)
{
    struct machine m;
    size_t n;

    (void)state;
    machine_open(&m);
    detect_rules_switch_off(&m.config.rules, "cpu_memory", NULL);
    machine_start(&m);
    use_memory_for(&m, 99, 30);
    free(limits_of(&m, &n));
    assert_int_equal(n, 0);
    machine_close(&m);
}

/* ---- the flight recorder ---- */

static void assert_recorded(const struct machine *m, const struct record_event *event)
{
    const struct history_reader *history = store_set_history(m->p->store);
    struct history_moment *moment;
    size_t n;

    assert_int_equal(history->moments(history->context, event->id, &moment, &n, NULL),
                     VD_OK);
    assert_true(n > 0);
    assert_true(moment[0].time_ns <= event->start_ns - 60 * SECOND);
    assert_true(moment[n - 1].time_ns >= event->start_ns + 30 * SECOND);
    assert_int_equal(n, 91);
    assert_string_equal(moment[0].process[0].comm, "hog");
    history_moments_free(moment, n);
}

/* However short, right after each other, and two at once. */
static void the_recorder_is_kept_for_every_event(void **state)
{
    static const int lasts_s[] = {3, 10, 26, 3, 3, 3};
    struct record_event *event;
    struct host_copy copy;
    struct machine m;
    size_t n;

    (void)state;
    machine_open(&m);
    add_rule(&m, "cpu_memory > 60");
    add_rule(&m, "cpu_memory > 65");
    machine_start(&m);
    tick(&m, 70);
    for (size_t i = 0; i < sizeof lasts_s / sizeof *lasts_s; i++) {
        use_memory_for(&m, 70, lasts_s[i]);
        use_memory_for(&m, 40, 12);
    }
    tick(&m, 40);
    event = limits_of(&m, &n);
    assert_int_equal(n, 2 * sizeof lasts_s / sizeof *lasts_s);
    for (size_t i = 0; i < n; i++)
        assert_recorded(&m, &event[i]);
    free(event);
    assert_false(host_copy_rest(m.p->host, &copy));
    machine_close(&m);
}

/* What ends before the half minute is over is kept as far as it goes. */
static void the_recorder_is_kept_at_the_end(void **state)
{
    const struct history_reader *history;
    struct history_moment *moment;
    struct record_event *event;
    struct machine m;
    size_t n;

    (void)state;
    machine_open(&m);
    add_rule(&m, "cpu_memory > 60");
    machine_start(&m);
    tick(&m, 70);
    use_memory_for(&m, 70, 5);
    monitor_free(m.p);
    machine_start(&m);
    history = store_set_history(m.p->store);
    event = limits_of(&m, &n);
    assert_int_equal(n, 1);
    assert_int_equal(history->moments(history->context, event[0].id, &moment, &n, NULL),
                     VD_OK);
    assert_int_equal(n, 65);
    history_moments_free(moment, n);
    free(event);
    machine_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_of_one_metric_are_events_of_their_own),
        cmocka_unit_test(limits_exceeded_again_and_again),
        cmocka_unit_test(who_was_killed_is_named),
        cmocka_unit_test(a_limit_that_is_switched_off_is_silent),
        cmocka_unit_test(the_recorder_is_kept_for_every_event),
        cmocka_unit_test(the_recorder_is_kept_at_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
