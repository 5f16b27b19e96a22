/* Learns what is normal from random rows, scores an odd one and says which column it was.
 *
 *     cc isolation_forest.c $(pkg-config --cflags --libs vedette) -o isolation_forest
 */
#include <stdio.h>

#include "vedette/detector.h"
#include "vedette/rng.h"

int main(void)
{
    enum { ROWS = 1000, COLUMNS = 3 };
    const double odd[COLUMNS] = {20, 95, 5};
    struct vd_error err = {0};
    struct vd_matrix x;
    struct vd_rng rng;
    vd_detector *forest;
    double share[COLUMNS];

    vd_rng_init(&rng, 1);
    if (vd_matrix_init(&x, ROWS, COLUMNS) != VD_OK)
        return 1;
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        x.at[i] = 20 + 5 * vd_rng_normal(&rng);
    if (vd_detector_fit(&forest, "isolation_forest", &x, NULL, NULL, &err) != VD_OK) {
        fprintf(stderr, "%s\n%s\n", err.text, err.hint);
        return 1;
    }
    printf("score of a normal row: %.3f\n", vd_detector_score(forest, x.at));
    printf("score of the odd row:  %.3f\n", vd_detector_score(forest, odd));
    printf("threshold:             %.3f\n", vd_detector_threshold(forest));
    vd_detector_explain(forest, odd, share);
    for (size_t j = 0; j < COLUMNS; j++)
        printf("column %zu: %+.3f of the path length\n", j, share[j]);
    vd_detector_free(forest);
    vd_matrix_release(&x);
    return 0;
}
