/* Numbers of tables against the C library, bit for bit. */
#include "unit.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/decimal.h"
#include "vedette/rng.h"

enum { TEXTS = 400000 };

/* Reads a text in both ways that there are, and holds them against strtod. */
static void check(const char *text)
{
    char padded[1200];
    size_t size = strlen(text);
    struct format_scan t = format_scan_of(padded, size);
    struct format_plain plain;
    double expected = strtod(text, NULL), value = NAN;

    memset(padded, '7', sizeof padded);
    memcpy(padded, text, size);
    assert_int_equal(format_decimal(&t, &value), isfinite(expected));
    if (!isfinite(expected))
        return;
    if (memcmp(&value, &expected, sizeof value) != 0 || t.at != t.end)
        fail_msg("%s: %a, and strtod has %a", text, value, expected);
    if (format_plain_read(padded, size, &plain) &&
        memcmp(&plain.value, &expected, sizeof expected) != 0)
        fail_msg("%s: %a, and strtod has %a", text, plain.value, expected);
}

/* Appends up to `most` digits, of which the first ones may be 0. */
static size_t put_digits(char *text, size_t most, struct vd_rng *rng)
{
    size_t n = (size_t)vd_rng_below(rng, (uint32_t)most + 1);

    for (size_t i = 0; i < n; i++)
        text[i] = (char)('0' + vd_rng_below(rng, vd_rng_below(rng, 4) == 0 ? 1 : 10));
    return n;
}

static void make_text(char *text, struct vd_rng *rng)
{
    static const size_t lengths[] = {3, 8, 17, 20, 40, 400};
    size_t length = lengths[vd_rng_below(rng, vd_rng_below(rng, 20) == 0 ? 6 : 4)], n = 0;

    if (vd_rng_below(rng, 4) == 0)
        text[n++] = '-';
    text[n++] = (char)('0' + vd_rng_below(rng, 10));
    n += put_digits(text + n, length, rng);
    if (vd_rng_below(rng, 4) != 0) {
        text[n++] = '.';
        n += put_digits(text + n, length, rng);
    }
    text[n] = '\0';
    if (vd_rng_below(rng, 4) == 0)
        sprintf(text + n, "e%d", (int)vd_rng_below(rng, 700) - 350);
    else if (vd_rng_below(rng, 4) == 0)
        sprintf(text + n, "E%+d", (int)vd_rng_below(rng, 60) - 30);
}

static void digits_become_the_number_that_strtod_gives(void **state)
{
    struct vd_rng rng;
    char text[1200];

    (void)state;
    vd_rng_init(&rng, 5);
    for (int i = 0; i < TEXTS; i++) {
        make_text(text, &rng);
        check(text);
    }
}

/* Doubles as programs print them, and the middles between two of them, where the last
 * digit decides. */
static void printed_numbers_come_back(void **state)
{
    static const int digits[] = {17, 15, 6, 3, 16, 18, 40, 2};
    struct vd_rng rng;
    char text[1200];

    (void)state;
    vd_rng_init(&rng, 6);
    for (int i = 0; i < TEXTS; i++) {
        uint64_t bits = vd_rng_next(&rng);
        long double middle;
        double value;

        if (i % 2 == 0) /* of a usual size */
            bits = (bits & UINT64_C(0x800fffffffffffff)) |
                   (UINT64_C(1023) - 40 + bits % 80) << 52;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        if (i / 8 % 2 == 0)
            snprintf(text, sizeof text, "%.*g", digits[i % 8], value);
        else
            snprintf(text, sizeof text, "%.*f", digits[i % 8], value);
        check(text);
        if (i % 16 != 0)
            continue;
        middle = (long double)value / 2 + (long double)nextafter(value, INFINITY) / 2;
        snprintf(text, sizeof text, "%.800Lg", middle);
        check(text);
        text[strcspn(text, "e")] = '\0';
        strcat(text, "1");
        check(text);
    }
}

static void edges(void **state)
{
    static const char *const texts[] = {"0",
                                        "-0",
                                        "0.0",
                                        "00012",
                                        ".5",
                                        "5.",
                                        "-.5",
                                        "9007199254740991",
                                        "9007199254740992",
                                        "9007199254740993",
                                        "9007199254740993.0000000001",
                                        "18446744073709551615",
                                        "18446744073709551616",
                                        "1844674407370955161.5",
                                        "1e22",
                                        "1e23",
                                        "8.5e22",
                                        "4.9e-324",
                                        "2.4e-324",
                                        "2.5e-324",
                                        "1e-400",
                                        "2.2250738585072011e-308",
                                        "2.2250738585072014e-308",
                                        "1.7976931348623157e308",
                                        "1.7976931348623158e308",
                                        "1.7976931348623159e308",
                                        "1e308",
                                        "1e309",
                                        "-1e999999999999999999999",
                                        "1e-999999999999999999999",
                                        "123456789012345678901234567890",
                                        "0.000000000000000000000000000001",
                                        "1234567.8",
                                        "12345678.",
                                        ".12345678",
                                        ".1234567890123456",
                                        "1234567890123456",
                                        "12345678.1234567",
                                        "123456789.123456",
                                        "72057594037927935.5",
                                        "0.1",
                                        "0.3",
                                        "100000000000000016777215",
                                        "100000000000000016777216"};
    struct format_plain plain;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check(texts[i]);
    assert_true(format_plain_read("-12.50                ", 6, &plain));
    assert_true(plain.point && plain.whole == 2 && plain.fraction == 2);
    assert_true(format_plain_read("1700000000.25           ", 13, &plain));
    assert_true(plain.point && plain.whole == 10 && plain.fraction == 2);
    assert_true(format_plain_read("7                  ", 1, &plain));
    assert_true(!plain.point && plain.whole == 1 && plain.fraction == 0);
}

static void what_is_no_plain_number(void **state)
{
    static const char *const texts[] = {"",           "-",         ".",
                                        "-.",         "1.2.3",     "1..2",
                                        "--1",        "1-",        "12a",
                                        "a",          "1e5",       "+1",
                                        "1,5",        " 1",        "1 ",
                                        "0x1",        "12345678x", "x12345678",
                                        "1.234567.8", "nan",       "12345678901234567",
                                        "\x80",       "1\x92"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char padded[64] = "";
        struct format_plain plain;

        memcpy(padded, texts[i], strlen(texts[i]));
        if (format_plain_read(padded, strlen(texts[i]), &plain))
            fail_msg("\"%s\" was read as %g", texts[i], plain.value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_become_the_number_that_strtod_gives),
        cmocka_unit_test(printed_numbers_come_back),
        cmocka_unit_test(edges),
        cmocka_unit_test(what_is_no_plain_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
