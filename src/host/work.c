/* Trainings of a host: one at a time, begun and ended beside its ticks, run anywhere. */
#include <stdlib.h>

#include "host/state.h"
#include "os/log.h"

/* One training: of the detectors that need no labels, or of those that do. */
struct host_job {
    detect_multivariate_job *multivariate;
    detect_supervised_job *supervised;
};

/* Begins what is due: what needs no labels first. */
static struct host_job begin(host *h)
{
    struct host_job job = {0};

    if (h->record.mono_ns >= detect_set_training_due(h->detect))
        job.multivariate = detect_set_training_begin(h->detect, h->record.mono_ns);
    if (job.multivariate == NULL)
        job.supervised = detect_set_supervised_begin(h->detect, h->record.mono_ns);
    return job;
}

host_job *host_work_begin(host *h)
{
    host_job *job;

    if (h->job != NULL) {
        if (h->job->multivariate != NULL &&
            h->record.mono_ns >= detect_set_training_due(h->detect))
            detect_multivariate_train_hurry(h->job->multivariate);
        return NULL;
    }
    job = malloc(sizeof *job);
    if (job == NULL)
        return NULL;
    *job = begin(h);
    if (job->multivariate == NULL && job->supervised == NULL) {
        free(job);
        return NULL;
    }
    return h->job = job;
}

void host_work_run(host_job *job)
{
    if (job->multivariate != NULL)
        detect_multivariate_train_run(job->multivariate);
    else
        detect_supervised_run(job->supervised);
}

void host_work_stop(host_job *job)
{
    if (job->multivariate != NULL)
        detect_multivariate_train_hurry(job->multivariate);
    else
        detect_supervised_stop(job->supervised);
}

/* Takes over what the detectors that need no labels learned. */
static void end_multivariate(host *h, detect_multivariate_job *job)
{
    struct vd_error err = {0};

    if (detect_set_training_end(h->detect, job, &err) == VD_OK)
        h->trained_ns = h->record.time_ns;
    else
        os_log_warning("training failed, the old model stays: %s", err.text);
}

/* Takes over what the others learned. What a model lacks is said once. */
static void end_supervised(host *h, detect_supervised_job *job)
{
    detect_set_supervised_end(h->detect, job);
    os_log_record(OS_LOG_INFO, "%zu detectors that learn from labels are ready",
                  detect_set_supervised(h->detect));
    if (h->config.detect.bundle != NULL && detect_set_supervised(h->detect) == 0 &&
        !h->supervised_said)
        os_log_warning("the model gives no verdicts: some of its metrics have no values");
    h->supervised_said = true;
}

void host_work_end(host *h, host_job *job)
{
    h->job = NULL;
    if (job->multivariate != NULL)
        end_multivariate(h, job->multivariate);
    else
        end_supervised(h, job->supervised);
    free(job);
}
