/* The model bundle in memory and as bytes; the format is in docs/formats/model.md. Files
 * are not touched here, and models of an older format are refused, never converted.
 */
#include "vedette/model.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

enum { VERSION = 1, MAGIC_SIZE = 8, HEADER_SIZE = MAGIC_SIZE + 4 + 8 + 4 };

static const char magic[MAGIC_SIZE] = {'V', 'D', 'M', 'O', 'D', 'E', 'L', '\n'};

typedef char column_name[VD_MODEL_NAME_MAX];

struct vd_model {
    size_t d;
    column_name *column; /* d */
    int64_t time_ns;
    size_t n;
    struct vd_model_entry entry[VD_MODEL_DETECTORS_MAX];
};

/* ---- a new bundle ---- */

/* Allocates an empty bundle of d columns without names; NULL = no memory. */
static vd_model *allocate(size_t d)
{
    vd_model *model = vd__alloc_zero(1, sizeof *model);

    if (model == NULL)
        return NULL;
    model->d = d;
    model->column = vd__alloc_zero(d, sizeof *model->column);
    if (model->column == NULL) {
        vd__free(model);
        return NULL;
    }
    return model;
}

/* Finds a name among the first `before` columns; `before` = it is not there. */
static size_t find_column(const vd_model *model, const char *name, size_t before)
{
    size_t i = 0;

    while (i < before && strcmp(model->column[i], name) != 0)
        i++;
    return i;
}

/* Checks that every column has a name of its own. */
static enum vd_status check_columns(const vd_model *model, struct vd_error *err)
{
    for (size_t i = 0; i < model->d; i++) {
        if (model->column[i][0] == '\0')
            return vd_error_set(err, VD_ERR_SCHEMA, "give every column a name",
                                "column %zu has no name", i + 1);
        if (find_column(model, model->column[i], i) < i)
            return vd_error_set(err, VD_ERR_SCHEMA, "give every column its own name",
                                "two columns are called '%s'", model->column[i]);
    }
    return VD_OK;
}

enum vd_status vd_model_new(vd_model **out, const char *const *columns, size_t d,
                            struct vd_error *err)
{
    vd_model *model;
    enum vd_status status;

    *out = NULL;
    if (d == 0 || d > VD_COLUMNS_MAX)
        return vd_error_set(err, VD_ERR_ARGUMENT, "choose other columns",
                            "a model of %zu columns: 1 to %d are possible", d,
                            VD_COLUMNS_MAX);
    model = allocate(d);
    if (model == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "model: no memory");
    for (size_t i = 0; i < d; i++) {
        if (strlen(columns[i]) >= VD_MODEL_NAME_MAX) {
            vd_model_free(model);
            return vd_error_set(err, VD_ERR_SCHEMA, "shorten it",
                                "the name of column %zu is longer than %d bytes", i + 1,
                                VD_MODEL_NAME_MAX - 1);
        }
        memcpy(model->column[i], columns[i], strlen(columns[i]) + 1);
    }
    status = check_columns(model, err);
    if (status != VD_OK)
        vd_model_free(model);
    else
        *out = model;
    return status;
}

void vd_model_free(vd_model *model)
{
    if (model == NULL)
        return;
    for (size_t i = 0; i < model->n; i++)
        vd_detector_free(model->entry[i].detector);
    vd__free(model->column);
    vd__free(model);
}

void vd_model_set_time(vd_model *model, int64_t time_ns)
{
    model->time_ns = time_ns;
}

int64_t vd_model_time(const vd_model *model)
{
    return model->time_ns;
}

size_t vd_model_columns(const vd_model *model)
{
    return model->d;
}

const char *vd_model_column(const vd_model *model, size_t i)
{
    return i < model->d ? model->column[i] : NULL;
}

/* ---- entries ---- */

/* Finds the entry of that detector; n = there is none. */
static size_t find_entry(const vd_model *model, const char *name)
{
    size_t i = 0;

    while (i < model->n &&
           strcmp(vd_detector_describe(model->entry[i].detector)->name, name) != 0)
        i++;
    return i;
}

enum vd_status vd_model_take(vd_model *model, vd_detector *detector,
                             const struct vd_calibration *calibration, double threshold,
                             struct vd_error *err)
{
    const char *name = vd_detector_describe(detector)->name;
    size_t columns = vd_detector_columns(detector), i = find_entry(model, name);
    enum vd_status status = VD_OK;

    if (columns != model->d)
        status = vd_error_set(err, VD_ERR_SCHEMA, "train it on the model's columns",
                              "%s takes %zu columns, the model has %zu", name, columns,
                              model->d);
    else if (!(threshold > 0 && threshold <= VD_SURPRISE_MAX))
        status = vd_error_set(err, VD_ERR_ARGUMENT, "give a surprise above 0",
                              "%s: the threshold %g is out of range", name, threshold);
    else if (i == VD_MODEL_DETECTORS_MAX)
        status =
            vd_error_set(err, VD_ERR_LIMIT, "use two models",
                         "a model holds at most %d detectors", VD_MODEL_DETECTORS_MAX);
    if (status != VD_OK) {
        vd_detector_free(detector);
        return status;
    }
    if (i < model->n)
        vd_detector_free(model->entry[i].detector);
    else
        model->n++;
    assert(i < model->n && model->n <= VD_MODEL_DETECTORS_MAX);
    model->entry[i] = (struct vd_model_entry){detector, *calibration, threshold};
    return VD_OK;
}

const struct vd_model_entry *vd_model_at(const vd_model *model, size_t i)
{
    return i < model->n ? &model->entry[i] : NULL;
}

const struct vd_model_entry *vd_model_find(const vd_model *model, const char *name)
{
    return vd_model_at(model, find_entry(model, name));
}

