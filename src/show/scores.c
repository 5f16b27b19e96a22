/* Two passes at most over the scores, which lie one after the other: a share is an order
 * statistic, found by counting their bits from the top. */
#include "show/scores.h"

#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/number.h"
#include "format/rows.h"

static const char MAGIC[8] = "VDSCORE1";

enum {
    HEAD = 16,           /* bytes before the scores */
    ASK_ROWS = 1 << 14,  /* between two questions whether to go on */
    CELL_MAX = 4096,     /* bytes of a cell that are shown */
    EVENT_GAP = 5,       /* rows that part two events, see show_scores_share */
    HALF_BITS = 1 << 16, /* values of half a score's bits */
};

/* Gives where the places begin. */
static uint64_t offsets_at(uint64_t rows)
{
    return (HEAD + 5 * rows + 7) / 8 * 8;
}

/* Gives how many places are kept. */
static uint64_t places(uint64_t rows)
{
    return (rows + SHOW_SCORES_STEP - 1) / SHOW_SCORES_STEP;
}

/* Opens the table of scored rows, whose first name is "index": the sign behind it parts
 * all others. */
static enum vd_status open_table(struct format_rows *rows, struct format_input *in,
                                 const struct os_data_dir *folder, const char *csv,
                                 char path[PATH_MAX], struct vd_error *err)
{
    char head[6] = "";
    size_t got = 0;
    enum vd_status status;

    os_data_dir_path(folder, csv, path, PATH_MAX);
    status = format_input_open(in, path, NULL, err);
    if (status == VD_OK)
        status = format_input_read(in, 0, head, sizeof head, &got, err);
    if (status == VD_OK && got < sizeof head)
        status = vd_error_set(err, VD_ERR_DATA, NULL, "the scored table was cut");
    return status == VD_OK ? format_rows_begin(rows, in, head[5], 0, 1, err) : status;
}

/* ---- writing ---- */

/* What the second pass gathers. */
struct maker {
    struct format_rows rows;
    size_t flag; /* column */
    uint64_t n;
    unsigned char *odd; /* owned, one a row */
    uint64_t n_odd;     /* rows there is room for */
    uint64_t *offset;   /* owned */
};

enum vd_status show_scores_begin(struct show_scores_writer *writer,
                                 const struct os_data_dir *folder, const char *scores,
                                 struct vd_error *err)
{
    int fd = os_data_dir_file(folder, scores, O_RDWR | O_CREAT | O_TRUNC, err);

    *writer = (struct show_scores_writer){.out = fd < 0 ? NULL : fdopen(fd, "w")};
    if (writer->out == NULL) {
        if (fd >= 0)
            close(fd);
        return VD_ERR_IO;
    }
    fwrite(MAGIC, sizeof MAGIC, 1, writer->out);
    fwrite(&writer->n, sizeof writer->n, 1, writer->out);
    return VD_OK;
}

void show_scores_add(struct show_scores_writer *writer, double surprise)
{
    float value = (float)surprise;

    fwrite(&value, sizeof value, 1, writer->out);
    writer->n++;
}

/* Finds the column that says whether a row is flagged. */
static enum vd_status find_flag(struct maker *m, struct vd_error *err)
{
    static const char name[] = "is_anomaly";
    enum vd_status status = format_rows_next(&m->rows, err);

    if (status != VD_OK)
        return status;
    for (m->flag = 0; m->flag < m->rows.n && m->flag < FORMAT_FIELDS_MAX; m->flag++)
        if (m->rows.field[m->flag].size == sizeof name - 1 &&
            memcmp(m->rows.field[m->flag].at, name, sizeof name - 1) == 0)
            return VD_OK;
    return vd_error_set(err, VD_ERR_DATA, NULL, "the scored table has no column %s",
                        name);
}

/* Goes through the scored table for flags and places. */
static enum vd_status look_through(struct maker *m, bool (*go_on)(void *), void *context,
                                   struct vd_error *err)
{
    enum vd_status status = find_flag(m, err);

