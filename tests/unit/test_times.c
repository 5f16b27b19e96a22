/* src/format: points in time, zones, names of columns and words for no value. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "format/columns.h"
#include "format/number.h"
#include "format/time.h"
#include "format/zone.h"

#define CLOCK(h, m, s) (((h)*INT64_C(3600) + (m)*60 + (s)) * SECOND)

static struct format_csv_field field_of(const char *text)
{
    return (struct format_csv_field){text, strlen(text)};
}

/* What is read of a text, as it is written there. */
static void texts_that_are_times(void **state)
{
    static const struct {
        const char *text;
        int year, first, second;
        bool open;
        int64_t day_ns; /* -1 = no clock */
        bool zone;
        int64_t east_s;
    } known[] = {
        {"2025-07-28 20:47:37", 2025, 7, 28, false, CLOCK(20, 47, 37), false, 0},
        {"2025-07-28T20:47:37Z", 2025, 7, 28, false, CLOCK(20, 47, 37), true, 0},
        {"2025-07-28t00:00:00Z", 2025, 7, 28, false, 0, true, 0},
        {"2025-07-28 23:59:60.5", 2025, 7, 28, false, CLOCK(23, 59, 60) + SECOND / 2,
         false, 0},
        {"2025-07-28 20:47:37,026", 2025, 7, 28, false, CLOCK(20, 47, 37) + 26000000,
         false, 0},
        {"2025-07-28 20:47:37.0260391239", 2025, 7, 28, false,
         CLOCK(20, 47, 37) + 26039123, false, 0},
        {"2025-07-28 20:47", 2025, 7, 28, false, CLOCK(20, 47, 0), false, 0},
        {"2025-07-28 9:07", 2025, 7, 28, false, CLOCK(9, 7, 0), false, 0},
        {"2025-07-28", 2025, 7, 28, false, -1, false, 0},
        {"2025-7-8", 2025, 7, 8, false, -1, false, 0},
        {"2025/07/28 01:02:03", 2025, 7, 28, false, CLOCK(1, 2, 3), false, 0},
        {"2025.07.28", 2025, 7, 28, false, -1, false, 0},
        {"2025-Jul-28", 2025, 7, 28, false, -1, false, 0},
        {"20250728", 2025, 7, 28, false, -1, false, 0},
        {"20250728T204737Z", 2025, 7, 28, false, CLOCK(20, 47, 37), true, 0},
        {"20250728204737", 2025, 7, 28, false, CLOCK(20, 47, 37), false, 0},
        {"20250728 2047", 2025, 7, 28, false, CLOCK(20, 47, 0), false, 0},
        {"28.07.2025 20:47", 2025, 28, 7, true, CLOCK(20, 47, 0), false, 0},
        {"28. 7. 2025", 2025, 28, 7, true, -1, false, 0},
        {"07/28/2025 8:47:37 PM", 2025, 7, 28, true, CLOCK(20, 47, 37), false, 0},
        {"7/28/25 12:00:01 am", 2025, 7, 28, true, 1 * SECOND, false, 0},
        {"7/28/25 12:30 p.m.", 2025, 7, 28, true, CLOCK(12, 30, 0), false, 0},
        {"7/28/25 1:00 a.m.", 2025, 7, 28, true, CLOCK(1, 0, 0), false, 0},
        {"1-2-68", 2068, 1, 2, true, -1, false, 0},
        {"1-2-69", 1969, 1, 2, true, -1, false, 0},
        {"1-2-99", 1999, 1, 2, true, -1, false, 0},
        {"1-2-00", 2000, 1, 2, true, -1, false, 0},
        {"28 Jul 2025", 2025, 7, 28, false, -1, false, 0},
        {"28-jul-25 00:00:09", 2025, 7, 28, false, 9 * SECOND, false, 0},
        {"28/Jul/2025:20:47:37 +0200", 2025, 7, 28, false, CLOCK(20, 47, 37), true, 7200},
        {"Jul 28, 2025", 2025, 7, 28, false, -1, false, 0},
        {"July 28, 2025, 20:47", 2025, 7, 28, false, CLOCK(20, 47, 0), false, 0},
        {"December 1 2024 1:00", 2024, 12, 1, false, CLOCK(1, 0, 0), false, 0},
        {"Mon Jul 28 20:47:37 2025", 2025, 7, 28, false, CLOCK(20, 47, 37), false, 0},
        {"Monday, 28 July 2025 20:47:37 GMT", 2025, 7, 28, false, CLOCK(20, 47, 37), true,
         0},
        {"2025-07-28T20:47:37+02:00", 2025, 7, 28, false, CLOCK(20, 47, 37), true, 7200},
        {"2025-07-28T20:47:37-0330", 2025, 7, 28, false, CLOCK(20, 47, 37), true, -12600},
        {"2025-07-28T20:47:37+14", 2025, 7, 28, false, CLOCK(20, 47, 37), true, 50400},
        {"2025-07-28 20:47:37 EST", 2025, 7, 28, false, CLOCK(20, 47, 37), true, -18000},
        {"2025-07-28 20:47:37 UTC+1", 2025, 7, 28, false, CLOCK(20, 47, 37), true, 3600},
        {"2025-07-28T20:47:37+02:00[Europe/Berlin]", 2025, 7, 28, false,
         CLOCK(20, 47, 37), true, 7200},
        {"20:47:37", 0, 0, 0, false, CLOCK(20, 47, 37), false, 0},
        {"8:47", 0, 0, 0, false, CLOCK(8, 47, 0), false, 0},
        {"0:00:00.000000001", 0, 0, 0, false, 1, false, 0},
        {"8:47 pm", 0, 0, 0, false, CLOCK(20, 47, 0), false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct format_stamp s;

        if (!format_stamp_read(field_of(known[i].text), &s))
            fail_msg("\"%s\" is a time", known[i].text);
        if (s.has_date != (known[i].year > 0) || s.year != known[i].year ||
            s.first != known[i].first || s.second != known[i].second ||
            s.is_open != known[i].open)
            fail_msg("\"%s\" is read as the date %d, %d, %d", known[i].text, s.year,
                     s.first, s.second);
        if (s.has_clock != (known[i].day_ns >= 0) ||
            (s.has_clock && s.day_ns != known[i].day_ns))
            fail_msg("\"%s\" is read as %lld ns", known[i].text, (long long)s.day_ns);
        if (s.has_zone != known[i].zone || (s.has_zone && s.east_s != known[i].east_s))
            fail_msg("\"%s\" is read as of the zone %lld", known[i].text,
                     (long long)s.east_s);
    }
}

static void texts_that_are_nearly_times(void **state)
{
    static const char *const texts[] = {
        "2025-07-28 24:00:00",
        "2025-07-28 23:60:00",
        "2025-07-28 23:59:61",
        "2025-07-28 2a:00:00",
        "2025-07-28 20:a7:00",
        "2025-07-28 20:47:3x",
        "2025-07-28 20:47:37.5x",
        "2025-07/28",
        "2025-07-",
        "28.07-2025",
        "28.07.202",
        "28.07.20255",
        "28 07 2025",
        "Jul x 2025",
        "0000-07-28 10:00:00",
        "0000-07-28",
        "13:00 PM",
        "0:30 am",
        "10:0",
        "10:00:0",
        "1047",
        "10:00:00 Mars",
        "Jul 28 10:00:00 20",
        "2025-07-28T20:47:37+25:00",
        "2025-07-28T20:47:37+02:60",
        "2025-07-28T20:47:37 [",
        "1:2",
        "2025-07-28 20:47:37                                              x",
    };
    struct format_stamp stamp;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (format_stamp_read(field_of(texts[i]), &stamp))
            fail_msg("\"%s\" is no time", texts[i]);
}

/* The common form has three readers, which agree. */
static void the_common_form_is_read_the_same_by_all(void **state)
{
    static const char *const texts[] = {
        "2025-07-28 20:47:37",
        "2025-07-28T20:47:37",
        "2025-07-28 00:00:00.25",
        "2024-02-29 23:59:60",
        "2023-02-29 10:00:00",
        "2025-07-28 24:00:00",
        "2025-07-28 23:60:00",
        "2025-07-28 23:59:61",
        "2025-07-28x20:47:37",
        "2025-07-28 20-47:37",
        "2025-07-28 20:47-37",
        "2025-07-28 20:47:37x",
        "2025-07-28 20:47:3",
        "2025-07-28 2/:47:37",
        "2025-07-28 20:4::37",
        "2025-07-28 20:47::7",
        "2025-07/28 20:47:37",
        "2025/07-28 20:47:37",
        "1849-12-31 00:00:00",
        "1850-01-01 00:00:00",
        "2090-12-31 23:59:59",
        "2091-01-01 00:00:00",
        "2025-07-28 20:47:37.0260391239",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        static const char *const days[] = {"2025-07-28 01:00:00", "1999-12-31 01:00:00"};
        struct format_stamp slow = {0}, fast = {0};
        int64_t wanted = 0;
        bool is_time = format_stamp_read(field_of(texts[i]), &slow) &&
                       format_stamp_ns(&slow, false, &wanted);
        bool iso = format_stamp_is_iso(field_of(texts[i]), &fast);

        if (iso)
            assert_true(fast.day_ns == slow.day_ns && fast.year == slow.year);
        for (size_t k = 0; k < 2; k++) {
            struct format_day day = {.ns = 0};
            int64_t ns = 0;

            assert_true(format_stamp_of_day(field_of(days[k]), &day, &ns));
            if (format_stamp_of_day(field_of(texts[i]), &day, &ns) != (iso && is_time) ||
                (is_time && iso && ns != wanted))
                fail_msg("\"%s\" after \"%s\"", texts[i], days[k]);
        }
    }
}

static void days_are_those_of_the_calendar(void **state)
{
    static const struct {
        const char *text;
        int64_t s; /* since 1970; -1 = there is no such day */
    } known[] = {
        {"1970-01-01 00:00:00", 0},
        {"1970-01-01 00:00:01", 1},
        {"1969-12-31 00:00:00", -86400},
        {"2000-02-29 00:00:00", 951782400},
        {"2000-03-01 00:00:00", 951868800},
        {"1900-02-29 00:00:00", -1},
        {"1900-02-28 00:00:00", -2203977600},
        {"1900-03-01 00:00:00", -2203891200},
        {"2024-02-29 12:00:00", 1709208000},
        {"2023-02-29 00:00:00", -1},
        {"2025-04-31 00:00:00", -1},
        {"2025-12-31 23:59:59", 1767225599},
        {"2025-01-31 00:00:00", 1738281600},
        {"2025-01-32 00:00:00", -1},
        {"2025-00-01 00:00:00", -1},
        {"2025-13-01 00:00:00", -1},
        {"2025-06-00 00:00:00", -1},
        {"2025-06-30 00:00:00", 1751241600},
        {"1850-01-01 00:00:00", -3786825600},
        {"1849-12-31 00:00:00", -1},
        {"2090-12-31 00:00:00", 3818361600},
        {"2091-01-01 00:00:00", -1},
        {"1753689600", 1753689600},
        {"1753689600000", 1753689600},
        {"2025-07-28T10:00:00+02:00", 1753689600},
        {"28 Jul 2025 08:00", 1753689600},
        {"28.07.2025 08:00", -1},
        {"10:00:00", -1},
        {"cpu", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        int64_t ns = -1;
        bool found = format_time(field_of(known[i].text), &ns);

        if (found != (known[i].s != -1) || (found && ns != known[i].s * SECOND))
            fail_msg("\"%s\" is %lld ns", known[i].text, (long long)ns);
    }
}

static void unix_times_have_the_unit_of_their_size(void **state)
{
    int64_t ns;

    (void)state;
    assert_double_equal(format_epoch_unit(1.7e9), 1, 0);
    assert_double_equal(format_epoch_unit(9.9e10), 1, 0);
    assert_double_equal(format_epoch_unit(1e11), 1e3, 0);
    assert_double_equal(format_epoch_unit(9.9e13), 1e3, 0);
    assert_double_equal(format_epoch_unit(1e14), 1e6, 0);
    assert_double_equal(format_epoch_unit(9.9e16), 1e6, 0);
    assert_double_equal(format_epoch_unit(1e17), 1e9, 0);
    assert_true(format_epoch_ns(1753689600.25, 1, &ns));
    assert_true(ns == INT64_C(1753689600250000000));
    assert_true(format_epoch_ns(1753689600250, 1e3, &ns));
    assert_true(ns == INT64_C(1753689600250000000));
    assert_true(format_epoch_ns(-1.5, 1, &ns));
    assert_true(ns == -1500000000);
    assert_false(format_epoch_ns(1e11, 1, &ns));
    assert_false(format_epoch_ns(-1e11, 1, &ns));
    assert_false(format_epoch_ns(NAN, 1, &ns));
    assert_false(format_epoch_ns(INFINITY, 1, &ns));
}

static void patterns_say_how_a_time_is_written(void **state)
{
    struct format_stamp s;

    (void)state;
    assert_true(
        format_stamp_match(field_of("28|07|2025 20h47m37.5"), "%d|%m|%Y %Hh%Mm%S", &s));
    assert_true(s.has_date && s.has_clock && !s.has_zone && !s.is_open);
    assert_true(s.year == 2025 && s.first == 7 && s.second == 28);
    assert_true(s.day_ns == CLOCK(20, 47, 37) + SECOND / 2);
    assert_true(format_stamp_match(field_of("2025 +0200"), "%Y %z", &s));
    assert_true(s.has_zone && s.east_s == 7200 && s.first == 1 && s.second == 1);
    assert_true(format_stamp_match(field_of("08:09"), "%H:%M", &s));
    assert_true(s.year == 1970 && s.first == 1 && s.second == 1);
    assert_false(format_stamp_match(field_of("2025-07-28 x"), "%Y-%m-%d", &s));
    assert_false(format_stamp_match(field_of("2025"), "%d.%m", &s));
    assert_false(format_stamp_match(field_of("30.02.2025"), "%d.%m.%Y", &s));
    /* A text that is longer than any time. */
    assert_false(format_stamp_match(
        field_of("2025                                                                 "
                 "                                "),
        "%Y ", &s));
}

static void zones_are_so_far_east(void **state)
{
    static const struct {
        const char *text;
        int64_t east_s; /* 1 = none */
    } known[] = {
        {"Z", 0},         {"utc", 0},        {"GMT", 0},       {"CEST", 7200},
        {"PDT", -25200},  {"AEDT", 39600},   {"+02:00", 7200}, {"-02:00", -7200},
        {"+0530", 19800}, {"+5", 18000},     {"-03", -10800},  {"UTC+02:00", 7200},
        {"GMT-1", -3600}, {"+14:00", 50400}, {"+24:00", 1},    {"+02:60", 1},
        {"+", 1},         {"02:00", 1},      {"+02:0", 7200},  {"+02:00x", 1},
        {"Mars", 1},      {"", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        int64_t east_s = 1;
        bool found = format_zone_offset(known[i].text, strlen(known[i].text), &east_s);

        if (found != (known[i].east_s != 1) || (found && east_s != known[i].east_s))
            fail_msg("\"%s\" is %lld s east", known[i].text, (long long)east_s);
    }
}

static void names_tell_what_a_column_is(void **state)
{
    static const struct {
        const char *name;
        enum format_role role;
        bool sure;
        double per_s;
    } known[] = {
        {"@timestamp", FORMAT_TIME, true, 0},
        {"Time (UTC)", FORMAT_TIME, true, 0},
        {"_time", FORMAT_TIME, true, 0},
        {"__TIME__", FORMAT_TIME, true, 0},
        {"time_s", FORMAT_TIME, false, 1},
        {"Time (ms)", FORMAT_TIME, false, 1e3},
        {"ts_us", FORMAT_TIME, false, 1e6},
        {"ts_ns", FORMAT_TIME, false, 1e9},
        {"UnixTime", FORMAT_TIME, false, 0},
        {"epoch", FORMAT_TIME, false, 0},
        {"clock", FORMAT_TIME, false, 0},
        {"Zeit", FORMAT_TIME, true, 0},
        {"wtime", FORMAT_ELAPSED, true, 0},
        {"uptime", FORMAT_ELAPSED, false, 0},
        {"reason", FORMAT_VERDICT, true, 0},
        {"id", FORMAT_ROW_NUMBER, false, 0},
        {"_start", FORMAT_ELAPSED, true, 0},
        {"_stop", FORMAT_ELAPSED, true, 0},
        {"(PDH-CSV 4.0) (UTC)(0)", FORMAT_TIME, true, 0},
        {"is_anomaly", FORMAT_LABEL, true, 0},
        {"Label", FORMAT_LABEL, true, 0},
        {"Unnamed: 0", FORMAT_ROW_NUMBER, false, 0},
        {"", FORMAT_ROW_NUMBER, false, 0},
        {"--", FORMAT_ROW_NUMBER, false, 0},
        {"cpu", FORMAT_METRIC, true, 0},
        {"label_ms", FORMAT_METRIC, true, 0},
        {"_ms", FORMAT_METRIC, true, 0},
        {"latency_ms", FORMAT_METRIC, true, 0},
        {"timex", FORMAT_METRIC, true, 0},
        {"\xc3\xa9time", FORMAT_METRIC, true, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct format_name name = format_name_of(known[i].name);

        if (name.role != known[i].role || name.sure != known[i].sure ||
            name.per_s != known[i].per_s)
            fail_msg("\"%s\" is %s, %d, %g", known[i].name, format_role_text(name.role),
                     name.sure, name.per_s);
    }
}

static void words_that_stand_for_no_value(void **state)
{
    static const char *const missing[] = {"",    "nan",  "NaN",  "inf", "-inf", "+Inf",
                                          "n/a", "NA",   "null", "NIL", "None", "-",
                                          "--",  "#N/A", "\\N",  "?"};
    static const char *const others[] = {"0",    "1.5", "nul",   "nulls", "none1", "---",
                                         "true", "no",  "#N/A ", "-1",    "9nan",  "??"};

    (void)state;
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        if (!format_is_missing(field_of(missing[i])))
            fail_msg("\"%s\" is no value", missing[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (format_is_missing(field_of(others[i])))
            fail_msg("\"%s\" is something", others[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_that_are_times),
        cmocka_unit_test(texts_that_are_nearly_times),
        cmocka_unit_test(the_common_form_is_read_the_same_by_all),
        cmocka_unit_test(days_are_those_of_the_calendar),
        cmocka_unit_test(unix_times_have_the_unit_of_their_size),
        cmocka_unit_test(patterns_say_how_a_time_is_written),
        cmocka_unit_test(zones_are_so_far_east),
        cmocka_unit_test(names_tell_what_a_column_is),
        cmocka_unit_test(words_that_stand_for_no_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
