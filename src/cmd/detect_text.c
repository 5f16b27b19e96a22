/* Prints an analysis for people and as JSON. */
#include "cmd/detect_text.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "cmd/json_out.h"
#include "os/clock.h"
#include "os/utf8.h"

enum { TOP = 10, EVENTS_PRINTED = 20 };

/* ---- for people ---- */

/* Writes the time of a row as people read it, or its number where rows have no time. */
static const char *when(const struct batch_row *row, char text[64])
{
    time_t s = (time_t)(row->time_ns / 1000000000 - (row->time_ns % 1000000000 < 0));
    struct tm tm;

    if (row->time_ns == 0 || localtime_r(&s, &tm) == NULL)
        snprintf(text, 64, "row %llu", (unsigned long long)row->row);
    else
        strftime(text, 64, "%Y-%m-%d %H:%M:%S", &tm);
    return text;
}

/* Prints a text from outside, which may hold any byte. */
static void print_visible(FILE *out, const char *text)
{
    char safe[512];

    fputs(os_utf8_visible(text, safe, sizeof safe), out);
}

/* Prints the ten worst rows in lines that scripts know. */
static void print_top(const struct batch_analysis *a, FILE *out)
{
    if (a->n_worst == 0)
        return;
    fprintf(out, "\nTop anomalies with reasons:\n");
    for (size_t i = 0; i < a->n_worst && i < TOP; i++) {
        const struct batch_row *row = &a->worst[i];
        char text[64];

        fprintf(out, "  %zu. Score: %.3f | Time: %s\n     Reason: ", i + 1, row->score,
                when(row, text));
        print_visible(out, row->why.reason);
        fputs("\n     Severity Factors: ", out);
        for (size_t k = 0; k < row->why.n_factors; k++) {
            fputs(k == 0 ? "" : ", ", out);
            print_visible(out, row->why.factor[k]);
        }
        putc('\n', out);
    }
}

static void print_events(const struct batch_analysis *a, FILE *out)
{
    fprintf(out, "\nEvents: %zu\n", a->n_events + (size_t)a->events_left_out);
    for (size_t i = 0; i < a->n_events && i < EVENTS_PRINTED; i++) {
        const struct batch_event *e = &a->event[i];
        char text[64];

        fprintf(out, "  rows %llu-%llu, from %s: %s, %s, score %.3f: ",
                (unsigned long long)e->first, (unsigned long long)e->last,
                when(&(struct batch_row){.row = e->first, .time_ns = e->first_ns}, text),
                record_severity_name(e->peak.severity), e->pattern, e->peak.score);
        print_visible(out, e->peak.why.n_top > 0 ? e->peak.why.explanation[0]
                                                 : e->peak.why.reason);
        putc('\n', out);
    }
    if (a->n_events > EVENTS_PRINTED)
        fprintf(out, "  and %zu more\n", a->n_events - EVENTS_PRINTED);
}

static void print_columns(const struct batch_analysis *a, FILE *out)
{
    size_t left = 0;

    fprintf(out, "\nColumns: %zu used", a->n_used);
    for (size_t c = 0; c < a->n_columns; c++) {
        const struct batch_column *column = &a->column[c];

        if (column->metric == SIZE_MAX) {
            fputs(left++ == 0 ? "; left out: " : ", ", out);
            print_visible(out, column->name);
            fprintf(out, " (%s)", column->why);
        }
    }
    putc('\n', out);
    for (size_t c = 0; c < a->n_columns; c++)
        if (a->column[c].metric != SIZE_MAX && a->column[c].note[0] != '\0') {
            fputs("  ", out);
            print_visible(out, a->column[c].name);
            fprintf(out, ": %s\n", a->column[c].note);
        }
}

static void print_quality(const struct batch_quality *q, FILE *out)
{
    if (!q->known)
        return;
    fprintf(
        out,
        "Against the labels (%s): precision %.3f, recall %.3f, F1 %.3f, ROC AUC %.3f, "
        "average precision %.3f, false alarms %.1f %%, missed %.1f %%, %llu of %llu "
        "events found\n",
        q->column, q->precision, q->recall, q->f1, q->roc_auc, q->average_precision,
        100 * q->false_alarm_rate, 100 * q->miss_rate,
        (unsigned long long)q->events_found, (unsigned long long)q->events);
}

void detect_text_print(const struct batch_analysis *a, FILE *out)
{
    double rate = a->rows == 0 ? 0 : 100 * (double)a->anomalies / (double)a->rows;

    fprintf(out,
            "Analysis complete!\nTotal records processed: %llu\nAnomalies detected: "
            "%llu\nAnomaly rate: %.2f%%\n",
            (unsigned long long)a->rows, (unsigned long long)a->anomalies, rate);
    print_top(a, out);
    print_events(a, out);
    print_columns(a, out);
    fprintf(out, "Way: %s (%s)\nThreshold: a surprise of %.2f (%s)\n", a->way, a->why,
            a->threshold, a->threshold_text);
    print_quality(&a->quality, out);
    fprintf(out, "Took %.2f s: read %.2f, learn %.2f, score %.2f, write %.2f\n",
            a->seconds, a->read_s, a->fit_s, a->score_s, a->write_s);
}