    while (status == VD_OK) {
        status = format_rows_next(&m->rows, err);
        if (status != VD_OK || m->rows.n == 0)
            break;
        if (m->n == m->n_odd || m->flag >= m->rows.n)
            return vd_error_set(err, VD_ERR_DATA, NULL,
                                "the scored table has other rows than were scored");
        m->odd[m->n] = format_number(m->rows.field[m->flag], '.') == 1;
        if (m->n % SHOW_SCORES_STEP == 0)
            m->offset[m->n / SHOW_SCORES_STEP] = m->rows.offset;
        if (++m->n % ASK_ROWS == 0 && !go_on(context))
            return vd_error_set(err, VD_ERR_BUSY, NULL, "it was cancelled");
    }
    if (status == VD_OK && m->n != m->n_odd)
        return vd_error_set(err, VD_ERR_DATA, NULL,
                            "the scored table has other rows than were scored");
    return status;
}

/* Appends flags and places; the number of rows is known now. */
static enum vd_status write_rest(struct maker *m, FILE *out, struct vd_error *err)
{
    static const char nothing[8] = "";

    fwrite(m->odd, 1, m->n, out);
    fwrite(nothing, 1, offsets_at(m->n) - (HEAD + 5 * m->n), out);
    fwrite(m->offset, sizeof *m->offset, places(m->n), out);
    fseek(out, sizeof MAGIC, SEEK_SET);
    fwrite(&m->n, sizeof m->n, 1, out);
    return fflush(out) == 0 && ferror(out) == 0
               ? VD_OK
               : vd_error_set(err, VD_ERR_IO, NULL, "cannot write the scores: %s",
                              strerror(errno));
}

enum vd_status show_scores_end(struct show_scores_writer *writer,
                               const struct os_data_dir *folder, const char *csv,
                               bool (*go_on)(void *context), void *context,
                               struct vd_error *err)
{
    struct format_input in = {.fd = -1};
    struct maker m = {.n_odd = writer->n};
    char path[PATH_MAX];
    enum vd_status status = VD_OK;

    if (csv != NULL) {
        m.odd = malloc(m.n_odd + 1);
        m.offset = malloc((places(m.n_odd) + 1) * sizeof *m.offset);
        status = m.odd == NULL || m.offset == NULL
                     ? vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the scores")
                     : open_table(&m.rows, &in, folder, csv, path, err);
        if (status == VD_OK)
            status = look_through(&m, go_on, context, err);
        if (status == VD_OK)
            status = write_rest(&m, writer->out, err);
        format_rows_release(&m.rows);
        format_input_release(&in);
    }
    free(m.odd);
    free(m.offset);
    fclose(writer->out);
    return status;
}

/* ---- reading ---- */

struct scores {
    void *map;
    size_t size;
    uint64_t n;
    const float *surprise;
    const unsigned char *odd;
    const uint64_t *offset;
};

/* Maps the file. What does not add up is refused: it could have been cut. */
static enum vd_status open_scores(struct scores *s, const struct os_data_dir *folder,
                                  const char *name, struct vd_error *err)
{
    int fd = os_data_dir_file(folder, name, O_RDONLY, err);
    struct stat info;
    uint64_t n = 0;

    *s = (struct scores){.map = MAP_FAILED};
    if (fd < 0)
        return VD_ERR_DATA;
    if (fstat(fd, &info) == 0 && info.st_size >= HEAD)
        s->map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (s->map == MAP_FAILED)
        return vd_error_set(err, VD_ERR_DATA, NULL, "%s cannot be read", name);
    s->size = (size_t)info.st_size;
    memcpy(&n, (const char *)s->map + sizeof MAGIC, sizeof n);
    if (memcmp(s->map, MAGIC, sizeof MAGIC) != 0 || n > s->size ||
        s->size != offsets_at(n) + 8 * places(n)) {
        munmap(s->map, s->size);
        return vd_error_set(err, VD_ERR_DATA, NULL, "%s is not whole", name);
    }
    s->n = n;
    s->surprise = (const float *)((const char *)s->map + HEAD);
    s->odd = (const unsigned char *)(s->surprise + n);
    s->offset = (const uint64_t *)((const char *)s->map + offsets_at(n));
    return VD_OK;
}

static void close_scores(struct scores *s)
{
    munmap(s->map, s->size);
}

/* ---- another share ---- */

/* Gives the bits of a surprise in reverse order: the most surprising row comes first, and
 * one that was not scored last. */
