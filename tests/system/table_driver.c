/* Prints the numbers of a table as the program reads them, for tests that hold them
 * against other readers: a line for each row, its metrics as hexadecimal floats.
 *
 *     table_driver FILE rows|blocks [THREADS]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/blocks.h"
#include "os/log.h"

static int failed(const struct vd_error *err)
{
    fprintf(stderr, "%s\n", err->text);
    return 1;
}

static void put(double value)
{
    if (isnan(value))
        fputs(" nan", stdout);
    else
        printf(" %a", value);
}

static enum vd_status print_block(const struct format_table *t,
                                  struct format_block *block, size_t first, void *context,
                                  struct vd_error *err)
{
    (void)first, (void)context, (void)err;
    for (size_t i = 0; i < block->n; i++) {
        for (size_t k = 0; k < t->n_metrics; k++)
            put(block->value[i * t->n_metrics + k]);
        putchar('\n');
    }
    return VD_OK;
}

static enum vd_status print_rows(struct format_table *t, struct vd_error *err)
{
    enum vd_status status;
    bool more;

    while ((status = format_table_next(t, &more, err)) == VD_OK && more) {
        for (size_t c = 0; c < t->n_columns; c++)
            if (t->column[c].why == NULL)
                put(format_table_value(t, c));
        putchar('\n');
    }
    return status;
}

int main(int argc, char **argv)
{
    struct format_options options = {.time_column = "none",
                                     .ragged = FORMAT_LONG_SKIPPED};
    struct format_table table;
    struct vd_error err = {0};
    enum vd_status status;

    os_log_set_level(OS_LOG_ERROR);
    if (argc < 3)
        return 2;
    options.threads = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 1;
    status = format_table_open(&table, argv[1], &options, &err);
    for (size_t c = 0; status == VD_OK && c < table.n_columns; c++)
        if (table.column[c].why == NULL)
            printf("%s%c", table.column[c].name, '\t');
    putchar('\n');
    if (status == VD_OK)
        status = strcmp(argv[2], "rows") == 0
                     ? print_rows(&table, &err)
                     : format_blocks_each(
                           &table, options.threads,
                           &(struct format_blocks_user){.done = print_block}, &err);
    format_table_close(&table);
    return status == VD_OK ? 0 : failed(&err);
}