/* ---- as JSON ---- */

static json_t *texts(const char *first, size_t stride, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, cmd_json_text(first + i * stride));
    return list;
}

static json_t *row_json(const struct batch_row *row)
{
    const struct batch_reason *why = &row->why;

    return json_pack(
        "{s:I, s:o, s:o, s:s, s:o, s:o, s:o}", "row", (json_int_t)row->row, "time",
        cmd_json_time(row->time_ns), "score", cmd_json_number(row->score), "severity",
        record_severity_name(row->severity), "reason", cmd_json_text(why->reason),
        "severity_factors", texts(why->factor[0], sizeof why->factor[0], why->n_factors),
        "top_features",
        texts(why->explanation[0], sizeof why->explanation[0], why->n_top));
}

static json_t *event_json(const struct batch_event *e)
{
    return json_pack("{s:I, s:I, s:o, s:o, s:I, s:s, s:s, s:o}", "first",
                     (json_int_t)e->first, "last", (json_int_t)e->last, "start",
                     cmd_json_time(e->first_ns), "end", cmd_json_time(e->last_ns), "rows",
                     (json_int_t)e->rows, "severity",
                     record_severity_name(e->peak.severity), "pattern", e->pattern,
                     "peak", row_json(&e->peak));
}

static json_t *quality_json(const struct batch_quality *q)
{
    if (!q->known)
        return json_null();
    return json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, "
        "s:I}",
        "column", q->column, "anomalies", (json_int_t)q->anomalies, "normal",
        (json_int_t)q->normal, "tp", (json_int_t)q->tp, "fp", (json_int_t)q->fp, "tn",
        (json_int_t)q->tn, "fn", (json_int_t)q->fn, "precision",
        cmd_json_number(q->precision), "recall", cmd_json_number(q->recall), "f1",
        cmd_json_number(q->f1), "roc_auc", cmd_json_number(q->roc_auc),
        "average_precision", cmd_json_number(q->average_precision), "false_alarm_rate",
        cmd_json_number(q->false_alarm_rate), "miss_rate", cmd_json_number(q->miss_rate),
        "events", (json_int_t)q->events, "events_found", (json_int_t)q->events_found);
}

static json_t *columns_json(const struct batch_analysis *a, bool used)
{
    json_t *list = json_array();

    for (size_t c = 0; c < a->n_columns; c++) {
        const struct batch_column *column = &a->column[c];

        if ((column->metric != SIZE_MAX) != used)
            continue;
        json_array_append_new(
            list,
            used ? json_pack("{s:o, s:o, s:o, s:s}", "name", cmd_json_text(column->name),
                             "expected", cmd_json_number(column->expected), "sigma",
                             cmd_json_number(column->sigma), "note", column->note)
                 : json_pack("{s:o, s:s}", "name", cmd_json_text(column->name), "why",
                             column->why));
    }
    return list;
}

json_t *detect_text_json(const struct batch_analysis *a)
{
    json_t *events = json_array(), *worst = json_array();

    for (size_t i = 0; i < a->n_events; i++)
        json_array_append_new(events, event_json(&a->event[i]));
    for (size_t i = 0; i < a->n_worst && i < TOP; i++)
        json_array_append_new(worst, row_json(&a->worst[i]));
    return json_pack(
        "{s:I, s:I, s:I, s:o, s:o, s:s, s:s, s:o, s:s, s:I, s:o, s:I, s:o, s:o, s:o, "
        "s:{s:o, s:o, s:o, s:o, s:o}}",
        "rows", (json_int_t)a->rows, "anomalies", (json_int_t)a->anomalies, "skipped",
        (json_int_t)a->skipped, "columns", columns_json(a, true), "left_out",
        columns_json(a, false), "way", a->way, "why", a->why, "threshold",
        cmd_json_number(a->threshold), "threshold_from", a->threshold_text,
        "learned_rows", (json_int_t)a->learned_rows, "events", events, "events_left_out",
        (json_int_t)a->events_left_out, "worst", worst, "scores",
        quality_json(&a->quality), "pace_s", cmd_json_number(a->pace_s), "seconds",
        "total", cmd_json_number(a->seconds), "read", cmd_json_number(a->read_s), "learn",
        cmd_json_number(a->fit_s), "score", cmd_json_number(a->score_s), "write",
        cmd_json_number(a->write_s));
}
