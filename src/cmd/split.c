/* vedette split: parts a labelled CSV into training and test rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/commands.h"
#include "cmd/table_options.h"
#include "os/output.h"
#include "vedette/rng.h"

/* Holds what the options say. `share` is that of the training rows, 0 to 1. */
struct split_settings {
    char *label, *train, *test;
    double share;
    long seed;
    bool force;
    struct table_options table;
};

#define AT(field) offsetof(struct split_settings, field)

static const struct os_option options[] = {
    {.name = "train",
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .fallback = "labeled_training.csv",
     .offset = AT(train),
     .help = "Where the training rows go"},
    {.name = "test",
     .type = OS_OPTION_TEXT,
     .value = "FILE",
     .fallback = "labeled_test.csv",
     .offset = AT(test),
     .help = "Where the test rows go"},
    {.name = "share",
     .type = OS_OPTION_NUMBER,
     .value = "SHARE",
     .fallback = "0.7",
     .min = 0.01,
     .max = 0.99,
     .offset = AT(share),
     .help = "Share of the training rows"},
    {.name = "label",
     .type = OS_OPTION_TEXT,
     .value = "COLUMN",
     .offset = AT(label),
     .help = "Column of the label (default: label, anomaly or is_anomaly)"},
    {.name = "seed",
     .type = OS_OPTION_INTEGER,
     .value = "N",
     .fallback = "0",
     .min = 0,
     .max = 1e15,
     .offset = AT(seed),
     .help = "Seed of the draw"},
    {.name = "force",
     .letter = 'f',
     .type = OS_OPTION_FLAG,
     .fallback = "false",
     .offset = AT(force),
     .help = "Replace the files when they are there"},
    TABLE_OPTIONS(AT(table)),
    {.name = NULL},
};

/* Tells whether the row is of the class. Where the file has a label -1, that is the
 * anomaly, else 1 is. */
static bool is_of(const struct format_table *t, size_t row, int label)
{
    bool minus = t->label_line[2] > 0;

    return (t->place[row].label == (minus ? -1 : 1)) == label;
}

/* Draws `share` of each class, so that both files have the same mix. It marks the rows in
 * train[n] and returns how many; `order` is room for n numbers. This is the start of a
 * Fisher-Yates shuffle. */
static size_t draw(const struct format_table *t, double share, uint64_t seed,
                   uint8_t *train, size_t *order)
{
    struct vd_rng rng;
    size_t total = 0;

    vd_rng_init(&rng, seed);
    for (int label = 0; label < 2; label++) {
        size_t n = 0, wanted;

        for (size_t i = 0; i < t->n; i++)
            if (is_of(t, i, label))
                order[n++] = i;
        wanted = (size_t)(share * (double)n + 0.5);
        for (size_t k = 0; k < wanted; k++) {
            size_t j = k + (size_t)vd_rng_below(&rng, n - k), row = order[j];

            order[j] = order[k];
            order[k] = row;
            train[row] = 1;
        }
        total += wanted;
    }
    return total;
}

/* Copies a row as it stands and adds the newline that the last row of a file may lack. */
static void write_bytes(struct format_scan bytes, FILE *file)
{
    fwrite(bytes.at, 1, (size_t)(bytes.end - bytes.at), file);
    if (bytes.end[-1] != '\n')
        fputc('\n', file); /* the last row of a file that ends without one */
}

/* Copies what stands before the first row: the line of names, and whatever is before
 * it. */
static enum vd_status write_head(const struct format_table *t, struct os_output out[2],
                                 struct vd_error *err)
{
    char piece[4096];
    enum vd_status status = VD_OK;
    size_t got;

    for (uint64_t at = 0; status == VD_OK && at < t->first_offset; at += got) {
        uint64_t left = t->first_offset - at;

        status = format_input_read(&t->input, at, piece,
                                   left < sizeof piece ? (size_t)left : sizeof piece,
                                   &got, err);
        fwrite(piece, 1, got, out[0].file);
        fwrite(piece, 1, got, out[1].file);
    }
    return status;
}

/* Copies the rows byte for byte, so that nothing is lost by reading and writing numbers.
 * out[0] takes the training rows. */
static enum vd_status write_rows(struct format_table *t, const uint8_t *train,
                                 struct os_output out[2], struct vd_error *err)
{
    enum vd_status status = write_head(t, out, err);
    bool more = true;

