/* A state with a delay: well and unwell are believed after a minute each. A source that
 * never worked and is not available is well; one that did work and goes away is not. */
#include "collect/trouble.h"

/* So long a state must last before it is told: sources fail for moments when a device or
 * a server comes and goes. */
static const int64_t MINUTE_NS = 60000000000;

enum collect_news collect_trouble_tick(struct collect_trouble *trouble,
                                       const struct vd_error *error, int64_t mono_ns,
                                       int64_t wall_ns)
{
    bool well = error->status == VD_OK ||
                (error->status == VD_ERR_UNAVAILABLE && !trouble->worked);

    trouble->worked |= error->status == VD_OK;
    if (trouble->turned_ns == 0 || well != trouble->well) {
        trouble->turned_ns = mono_ns;
        trouble->well = well;
        if (!well && !trouble->told)
            trouble->since_ns = wall_ns;
    }
    if (!well)
        trouble->error = *error;
    if (trouble->told != well || mono_ns - trouble->turned_ns < MINUTE_NS)
        return COLLECT_NO_NEWS;
    trouble->told = !well;
    return well ? COLLECT_IS_WELL : COLLECT_FAILS;
}
