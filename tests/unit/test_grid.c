/* src/format: plain rows taken column by column give what rows one by one give. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/blocks.h"
#include "format/decimal.h"
#include "format/grid.h"
#include "vedette/rng.h"

/* ---- numbers ---- */

/* Writes one field: mostly a number, sometimes anything. */
static size_t put_field(struct vd_rng *rng, char *to)
{
    static const char *const others[] = {"",
                                         "-",
                                         ".",
                                         "-.",
                                         "+1",
                                         "1e5",
                                         "nan",
                                         " 1.5",
                                         "1.5 ",
                                         "1.2.3",
                                         "12x",
                                         "--1",
                                         "1-",
                                         "1.234",
                                         "0.123",
                                         "-0",
                                         "-0.0",
                                         "12.",
                                         ".5",
                                         "-.25",
                                         "-12.345",
                                         "999.999",
                                         "1000.125",
                                         "00000000",
                                         "99999999",
                                         "12345678901234567",
                                         "123456789.12345678",
                                         "x",
                                         "1,2",
                                         "0x10",
                                         "1 000"};
    char text[40];
    int size, digits = 1 + (int)vd_rng_below(rng, 10), point = -1;

    if (vd_rng_below(rng, 12) == 0) {
        const char *other = others[vd_rng_below(rng, sizeof others / sizeof *others)];

        if (strchr(other, ',') == NULL) {
            memcpy(to, other, strlen(other));
            return strlen(other);
        }
    }
    if (vd_rng_below(rng, 3) > 0)
        point = (int)vd_rng_below(rng, (uint32_t)digits + 1);
    size = vd_rng_below(rng, 4) == 0 ? 1 : 0;
    text[0] = '-';
    for (int i = 0; i < digits; i++) {
        if (i == point)
            text[size++] = '.';
        text[size++] = (char)('0' + vd_rng_below(rng, 10));
    }
    memcpy(to, text, (size_t)size);
    return (size_t)size;
}

static enum format_shape shape_of(struct format_csv_field f, double *value)
{
    struct format_plain plain;
    bool three;

    if (!format_plain_read(f.at, f.size, &plain))
        return FORMAT_SHAPE_OTHER;
    *value = plain.value;
    three =
        plain.fraction == 3 && plain.whole >= 1 && plain.whole <= 3 && plain.first != '0';
    return !plain.point ? FORMAT_SHAPE_WHOLE
           : three      ? FORMAT_SHAPE_EITHER
                        : FORMAT_SHAPE_POINT;
}

static void assert_column(const struct format_grid *g, size_t column, size_t first,
                          size_t n)
{
    double value[64], one = 0;
    uint8_t shape[64];
    size_t others = 0, found = format_grid_numbers(g, column, first, n, value, shape);

    for (size_t i = 0; i < n; i++) {
        enum format_shape expected =
            shape_of(format_grid_bytes(g, first + i, column), &one);

        others += expected == FORMAT_SHAPE_OTHER;
        assert_int_equal(shape[i], expected);
        if (expected != FORMAT_SHAPE_OTHER)
            assert_memory_equal(&value[i], &one, sizeof one);
    }
    assert_int_equal(found, others);
}

static void numbers_are_those_of_each_field(void **state)
{
    enum { ROWS = 61, COLUMNS = 4 };
    struct format_grid grid = {0};
    struct vd_rng rng;

    (void)state;
    vd_rng_init(&rng, 1);
    for (int round = 0; round < 400; round++) {
        static char text[ROWS * COLUMNS * 40 + FORMAT_SLACK];
        const char *end = round % 2 == 0 ? "\n" : "\r\n";
        size_t size = 0;

        for (size_t i = 0; i < ROWS * COLUMNS; i++) {
            size += put_field(&rng, text + size);
            if (i % COLUMNS + 1 < COLUMNS)
                text[size++] = ',';
            else
                size += (size_t)sprintf(text + size, "%s", end);
        }
        assert_true(format_grid_find(&grid, text, size, ',', COLUMNS));
        assert_int_equal(grid.rows, ROWS);
        for (size_t column = 0; column < COLUMNS; column++)
            for (size_t first = 0; first < 6; first++)
                assert_column(&grid, column, first, ROWS - first - (size_t)round % 5);
    }
    format_grid_release(&grid);
}

static void only_plain_rows_are_a_grid(void **state)
{
    static const char *const no[] = {
        "1,2\n3\n",     "1,2\n3,4,5\n", "1,2\n\"3\",4\n",  "1,2\n3,4",
        "1,2\n\n3,4\n", "1,2,3\n4\n",   "1\n2,3,4\n5,6\n", ""};
    struct format_grid grid = {0};
    char text[64 + FORMAT_SLACK] = "";

    (void)state;
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        strcpy(text, no[i]);
        assert_false(format_grid_find(&grid, text, strlen(no[i]), ',', 2));
    }
    strcpy(text, "1,2\n3,\n");
    text[1] = '\0';
    assert_false(format_grid_find(&grid, text, 7, ',', 2));
    text[1] = ',';
    assert_true(format_grid_find(&grid, text, 7, ',', 2));
    assert_int_equal(grid.rows, 2);
    assert_int_equal(format_grid_field(&grid, 1, 1).size, 0);
    format_grid_release(&grid);
}

/* ---- tables ---- */

enum { TABLE_ROWS = 700 };

/* Values of the rows, one after the other. */
struct values {
    double *at;
    int64_t *time_ns;
    int8_t *label;
    size_t n;
};