static uint32_t rank_of(float surprise)
{
    uint32_t bits;

    if (!(surprise > 0))
        return UINT32_MAX;
    memcpy(&bits, &surprise, sizeof bits);
    return ~bits;
}

/* Finds the half of the bits in which the count reaches `wanted`, and takes off what lies
 * below it. */
static uint32_t find_half(const uint32_t *count, uint64_t *wanted)
{
    uint32_t half = 0;

    while (half < HALF_BITS - 1 && count[half] < *wanted)
        *wanted -= count[half++];
    return half;
}

/* Gives the surprise that `wanted` rows reach; NaN without memory. */
static float reached_by(const struct scores *s, uint64_t wanted)
{
    uint32_t *count = calloc(HALF_BITS, sizeof *count), high, rank;
    float surprise;

    if (count == NULL)
        return NAN;
    for (uint64_t i = 0; i < s->n; i++)
        count[rank_of(s->surprise[i]) >> 16]++;
    high = find_half(count, &wanted);
    memset(count, 0, HALF_BITS * sizeof *count);
    for (uint64_t i = 0; i < s->n; i++)
        if (rank_of(s->surprise[i]) >> 16 == high)
            count[rank_of(s->surprise[i]) & 0xffff]++;
    rank = ~(high << 16 | find_half(count, &wanted));
    free(count);
    memcpy(&surprise, &rank, sizeof surprise);
    return surprise;
}

/* Gives the least surprise that is flagged when that share of the rows is; NaN: as the
 * analysis flagged them. */
static float threshold_of(const struct scores *s, double share)
{
    uint64_t wanted;

    if (isnan(share))
        return NAN;
    wanted = (uint64_t)llround(share * (double)s->n);
    return wanted == 0 ? INFINITY : reached_by(s, wanted);
}

static bool is_flagged(const struct scores *s, uint64_t row, float threshold)
{
    return isnan(threshold) ? s->odd[row] != 0
                            : s->surprise[row] >= threshold && s->surprise[row] > 0;
}

/* Counts flagged rows by part, and runs of them: less than EVENT_GAP rows do not part
 * two. */
static void count_flagged(const struct scores *s, float threshold, uint64_t *part,
                          size_t parts, uint64_t *anomalies, uint64_t *events)
{
    uint64_t last = UINT64_MAX;

    for (uint64_t i = 0; i < s->n; i++) {
        if (!is_flagged(s, i, threshold))
            continue;
        part[i * parts / s->n]++;
        ++*anomalies;
        *events += last == UINT64_MAX || i - last > EVENT_GAP;
        last = i;
    }
}

enum vd_status show_scores_share(const struct os_data_dir *folder, const char *scores,
                                 double share, struct show_json *out,
                                 struct vd_error *err)
{
    uint64_t part[SHOW_PARTS] = {0}, anomalies = 0, events = 0;
    struct scores s;
    size_t parts;
    float threshold;
    enum vd_status status = open_scores(&s, folder, scores, err);

    if (status != VD_OK)
        return status;
    parts = s.n < SHOW_PARTS ? (size_t)s.n : SHOW_PARTS;
    threshold = threshold_of(&s, share);
    count_flagged(&s, threshold, part, parts, &anomalies, &events);
    show_json_open(out, NULL, '{');
    show_json_number(out, "share", share);
    show_json_number(out, "threshold", (double)threshold);
    show_json_integer(out, "rows", (int64_t)s.n);
    show_json_integer(out, "anomalies", (int64_t)anomalies);
    show_json_integer(out, "events", (int64_t)events);
    show_json_open(out, "parts", '[');
    for (size_t i = 0; i < parts; i++)
        show_json_integer(out, NULL, (int64_t)part[i]);
    show_json_close(out, ']');
    show_json_close(out, '}');
    close_scores(&s);
    return VD_OK;
}

/* ---- a page of rows ---- */

struct page {
    const struct scores *s;
    const struct show_rows_query *query;
    float threshold;
    struct format_rows rows;
    uint64_t at; /* the row that comes next; UINT64_MAX = none was read */
    struct show_json *out;
};

