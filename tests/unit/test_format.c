/* src/format: numbers, times and zones as texts, and what a table makes of its rows. */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/number.h"
#include "format/study.h"
#include "format/table.h"
#include "format/time.h"

static struct format_csv_field field_of(const char *text)
{
    return (struct format_csv_field){text, strlen(text)};
}

static void numbers_of_all_countries(void **state)
{
    static const struct {
        const char *text;
        double point, comma; /* NaN = none with that decimal sign */
    } known[] = {
        {"10.5", 10.5, NAN},
        {"10,5", NAN, 10.5},
        {"1,234", 1234, 1.234},
        {"1.234", 1.234, 1234},
        {"1,234.5", 1234.5, NAN},
        {"1.234.567,8", NAN, 1234567.8},
        {"0,123", NAN, 0.123},
        {"12,34", NAN, 12.34},
        {"1'234.5", 1234.5, NAN},
        {"1 234,5", NAN, 1234.5},
        {"12 %", 12, 12},
        {"-3.5%", -3.5, NAN},
        {"+7", 7, 7},
        {"1,23,456", NAN, NAN},
        {"1,2345", NAN, 1.2345},
        {"10.0.0.1", NAN, NAN},
        {"12 MB", NAN, NAN},
        {"1e3", 1000, 1000},
        {"1,5e3", NAN, 1500},
        {"\xe2\x88\x92"
         "5",
         -5, -5},
        {"%", NAN, NAN},
        {"", NAN, NAN},
        {"-", NAN, NAN},
        {"0x10", NAN, NAN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_double_equal(format_number(field_of(known[i].text), '.'), known[i].point,
                            1e-9);
        assert_double_equal(format_number(field_of(known[i].text), ','), known[i].comma,
                            1e-9);
    }
}

/* Counted is the same whichever way a field is taken apart. */
static void a_number_is_counted_by_the_signs_that_fit_it(void **state)
{
    static const char *const texts[] = {
        "1",      "1.5",      "1.234",   "12.345",   "123.456",  "1234.567", "0.123",
        "-1.234", "+12.345",  "-0.5",    "1.2345",   "1.234e2",  "1.234567", "1.23e4",
        ".5",     "5.",       "1,5",     "1,234",    "12,345.6", "1.234,5",  "00.123",
        "1e3",    "-123.456", "1234.5%", "1.234.5e", "007.123",  "+.123",    "1 234.5",
        "9.999",  "99999.99", "-.123",   "1.234E-2"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct format_csv_field field = field_of(texts[i]);
        double point = format_number(field, '.'), comma = format_number(field, ',');
        struct format_tally tally = {0};

        format_tally_add(&tally, field, 7);
        assert_int_equal(tally.numbers, !isnan(point) || !isnan(comma));
        assert_int_equal(tally.point, !isnan(point) && isnan(comma));
        assert_int_equal(tally.comma, isnan(point) && !isnan(comma));
        assert_int_equal(tally.point_line, tally.point * 7);
        assert_double_equal(tally.numbers ? tally.first : NAN,
                            isnan(point) ? comma : point, 0);
    }
}

/* What a double writes with 17 digits comes back as it was; with fewer it is the nearest.
 */
static void print_number(char *text, size_t size, char form, int digits, double value)
{
    if (form == 'f')
        snprintf(text, size, "%.*f", digits, value);
    else if (form == 'e')
        snprintf(text, size, "%.*e", digits, value);
    else
        snprintf(text, size, "%.*g", digits, value);
}

static void digits_are_rounded_once(void **state)
{
    static const struct {
        char form;
        int digits;
    } forms[] = {{'f', 0},  {'f', 3}, {'g', 6},  {'g', 15},
                 {'g', 17}, {'e', 5}, {'e', 16}, {'f', 22}};
    uint64_t seed = 1;
    char text[512];

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct format_scan t;
        double value, wanted;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        wanted = ldexp((double)(int64_t)seed, (int)(seed >> 40) % 60 - 90);
        print_number(text, sizeof text, forms[i % 8].form, forms[i % 8].digits, wanted);
        t = format_scan_of(text, strlen(text));
        assert_true(format_scan_number(&t, &value));
        assert_ptr_equal(t.at, t.end);
        wanted = strtod(text, NULL);
        assert_double_equal(value, wanted, fabs(wanted) * 2.3e-16);
        if (strlen(text) <= 15)
            assert_memory_equal(&value, &wanted, sizeof value);
    }
}

static void texts_that_are_no_times(void **state)
{
    static const char *const texts[] = {"1.2.3",
                                        "10.0.0.1",
                                        "12",
                                        "cpu",
                                        "May",
                                        "monday",
                                        "1/2",
                                        "2026-13",
                                        "25:61:00",
                                        "10:00:00 +",
                                        "13:00 PM",
                                        "2026-03-10 later",
                                        "20260310 000000 x",
                                        "Mar 10"};
    struct format_stamp stamp;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (format_stamp_read(field_of(texts[i]), &stamp))
            fail_msg("\"%s\" is no time", texts[i]);
}