static enum vd_status keep(const struct format_table *t, struct format_block *b,
                           size_t first, void *context, struct vd_error *err)
{
    struct values *v = context;

    (void)err;
    assert_int_equal(first, v->n);
    memcpy(v->at + v->n * t->n_metrics, b->value, b->n * t->n_metrics * sizeof *b->value);
    memcpy(v->time_ns + v->n, b->time_ns, b->n * sizeof *b->time_ns);
    memcpy(v->label + v->n, b->label, b->n * sizeof *b->label);
    v->n += b->n;
    return VD_OK;
}

static void read_all(const char *text, struct format_table *t, struct values *v)
{
    const struct format_options options = {.need_label = true, .sample = 50, .seed = 3};
    const struct format_blocks_user user = {.done = keep, .context = v};
    struct vd_error err = {0};

    if (format_table_of(t, text, strlen(text), "table", &options, &err) != VD_OK)
        fail_msg("%s", err.text);
    *v = (struct values){calloc(t->n, (t->n_metrics + 1) * sizeof *v->at),
                         calloc(t->n, sizeof *v->time_ns), calloc(t->n, 1), 0};
    assert_int_equal(format_blocks_each(t, 1, &user, &err), VD_OK);
    assert_int_equal(v->n, t->n);
}

static void assert_same_tables(const char *one, const char *other)
{
    struct format_table a, b;
    struct values x, y;

    read_all(one, &a, &x);
    read_all(other, &b, &y);
    assert_int_equal(a.n, b.n);
    assert_int_equal(a.n_metrics, b.n_metrics);
    assert_int_equal(a.time, b.time);
    assert_int_equal(a.label, b.label);
    assert_int_equal(a.first_ns, b.first_ns);
    assert_int_equal(a.last_ns, b.last_ns);
    assert_int_equal(a.untimed.n, b.untimed.n);
    assert_int_equal(a.untimed.line, b.untimed.line);
    for (size_t c = 0; c < a.n_columns; c++) {
        assert_int_equal(a.column[c].role, b.column[c].role);
        assert_int_equal(a.column[c].decimal, b.column[c].decimal);
        assert_int_equal(a.column[c].odd, b.column[c].odd);
        assert_int_equal(a.column[c].odd_line, b.column[c].odd_line);
        assert_string_equal(a.column[c].odd_text, b.column[c].odd_text);
        assert_true((a.column[c].why == NULL) == (b.column[c].why == NULL));
        if (a.column[c].why != NULL)
            assert_string_equal(a.column[c].why, b.column[c].why);
    }
    assert_memory_equal(x.time_ns, y.time_ns, x.n * sizeof *x.time_ns);
    assert_memory_equal(x.label, y.label, x.n);
    for (size_t i = 0; i < x.n * a.n_metrics; i++)
        assert_true((isnan(x.at[i]) && isnan(y.at[i])) || x.at[i] == y.at[i]);
    free(x.at), free(x.time_ns), free(x.label);
    free(y.at), free(y.time_ns), free(y.label);
    format_table_close(&a);
    format_table_close(&b);
}

/* Writes the time of row i in one of the ways in which files have it. */
static size_t put_time(char *to, int kind, int i, const char *quote)
{
    static const struct {
        char date, between;
        const char *end;
    } ways[] = {{'-', ' ', ""}, {'-', 'T', ".250"}, {'-', 'T', "Z"}, {'/', ' ', ""}};
    int s = i * 137;

    if (kind == 4)
        return (size_t)sprintf(to, "%s%d%s", quote, 1750000000 + s, quote);
    if (i == 300 && kind == 0)
        return (size_t)sprintf(to, "%snever%s", quote, quote);
    return (size_t)sprintf(to, "%s2026%c03%c%02d%c%02d:%02d:%02d%s%s", quote,
                           ways[kind].date, ways[kind].date, 1 + s / 86400,
                           ways[kind].between, s / 3600 % 24, s / 60 % 60, s % 60,
                           ways[kind].end, quote);
}

/* Writes a table; `quote` around the time of one row keeps it from being a grid. */
static void make_table(char *to, int kind, const char *quote)
{
    struct vd_rng rng;

    vd_rng_init(&rng, (uint64_t)kind);
    to += sprintf(to, "when,load,whole,note,mixed,label\n");
    for (int i = 0; i < TABLE_ROWS; i++) {
        to += put_time(to, kind, i, i == 20 ? quote : "");
        to += sprintf(to, ",%.2f", 50 * vd_rng_uniform(&rng));
        to += sprintf(to, ",%d", (int)vd_rng_below(&rng, 9000) - 500);
        to += sprintf(to, ",text %d,", i);
        if (i % 50 == 7)
            to += sprintf(to, "%s", i % 100 == 7 ? "n/a" : "");
        else if (i == 400)
            to += sprintf(to, "broken");
        else
            to += sprintf(to, "%.*f", i % 5, 9 * vd_rng_normal(&rng));
        to += sprintf(to, ",%d\n", i % 90 == 3);
    }
}

static void columns_and_rows_find_the_same(void **state)
{
    static char grid[TABLE_ROWS * 100], rows[TABLE_ROWS * 100];

    (void)state;
    for (int kind = 0; kind < 5; kind++) {
        make_table(grid, kind, "");
        make_table(rows, kind, "\"");
        assert_same_tables(grid, rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_each_field),
        cmocka_unit_test(only_plain_rows_are_a_grid),
        cmocka_unit_test(columns_and_rows_find_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
