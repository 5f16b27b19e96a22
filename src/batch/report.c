/* The page lies in the program; what was found is put into it as JSON.
 *
 * The JSON stands within HTML, and names and texts in it come from anybody's file: signs
 * that HTML knows, control characters and bytes that are no UTF-8 are written as escapes.
 * What is in it is bounded: envelopes of the columns that matter most, the worst rows,
 * and events, whose reasons are cut where there are thousands.
 */
#include "batch/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "batch/report_page.h"
#include "batch/shown.h"
#include "os/clock.h"
#include "os/output.h"
#include "os/utf8.h"

enum {
    ENVELOPES = 40,       /* columns with a chart */
    LISTED = 2000,        /* columns that are named at all */
    MANY_EVENTS = 4000,   /* of more events the reasons are cut */
    REASON_OF_MANY = 110, /* to so many bytes */
};

static const char PLACE[] = "<!-- data -->";

/* What a report is written from. */
struct report {
    const struct batch_analysis *a;
    const struct batch_analyse_options *o;
    FILE *file;
    size_t *shown; /* owned: columns, the most important first */
    size_t n_shown;
    size_t
        *place; /* owned: of a metric of the schema in the list; SIZE_MAX = not there */
    size_t n_listed; /* columns in the list */
};

/* ---- JSON ---- */

/* Writes a text of at most `most` bytes as JSON that is harmless within HTML. */
static void put_text(FILE *file, const char *text, size_t most)
{
    size_t left = strlen(text), used = 0;

    fputc('"', file);
    while (left > 0) {
        size_t n = os_utf8_length(text, left);
        unsigned char c = (unsigned char)*text;

        if (used + (n > 0 ? n : 1) > most) {
            fputs("…", file);
            break;
        }
        if (n == 0)
            fputs("\\ufffd", file);
        else if (n == 1 && (c < 0x20 || c == 0x7f || strchr("\"\\<>&'", c) != NULL))
            fprintf(file, "\\u%04x", c);
        else
            fwrite(text, 1, n, file);
        n = n > 0 ? n : 1;
        text += n;
        left -= n;
        used += n;
    }
    fputc('"', file);
}

/* Writes a number with so many digits; null when it is none. */
static void put_number(FILE *file, double value, int digits)
{
    if (isfinite(value))
        fprintf(file, "%.*g", digits, value);
    else
        fputs("null", file);
}

/* Writes a time in seconds; null for 0. */
static void put_time(FILE *file, int64_t ns)
{
    if (ns == 0)
        fputs("null", file);
    else if (ns % 1000000000 == 0)
        fprintf(file, "%lld", (long long)(ns / 1000000000));
    else
        fprintf(file, "%.6f", (double)(ns / 1000) / 1e6);
}

static void put_key(const struct report *r, const char *key)
{
    fprintf(r->file, ",\n\"%s\":", key);
}

static void put_count(const struct report *r, const char *key, uint64_t n)
{
    put_key(r, key);
    fprintf(r->file, "%llu", (unsigned long long)n);
}

static void put_named_text(const struct report *r, const char *key, const char *text)
{
    put_key(r, key);
    put_text(r->file, text, SIZE_MAX);
}

static void put_named_number(const struct report *r, const char *key, double value)
{
    put_key(r, key);
    put_number(r->file, value, 9);
}

/* ---- what was analysed ---- */

static void put_files(const struct report *r)
{
    fputs("{\"files\":[", r->file);
    for (size_t i = 0; i < r->o->n_files; i++) {
        const char *title = r->o->title != NULL ? r->o->title[i] : NULL;

        fputs(i > 0 ? "," : "", r->file);
        put_text(r->file, title != NULL ? title : r->o->file[i], SIZE_MAX);
    }
    fputc(']', r->file);
}

static void put_facts(const struct report *r)
{
    const struct batch_analysis *a = r->a;
    char zone[128];

    put_named_text(r, "version", VEDETTE_VERSION);
    put_key(r, "made");
    put_time(r->file, os_clock_wall_ns());
    put_named_text(r, "zone", os_clock_zone(zone, sizeof zone));
    put_count(r, "rows", a->rows);
    put_count(r, "anomalies", a->anomalies);
    put_count(r, "skipped", a->skipped);
    put_key(r, "first");
    put_time(r->file, a->first_ns);
    put_key(r, "last");
    put_time(r->file, a->last_ns);
    put_named_number(r, "pace", a->pace_s);
    put_named_text(r, "way", a->way);
    put_named_text(r, "why", a->why);
    put_named_text(r, "threshold", a->threshold_text);
    put_count(r, "learned", a->learned_rows);
    put_named_number(r, "seconds", a->seconds);
}

