/* Times as text: what the program writes, against the C library, and what people write on
 * the command line, against times known from elsewhere. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/when.h"
#include "os/clock.h"

static const char *const zones[] = {"UTC",
                                    "Europe/Berlin",
                                    "America/St_Johns",
                                    "Asia/Kathmandu",
                                    "Pacific/Kiritimati",
                                    "Pacific/Marquesas",
                                    "<-11>11"};

enum { ZONES = sizeof zones / sizeof *zones };

static void set_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

/* "2026-11-28T23:43:17.123+01:00" of strftime. */
static void expect(int64_t seconds, int ms, const char *got)
{
    char date[32], zone[8], text[64];
    time_t when = (time_t)seconds;
    struct tm tm;

    assert_non_null(localtime_r(&when, &tm));
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    strftime(zone, sizeof zone, "%z", &tm);
    snprintf(text, sizeof text, "%s.%03d%.3s:%s", date, ms, zone, zone + 3);
    assert_string_equal(got, text);
}

static void a_time_is_written_as_the_c_library_would(void **state)
{
    char text[OS_CLOCK_TEXT];
    uint64_t draw = 88172645463325252u;

    (void)state;
    for (size_t z = 0; z < ZONES; z++) {
        set_zone(zones[z]);
        for (int i = 0; i < 5000; i++) {
            int64_t seconds, ms;

            draw ^= draw << 13, draw ^= draw >> 7, draw ^= draw << 17;
            seconds = (int64_t)(draw % 6000000000u) - 1000000000; /* 1938 .. 2128 */
            ms = (int64_t)(draw >> 40) % 1000;
            os_clock_text(seconds * 1000000000 + ms * 1000000 + 999999, text);
            expect(seconds, (int)ms, text);
        }
    }
    set_zone("UTC");
}

static void the_ends_of_what_fits_are_written(void **state)
{
    char text[OS_CLOCK_TEXT];

    (void)state;
    set_zone("UTC");
    assert_string_equal(os_clock_text(INT64_MAX, text), "2262-04-11T23:47:16.854+00:00");
    assert_string_equal(os_clock_text(INT64_MIN, text), "1677-09-21T00:12:43.145+00:00");
    assert_string_equal(os_clock_text(-1, text), "1969-12-31T23:59:59.999+00:00");
    assert_string_equal(os_clock_text_at(0, -12600, text),
                        "1969-12-31T20:30:00.000-03:30");
    set_zone("Africa/Monrovia"); /* -00:44:30 until 1972 */
    assert_string_equal(os_clock_text(0, text), "1969-12-31T23:16:00.000-00:44");
    set_zone("UTC");
}

/* 2026-10-25 01:30:00 UTC: in Berlin the hour from two to three has just begun anew. */
static const int64_t NOW = INT64_C(1792891800) * 1000000000;

static void people_write_times_in_many_ways(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } row[] = {
        {"now", 1792891800},
        {"today", 1792879200},
        {"yesterday", 1792792800},
        {"10min", 1792891200},
        {"90s ago", 1792891710},
        {"2h", 1792884600},
        {"1w", 1792287000},
        {"@1792891800", 1792891800},
        {"1700000000.5", 1700000000},
        {"2026-10-24", 1792792800},
        {"2026-10-24 03:10", 1792804200},
        {"2026-10-24T03:10:29", 1792804229},
        {"2026-10-24T03:10:29.999+02:00", 1792804229},
        {"2026-10-24T03:10:29.123-03:30", 1792824029},
        {"2026-10-24T01:10:29Z", 1792804229},
        {"2026-10-25 02:30", 1792888200}, /* twice: the first turn */
        {"2026-03-29 02:30", 1774747800}, /* never: as if not set forward yet */
        {"01:00", 1792882800},
    };
    int64_t got;

    (void)state;
    set_zone("Europe/Berlin");
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct vd_error err = {0};

        if (cmd_when("--since", row[i].text, NOW, &got, &err) != VD_OK)
            fail_msg("%s: %s", row[i].text, err.text);
        if (got / 1000000000 != row[i].seconds)
            fail_msg("%s: %lld, not %lld", row[i].text, (long long)(got / 1000000000),
                     (long long)row[i].seconds);
    }
    set_zone("UTC");
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const text[] = {
        "",
        "x",
        "tomorrow?",
        "-10min",
        "10 parsecs",
        "ago",
        "03/04/2026",
        "2026-13-01",
        "25:00",
        "@",
        "@x",
        "1e300",
        "nan",
        "99999999999999",
        "2026-02-30",
        " ",
        "10min from now",
        "@-5",
        "--",
        "2026-11-21T",
        "min",
    };
    int64_t got = 42;

    (void)state;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        struct vd_error err = {0};

        if (cmd_when("--since", text[i], NOW, &got, &err) != VD_ERR_ARGUMENT)
            fail_msg("\"%s\" is taken as %lld", text[i], (long long)got);
        assert_non_null(strstr(err.text, "--since"));
    }
}

/* What is written is read back as the same moment, in every zone and each of both turns
 * of an hour that comes twice. */
static void what_is_written_is_read_back(void **state)
{
    char text[OS_CLOCK_TEXT];
    int64_t got;

    (void)state;
    for (size_t z = 0; z < ZONES; z++) {
        set_zone(zones[z]);
        for (int hour = 0; hour < 24 * 366; hour++) {
            int64_t time_ns =
                INT64_C(1767225600123) * 1000000 + hour * INT64_C(3600000000000);

            assert_int_equal(cmd_when("", os_clock_text(time_ns, text), 0, &got, NULL),
                             VD_OK);
            assert_int_equal(got, time_ns);
        }
    }
    set_zone("UTC");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_is_written_as_the_c_library_would),
        cmocka_unit_test(the_ends_of_what_fits_are_written),
        cmocka_unit_test(people_write_times_in_many_ways),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(what_is_written_is_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
