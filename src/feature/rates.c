/* One slot for each metric that a schema can ever hold, so a growing schema costs
 * nothing: the slots beyond the last one used are never touched and take no memory.
 */
#include "feature/rates.h"

#include <math.h>
#include <stdlib.h>

#include "vedette/rate.h"

struct feature_rates {
    size_t n; /* slots with a tick before */
    int64_t mono_ns;
    uint32_t serial[RECORD_METRICS_MAX];
    double raw[RECORD_METRICS_MAX]; /* of the tick before */
    double base[RECORD_METRICS_MAX];
    double value[RECORD_METRICS_MAX];
};

enum vd_status feature_rates_new(feature_rates **out, struct vd_error *err)
{
    /* malloc, not calloc: a block of this size comes untouched from the kernel. */
    feature_rates *rates = malloc(sizeof *rates);

    *out = rates;
    if (rates == NULL)
        return vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the rates");
    feature_rates_reset(rates);
    return VD_OK;
}

static double value_of(const feature_rates *rates, const struct record_sample *sample,
                       size_t i, double seconds)
{
    const struct record_metric *metric = &sample->schema->metric[i];
    double value = NAN;

    switch (metric->kind) {
    case RECORD_GAUGE:
        value = sample->raw[i];
        break;
    case RECORD_RATE:
        value = vd_rate(sample->raw[i], rates->raw[i], seconds);
        break;
    case RECORD_RATIO:
        value = vd_ratio(sample->raw[i], rates->raw[i], sample->base[i], rates->base[i]);
        break;
    }
    value *= metric->scale;
    if (metric->most > 0 && value > metric->most)
        value = metric->most;
    return isfinite(value) ? value : NAN;
}

const double *feature_rates_update(feature_rates *rates,
                                   const struct record_sample *sample)
{
    double seconds = (double)(sample->mono_ns - rates->mono_ns) * 1e-9;
    size_t n = sample->schema->n;

    for (size_t i = 0; i < n; i++) {
        uint32_t serial = sample->schema->metric[i].serial;

        if (i >= rates->n || rates->serial[i] != serial)
            rates->raw[i] = rates->base[i] = NAN;
        rates->serial[i] = serial;
        rates->value[i] = value_of(rates, sample, i, seconds);
        rates->raw[i] = sample->raw[i];
        rates->base[i] = sample->base[i];
    }
    rates->n = n;
    rates->mono_ns = sample->mono_ns;
    return rates->value;
}

void feature_rates_reset(feature_rates *rates)
{
    rates->n = 0;
    rates->mono_ns = 0;
}

void feature_rates_free(feature_rates *rates)
{
    free(rates);
}