static void put_quality(const struct report *r)
{
    const struct batch_quality *q = &r->a->quality;

    put_key(r, "quality");
    if (!q->known) {
        fputs("null", r->file);
        return;
    }
    fputs("{\"column\":", r->file);
    put_text(r->file, q->column, SIZE_MAX);
    put_count(r, "anomalies", q->anomalies);
    put_count(r, "normal", q->normal);
    put_named_number(r, "precision", q->precision);
    put_named_number(r, "recall", q->recall);
    put_named_number(r, "f1", q->f1);
    put_named_number(r, "false_alarm_rate", q->false_alarm_rate);
    put_named_number(r, "roc_auc", q->roc_auc);
    put_named_number(r, "average_precision", q->average_precision);
    put_count(r, "events", q->events);
    put_count(r, "events_found", q->events_found);
    fputc('}', r->file);
}

/* ---- columns ---- */

/* Writes one side of an envelope. Five digits are more than a screen shows. */
static void put_envelope(const struct report *r, const char *key, const float *side)
{
    fprintf(r->file, ",\"%s\":[", key);
    for (size_t b = 0; b < r->a->n_buckets; b++) {
        fputs(b > 0 ? "," : "", r->file);
        put_number(r->file, (double)side[b], 5);
    }
    fputc(']', r->file);
}

static void put_column(const struct report *r, const struct batch_column *column,
                       bool has_chart)
{
    const struct record_metric *metric = &r->a->schema.metric[column->metric];

    fputs("{\"name\":", r->file);
    put_text(r->file, column->name, 120);
    fputs(",\"unit\":", r->file);
    put_text(r->file, metric->unit, SIZE_MAX);
    fputs(",\"expected\":", r->file);
    put_number(r->file, column->expected, 6);
    fputs(",\"note\":", r->file);
    put_text(r->file, column->note, SIZE_MAX);
    if (has_chart) {
        put_envelope(r, "low", column->low);
        put_envelope(r, "high", column->high);
    } else {
        fputs(",\"low\":null,\"high\":null", r->file);
    }
    fputs("}\n", r->file);
}

/* Lists the columns that are looked at: those with a chart, then the others. */
static void put_columns(struct report *r)
{
    put_key(r, "metrics");
    fputc('[', r->file);
    for (size_t i = 0; i < r->n_shown && i < ENVELOPES; i++) {
        fputs(r->n_listed > 0 ? "," : "", r->file);
        put_column(r, &r->a->column[r->shown[i]], true);
        r->place[r->a->column[r->shown[i]].metric] = r->n_listed++;
    }
    for (size_t c = 0; c < r->a->n_columns && r->n_listed < LISTED; c++) {
        size_t metric = r->a->column[c].metric;

        if (metric >= r->a->schema.n || r->place[metric] != SIZE_MAX)
            continue;
        fputs(r->n_listed > 0 ? "," : "", r->file);
        put_column(r, &r->a->column[c], false);
        r->place[metric] = r->n_listed++;
    }
    fputc(']', r->file);
}

static void put_left_out(const struct report *r)
{
    size_t n = 0;

    put_key(r, "left_out");
    fputc('[', r->file);
    for (size_t c = 0; c < r->a->n_columns && n < LISTED; c++) {
        const struct batch_column *column = &r->a->column[c];

        if (column->why[0] == '\0')
            continue;
        fputs(n++ > 0 ? ",[" : "[", r->file);
        put_text(r->file, column->name, 120);
        fputc(',', r->file);
        put_text(r->file, column->why, SIZE_MAX);
        fputc(']', r->file);
    }
    fputc(']', r->file);
}

static void put_buckets(const struct report *r)
{
    const struct batch_analysis *a = r->a;
    size_t n = a->n_buckets;

    put_key(r, "buckets");
    fputs("{\"row\":[", r->file);
    for (size_t b = 0; b < n; b++)
        fprintf(r->file, "%s%llu", b > 0 ? "," : "",
                (unsigned long long)a->bucket_row[b]);
    fputs("],\"t\":[", r->file);
    for (size_t b = 0; b < n; b++) {
        fputs(b > 0 ? "," : "", r->file);
        put_time(r->file, a->bucket_ns[b]);
    }
    fputs("],\"score\":[", r->file);
    for (size_t b = 0; b < n; b++) {
        fputs(b > 0 ? "," : "", r->file);
        put_number(r->file, (double)a->bucket_score[b], 4);
    }
    fputs("],\"anomalies\":[", r->file);
    for (size_t b = 0; b < n; b++)
        fprintf(r->file, "%s%u", b > 0 ? "," : "", a->bucket_anomalies[b]);
    fputs("]}", r->file);
}

/* ---- events and rows ---- */

/* Writes the deviations of metrics that are listed. */
static void put_deviations(const struct report *r, const struct batch_reason *why)
{
    const char *mark = "[";

    for (size_t i = 0; i < why->n_top; i++) {
        const struct record_deviation *d = &why->top[i];

        if (d->metric >= r->a->schema.n || r->place[d->metric] == SIZE_MAX)
            continue;
        fprintf(r->file, "%s[%zu,", mark, r->place[d->metric]);
        put_number(r->file, d->value, 6);
        fputc(',', r->file);
        put_number(r->file, d->expected, 6);
        fputc(',', r->file);
        put_number(r->file, d->z, 4);
        fputc(']', r->file);
        mark = ",";
    }
    fputs(*mark == '[' ? "[]" : "]", r->file);
}

