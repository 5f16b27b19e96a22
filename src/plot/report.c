/* A line "<!-- rows -->" of the template is a place that the part of that name fills. */
#include "plot/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "os/output.h"
#include "plot/charts.h"
#include "plot/templates.h"

/* Holds what the parts of the report are made of. */
struct report {
    const struct plot_comparison *c;
    const bool *is_drawn;
    FILE *file;
};

/* Writes text from outside with the signs of HTML made harmless. */
static void put_text(FILE *file, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '<' || *text == '>' || *text == '&' || *text == '"')
            fprintf(file, "&#%d;", *text);
        else
            fputc(*text, file);
    }
}

/* Writes a cell of the table; a dash stands for what is not defined. */
static void put_number(FILE *file, int digits, double value)
{
    if (isnan(value))
        fputs("<td>–", file);
    else
        fprintf(file, "<td>%.*f", digits, value);
}

/* Writes how the comparison was made. */
static void put_facts(const struct report *r)
{
    for (size_t i = 0; i < r->c->n_facts; i++) {
        fprintf(r->file, "<dt>%s<dd>", r->c->fact[i].name);
        put_text(r->file, r->c->fact[i].text);
        fputc('\n', r->file);
    }
}

/* Writes one row of the table for each detector. Latency is in microseconds there, as
 * most of them take far less than a millisecond. */
static void put_rows(const struct report *r)
{
    for (size_t i = 0; i < r->c->n; i++) {
        const struct plot_result *one = &r->c->result[i];

        fprintf(r->file, "<tr><th scope=row>%s", one->title);
        put_number(r->file, 3, one->f1);
        put_number(r->file, 3, one->precision);
        put_number(r->file, 3, one->recall);
        put_number(r->file, 3, one->roc_auc);
        put_number(r->file, 3, one->pr_auc);
        put_number(r->file, 4, one->train_s);
        put_number(r->file, 2, one->latency_ms * 1e3);
        put_number(r->file, 0, one->throughput_ips);
        put_number(r->file, 1, one->size_kb);
        put_number(r->file, 2, one->memory_mb);
        fputc('\n', r->file);
    }
}

/* Writes the settings that each detector was fitted with. */
static void put_settings(const struct report *r)
{
    for (size_t i = 0; i < r->c->n; i++) {
        const struct plot_result *one = &r->c->result[i];

        fprintf(r->file, "<dt>%s<dd>", one->title);
        put_text(r->file, *one->settings != '\0' ? one->settings : "defaults");
        fputc('\n', r->file);
    }
}

/* Writes the pictures that were drawn, beside which the report lies. */
static void put_charts(const struct report *r)
{
    for (int i = 0; i < PLOT_CHARTS; i++)
        if (r->is_drawn[i])
            fprintf(r->file,
                    "<h2>%s</h2>\n<figure><img src=\"%s\" alt=\"%s\">"
                    "<figcaption>%s.</figcaption></figure>\n",
                    plot_charts[i].title, plot_charts[i].file, plot_charts[i].title,
                    plot_charts[i].about);
}

/* Lists the places of the template and what fills them. */
static const struct {
    const char *place;
    void (*put)(const struct report *r);
} parts[] = {
    {"<!-- facts -->", put_facts},
    {"<!-- rows -->", put_rows},
    {"<!-- settings -->", put_settings},
    {"<!-- charts -->", put_charts},
};

/* Copies a line of the template, or fills its place. */
static void put_line(const struct report *r, const char *line, size_t size)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strlen(parts[i].place) == size && memcmp(line, parts[i].place, size) == 0) {
            parts[i].put(r);
            return;
        }
    fwrite(line, 1, size, r->file);
    fputc('\n', r->file);
}

/* Writes the report line by line from the template, whole or not at all. */
enum vd_status plot_report_write(const struct plot_comparison *c, const bool *is_drawn,
                                 const char *path, struct vd_error *err)
{
    const struct os_asset *template = plot_template("report.html");
    const char *at = (const char *)template->bytes, *end = at + template->size;
    struct os_output out;
    enum vd_status status = os_output_open(&out, path, err);

    if (status != VD_OK)
        return status;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t size = stop == NULL ? (size_t)(end - at) : (size_t)(stop - at);

        put_line(&(struct report){c, is_drawn, out.file}, at, size);
        at += size + 1;
    }
    return os_output_close(&out, err);
}
