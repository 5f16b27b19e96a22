/* Made-up rows as text.
 *
 * Values are whole multiples of a power of ten, so they are printed as whole numbers with
 * a point: exact, and without the zeros at the end also the shortest text that reads back
 * as the same number ("2400.0", "12.5", "0.03").
 */
#include "cmd/generate_rows.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "os/clock.h"

enum {
    DAY_S = 86400,
    /* More than a row takes: a field is at most 24 digits and a name of 24. */
    ROW_MAX = 4096
};

static void put_text(struct generate_rows *r, const char *text)
{
    size_t length = strlen(text);

    assert(length <= sizeof r->text - r->used);
    memcpy(r->text + r->used, text, length);
    r->used += length;
}

static void put_char(struct generate_rows *r, char c)
{
    assert(r->used < sizeof r->text);
    r->text[r->used++] = c;
}

/* Writes a whole number with at least `width` digits. */
static void put_digits(struct generate_rows *r, uint64_t number, int width)
{
    char digits[24];
    int n = 0;

    for (; number > 0 || n < width; number /= 10)
        digits[n++] = (char)('0' + number % 10);
    while (n > 0)
        put_char(r, digits[--n]);
}

/* Writes a value of so many decimals as Python does: a number that has decimals shows one
 * at least. */
static void put_value(struct generate_rows *r, double value, int decimals)
{
    static const unsigned power[] = {1, 10, 100, 1000};
    uint64_t scaled = (uint64_t)llround(value * power[decimals]);

    put_digits(r, scaled / power[decimals], 1);
    if (decimals == 0)
        return;
    put_char(r, '.');
    put_digits(r, scaled % power[decimals], decimals);
    for (; decimals > 1 && r->text[r->used - 1] == '0'; decimals--)
        r->used--;
}

/* Keeps the date as text, since most rows are of the day of the row before. */
static void find_date(struct generate_rows *r, int64_t day)
{
    char text[OS_CLOCK_TEXT];

    if (day == r->day)
        return;
    os_clock_text_at(day * DAY_S * 1000000000, 0, text);
    memcpy(r->date, text, 10);
    r->date[10] = '\0';
    r->day = day;
}

static void put_time(struct generate_rows *r, int64_t ns)
{
    int64_t second = ns / 1000000000;
    uint64_t of_day = (uint64_t)(second % DAY_S), fraction = (uint64_t)(ns % 1000000000);

    find_date(r, second / DAY_S);
    put_text(r, r->date);
    put_char(r, r->layout.has_zone ? 'T' : ' ');
    put_digits(r, of_day / 3600, 2);
    put_char(r, ':');
    put_digits(r, of_day / 60 % 60, 2);
    put_char(r, ':');
    put_digits(r, of_day % 60, 2);
    if (r->layout.second_digits > 0) {
        put_char(r, '.');
        for (int i = r->layout.second_digits; i < 9; i++)
            fraction /= 10;
        put_digits(r, fraction, r->layout.second_digits);
    }
    if (r->layout.has_zone)
        put_char(r, 'Z');
}

/* Writes what stands before a field that is not the first: a comma, and in JSON the
 * name. */
static void put_next(struct generate_rows *r, const char *name)
{
    put_char(r, ',');
    if (r->layout.format == GENERATE_CSV)
        return;
    put_char(r, '"');
    put_text(r, name);
    put_text(r, "\":");
}

/* Writes the kind of the fault; what has none is empty in CSV, null in JSON. */
static void put_fault(struct generate_rows *r, enum vd_host_fault fault)
{
    const char *name = vd_host_fault_name(fault), *quote = "";

    if (r->layout.format == GENERATE_JSON && name != NULL)
        quote = "\"";
    put_text(r, quote);
    put_text(r, name != NULL ? name : r->layout.format == GENERATE_JSON ? "null" : "");
    put_text(r, quote);
}

static void flush(struct generate_rows *r)
{
    fwrite(r->text, 1, r->used, r->file);
    r->used = 0;
}

void generate_rows_begin(struct generate_rows *r, FILE *file,
                         const struct generate_layout *layout)
{
    r->file = file;
    r->layout = *layout;
    r->day = INT64_MIN;
    r->used = 0;
    if (layout->format == GENERATE_JSON)
        return;
    put_text(r, "timestamp");
    if (layout->has_machine)
        put_text(r, ",machine");
    for (size_t c = 0; layout->column != NULL && c < layout->columns; c++) {
        put_char(r, ',');
        put_text(r, layout->column[c].name);
    }
    put_text(r, layout->has_label ? ",label,fault\n" : "\n");
}

void generate_rows_put(struct generate_rows *r, int64_t time_ns, unsigned machine,
                       const double *value, struct vd_simulate_label label)
{
    bool json = r->layout.format == GENERATE_JSON;

    if (sizeof r->text - r->used < ROW_MAX)
        flush(r);
    put_text(r, json ? "{\"timestamp\":\"" : "");
    put_time(r, time_ns);
    put_text(r, json ? "\"" : "");
    if (r->layout.has_machine) {
        put_next(r, "machine");
        put_text(r, json ? "\"host-" : "host-");
        put_digits(r, machine, 1);
        put_text(r, json ? "\"" : "");
    }
    for (size_t c = 0; r->layout.column != NULL && c < r->layout.columns; c++) {
        put_next(r, r->layout.column[c].name);
        put_value(r, value[c], r->layout.column[c].decimals);
    }
    if (r->layout.has_label) {
        put_next(r, "label");
        put_char(r, label.anomaly ? '1' : '0');
        put_next(r, "fault");
        put_fault(r, label.fault);
    }
    put_text(r, json ? "}\n" : "\n");
}

void generate_rows_end(struct generate_rows *r)
{
    flush(r);
}
