/* Scored rows as a file: the row's own bytes with what was found beside them. */
#ifndef VD_BATCH_SCORED_H
#define VD_BATCH_SCORED_H

#include "batch/analyse_rows.h"
#include "os/output.h"

/* Text that grows. */
struct batch_text {
    char *at; /* owned */
    size_t size, used;
    bool failed; /* there was no memory for all of it */
};

/* Add bytes; a whole number with at least so many digits; a score with six decimals; Unix
 * time in seconds with six. */
void batch_text_add(struct batch_text *t, const char *bytes, size_t n);
void batch_text_whole(struct batch_text *t, uint64_t value, size_t digits);
void batch_text_score(struct batch_text *t, double score);
void batch_text_time(struct batch_text *t, int64_t time_ns);

struct batch_scored {
    struct os_output file;
    FILE *out; /* NULL = nothing is written */
    enum batch_scored_format format;
    char separator;
    bool timed, first;
    const struct batch_rows *rows;
    struct batch_text text;  /* what is to be written */
    struct batch_text input; /* rows that were taken, as they stood in the input */
    size_t *end;             /* owned: where each of them ends */
    size_t n, room;
    struct format_csv_field *field; /* owned: of the row that is written, for JSON */
    size_t n_fields;
};

/* Opens the output of the rows' options, which is there whole or not at all, and writes
 * what comes before the first row. To be dropped after a failure. */
enum vd_status batch_scored_open(struct batch_scored *s, const struct batch_rows *rows,
                                 struct vd_error *err);

/* Keeps the bytes of the row at which `rows` stands, until they are written. */
enum vd_status batch_scored_take(struct batch_scored *s, struct vd_error *err);

/* Does the same with a row of the first table that was read otherwise. */
enum vd_status batch_scored_take_bytes(struct batch_scored *s, struct format_scan bytes,
                                       struct vd_error *err);

/* Whether quiet rows may be made ahead: on any thread their text but for the number, then
 * in order with it. */
bool batch_scored_is_quick(const struct batch_scored *s);
void batch_scored_quiet(const struct batch_scored *s, struct format_scan bytes,
                        int64_t time_ns, double score, struct batch_text *to);
enum vd_status batch_scored_numbered(struct batch_scored *s, uint64_t number,
                                     const char *text, size_t size, struct vd_error *err);

/* Writes row k of those taken. `odd`: row->why says why. */
enum vd_status batch_scored_write(struct batch_scored *s, size_t k,
                                  const struct batch_row *row, bool odd,
                                  struct vd_error *err);

/* Forgets the rows taken. */
void batch_scored_clear(struct batch_scored *s);

/* Writes the end and puts the file in its place. */
enum vd_status batch_scored_close(struct batch_scored *s, struct vd_error *err);

/* Removes what was written, unless it was closed; frees all. */
void batch_scored_drop(struct batch_scored *s);

#endif
