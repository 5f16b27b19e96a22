/* src/format: what is made of the columns of a table. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/table.h"

/* What was found, as one line: the separator, a letter for the role of each column, the
 * unit of Unix time in a second, and what else was decided. */
static void describe(char *out, size_t size, const struct format_table *t)
{
    static const char roles[] = "mctelvrx";
    size_t n = 0;

    out[n++] = t->separator;
    out[n++] = ' ';
    for (size_t c = 0; c < t->n_columns; c++)
        out[n++] = roles[t->column[c].role];
    n += (size_t)snprintf(out + n, size - n, " %zu", t->n);
    if (t->time != SIZE_MAX)
        n += (size_t)snprintf(out + n, size - n, " time %zu/%g", t->time, t->per_s);
    snprintf(out + n, size - n, "%s%s%s%s%s%s%s", t->clock != SIZE_MAX ? " clock" : "",
             t->of_day ? " of_day" : "", t->zoned ? " zoned" : "",
             t->day_first ? " day" : "", t->order_guessed ? " guessed" : "",
             t->label != SIZE_MAX ? " label" : "", t->label_is_flag ? " flag" : "");
}

static void columns_are_what_their_values_are(void **state)
{
    static const struct {
        const char *text, *wanted; /* wanted: as of describe; NULL = it is refused */
        struct format_options options;
    } known[] = {
        /* separators */
        {"a,b\n1,2\n3,4\n", ", mm 2", {0}},
        {"a;b\n1,5;2\n3,5;4\n", "; mm 2", {0}},
        {"a|b\n1|2\n3|4\n", "| mm 2", {0}},
        {"a\tb\n1\t2\n3\t4\n", "\t mm 2", {0}},
        {"a b\n1 2\n3 4\n", "  mm 2", {0}},
        {"a:b\n1:2\n3:4\n", ": mm 2", {.separator = ":"}},
        {"a|b\n1|2\n3|4\n", NULL, {.separator = ""}},
        {"a\tb\n1\t2\n", "\t mm 1", {.separator = "tab"}},
        {"a\tb\n1\t2\n", "\t mm 1", {.separator = "\\t"}},
        {"a b\n1 2\n", "  mm 1", {.separator = "blank"}},
        {"a b\n1 2\n", "  mm 1", {.separator = "space"}},
        {"a,b\n1,2\n", NULL, {.separator = "\n"}},
        {"a,b\n1,2\n", NULL, {.separator = "ab"}},
        /* time by name and by value */
        {"time,a\n1753689600,1\n1753689601,2\n", ", tm 2 time 0/1", {0}},
        {"time,a\n1753689600000,1\n1753689601000,2\n", ", tm 2 time 0/1000", {0}},
        {"time_us,a\n1753689600000000,1\n1753689601000000,2\n",
         ", tm 2 time 0/1e+06",
         {0}},
        {"time_s,a\n1753689600,1\n1753689601,2\n", ", tm 2 time 0/1", {0}},
        /* a name that cannot be true */
        {"time_s,a\n1753689600000,1\n1753689601000,2\n", ", tm 2 time 0/1000", {0}},
        {"a,time\n1,2025-07-28 20:00:00\n2,2025-07-28 20:00:01\n",
         ", mt 2 time 1/0",
         {0}},
        {"a,when\n1,2025-07-28 20:00:00\n2,2025-07-28 20:00:01\n",
         ", mt 2 time 1/0",
         {0}},
        {"a,when\n1,2025-07-28T20:00:00Z\n2,2025-07-28T20:00:01Z\n",
         ", mt 2 time 1/0 zoned",
         {0}},
        {"a,b\n1753689600,1\n1753689601,2\n", ", tm 2 time 0/1", {0}},
        /* neither the first column nor whole, nor only one way */
        {"b,a\n1,1753689600\n2,1753689601\n", ", mm 2", {0}},
        {"a,b\n1753689600,1\n1753689500,2\n1753689601,2\n", ", mm 3", {0}},
        {"a,b\n1753689600.5,1\n1753689601.5,2\n", ", mm 2", {0}},
        {"time,a\n20:00:00,1\n20:00:01,2\n", ", tm 2 time 0/0 of_day", {0}},
        {"date,clock,a\n2025-07-28,20:00:00,1\n2025-07-28,20:00:01,2\n",
         ", ttm 2 time 0/0 clock",
         {0}},
        {"clock,date,a\n20:00:00,2025-07-28,1\n20:00:01,2025-07-28,2\n",
         ", ttm 2 time 1/0 clock",
         {0}},
        {"date,clock,a\n20250728,20:00:00,1\n20250728,20:00:01,2\n",
         ", ttm 2 time 0/0 clock",
         {0}},
        /* the column that is named */
        {"time,when,a\n1,2,1\n2,3,2\n", ", etm 2 time 1/1", {.time_column = "when"}},
        {"a,b,c\n1,2,1\n2,3,2\n", ", mmt 2 time 2/1", {.time_column = "3"}},
        {"a,3,c\n1,2,1\n2,3,2\n", ", mtm 2 time 1/1", {.time_column = "3"}},
        {"a,b,c\n1,2,1\n2,3,2\n", NULL, {.time_column = "0"}},
        {"a,b,c\n1,2,1\n2,3,2\n", NULL, {.time_column = "4"}},
        {"a,b,c\n1,2,1\n2,3,2\n", NULL, {.time_column = "1x"}},
        {"time,a\n1,1\n2,2\n", ", em 2", {.time_column = "none"}},
        {"time,a\n1,1\n2,2\n", ", tm 2 time 0/1000", {.time_format = "ms"}},
        {"time,a\n1,1\n2,2\n", ", tm 2 time 0/1e+09", {.time_format = "NS"}},
        {"time,a\n1,1\n2,2\n", ", tm 2 time 0/1", {.time_format = "auto"}},
        {"time,a\n1,1\n2,2\n", NULL, {.time_format = "minutes"}},
        {"time,a\n28|07|2025,1\n29|07|2025,2\n",
         ", tm 2 time 0/0",
         {.time_format = "%d|%m|%Y"}},
        /* day or month first */
        {"time,a\n28.07.2025,1\n29.07.2025,2\n", ", tm 2 time 0/0 day", {0}},
        {"time,a\n07/28/2025,1\n07/29/2025,2\n", ", tm 2 time 0/0", {0}},
        {"time,a\n07/28/2025,1\n29/07/2025,2\n", NULL, {0}},
        {"time,a\n12/12/2025,1\n12/13/2025,2\n", ", tm 2 time 0/0", {0}},
        {"time,a\n12/12/2025,1\n13/12/2025,2\n", ", tm 2 time 0/0 day", {0}},
        {"time,a\n01.02.2025,1\n01.02.2025,2\n", ", tm 2 time 0/0 day guessed", {0}},
        {"time,a\n01-02-2025,1\n01-02-2025,2\n", ", tm 2 time 0/0 day guessed", {0}},
        {"time,a\n01/02/2025,1\n01/02/2025,2\n", ", tm 2 time 0/0 guessed", {0}},
        {"time,a\n01/02/2025,1\n02/02/2025,2\n", ", tm 2 time 0/0 day guessed", {0}},
        {"time,a\n02/01/2025,1\n02/02/2025,2\n", ", tm 2 time 0/0 guessed", {0}},
        {"time,a\n01/02/2025 1:00 PM,1\n02/02/2025 1:00 PM,2\n",
         ", tm 2 time 0/0 guessed",
         {0}},
        {"time,a\n01/02/2025,1\n01/02/2025,2\n",
         ", tm 2 time 0/0 day",
         {.time_format = "dmy"}},
        {"time,a\n01.02.2025,1\n01.02.2025,2\n",
         ", tm 2 time 0/0",
         {.time_format = "MDY"}},
        /* labels */
        {"a,label\n1,0\n2,1\n", ", ml 2 label", {0}},
        {"a,is_anomaly\n1,0\n2,1\n", ", ml 2 label flag", {0}},
        {"a,IS_OUTLIER\n1,0\n2,1\n", ", ml 2 label flag", {0}},
        {"a,is_anomaly\n1,-1\n2,1\n", ", ml 2 label", {0}},
        {"a,is\n1,0\n2,1\n", ", ml 2 label", {.label = "is"}},
        {"a,isolated\n1,0\n2,1\n", ", ml 2 label", {.label = "isolated"}},
        {"a,is_\n1,0\n2,1\n", ", ml 2 label flag", {.label = "IS_"}},
        {"a,outlier\n1,0\n2,1\n", ", ml 2 label", {0}},
        /* of another meaning: as many other values as labels */
        {"a,outlier\n1,0\n2,7\n", ", mv 2", {0}},
        {"a,outlier\n1,0\n2,7\n3,1\n", NULL, {.need_label = true}},
        {"a,b\n1,0\n2,1\n", NULL, {.label = "c"}},
        /* what is no metric */
        {"a,b\n1,x\n2,y\n", ", mx 2", {0}},
        {"a,b\n1,\n2,\n", ", mx 2", {0}},
        {"row,a\n1,5\n2,5\n3,6\n", ", rm 3", {0}},
        {"row,a\n5,5\n2,5\n4,6\n", ", mm 3", {0}},
        {"score,a\n1,5\n2,5\n", ", vm 2", {0}},
        {"elapsed_s,a\n1,5\n2,5\n", ", em 2", {0}},
        {"a,b\nx,y\nz,w\n", NULL, {0}},
        {"a,a\n1,2\n3,4\n", NULL, {0}},
        {"a,b\n", NULL, {0}},
        {"a,b\n1,2\n3,4,5\n", NULL, {0}},
        {"a,b\n1,2\n3,4,5\n", ", mm 1", {.ragged = FORMAT_LONG_SKIPPED}},
        {"a,b\n1,2\n3\n", ", mm 2", {0}},
        {"a,b\n1,2\n3\n", NULL, {.ragged = FORMAT_RAGGED_REFUSED}},
        {"a,b\n1,2\n\"3,4\n", NULL, {0}},
        {"# made by hand\na,b\n1,2\na,b\n3,4\n", ", mm 2", {0}},
        {"#a,b\n1,2\n3,4\n", ", mm 2", {0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct format_options options = known[i].options;
        struct vd_error err = {0};
        struct format_table table;
        char found[200] = "";
        enum vd_status status;

        options.time_zone = "UTC";
        status = format_table_of(&table, known[i].text, strlen(known[i].text), "t",
                                 &options, &err);
        if (status == VD_OK)
            describe(found, sizeof found, &table);
        format_table_close(&table);
        if ((known[i].wanted == NULL) != (status != VD_OK) ||
            (status == VD_OK && strcmp(found, known[i].wanted) != 0))
            fail_msg("%s: \"%s\", expected \"%s\" %s", known[i].text, found,
                     known[i].wanted == NULL ? "an error" : known[i].wanted, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_what_their_values_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
