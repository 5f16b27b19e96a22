/* Reads the tables, brings all of them to the columns of the training file, and settles
 * over all of them together what a label means. */
#include "batch/compare_rows.h"

/* Refuses a file without labels, which the comparison cannot be measured on. */
static enum vd_status need_labels(const struct batch_dataset *data, const char *path,
                                  struct vd_error *err)
{
    if (data->label != NULL)
        return VD_OK;
    return vd_error_set(err, VD_ERR_DATA, "name it with --label",
                        "%s: no column with labels", path);
}

/* Reads one file that is both learned from and tested on; its labels are for the score
 * alone. */
static enum vd_status read_one(struct batch_compare_rows *rows,
                               const struct batch_compare_paths *p, struct vd_error *err)
{
    enum vd_status status = batch_dataset_read(&rows->test, p->data, p->table, err);
    struct batch_dataset *all[] = {&rows->test};

    rows->same_rows = true;
    if (status == VD_OK)
        status = need_labels(&rows->test, p->data, err);
    return status == VD_OK ? batch_dataset_settle_labels(all, 1, p->data, p->anomaly, err)
                           : status;
}

/* Reads all files, with the columns of the training file in its order. */
static enum vd_status read_all(struct batch_compare_rows *rows,
                               const struct batch_compare_paths *p, struct vd_error *err)
{
    enum vd_status status = batch_dataset_read(&rows->train, p->train, p->table, err);
    struct batch_dataset *all[] = {&rows->train, &rows->test, &rows->normal};

    if (status == VD_OK)
        status = batch_dataset_read(&rows->test, p->test, p->table, err);
    if (status == VD_OK)
        status = batch_dataset_align(&rows->test, &rows->train, p->test, err);
    if (status == VD_OK && p->normal != NULL) {
        status = batch_dataset_read(&rows->normal, p->normal, p->table, err);
        if (status == VD_OK)
            status = batch_dataset_align(&rows->normal, &rows->train, p->normal, err);
    }
    if (status == VD_OK)
        status = need_labels(&rows->train, p->train, err);
    if (status == VD_OK)
        status = need_labels(&rows->test, p->test, err);
    return status == VD_OK
               ? batch_dataset_settle_labels(all, 3, p->train, p->anomaly, err)
               : status;
}

/* Takes the normal rows of the training file, when no file of normal rows is given. */
static enum vd_status take_normal_rows(struct batch_compare_rows *rows)
{
    enum vd_status status;

    if (rows->same_rows || rows->normal.x.n > 0)
        return VD_OK;
    status = batch_dataset_normal_rows(&rows->normal, &rows->train);
    return status == VD_OK && rows->normal.x.n < 2 ? VD_ERR_DATA : status;
}

enum vd_status batch_compare_rows_read(struct batch_compare_rows *rows,
                                       const struct batch_compare_paths *p,
                                       struct vd_error *err)
{
    enum vd_status status;

    *rows = (struct batch_compare_rows){0};
    status = p->data != NULL ? read_one(rows, p, err) : read_all(rows, p, err);
    if (status == VD_OK && take_normal_rows(rows) != VD_OK)
        status = vd_error_set(err, VD_ERR_DATA, "give them with --normal",
                              "%s: no normal rows to learn from", p->train);
    return status;
}

void batch_compare_rows_release(struct batch_compare_rows *rows)
{
    batch_dataset_release(&rows->train);
    batch_dataset_release(&rows->normal);
    batch_dataset_release(&rows->test);
}