static void an_hour_that_comes_twice_or_not_at_all(void **state)
{
    struct format_zone zone;
    int64_t utc[2], twice, never, wall;

    (void)state;
    assert_int_equal(format_zone_load(&zone, "UTC", NULL), VD_OK);
    assert_int_equal(format_zone_utc(&zone, 0, utc), 1);
    if (format_zone_load(&zone, "Europe/Berlin", NULL) != VD_OK)
        skip(); /* no time zone database */
    assert_true(format_time(field_of("2026-10-25 02:30:00"), &twice));
    assert_true(format_time(field_of("2026-03-29 02:30:00"), &never));
    assert_true(format_time(field_of("2026-07-01 12:00:00"), &wall));
    assert_int_equal(format_zone_utc(&zone, twice, utc), 2);
    assert_true(utc[0] == twice - 7200000000000 && utc[1] == twice - 3600000000000);
    assert_int_equal(format_zone_utc(&zone, never, utc), 0);
    assert_int_equal(format_zone_utc(&zone, wall, utc), 1);
    assert_true(utc[0] == wall - 7200000000000);
    assert_int_equal(format_zone_load(&zone, "../etc/passwd", NULL), VD_ERR_ARGUMENT);
    assert_int_equal(format_zone_load(&zone, "Nowhere/At_all", NULL), VD_ERR_ARGUMENT);
}

/* Values of column "v" in the order in which they are read. */
static void read_all(const char *text, double *value, int64_t *time_ns, size_t n)
{
    const struct format_options options = {.time_zone = "UTC"};
    struct format_table table;
    bool more;

    assert_int_equal(format_table_of(&table, text, strlen(text), "t", &options, NULL),
                     VD_OK);
    assert_int_equal(table.n, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(format_table_next(&table, &more, NULL), VD_OK);
        assert_true(more);
        value[i] = format_table_value(&table, 1);
        time_ns[i] = table.time_ns;
    }
    assert_int_equal(format_table_next(&table, &more, NULL), VD_OK);
    assert_false(more);
    format_table_close(&table);
}

static void rows_come_in_order_of_time(void **state)
{
    static const struct {
        const char *text;
        double value[4];
        int64_t ms[4]; /* after the first row */
    } known[] = {
        {"time,v\n100,1\n101,2\n102,3\n103,4\n", {1, 2, 3, 4}, {0, 1000, 2000, 3000}},
        {"time,v\n103,4\n102,3\n101,2\n100,1\n", {1, 2, 3, 4}, {0, 1000, 2000, 3000}},
        {"time,v\n102,3\n100,1\n103,4\n101,2\n", {1, 2, 3, 4}, {0, 1000, 2000, 3000}},
        /* Of one time: as they stand, or turned round with the rest. */
        {"time,v\n100,1\n100,2\n101,3\n102,4\n", {1, 2, 3, 4}, {0, 500, 1000, 2000}},
        {"time,v\n102,4\n101,3\n100,2\n100,1\n", {1, 2, 3, 4}, {0, 500, 1000, 2000}},
        {"time,v\n23:59:58,1\n23:59:59,2\n00:00:00,3\n00:00:01,4\n",
         {1, 2, 3, 4},
         {0, 1000, 2000, 3000}},
        /* Two rows that lie centuries apart. */
        {"time,v\n1850-01-01,1\n2090-12-31,2\n2090-12-31,3\n2090-12-31,4\n",
         {1, 2, 3, 4},
         {0, 7605187200000, 0, 0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        int64_t time_ns[4];
        double value[4];

        read_all(known[i].text, value, time_ns, 4);
        for (size_t k = 0; k < 4; k++) {
            assert_double_equal(value[k], known[i].value[k], 0);
            if ((k == 0 || known[i].ms[k] > 0) &&
                (time_ns[k] - time_ns[0]) / 1000000 != known[i].ms[k])
                fail_msg("case %zu, row %zu", i, k);
        }
    }
}

/* ---- a clock that is set back ---- */

enum { MANY = 2000 };

static int64_t seconds_at(const struct format_place *place, size_t i)
{
    return (place[i].time_ns + 500000000) / 1000000000;
}

/* Rows a second apart; from row `at` on the clock shows `back` seconds less. */
static void make_rows(struct format_place *place, size_t at, int back, bool known)
{
    for (size_t i = 0; i < MANY; i++)
        place[i] = (struct format_place){
            .time_ns = (1700000000 + (int64_t)i - (i >= at ? back : 0)) * 1000000000,
            .offset = i,
            .line = (uint32_t)(i + 2),
            .since_s = known ? 1 : FORMAT_SINCE_UNKNOWN};
}

static void a_clock_that_is_set_back_mixes_no_rows(void **state)
{
    static const struct {
        size_t at;
        int back;
        bool known;
    } steps[] = {{1000, 300, false}, {1000, 10, false},  {700, 340, false},
                 {1990, 60, false},  {1000, 2, true},    {1, 5, true},
                 {1999, 900, true},  {1000, 86400, true}};
    static struct format_place place[MANY];
    const struct format_clock utc = {.zone = NULL};

    (void)state;
    for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
        struct format_order order;

        make_rows(place, steps[k].at, steps[k].back, steps[k].known);
        format_order_make(place, MANY, &utc, &order);
        assert_int_equal(order.back, 0);
        assert_int_equal(order.set_back, 1);
        assert_int_equal(order.set_line, steps[k].at + 2);
        assert_double_equal(order.set_s, steps[k].back, 0.01);
        for (size_t i = 0; i < MANY; i++) {
            assert_int_equal(place[i].offset, i);
            /* The clock at the end is right. */
            assert_int_equal(seconds_at(place, i),
                             1700000000 + (int64_t)i - steps[k].back);
        }
    }
}

/* Twice in one file, by unlike steps. */
static void a_clock_may_be_set_twice(void **state)
{
    static struct format_place place[MANY];
    const struct format_clock utc = {.zone = NULL};
    struct format_order order;

    (void)state;
    make_rows(place, 600, 120, false);
    for (size_t i = 1500; i < MANY; i++)
        place[i].time_ns -= INT64_C(40) * 1000000000;
    format_order_make(place, MANY, &utc, &order);
    assert_int_equal(order.set_back, 2);
    assert_int_equal(order.set_line, 602);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(seconds_at(place, i), 1700000000 + (int64_t)i - 160);
}

/* Rows that are only out of order: one that came late, parts that change places, a second
 * file of the same hours behind the first. */
static void what_is_only_out_of_order_is_sorted(void **state)
{
    static struct format_place place[MANY];
    const struct format_clock utc = {.zone = NULL};

    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        struct format_order order;

        make_rows(place, MANY, 0, false);
        for (size_t i = 0; i < MANY; i++) {
            size_t second = kind == 0   ? (i == 900 ? 860 : i)
                            : kind == 1 ? (i + 600) % MANY
                            : kind == 2 ? (i >= 800 && i < 1000    ? i + 200
                                           : i >= 1000 && i < 1200 ? i - 200
                                                                   : i)
                                        : 2 * i % MANY + (i >= MANY / 2);

            place[i].time_ns = (1700000000 + (int64_t)second) * 1000000000;
        }
        format_order_make(place, MANY, &utc, &order);
        assert_int_equal(order.set_back, 0);
        assert_true(order.back > 0);
        for (size_t i = 1; i < MANY; i++)
            assert_true(place[i].time_ns >= place[i - 1].time_ns);
        assert_true(seconds_at(place, MANY - 1) <= 1700000000 + MANY);
    }
}

