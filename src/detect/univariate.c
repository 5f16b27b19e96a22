/* A stream is made when its metric is first seen and room is left. What the layer reports
 * is the largest surprise of all streams; that of a metric which does not deviate enough
 * to matter counts as none. */
#include "detect/univariate.h"

#include <math.h>
#include <stdlib.h>

#include "os/clock.h"
#include "vedette/stream.h"

/* A deviation below this many sigmas of the baseline (which has floors by unit) does not
 * matter, however new it is. */
static const double Z_MATTERS = 2;

struct detect_univariate {
    vd_stream *stream[RECORD_METRICS_MAX]; /* NULL = none */
    uint32_t serial[RECORD_METRICS_MAX];   /* of their metrics in the schema */
    bool has_label[RECORD_METRICS_MAX];    /* those have one */
    size_t n;                              /* metrics seen */
    size_t streams, labelled; /* streams that exist; those of metrics with a label */
    size_t streams_max;
    struct vd_stream_params params;
};

/* Makes the layer without streams: they come with the metrics. */
enum vd_status detect_univariate_new(detect_univariate **out, size_t streams_max,
                                     double interval_s)
{
    detect_univariate *univariate = calloc(1, sizeof *univariate);

    *out = univariate;
    if (univariate == NULL)
        return VD_ERR_MEMORY;
    univariate->streams_max = streams_max;
    univariate->params = vd_stream_params_default();
    /* A minute of warm-up, but never fewer samples than the calibration needs. */
    univariate->params.warm_up = (size_t)fmax(60 / interval_s, 60);
    return VD_OK;
}

void detect_univariate_free(detect_univariate *univariate)
{
    if (univariate == NULL)
        return;
    for (size_t i = 0; i < univariate->n; i++)
        vd_stream_free(univariate->stream[i]);
    free(univariate);
}

/* Tells whether a stream may be made. Metrics with a label may have half of them at most,
 * so that a machine with many devices still watches itself as a whole. */
static bool has_room(const detect_univariate *univariate, bool labelled)
{
    return univariate->streams < univariate->streams_max &&
           (!labelled || univariate->labelled < univariate->streams_max / 2);
}

/* Begins the index anew. What stood there before, if anything, was another metric. */
static void begin(detect_univariate *univariate, size_t i,
                  const struct record_metric *metric)
{
    bool labelled = metric->label[0] != '\0';

    if (univariate->stream[i] != NULL) {
        univariate->streams--;
        univariate->labelled -= univariate->has_label[i];
    }
    vd_stream_free(univariate->stream[i]);
    univariate->stream[i] = NULL;
    univariate->serial[i] = metric->serial;
    univariate->has_label[i] = labelled;
    if (has_room(univariate, labelled) &&
        vd_stream_new(&univariate->stream[i], &univariate->params) == VD_OK) {
        univariate->streams++;
        univariate->labelled += labelled;
    }
}

/* Makes streams for metrics that are new: those without a label always while there is
 * room, those with one (cores, disks, units) half of it at most. First come, first
 * served: what a machine has always comes before what comes and goes. */
static void follow(detect_univariate *univariate, const struct record_schema *schema)
{
    for (size_t i = 0; i < schema->n; i++)
        if (i >= univariate->n || univariate->serial[i] != schema->metric[i].serial)
            begin(univariate, i, &schema->metric[i]);
    univariate->n = schema->n;
}

/* Gives the largest surprise of all streams. A stream learns while it reads. It is told
 * the local time, as habits follow the day of people. */
double detect_univariate_read(detect_univariate *univariate,
                              const struct record_schema *schema, const double *value,
                              const double *z, int64_t time_ns)
{
    int64_t time_s = os_clock_local_s(time_ns);
    double largest = NAN;

    follow(univariate, schema);
    for (size_t i = 0; i < univariate->n; i++) {
        struct vd_stream_verdict verdict;

        if (univariate->stream[i] == NULL || isnan(value[i]))
            continue;
        vd_stream_push(univariate->stream[i], time_s, value[i], &verdict);
        if (verdict.ready)
            largest = fmax(largest, fabs(z[i]) >= Z_MATTERS ? verdict.surprise : 0);
    }
    return largest;
}

void detect_univariate_save(const detect_univariate *univariate,
                            const struct record_schema *schema, struct vd_writer *w)
{
    vd_write_u64(w, univariate->streams);
    for (size_t i = 0; i < univariate->n; i++) {
        char name[RECORD_NAME_MAX + RECORD_LABEL_MAX];

        if (univariate->stream[i] == NULL)
            continue;
        vd_write_text(w, record_metric_label(&schema->metric[i], name, sizeof name));
        vd_stream_save(univariate->stream[i], w);
    }
}

/* Loads the streams of metrics that have one now; those of others are read past. */
enum vd_status detect_univariate_load(detect_univariate *univariate,
                                      const struct record_schema *schema,
                                      struct vd_reader *r, struct vd_error *err)
{
    size_t n = vd_read_count(r, 8);

    follow(univariate, schema);
    for (size_t k = 0; k < n; k++) {
        char name[RECORD_NAME_MAX + RECORD_LABEL_MAX];
        enum vd_status status;
        vd_stream *stream;
        size_t i;

        vd_read_text(r, name, sizeof name);
        status = vd_stream_load(&stream, r, err);
        if (status != VD_OK)
            return status;
        i = record_schema_find(schema, name);
        if (i < univariate->n && univariate->stream[i] != NULL) {
            vd_stream *old = univariate->stream[i];

            univariate->stream[i] = stream;
            stream = old;
        }
        vd_stream_free(stream);
    }
    return r->failed ? VD_ERR_FORMAT : VD_OK;
}
