/* Alert channels: words, the terminal, queues that are full, webhooks that are slow. The
 * real desktop and real servers are in tests/system/test_channels.py. */
#include "unit.h"

#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "alert/channel.h"
#include "alert/webhook.h"
#include "os/clock.h"
#include "os/utf8.h"
#include "store_fixture.h"

static struct alert_channels_config quiet(int fd)
{
    struct alert_channels_config config = alert_channels_config_default();

    config.desktop = false;
    config.color = false;
    config.fd = fd;
    return config;
}

/* What one event gives on the terminal. */
static char *shown(struct alert_channels_config config, const struct record_event *event,
                   enum record_event_change change)
{
    alert_channels *channels;
    char *text = calloc(1, 8192);
    int pipes[2];

    assert_int_equal(pipe(pipes), 0);
    config.fd = pipes[1];
    assert_int_equal(alert_channels_new(&channels, &config, NULL), VD_OK);
    alert_channels_send(channels, event, change);
    alert_channels_free(channels);
    close(pipes[1]);
    assert_true(read(pipes[0], text, 8191) >= 0);
    close(pipes[0]);
    return text;
}

static void visible_text_cannot_steer(void **state)
{
    char out[64], tiny[4];

    (void)state;
    assert_string_equal(os_utf8_visible("a\x1b[2J\n\xff é", out, sizeof out),
                        "a\\x1b[2J\\x0a\\xff é");
    assert_string_equal(os_utf8_visible("\xe2\x80\xae", out, sizeof out), "\\u202e");
    assert_string_equal(os_utf8_visible("\xc2\x9b", out, sizeof out), "\\x9b");
    assert_string_equal(os_utf8_visible("\xc0\xaf\xed\xa0\x80", out, sizeof out),
                        "\\xc0\\xaf\\xed\\xa0\\x80");
    assert_string_equal(os_utf8_visible("ab\xc3\xa9", tiny, sizeof tiny), "ab");
}

static void terminal_shows_the_event_and_nothing_else(void **state)
{
    struct alert_channels_config config = quiet(-1);
    struct record_event event;
    char *text;

    (void)state;
    fixture_event(&event, 7);
    text = shown(config, &event, RECORD_EVENT_OPENED);
    assert_null(strchr(text, '\x1b'));
    assert_non_null(strstr(text, " HIGH     High CPU usage detected | \"quoted\"\\x0a"
                                 "\\x1b[31m\n"));
    assert_non_null(
        strstr(text, "\n         disk_busy_percent{sda}: 97.1 (high, expected ≈9.4"));
    assert_non_null(strstr(text, "\n         burn\\xff\\x1b[2J (pid 4242): 80 % of all "
                                 "cpu use now\n"));
    free(text);
    event.state = RECORD_EVENT_CLOSED;
    event.end_ns = event.start_ns + INT64_C(45000000000);
    text = shown(config, &event, RECORD_EVENT_ENDED);
    assert_non_null(strstr(text, " ENDED    Over after 45 s: High CPU"));
    free(text);
    text = shown(config, &event, RECORD_EVENT_UPDATED);
    assert_string_equal(text, "");
    free(text);
    config.color = true;
    text = shown(config, &event, RECORD_EVENT_OPENED);
    assert_non_null(strstr(text, "\x1b[31mHIGH    \x1b[0m High"));
    free(text);
}

static void bell_needs_a_terminal(void **state)
{
    struct alert_counters counters[4];
    struct record_event event;
    struct alert_channels_config config = quiet(-1);
    alert_channels *channels;
    int master, slave;
    char got = 0;

    (void)state;
    fixture_event(&event, 7);
    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    config.terminal = false;
    config.bell = true;
    config.fd = slave;
    assert_int_equal(alert_channels_new(&channels, &config, NULL), VD_OK);
    alert_channels_send(channels, &event, RECORD_EVENT_OPENED);
    assert_int_equal(read(master, &got, 1), 1);
    assert_int_equal(got, '\a');
    alert_channels_free(channels);
    close(master);
    close(slave);
    config.fd = open("/dev/null", O_WRONLY);
    assert_int_equal(alert_channels_new(&channels, &config, NULL), VD_OK);
    alert_channels_send(channels, &event, RECORD_EVENT_OPENED);
    for (int64_t until = os_clock_mono_ns() + 5000000000; os_clock_mono_ns() < until;) {
        assert_int_equal(alert_channels_counters(channels, counters, 4), 1);
        if (counters[0].given_up == 1)
            break;
        usleep(1000);
    }
    assert_int_equal(counters[0].given_up, 1);
    close(config.fd);
    alert_channels_free(channels);
}

/* Without a bus a desktop notification becomes a bell. */
static void desktop_falls_back_to_the_bell(void **state)
{
    struct alert_channels_config config = quiet(-1);
    struct record_event event;
    alert_channels *channels;
    int master, slave;
    char got = 0;

    (void)state;
    fixture_event(&event, 7);
    setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
    unsetenv("DBUS_SESSION_BUS_ADDRESS");
    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    config.terminal = false;
    config.desktop = true;
    config.fd = slave;
    assert_int_equal(alert_channels_new(&channels, &config, NULL), VD_OK);
    alert_channels_send(channels, &event, RECORD_EVENT_OPENED);
    assert_int_equal(read(master, &got, 1), 1);
    assert_int_equal(got, '\a');
    alert_channels_free(channels);
    close(master);
    close(slave);
}

