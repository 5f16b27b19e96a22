/* What the collectors of text files with a fixed list of metrics have in common: open,
 * read, parse and fill. Such a collector is its metric table, its parsers and one
 * function that puts numbers into the sample. */
#ifndef VD_COLLECT_PLAIN_H
#define VD_COLLECT_PLAIN_H

#include "collect/collectors.h"
#include "collect/file.h"
#include "collect/fill.h"

enum { COLLECT_PLAIN_ROWS_MAX = 16, COLLECT_PLAIN_MORE_MAX = 2 };

struct collect_plain {
    struct collect_file file;
    struct collect_file more[COLLECT_PLAIN_MORE_MAX]; /* for what is in several files */
    size_t n_more;
    struct collect_buffer buffer; /* the text that was read last */
    size_t id[COLLECT_PLAIN_ROWS_MAX];
};

/* The `create` of such a collector: n <= COLLECT_PLAIN_ROWS_MAX rows of `path`. */
enum vd_status collect_plain_new(void **out, const struct collect_config *config,
                                 struct record_schema *schema, const char *path,
                                 const struct record_metric *rows, size_t n);

/* Another file of it. After collect_plain_new. */
void collect_plain_add(struct collect_plain *plain, const struct collect_config *config,
                       const char *path);

/* Reads the first file. When it fails, the text is empty: what stands in other files is
 * to be read all the same. */
enum vd_status collect_plain_read(struct collect_plain *plain, struct vd_error *err);

/* Reads file `i` of `more`. When it is absent, the text is empty and the answer VD_OK:
 * not every machine has them all. */
enum vd_status collect_plain_read_more(struct collect_plain *plain, size_t i,
                                       struct vd_error *err);

void collect_plain_free(void *plain);

#endif