enum vd_status vd_model_map(const vd_model *model, const char *const *names, size_t n,
                            size_t *index, struct vd_error *err)
{
    char missing[256] = "";
    size_t used = 0;

    for (size_t i = 0; i < model->d; i++) {
        size_t k = 0;

        while (k < n && strcmp(names[k], model->column[i]) != 0)
            k++;
        index[i] = k;
        if (k == n && used + 1 < sizeof missing)
            used += (size_t)snprintf(missing + used, sizeof missing - used, "%s%s",
                                     used > 0 ? ", " : "", model->column[i]);
    }
    if (missing[0] == '\0')
        return VD_OK;
    return vd_error_set(err, VD_ERR_SCHEMA,
                        "give these columns, or train a model without them",
                        "the model needs columns that are not there: %s", missing);
}

/* ---- save and load ---- */

void vd_model_save(const vd_model *model, struct vd_writer *w)
{
    struct vd_writer body = {0};

    vd_write_u64(&body, (uint64_t)model->time_ns);
    vd_write_u64(&body, model->d);
    for (size_t i = 0; i < model->d; i++)
        vd_write_text(&body, model->column[i]);
    vd_write_u64(&body, model->n);
    for (size_t i = 0; i < model->n; i++) {
        vd_calibration_save(&model->entry[i].calibration, &body);
        vd_write_f64(&body, model->entry[i].threshold);
        vd_detector_save(model->entry[i].detector, &body);
    }
    vd_write_bytes(w, magic, MAGIC_SIZE);
    vd_write_u32(w, VERSION);
    vd_write_u64(w, body.size);
    vd_write_u32(w, vd_crc32c(0, body.at, body.size));
    vd_write_bytes(w, body.at, body.size);
    if (w->status == VD_OK)
        w->status = body.status;
    vd_writer_release(&body);
}

/* Checks magic, version, length and checksum, in this order, so that the message names
 * the first thing that is wrong. Leaves the reader at the body. */
static enum vd_status check_header(struct vd_reader *r, struct vd_error *err)
{
    const char *again = "restore a copy, or train the model again";
    char found[MAGIC_SIZE];
    uint32_t version, crc;
    uint64_t length;

    vd_read_bytes(r, found, MAGIC_SIZE);
    if (r->failed || memcmp(found, magic, MAGIC_SIZE) != 0)
        return vd_error_set(err, VD_ERR_FORMAT, "give a file made by vedette train",
                            "this is not a model of vedette");
    version = vd_read_u32(r);
    length = vd_read_u64(r);
    crc = vd_read_u32(r);
    if (r->failed)
        return vd_error_set(err, VD_ERR_FORMAT, again, "the model ends in its header");
    if (version != VERSION)
        return vd_error_set(err, VD_ERR_VERSION,
                            "train the model again with this program",
                            "the model has format version %u, this program reads %d",
                            (unsigned)version, VERSION);
    if (length != r->left)
        return vd_error_set(
            err, VD_ERR_FORMAT, again,
            "the model should have %llu more bytes and has %zu: it is cut "
            "short or something was appended",
            (unsigned long long)length, r->left);
    if (vd_crc32c(0, r->at, r->left) != crc)
        return vd_error_set(err, VD_ERR_FORMAT, again,
                            "the model's checksum is wrong: it is damaged");
    return VD_OK;
}

/* Reads one detector with its calibration and threshold, and gives it to the bundle. */
static enum vd_status load_entry(vd_model *model, struct vd_reader *r,
                                 struct vd_error *err)
{
    struct vd_calibration calibration;
    enum vd_status status = vd_calibration_load(&calibration, r, err);
    double threshold = vd_read_f64(r);
    vd_detector *detector;

    if (status == VD_OK)
        status = vd_detector_load(&detector, r, err);
    if (status != VD_OK)
        return status;
    return vd_model_take(model, detector, &calibration, threshold, err);
}

/* Reads and checks the names of the columns. */
static enum vd_status load_columns(vd_model *model, struct vd_reader *r,
                                   struct vd_error *err)
{
    for (size_t i = 0; i < model->d; i++)
        vd_read_text(r, model->column[i], sizeof model->column[i]);
    if (r->failed)
        return vd_error_set(err, VD_ERR_FORMAT, "train the model again",
                            "the model's column names cannot be read");
    return check_columns(model, err);
}

enum vd_status vd_model_load(vd_model **out, const void *bytes, size_t size,
                             struct vd_error *err)
{
    struct vd_reader r;
    vd_model *model = NULL;
    int64_t time_ns;
    size_t d, n;
    enum vd_status status;

    *out = NULL;
    vd_reader_init(&r, bytes, size);
    status = check_header(&r, err);
    if (status != VD_OK)
        return status;
    time_ns = (int64_t)vd_read_u64(&r);
    d = vd_read_count(&r, 4);
    if (r.failed || d == 0 || d > VD_COLUMNS_MAX)
        return vd_error_set(err, VD_ERR_FORMAT, "train the model again",
                            "the model's number of columns is out of range");
    model = allocate(d);
    if (model == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "model: no memory");
    model->time_ns = time_ns;
    status = load_columns(model, &r, err);
    n = status == VD_OK ? vd_read_count(&r, 32) : 0;
    for (size_t i = 0; status == VD_OK && i < n; i++)
        status = load_entry(model, &r, err);
    if (status == VD_OK && (r.failed || r.left != 0))
        status = vd_error_set(err, VD_ERR_FORMAT, "train the model again",
                              "the model has bytes that belong to nothing");
    if (status == VD_OK)
        *out = model;
    else
        vd_model_free(model);
    return status;
}
