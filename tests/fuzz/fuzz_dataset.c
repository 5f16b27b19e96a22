/* Tables as training takes them. The first byte chooses whether numbers or whole rows are
 * wanted. What is read keeps its promises: numbers within bounds, labels of 0 and 1, rows
 * that are parts of the text, one after the other. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/dataset.h"
#include "format/table.h"
#include "os/log.h"
#include "vedette/detector.h"

#undef NDEBUG
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_numbers(const struct dataset *data)
{
    assert(data->x.d > 0 && data->x.d <= TABLE_COLUMNS_MAX && data->text == NULL);
    for (size_t i = 0; i < data->x.n * data->x.d; i++)
        assert(fabs(data->x.at[i]) <= VD_VALUE_MAX);
    for (size_t k = 0; k < data->x.d; k++)
        assert(data->name[k][0] != '\0' && strlen(data->name[k]) < DATASET_NAME_MAX);
    assert(data->lost.worst_rows <= data->lost.rows);
    assert((data->lost.worst[0] != '\0') == (data->lost.rows > 0));
    assert(strlen(data->lost.columns.text) < sizeof data->lost.columns.text);
}

static void check_rows(const struct dataset *data, size_t size)
{
    const char *before = data->head.end;

    assert(data->label != NULL && data->head.at == data->text);
    for (size_t i = 0; i < data->x.n; i++) {
        assert(data->row[i].at >= before && data->row[i].end > data->row[i].at);
        before = data->row[i].end;
    }
    assert(before <= data->text + size);
}

/* Half of a table fits the whole, or says why not. */
static void check_pair(struct dataset *data, const char *text, size_t size)
{
    char *half = malloc(size / 2 + 1);
    struct vd_error err = {0};
    struct dataset other;

    assert(half != NULL);
    memcpy(half, text, size / 2);
    if (dataset_take(&other, half, size / 2, "half", NULL, false, NULL) != VD_OK)
        return;
    if (dataset_align(&other, data, "half", &err) == VD_OK)
        assert(other.x.d == data->x.d);
    else
        assert(err.status == VD_ERR_SCHEMA);
    dataset_release(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct vd_error err = {0};
    struct dataset data;
    bool rows;
    char *text;

    os_log_set_level(OS_LOG_ERROR);
    if (size == 0)
        return 0;
    rows = *bytes++ == 'r';
    size--;
    text = malloc(size + 1);
    assert(text != NULL);
    memcpy(text, bytes, size);
    if (dataset_take(&data, text, size, "table", NULL, rows, &err) != VD_OK) {
        assert(err.text[0] != '\0' && data.text == NULL && data.x.n == 0);
        return 0;
    }
    assert(data.x.n > 0);
    for (size_t i = 0; data.label != NULL && i < data.x.n; i++)
        assert(data.label[i] <= 1);
    if (rows)
        check_rows(&data, size);
    else
        check_numbers(&data);
    if (!rows)
        check_pair(&data, (const char *)bytes, size);
    dataset_release(&data);
    return 0;
}
