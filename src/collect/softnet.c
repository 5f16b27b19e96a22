/* Each core that is on line has a line with its own counters. So the sum falls when a
 * core goes and leaps when it comes: it counts only while their number stays.
 */
#include "collect/softnet.h"

#include <stdlib.h>

#include "collect/collectors.h"
#include "collect/file.h"
#include "collect/fill.h"
#include "format/scan.h"

enum { DROPPED, SQUEEZED, ROWS };

static const struct record_metric rows[ROWS] = {
    [DROPPED] = COLLECT_ROW("softnet_dropped", "1/s", NETWORK, 5, RATE, 1,
                            "Packets received and dropped because a core was behind."),
    [SQUEEZED] = COLLECT_ROW("softnet_squeezed", "1/s", NETWORK, 20, RATE, 1,
                             "Times that a core had more packets than it may take."),
};

struct softnet_collector {
    struct collect_file file;
    struct collect_buffer buffer;
    size_t cores; /* lines of the tick before; 0 = none yet */
    size_t id[ROWS];
};

/* Reads one column: at most eight hexadecimal digits without a prefix. */
static bool read_hex(struct format_scan *t, double *value)
{
    char word[16];

    if (!format_scan_word(t, word, sizeof word) || strlen(word) > 8 ||
        strspn(word, "0123456789abcdef") != strlen(word))
        return false;
    *value = (double)strtoul(word, NULL, 16);
    return true;
}

/* Adds up the lines of all cores:
 * 000001f6 00000000 00000003 00000000 00000000 00000000 00000000 00000000 ...
 * processed, dropped, squeezed; the rest grew over the years */
void collect_softnet_parse(const char *text, size_t size, struct collect_softnet *softnet)
{
    struct format_scan t = format_scan_of(text, size);
    double processed, dropped, squeezed;

    *softnet = (struct collect_softnet){NAN, NAN, 0};
    if (size == 0)
        return;
    do {
        if (!read_hex(&t, &processed) || !read_hex(&t, &dropped) ||
            !read_hex(&t, &squeezed))
            continue;
        softnet->dropped = dropped + (softnet->cores == 0 ? 0 : softnet->dropped);
        softnet->squeezed = squeezed + (softnet->cores == 0 ? 0 : softnet->squeezed);
        softnet->cores++;
    } while (format_scan_next_line(&t));
}

/* Leaves the counters out on a tick on which cores came or went. */
static enum vd_status read_softnet(void *context, struct record_sample *sample,
                                   struct vd_error *err)
{
    struct softnet_collector *self = context;
    struct collect_softnet now;
    enum vd_status status = collect_file_read(&self->file, &self->buffer, err);

    if (status != VD_OK)
        return status;
    collect_softnet_parse(self->buffer.at, self->buffer.size, &now);
    if (now.cores == self->cores || self->cores == 0) {
        collect_put(sample, self->id[DROPPED], now.dropped);
        collect_put(sample, self->id[SQUEEZED], now.squeezed);
    }
    self->cores = now.cores;
    return now.cores == 0 ? VD_ERR_FORMAT : VD_OK;
}

static enum vd_status create(void **out, const struct collect_config *config,
                             struct record_schema *schema, struct vd_error *err)
{
    struct softnet_collector *self = calloc(1, sizeof *self);

    (void)err;
    if (self == NULL)
        return VD_ERR_MEMORY;
    collect_file_init(&self->file, config->root, "/proc/net/softnet_stat");
    collect_add_rows(schema, rows, ROWS, NULL, self->id);
    *out = self;
    return VD_OK;
}

static void destroy(void *context)
{
    struct softnet_collector *self = context;

    if (self == NULL)
        return;
    collect_file_release(&self->file);
    collect_buffer_release(&self->buffer);
    free(self);
}

const struct collect_type collect_softnet = {
    .name = "softnet",
    .summary = "packets that the cores could not take from the network",
    .rows = {COLLECT_TABLE(rows)},
    .create = create,
    .read = read_softnet,
    .destroy = destroy,
};