/* A terminal that takes nothing: sends stay quick, the oldest leave, free returns. */
static void a_stopped_terminal_holds_nobody_up(void **state)
{
    struct alert_channels_config config;
    struct alert_counters counters[4];
    alert_channels *channels;
    struct record_event event;
    int pipes[2];
    int64_t start, slowest = 0;

    (void)state;
    fixture_event(&event, 7);
    assert_int_equal(pipe2(pipes, O_NONBLOCK), 0);
    while (write(pipes[1], "xxxxxxxxxxxxxxxx", 16) > 0)
        ;
    config = quiet(pipes[1]);
    config.close_s = 0.2;
    assert_int_equal(alert_channels_new(&channels, &config, NULL), VD_OK);
    for (int i = 0; i < 100; i++) {
        start = os_clock_mono_ns();
        alert_channels_send(channels, &event, RECORD_EVENT_OPENED);
        if (os_clock_mono_ns() - start > slowest)
            slowest = os_clock_mono_ns() - start;
    }
    assert_true(slowest < 100000000);
    assert_int_equal(alert_channels_counters(channels, counters, 4), 1);
    assert_true(counters[0].lost >= 100 - 33 && counters[0].sent == 0);
    start = os_clock_mono_ns();
    alert_channels_free(channels);
    assert_true(os_clock_mono_ns() - start < 2000000000);
    close(pipes[0]);
    close(pipes[1]);
}

static void webhook_body_is_json(void **state)
{
    struct alert_notice notice = {.change = RECORD_EVENT_OPENED};
    const char *name;
    json_t *root, *suspect;
    char *body;

    (void)state;
    fixture_event(&notice.event, 12);
    notice.event.top[0].z = NAN;
    body = alert_webhook_body(&notice, "host\"1");
    root = json_loads(body, 0, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "host")), "host\"1");
    assert_string_equal(json_string_value(json_object_get(root, "change")), "opened");
    suspect =
        json_array_get(json_object_get(json_object_get(root, "event"), "suspects"), 0);
    name = json_string_value(json_object_get(suspect, "name"));
    assert_string_equal(name, "burn\\xff\\x1b[2J");
    assert_true(json_is_null(json_object_get(json_object_get(root, "event"), "end")));
    json_decref(root);
    free(body);
}

static void webhook_urls_are_checked(void **state)
{
    static const char *const wrong[] = {"ftp://x/", "https://",    "http:///x",
                                        "x",        "http://a b/", "http://a\n/"};
    struct alert_channels_config config = quiet(2);
    alert_channels *channels;
    struct vd_error err;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        memset(&err, 0, sizeof err);
        config.webhook = wrong[i];
        assert_int_equal(alert_channels_new(&channels, &config, &err), VD_ERR_ARGUMENT);
        assert_null(channels);
        assert_string_not_equal(err.hint, "");
    }
}

static void hosts_and_ports_of_webhooks_are_checked(void **state)
{
    static const struct {
        const char *url;
        bool good;
    } known[] = {
        {"http://h", true},
        {"HTTPS://h/x?y#z", true},
        {"http://h:1", true},
        {"http://h:65535/x", true},
        {"http://h:65536/x", false},
        {"http://h:0", false},
        {"http://h:", false},
        {"http://h:000080", false},
        {"http://h:99999", false},
        {"http://h:8x/", false},
        {"http://:80/", false},
        {"http://[::1]", true},
        {"http://[::1]:80/", true},
        {"http://[::1]80", false},
        {"http://[]", false},
        {"http://[::1", false},
        {"http://u:p@h:80/", true},
        {"http://u@/", false},
        {"http://u:p@:80/", false},
        {"http://h/a@b:0", true},
        {"http://?x", false},
        {"http://h?x:y", true},
        {"http://h#x:y", true},
        {"http:/h", false},
        {"httpx://h", false},
        {"http://h\x7f/", false},
        {"http://h/\x1f", false},
        {"http://h/\xc3\xa9", true},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct vd_error err = {0};
        enum vd_status status = alert_webhook_url_check(known[i].url, &err);

        if (status != (known[i].good ? VD_OK : VD_ERR_ARGUMENT))
            fail_msg("%s: %s", known[i].url, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(visible_text_cannot_steer),
        cmocka_unit_test(terminal_shows_the_event_and_nothing_else),
        cmocka_unit_test(bell_needs_a_terminal),
        cmocka_unit_test(desktop_falls_back_to_the_bell),
        cmocka_unit_test(a_stopped_terminal_holds_nobody_up),
        cmocka_unit_test(webhook_body_is_json),
        cmocka_unit_test(webhook_urls_are_checked),
        cmocka_unit_test(hosts_and_ports_of_webhooks_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
