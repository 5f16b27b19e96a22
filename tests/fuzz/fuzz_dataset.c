/* Tables as all commands take them. The first byte chooses whether labels are read,
 * whether rows stay as they are, and the zone of their times. What is read keeps its
 * promises: rows in order, labels of 0, 1 and -1, numbers that are finite or none, the
 * same rows the second time and by blocks, on one thread and on two; and training gets
 * numbers within bounds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "batch/dataset.h"
#include "format/blocks.h"
#include "os/log.h"
#include "vedette/detector.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t walk(struct format_table *t)
{
    int64_t before = INT64_MIN;
    size_t rows = 0;
    bool more;

    format_table_rewind(t);
    while (format_table_next(t, &more, NULL) == VD_OK && more) {
        assert(t->row_label >= -1 && t->row_label <= 1);
        assert(t->options.labels_only || t->unsorted || t->time_ns >= before);
        before = t->time_ns;
        for (size_t c = 0; c < t->n_columns; c++)
            assert(!isinf(format_table_value(t, c)));
        assert(format_table_bytes(t).end > format_table_bytes(t).at);
        rows++;
    }
    return rows;
}

/* Holds a block against the rows one by one. */
static enum vd_status compare(const struct format_table *t, struct format_block *block,
                              size_t first, void *context, struct vd_error *err)
{
    struct format_table *rows = context;
    bool more;

    assert(first == rows->at);
    for (size_t i = 0; i < block->n; i++) {
        const double *value = block->value + i * t->n_metrics;
        struct format_scan bytes;

        assert(format_table_next(rows, &more, err) == VD_OK && more);
        bytes = format_table_bytes(rows);
        assert(memcmp(bytes.at, block->row[i].at, (size_t)(bytes.end - bytes.at)) == 0);
        assert(block->time_ns[i] == (format_table_has_time(rows) ? rows->time_ns : 0));
        assert(!rows->options.need_label || rows->label == SIZE_MAX ||
               block->label[i] == rows->row_label);
        for (size_t c = 0; c < rows->n_columns; c++)
            if (rows->column[c].why == NULL) {
                double one = format_table_value(rows, c);

                assert(*value == one || (isnan(*value) && isnan(one)));
                value++;
            }
    }
    return VD_OK;
}

/* Goes through the table by blocks, beside a second reader of the same text. */
static void check_blocks(struct format_table *t, const char *text, size_t size,
                         const struct format_options *options)
{
    struct format_table rows;
    double *value;
    size_t n;

    assert(format_table_of(&rows, text, size, "rows", options, NULL) == VD_OK);
    assert(format_blocks_each(
               t, 3 - options->threads,
               &(struct format_blocks_user){.done = compare, .context = &rows},
               NULL) == VD_OK);
    assert(rows.at == t->n);
    format_table_close(&rows);
    assert(format_blocks_sample(t, &value, &n, NULL) == VD_OK);
    assert(n <= options->sample && (n > 0 || t->n_metrics == 0));
    free(value);
}

static void check_table(const char *text, size_t size, unsigned char choice)
{
    static const char *const zones[] = {"UTC", "Europe/Berlin", "-03:30", NULL};
    struct format_options options = {.need_label = choice & 1,
                                     .labels_only = (choice & 2) != 0,
                                     .ragged = choice / 16 % 3,
                                     .sort_max = choice & 64 ? 2 : 0,
                                     .threads = 1 + (choice & 128) / 128,
                                     .sample = 5,
                                     .time_zone = zones[choice / 4 % 4]};
    struct format_table table;
    struct vd_error err = {0};

    if (format_table_of(&table, text, size, "table", &options, &err) == VD_OK) {
        format_table_say(&table);
        assert(table.n > 0 && walk(&table) == table.n && walk(&table) == table.n);
        if (!options.labels_only)
            check_blocks(&table, text, size, &options);
    } else {
        assert(err.text[0] != '\0');
    }
    format_table_close(&table);
}

static void check_numbers(const struct batch_dataset *data)
{
    assert(data->x.d > 0 && data->x.d <= FORMAT_FIELDS_MAX && data->x.n > 0);
    for (size_t i = 0; i < data->x.n * data->x.d; i++)
        assert(fabs(data->x.at[i]) <= VD_VALUE_MAX);
    for (size_t k = 0; k < data->x.d; k++)
        assert(data->name[k][0] != '\0' && strlen(data->name[k]) < BATCH_NAME_MAX);
    assert(data->lost.worst_rows <= data->lost.rows);
}

/* Half of a table fits the whole, or says why not. */
static void check_pair(struct batch_dataset *data, const char *text, size_t size)
{
    struct vd_error err = {0};
    struct batch_dataset half, *all[] = {data, &half};

    if (batch_dataset_take(&half, text, size / 2, "half", NULL, NULL) != VD_OK)
        return;
    if (batch_dataset_settle_labels(all, 2, "both", 0, NULL) == VD_OK)
        for (size_t i = 0; data->label != NULL && i < data->x.n; i++)
            assert(data->label[i] <= 1);
    if (batch_dataset_align(&half, data, "half", &err) == VD_OK)
        assert(half.x.d == data->x.d);
    else
        assert(err.status == VD_ERR_SCHEMA);
    batch_dataset_release(&half);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const char *text = (const char *)bytes + 1;
    struct vd_error err = {0};
    struct batch_dataset data;

    os_log_set_level(OS_LOG_ERROR);
    if (size == 0)
        return 0;
    check_table(text, size - 1, bytes[0]);
    if (batch_dataset_take(&data, text, size - 1, "table", NULL, &err) != VD_OK) {
        assert(err.text[0] != '\0' && data.x.n == 0);
        return 0;
    }
    check_numbers(&data);
    check_pair(&data, text, size - 1);
    batch_dataset_release(&data);
    return 0;
}