/* In the hour that comes twice: a gap after which the second turn goes on, and a first
 * row of it. What passed is known, or it is not. */
static void what_passed_tells_which_turn_it_is(void **state)
{
    static const char *const rows[] = {"2026-10-25 02:10:00", "2026-10-25 02:10:01",
                                       "2026-10-25 02:10:02", "2026-10-25 02:40:02",
                                       "2026-10-25 02:40:03", "2026-10-25 03:00:00"};
    static const int since[2][6] = {{-1, 1, 1, 5400, 1, 1197}, {-1, 1, 1, 1800, 1, 4797}};
    static const int expected[2][6] = {{0, 1, 2, 5402, 5403, 6600},
                                       {0, 1, 2, 1802, 1803, 6600}};
    struct format_zone zone;

    (void)state;
    if (format_zone_load(&zone, "Europe/Berlin", NULL) != VD_OK)
        skip(); /* no time zone database */
    for (int k = 0; k < 2; k++) {
        const struct format_clock clock = {.zone = &zone};
        struct format_place place[6];
        struct format_order order;

        for (size_t i = 0; i < 6; i++) {
            place[i] = (struct format_place){.offset = i, .line = (uint32_t)(i + 2)};
            place[i].since_s =
                since[k][i] < 0 ? FORMAT_SINCE_UNKNOWN : (uint16_t)since[k][i];
            assert_true(format_time(field_of(rows[i]), &place[i].time_ns));
        }
        format_order_make(place, 6, &clock, &order);
        for (size_t i = 0; i < 6; i++)
            assert_int_equal(seconds_at(place, i) - seconds_at(place, 0), expected[k][i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_all_countries),
        cmocka_unit_test(a_number_is_counted_by_the_signs_that_fit_it),
        cmocka_unit_test(digits_are_rounded_once),
        cmocka_unit_test(texts_that_are_no_times),
        cmocka_unit_test(an_hour_that_comes_twice_or_not_at_all),
        cmocka_unit_test(rows_come_in_order_of_time),
        cmocka_unit_test(a_clock_that_is_set_back_mixes_no_rows),
        cmocka_unit_test(a_clock_may_be_set_twice),
        cmocka_unit_test(what_is_only_out_of_order_is_sorted),
        cmocka_unit_test(what_passed_tells_which_turn_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
