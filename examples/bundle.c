/* Trains a detector, calibrates it, puts it into a bundle, reads that back, and scores.
 */
#include <stdio.h>

#include "vedette/model.h"
#include "vedette/rng.h"

int main(void)
{
    enum { ROWS = 500, COLUMNS = 2 };
    const char *const columns[COLUMNS] = {"cpu_percent", "memory_percent"};
    const double row[COLUMNS] = {97, 40};
    struct vd_error err = {0};
    struct vd_writer bytes = {0};
    struct vd_calibration calibration;
    struct vd_matrix x;
    struct vd_rng rng;
    vd_detector *detector = NULL;
    vd_model *model = NULL, *loaded = NULL;
    double scores[ROWS];

    vd_rng_init(&rng, 7);
    if (vd_matrix_init(&x, ROWS, COLUMNS) != VD_OK)
        return 1;
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        x.at[i] = 40 + 8 * vd_rng_normal(&rng);
    if (vd_detector_fit(&detector, "mahalanobis", &x, NULL, NULL, &err) == VD_OK)
        vd_detector_score_many(detector, &x, scores, 1);
    if (err.status == VD_OK)
        vd_calibration_fit(&calibration, scores, ROWS, &err);
    if (err.status == VD_OK && vd_model_new(&model, columns, COLUMNS, &err) == VD_OK)
        vd_model_take(model, detector, &calibration, vd_surprise_of_contamination(0.01),
                      &err); /* which owns the detector from here */
    else
        vd_detector_free(detector);
    if (err.status == VD_OK) {
        vd_model_save(model, &bytes);
        vd_model_load(&loaded, bytes.at, bytes.size, &err);
    }
    if (err.status == VD_OK) {
        const struct vd_model_entry *entry = vd_model_at(loaded, 0);
        double raw = vd_detector_score(entry->detector, row);
        double surprise = vd_calibration_surprise(&entry->calibration, raw);

        printf("%s: score %+.2f\n", vd_detector_describe(entry->detector)->name,
               vd_score_of_surprise(surprise, entry->threshold));
    }
    if (err.status != VD_OK)
        fprintf(stderr, "%s\n%s\n", err.text, err.hint);
    vd_model_free(model);
    vd_model_free(loaded);
    vd_writer_release(&bytes);
    vd_matrix_release(&x);
    return err.status == VD_OK ? 0 : 1;
}