static void put_event(const struct report *r, const struct batch_event *e, size_t most)
{
    fprintf(r->file, "[%llu,%llu,", (unsigned long long)e->first,
            (unsigned long long)e->last);
    put_time(r->file, e->first_ns);
    fputc(',', r->file);
    put_time(r->file, e->last_ns);
    fprintf(r->file, ",%llu,%llu,", (unsigned long long)e->rows,
            (unsigned long long)e->peak.row);
    put_time(r->file, e->peak.time_ns);
    fputc(',', r->file);
    put_number(r->file, e->peak.score, 4);
    fputc(',', r->file);
    put_text(r->file, e->pattern != NULL ? e->pattern : "", SIZE_MAX);
    fputc(',', r->file);
    put_text(r->file, e->peak.why.reason, most);
    fputc(',', r->file);
    put_deviations(r, &e->peak.why);
    fputs("]\n", r->file);
}

static void put_row(const struct report *r, const struct batch_row *row)
{
    fprintf(r->file, "[%llu,", (unsigned long long)row->row);
    put_time(r->file, row->time_ns);
    fputc(',', r->file);
    put_number(r->file, row->score, 4);
    fputc(',', r->file);
    put_text(r->file, row->why.reason, SIZE_MAX);
    fputc(',', r->file);
    put_deviations(r, &row->why);
    fputs(",[", r->file);
    for (size_t i = 0; i < row->why.n_factors; i++) {
        fputs(i > 0 ? "," : "", r->file);
        put_text(r->file, row->why.factor[i], SIZE_MAX);
    }
    fputs("]]\n", r->file);
}

static void put_found(const struct report *r)
{
    size_t most = r->a->n_events > MANY_EVENTS ? REASON_OF_MANY : SIZE_MAX;

    put_key(r, "events");
    fputc('[', r->file);
    for (size_t i = 0; i < r->a->n_events; i++) {
        fputs(i > 0 ? "," : "", r->file);
        put_event(r, &r->a->event[i], most);
    }
    fputc(']', r->file);
    put_count(r, "events_left_out", r->a->events_left_out);
    put_key(r, "worst");
    fputc('[', r->file);
    for (size_t i = 0; i < r->a->n_worst; i++) {
        fputs(i > 0 ? "," : "", r->file);
        put_row(r, &r->a->worst[i]);
    }
    fputc(']', r->file);
}

/* Writes all that was found. Columns come before what counts them by their place. */
static void put_data(struct report *r)
{
    put_files(r);
    put_facts(r);
    put_quality(r);
    put_columns(r);
    put_left_out(r);
    put_buckets(r);
    put_found(r);
    fputs("}\n", r->file);
}

/* ---- the page ---- */

enum vd_status batch_report_check(struct vd_error *err)
{
    size_t n;

    batch_report_page(&n);
    if (n > 0)
        return VD_OK;
    return vd_error_set(err, VD_ERR_UNAVAILABLE, "build it with -DVD_DASHBOARD=ON",
                        "this program was built without the page of reports");
}

/* Writes the page with the data in their place. */
static void put_page(struct report *r, const struct os_asset *page)
{
    const char *at = (const char *)page->bytes;
    const char *place = memmem(at, page->size, PLACE, sizeof PLACE - 1);
    size_t before = place == NULL ? page->size : (size_t)(place - at);

    fwrite(at, 1, before, r->file);
    if (place == NULL)
        return;
    put_data(r);
    place += sizeof PLACE - 1;
    fwrite(place, 1, page->size - before - (sizeof PLACE - 1), r->file);
}

/* Lists the columns, and makes room for their places. */
static enum vd_status prepare(struct report *r, struct vd_error *err)
{
    r->shown = batch_shown(r->a, &r->n_shown);
    r->place = malloc((r->a->schema.n + 1) * sizeof *r->place);
    if (r->shown == NULL || r->place == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the report");
    for (size_t i = 0; i < r->a->schema.n; i++)
        r->place[i] = SIZE_MAX;
    return VD_OK;
}

enum vd_status batch_report_write(const struct batch_analysis *analysis,
                                  const struct batch_analyse_options *o, const char *path,
                                  struct vd_error *err)
{
    struct report r = {.a = analysis, .o = o};
    enum vd_status status = batch_report_check(err);
    struct os_output out = {0};
    size_t n;

    if (status == VD_OK)
        status = prepare(&r, err);
    if (status == VD_OK)
        status = os_output_open(&out, path, err);
    if (status == VD_OK) {
        r.file = out.file;
        put_page(&r, &batch_report_page(&n)[0]);
        status = os_output_close(&out, err);
    }
    free(r.place);
    free(r.shown);
    return status;
}
