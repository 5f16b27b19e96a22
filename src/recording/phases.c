/* The loads are made by burn/phases.h in a process of their own, which is told by a pipe
 * which one comes next: so the labels of the rows change when the load does. */
#include "recording/phases.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "burn/phases.h"

/* Takes one name from `text` up to `end`. */
static enum vd_status take_name(struct recording_phases *phases, const char *text,
                                const char *end, struct vd_error *err)
{
    size_t length = (size_t)(end - text);
    char *name = phases->name[phases->n];

    if (phases->n == RECORDING_PHASES_MAX || length >= RECORDING_PHASE_NAME_MAX)
        return vd_error_set(err, VD_ERR_ARGUMENT, NULL,
                            "--phases: at most %d phases, with names of less than %d "
                            "letters",
                            RECORDING_PHASES_MAX, RECORDING_PHASE_NAME_MAX);
    memcpy(name, text, length);
    name[length] = '\0';
    if (burn_phase_of(name) < 0)
        return vd_error_set(err, VD_ERR_ARGUMENT, "use " BURN_PHASE_NAMES,
                            "--phases: there is no phase '%s'", name);
    phases->n++;
    return VD_OK;
}

enum vd_status recording_phases_parse(struct recording_phases *phases, const char *text,
                                      struct vd_error *err)
{
    enum vd_status status = VD_OK;

    phases->control = -1;
    for (phases->n = 0; status == VD_OK; text++) {
        const char *end = strchrnul(text, ',');

        status = take_name(phases, text, end, err);
        text = end;
        if (*text == '\0')
            break;
    }
    return status;
}

/* What the new process gets. */
struct task {
    int control, other_end;
    struct burn_plan plan;
};

static int run(void *context)
{
    struct task *task = context;

    close(task->other_end);
    return burn_phases_run(task->control, &task->plan);
}

enum vd_status recording_phases_start(struct recording_phases *phases,
                                      struct recording_child *child,
                                      const struct recording_plan *plan,
                                      const sigset_t *mask, struct vd_error *err)
{
    struct task task = {.plan = {.load = 100, .amount = plan->amount, .folder = "."}};
    enum vd_status status;
    int end[2];

    if (pipe2(end, O_CLOEXEC) != 0)
        return vd_error_set(err, VD_ERR_IO, NULL, "no pipe: %s", strerror(errno));
    task.control = end[0];
    task.other_end = end[1];
    task.plan.seconds = plan->phase_time;
    status = recording_child_fork(child, run, &task, mask, err);
    close(end[0]);
    phases->control = end[1];
    phases->at = SIZE_MAX;
    phases->length_ns = (int64_t)(plan->phase_time * 1e9);
    return status;
}

bool recording_phases_go(struct recording_phases *phases, int64_t now_ns)
{
    signed char kind;

    if (phases->at != SIZE_MAX && now_ns < phases->end_ns)
        return true;
    /* The schedule is absolute: a phase that began late does not move those after it. */
    phases->end_ns =
        (phases->at == SIZE_MAX ? now_ns : phases->end_ns) + phases->length_ns;
    phases->at++;
    if (phases->at >= phases->n)
        return false;
    kind = (signed char)burn_phase_of(phases->name[phases->at]);
    return write(phases->control, &kind, 1) == 1;
}

const char *recording_phases_label(const struct recording_phases *phases)
{
    return phases->name[phases->at < phases->n ? phases->at : phases->n - 1];
}

void recording_phases_close(struct recording_phases *phases)
{
    if (phases->control >= 0)
        close(phases->control);
    phases->control = -1;
}