/* Writes a cell as text: without the doubling of quotes, cut where it is long. */
static void write_cell(struct show_json *out, struct format_csv_field field)
{
    char text[CELL_MAX + 1];
    size_t n = 0;

    for (size_t i = 0; i < field.size && n < CELL_MAX; i++) {
        text[n++] = field.at[i] == '\0' ? '?' : field.at[i];
        if (field.at[i] == '"' && i + 1 < field.size && field.at[i + 1] == '"')
            i++;
    }
    text[n] = '\0';
    show_json_string(out, NULL, text);
}

static void write_cells(struct page *p, const char *key)
{
    show_json_open(p->out, key, '[');
    for (size_t k = 0; k < p->rows.n && k < FORMAT_FIELDS_MAX; k++)
        write_cell(p->out, p->rows.field[k]);
    show_json_close(p->out, ']');
}

/* Reads on to the row, from the nearest place that is known. */
static enum vd_status go_to(struct page *p, uint64_t row, struct vd_error *err)
{
    uint64_t known = row / SHOW_SCORES_STEP * SHOW_SCORES_STEP;
    enum vd_status status = VD_OK;

    if (p->at > row || p->at < known) {
        format_rows_seek(&p->rows, p->s->offset[row / SHOW_SCORES_STEP],
                         (size_t)known + 2);
        p->at = known;
    }
    for (; status == VD_OK && p->at <= row; p->at++) {
        status = format_rows_next(&p->rows, err);
        if (status == VD_OK && p->rows.n == 0)
            status = vd_error_set(err, VD_ERR_DATA, NULL, "the scored table was cut");
    }
    return status;
}

static enum vd_status write_row(struct page *p, uint64_t row, struct vd_error *err)
{
    enum vd_status status = go_to(p, row, err);

    if (status != VD_OK)
        return status;
    show_json_open(p->out, NULL, '{');
    show_json_integer(p->out, "row", (int64_t)row);
    show_json_bool(p->out, "odd", is_flagged(p->s, row, p->threshold));
    show_json_number(p->out, "surprise", (double)p->s->surprise[row]);
    write_cells(p, "cells");
    show_json_close(p->out, '}');
    return VD_OK;
}

/* Writes the rows that are asked for, and counts all that fit the question. */
static enum vd_status write_rows(struct page *p, uint64_t *total, struct vd_error *err)
{
    const struct show_rows_query *q = p->query;
    enum vd_status status = VD_OK;
    size_t n = 0;

    *total = 0;
    for (uint64_t row = q->odd ? 0 : q->from; row < p->s->n && status == VD_OK; row++) {
        if (q->odd && !is_flagged(p->s, row, p->threshold))
            continue;
        if (n < q->limit && (!q->odd || *total >= q->from)) {
            status = write_row(p, row, err);
            n++;
        }
        ++*total;
        if (!q->odd && n == q->limit)
            break;
    }
    if (!q->odd)
        *total = p->s->n;
    return status;
}

/* Writes the answer, of which the table is open at its first row. */
static enum vd_status write_page(struct page *p, struct vd_error *err)
{
    enum vd_status status = format_rows_next(&p->rows, err);
    uint64_t total = 0;

    if (status != VD_OK)
        return status;
    show_json_open(p->out, NULL, '{');
    write_cells(p, "columns");
    show_json_integer(p->out, "from", (int64_t)p->query->from);
    show_json_open(p->out, "rows", '[');
    status = write_rows(p, &total, err);
    show_json_close(p->out, ']');
    show_json_integer(p->out, "total", (int64_t)total);
    show_json_close(p->out, '}');
    return status;
}

enum vd_status show_scores_rows(const struct os_data_dir *folder, const char *csv,
                                const char *scores, const struct show_rows_query *query,
                                struct show_json *out, struct vd_error *err)
{
    struct format_input in = {.fd = -1};
    struct scores s;
    struct page p = {.s = &s, .query = query, .at = UINT64_MAX, .out = out};
    char path[PATH_MAX];
    enum vd_status status = open_scores(&s, folder, scores, err);

    if (status != VD_OK)
        return status;
    p.threshold = threshold_of(&s, query->share);
    status = open_table(&p.rows, &in, folder, csv, path, err);
    if (status == VD_OK)
        status = write_page(&p, err);
    format_rows_release(&p.rows);
    format_input_release(&in);
    close_scores(&s);
    return status;
}
