/* Asks the kernel's clock discipline by adjtimex(2), which changes nothing and needs no
 * right. A recorded tree has no clock: then there are no such metrics. */
#include "collect/timex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect/collectors.h"
#include "collect/file.h"
#include "collect/fill.h"

enum { OFFSET, SYNCHRONISED, ROWS };

static const struct record_metric rows[ROWS] = {
    [OFFSET] = COLLECT_ROW("clock_offset_ms", "ms", KERNEL, 20, GAUGE, 1,
                           "Error of the clock that is being corrected."),
    [SYNCHRONISED] = COLLECT_ROW("clock_synchronised", "", KERNEL, 0.5, GAUGE, 1,
                                 "1 = the clock is kept right by a time server or the "
                                 "like, 0 = it is not.",
                                 .less_is_worse = true),
};

struct timex_collector {
    bool live; /* a recorded tree has no clock */
    size_t id[ROWS];
};

void collect_timex_parse(int state, const struct timex *from, struct collect_timex *clock)
{
    /* The offset is in nanoseconds where the kernel says so, in microseconds otherwise.
     */
    double ms = from->status & STA_NANO ? 1e-6 : 1e-3;

    *clock = (struct collect_timex){NAN, NAN};
    if (state < 0)
        return;
    clock->offset_ms = (double)from->offset * ms;
    /* TIME_ERROR tells of a lost pulse signal as well, STA_UNSYNC only of the clock. */
    clock->synchronised = (from->status & STA_UNSYNC) == 0;
}

static enum vd_status read_timex(void *context, struct record_sample *sample,
                                 struct vd_error *err)
{
    const struct timex_collector *self = context;
    struct timex asked = {.modes = 0};
    struct collect_timex clock;
    int state;

    if (!self->live)
        return VD_OK;
    state = adjtimex(&asked);
    collect_timex_parse(state, &asked, &clock);
    collect_put(sample, self->id[OFFSET], clock.offset_ms);
    collect_put(sample, self->id[SYNCHRONISED], clock.synchronised);
    /* A container may not be allowed to ask. */
    if (state < 0 && errno != EPERM && errno != ENOSYS)
        return vd_error_set(err, VD_ERR_IO, NULL,
                            "cannot read the state of the clock: %s", strerror(errno));
    return VD_OK;
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct timex_collector *self = calloc(1, sizeof *self);

    (void)err;
    if (self == NULL)
        return VD_ERR_MEMORY;
    self->live = collect_root_is_live(config->root);
    collect_add_rows(schema, rows, ROWS, NULL, self->id);
    *out = self;
    return VD_OK;
}

const struct collect_type collect_timex = {
    .name = "clock",
    .summary = "whether the clock is kept right, and how far it is off",
    .rows = {COLLECT_TABLE(rows)},
    .create = create,
    .read = read_timex,
    .destroy = free,
};