    while (status == VD_OK) {
        status = format_table_next(t, &more, err);
        if (status != VD_OK || !more)
            break;
        write_bytes(format_table_bytes(t), out[train[t->at - 1] ? 0 : 1].file);
    }
    return status;
}

/* Compares the files themselves and not their names: a link or another path may lead to
 * the same one. */
static bool are_same(const char *a, const char *b)
{
    struct stat one, other;

    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

/* Opens both outputs. Neither may take the place of the file that is split, or of the
 * other. */
static enum vd_status open_outputs(struct os_output out[2],
                                   const struct split_settings *s, const char *input,
                                   struct vd_error *err)
{
    const char *const path[2] = {s->train, s->test};

    for (size_t i = 0; i < 2; i++) {
        enum vd_status status;

        if (are_same(path[i], input))
            return vd_error_set(err, VD_ERR_ARGUMENT,
                                "name others with --train and --test",
                                "%s: it is the file to split", path[i]);
        status = os_output_open_as(&out[i], path[i],
                                   s->force ? OS_OUTPUT_FILE : OS_OUTPUT_NEW, err);
        if (status != VD_OK)
            return status;
    }
    if (strcmp(out[0].path, out[1].path) == 0)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL,
                            "%s: --train and --test are the same file", s->train);
    return VD_OK;
}

/* Opens the table for its labels alone: the rows are copied as they stand, byte by
 * byte. */
static enum vd_status open_table(struct format_table *t, const struct split_settings *s,
                                 const char *path, struct vd_error *err)
{
    struct format_options how = table_options(&s->table, s->label);
    enum vd_status status;

    how.labels_only = true;
    status = format_table_open(t, path, &how, err);
    if (status == VD_OK && t->label == SIZE_MAX)
        return vd_error_set(err, VD_ERR_DATA, "name it with --label",
                            "%s: no column with labels", path);
    if (status == VD_OK)
        format_table_say(t);
    return status;
}

/* Draws the rows and writes both files. They are put in place together or not at all. */
static enum vd_status part(struct format_table *t, const struct split_settings *s,
                           struct os_output out[2], struct vd_error *err)
{
    uint8_t *train = calloc(t->n, 1);
    size_t *order = calloc(t->n, sizeof *order), n = 0;
    enum vd_status status = VD_ERR_MEMORY;

    if (train == NULL || order == NULL) {
        vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory to split %s", t->path);
    } else {
        n = draw(t, s->share, (uint64_t)s->seed, train, order);
        status = write_rows(t, train, out, err);
    }
    if (status == VD_OK)
        status = os_output_commit(out, 2, err);
    if (status == VD_OK)
        printf("%s: %zu rows\n%s: %zu rows\n", s->train, n, s->test, t->n - n);
    free(order);
    free(train);
    return status;
}

/* Does the whole run. Outputs that were not committed are removed when they are dropped,
 * so a failure leaves nothing behind. */
static enum vd_status split(const struct split_settings *s, const char *path,
                            struct vd_error *err)
{
    struct os_output out[2] = {0};
    struct format_table table;
    enum vd_status status = open_table(&table, s, path, err);

    if (status == VD_OK)
        status = open_outputs(out, s, path, err);
    if (status == VD_OK)
        status = part(&table, s, out, err);
    os_output_drop(&out[1]);
    os_output_drop(&out[0]);
    format_table_close(&table);
    return status;
}

static int run(void *settings, int argc, char **argv)
{
    struct vd_error err = {0};

    if (argc != 1)
        vd_error_set(&err, VD_ERR_ARGUMENT, "see vedette help split",
                     "give one file to split");
    else if (split(settings, argv[0], &err) == VD_OK)
        return CMD_OK;
    return cmd_failed(&err);
}

const struct cmd_command cmd_split = {
    .name = "split",
    .summary = "Part a labelled CSV into training and test rows",
    .arguments = "FILE",
    .about = "Draws the same share of normal and of anomalous rows (stratified) for "
             "training and leaves the rest for the test. Rows keep their order and their "
             "bytes; only the label is looked at. The same seed draws the same rows.",
    .examples = "vedette split labeled_raw.csv\n"
                "    70 % to labeled_training.csv, 30 % to labeled_test.csv\n"
                "vedette split --share 0.5 --seed 7 --train a.csv --test b.csv data.csv\n"
                "    Halves\n",
    .options = options,
    .settings_size = sizeof(struct split_settings),
    .run = run,
};
