/* Work on worker threads: trainings of the host, and saving what it has learned. */
#include <assert.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "monitor/state.h"
#include "os/log.h"

void monitor_be_nice(const monitor *m)
{
    /* On Linux the priority is the thread's own. Without a loop this is the caller's
     * thread, which is left alone. */
    if (m->config.loop != NULL)
        setpriority(PRIO_PROCESS, (id_t)gettid(), 10);
}

void monitor_run(monitor *m, struct monitor_work *work, uv_work_cb begin,
                 uv_after_work_cb end)
{
    work->m = m;
    work->request.data = work;
    if (m->config.loop != NULL &&
        uv_queue_work(m->config.loop, &work->request, begin, end) == 0)
        return;
    begin(&work->request);
    end(&work->request, 0);
}

bool monitor_is_busy(const monitor *m)
{
    return m->job != NULL || m->saving || m->reading_feedback;
}

/* ---- training ---- */

/* Trains, on a worker's thread. */
static void train(uv_work_t *request)
{
    struct monitor_work *work = request->data;

    monitor_be_nice(work->m);
    host_work_run(work->m->job);
}

/* Puts the new models into use, on the loop's thread. */
static void train_done(uv_work_t *request, int cancelled)
{
    struct monitor_work *work = request->data;
    monitor *m = work->m;
    host_job *job = m->job;

    (void)cancelled;
    m->job = NULL;
    host_work_end(m->host, job);
}

/* Begins one training at a time: on a worker's thread the next begins on a later tick,
 * without one all are done here. */
void monitor_train_when_due(monitor *m)
{
    host_job *job;

    while ((job = host_work_begin(m->host)) != NULL) {
        assert(m->job == NULL);
        m->job = job;
        monitor_run(m, &m->training, train, train_done);
    }
}

/* ---- saving ---- */

/* Holds the saved form, made on the loop's thread, so that the worker needs nothing of
 * the models. */
struct saving {
    struct monitor_work of;
    struct vd_writer w;
    struct vd_error err;
    enum vd_status status;
};

/* Writes the models to the store, on a worker's thread. */
static void save(uv_work_t *request)
{
    struct saving *saving = request->data;

    monitor_be_nice(saving->of.m);
    saving->status = store_set_model_save(saving->of.m->store, MONITOR_MODEL,
                                          saving->w.at, saving->w.size, &saving->err);
}

/* Ends a saving, on the loop's thread. */
static void save_done(uv_work_t *request, int cancelled)
{
    struct saving *saving = request->data;

    (void)cancelled;
    saving->of.m->saving = false;
    if (saving->status != VD_OK)
        os_log_warning("models not saved: %s", saving->err.text);
    vd_writer_release(&saving->w);
    free(saving);
}

/* Saves the models. Without memory they are saved the next time. */
void monitor_save(monitor *m)
{
    struct saving *saving = calloc(1, sizeof *saving);

    if (saving == NULL)
        return;
    host_save(m->host, &saving->w);
    if (saving->w.status != VD_OK) {
        vd_writer_release(&saving->w);
        free(saving);
        return;
    }
    m->saving = true;
    monitor_run(m, &saving->of, save, save_done);
}

/* Saves every so often. The first time is one interval after the start, when there is
 * something to save. */
void monitor_save_when_due(monitor *m)
{
    int64_t now_ns = m->sample.mono_ns;

    if (m->store == NULL || m->saving || now_ns < m->save_due_ns)
        return;
    if (m->save_due_ns != 0)
        monitor_save(m);
    m->save_due_ns = now_ns + (int64_t)(m->config.save_s * 1e9);
}
