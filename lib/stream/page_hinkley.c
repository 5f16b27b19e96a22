/* Page-Hinkley in its recursive form: with the running mean m_t,
 *     up_t   = max(0, up_(t-1)   + x_t - m_t - delta)
 *     down_t = max(0, down_(t-1) - x_t + m_t - delta)
 * which equals the cumulative sum less its minimum so far (papers: page_hinkley.h). The
 * mean includes x_t, as in the original, so the first sample deviates by nothing. Scores
 * are not scaled here: delta and the threshold are in their unit.
 */
#include "vedette/page_hinkley.h"

#include <math.h>

enum { PAGE_HINKLEY_VERSION = 1 };

struct vd_page_hinkley_params vd_page_hinkley_params_default(void)
{
    return (struct vd_page_hinkley_params){
        .delta = 0.005,
        .threshold = 50,
        .warm_up = 100,
        .directions = VD_DRIFT_UP | VD_DRIFT_DOWN,
    };
}

void vd_page_hinkley_init(struct vd_page_hinkley *test,
                          const struct vd_page_hinkley_params *params)
{
    *test = (struct vd_page_hinkley){0};
    test->params = params == NULL ? vd_page_hinkley_params_default() : *params;
}

enum vd_drift vd_page_hinkley_push(struct vd_page_hinkley *test, double score)
{
    const struct vd_page_hinkley_params params = test->params;
    enum vd_drift drift = VD_DRIFT_NONE;

    if (!isfinite(score))
        return VD_DRIFT_NONE;
    test->n += 1;
    test->mean += score / test->n - test->mean / test->n;
    test->up = fmax(0, test->up + score - test->mean - params.delta);
    test->down = fmax(0, test->down - score + test->mean - params.delta);
    if (test->n < params.warm_up)
        return VD_DRIFT_NONE;
    if ((params.directions & VD_DRIFT_UP) && test->up > params.threshold)
        drift = VD_DRIFT_UP;
    else if ((params.directions & VD_DRIFT_DOWN) && test->down > params.threshold)
        drift = VD_DRIFT_DOWN;
    if (drift != VD_DRIFT_NONE)
        vd_page_hinkley_init(test, &params);
    return drift;
}

void vd_page_hinkley_save(const struct vd_page_hinkley *test, struct vd_writer *w)
{
    vd_write_u8(w, PAGE_HINKLEY_VERSION);
    vd_write_f64(w, test->params.delta);
    vd_write_f64(w, test->params.threshold);
    vd_write_f64(w, test->params.warm_up);
    vd_write_u32(w, test->params.directions);
    vd_write_f64(w, test->n);
    vd_write_f64(w, test->mean);
    vd_write_f64(w, test->up);
    vd_write_f64(w, test->down);
}

enum vd_status vd_page_hinkley_load(struct vd_page_hinkley *test, struct vd_reader *r,
                                    struct vd_error *err)
{
    struct vd_page_hinkley read = {0};
    uint8_t version = vd_read_u8(r);

    read.params.delta = vd_read_f64(r);
    read.params.threshold = vd_read_f64(r);
    read.params.warm_up = vd_read_f64(r);
    read.params.directions = vd_read_u32(r);
    read.n = vd_read_f64(r);
    read.mean = vd_read_f64(r);
    read.up = vd_read_f64(r);
    read.down = vd_read_f64(r);
    if (r->failed || version != PAGE_HINKLEY_VERSION || !isfinite(read.params.delta) ||
        !isfinite(read.params.threshold) || !isfinite(read.params.warm_up) ||
        !(read.n >= 0) || !isfinite(read.mean) || !(read.up >= 0) || !(read.down >= 0)) {
        r->failed = true;
        return vd_error_set(err, VD_ERR_FORMAT, "the drift test will begin anew",
                            "the saved drift test is cut short or damaged");
    }
    *test = read;
    return VD_OK;
}
