/* vedette split: parts a labelled CSV into training and test rows. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "cmd/dataset.h"
#include "vedette/rng.h"

struct split_settings {
    char *label, *train, *test;
    double share;
    long seed;
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
    {.name = NULL},
};

/* Draws `share` of each class: marks the rows in train[n], returns how many. */
static size_t draw(const struct dataset *data, double share, uint64_t seed,
                   uint8_t *train, size_t *order)
{
    struct vd_rng rng;
    size_t total = 0;

    vd_rng_init(&rng, seed);
    for (int label = 0; label < 2; label++) {
        size_t n = 0, wanted;

        for (size_t i = 0; i < data->x.n; i++)
            if (data->label[i] == label)
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

/* Copies the first line and the wanted rows, byte for byte, by way of a temporary file.
 */
static enum vd_status write_rows(const struct dataset *data, const uint8_t *train,
                                 uint8_t wanted, const char *path, struct vd_error *err)
{
    const char *at = data->text, *end = data->text + data->size;
    char temporary[4096];
    size_t line = 1, row = 0;
    FILE *file;
    bool failed;

    snprintf(temporary, sizeof temporary, "%s.part", path);
    file = fopen(temporary, "w");
    if (file == NULL)
        return vd_error_set(err, VD_ERR_IO, NULL, "%s: %s", temporary, strerror(errno));
    for (; at < end; line++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t size = newline == NULL ? (size_t)(end - at) : (size_t)(newline - at) + 1;
        bool is_row = row < data->x.n && data->line[row] == line;

        if (line == 1 || (is_row && train[row] == wanted)) {
            fwrite(at, 1, size, file);
            if (newline == NULL)
                fputc('\n', file);
        }
        row += is_row;
        at += size;
    }
    failed = fflush(file) != 0 || fsync(fileno(file)) != 0;
    if (fclose(file) != 0 || failed || rename(temporary, path) != 0) {
        unlink(temporary);
        return vd_error_set(err, VD_ERR_IO, NULL, "%s: %s", path, strerror(errno));
    }
    return VD_OK;
}

static enum vd_status split(const struct split_settings *s, const char *path,
                            struct vd_error *err)
{
    struct dataset data;
    uint8_t *train = NULL;
    size_t *order = NULL, n;
    enum vd_status status = dataset_read(&data, path, s->label, err);

    if (status != VD_OK)
        return status;
    if (data.label == NULL) {
        status = vd_error_set(err, VD_ERR_DATA, "name it with --label",
                              "%s: no column with labels", path);
        goto out;
    }
    train = calloc(data.x.n, 1);
    order = calloc(data.x.n, sizeof *order);
    if (train == NULL || order == NULL) {
        status = vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory to split %s", path);
        goto out;
    }
    n = draw(&data, s->share, (uint64_t)s->seed, train, order);
    status = write_rows(&data, train, 1, s->train, err);
    if (status == VD_OK)
        status = write_rows(&data, train, 0, s->test, err);
    if (status == VD_OK)
        printf("%s: %zu rows\n%s: %zu rows\n", s->train, n, s->test, data.x.n - n);
out:
    free(order);
    free(train);
    dataset_release(&data);
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
             "bytes. The same seed draws the same rows.",
    .examples = "vedette split labeled_raw.csv\n"
                "    70 % to labeled_training.csv, 30 % to labeled_test.csv\n"
                "vedette split --share 0.5 --seed 7 --train a.csv --test b.csv data.csv\n"
                "    Halves\n",
    .options = options,
    .settings_size = sizeof(struct split_settings),
    .run = run,
};
