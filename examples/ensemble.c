/* All detectors together on labelled rows: who says what about one row. */
#include <stdio.h>

#include "vedette/ensemble.h"
#include "vedette/rng.h"

int main(void)
{
    enum { ROWS = 240, COLUMNS = 3 };
    const struct vd_setting quick[] = {{"agent.updates", 200}};
    struct vd_fit_params params = vd_fit_params_default();
    struct vd_ensemble_verdict verdict;
    struct vd_error err = {0};
    uint8_t labels[ROWS];
    struct vd_matrix x;
    struct vd_rng rng;
    vd_detector *ensemble;

    vd_rng_init(&rng, 3);
    if (vd_matrix_init(&x, ROWS, COLUMNS) != VD_OK)
        return 1;
    for (size_t i = 0; i < ROWS; i++) {
        labels[i] = i % 5 == 0;
        for (size_t j = 0; j < COLUMNS; j++)
            vd_matrix_row(&x, i)[j] = (labels[i] ? 4 : 0) + vd_rng_normal(&rng);
    }
    params.settings = quick;
    params.n_settings = 1;
    if (vd_detector_fit(&ensemble, "ensemble", &x, labels, &params, &err) != VD_OK) {
        fprintf(stderr, "%s\n%s\n", err.text, err.hint);
        return 1;
    }
    vd_ensemble_judge(ensemble, x.at, &verdict);
    for (size_t i = 0; i < verdict.n; i++)
        if (verdict.vote[i].ready)
            printf("%-17s %+.2f %s\n", verdict.vote[i].name, verdict.vote[i].score,
                   verdict.vote[i].anomaly ? "anomaly" : "normal");
    printf("%-17s %+.2f, agreement %.0f %%\n", "ensemble", verdict.score,
           100 * verdict.agreement);
    vd_detector_free(ensemble);
    vd_matrix_release(&x);
    return verdict.score < 0 ? 0 : 1;
}
