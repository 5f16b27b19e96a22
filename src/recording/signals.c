/* Signals come as texts of a descriptor, so that nothing is interrupted and their source
 * is known. What the terminal sends (Ctrl-C, a new size) it sends to the whole group, so
 * the command has it already; what somebody sends to this process is for the command. */
#include "recording/signals.h"

#include <errno.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* SIGPIPE among them is no end: a write fails and says so. Blocked and not ignored, as
 * the command would inherit that. */
static const int numbers[] = {SIGCHLD, SIGINT,  SIGTERM,  SIGHUP, SIGQUIT,
                              SIGUSR1, SIGUSR2, SIGWINCH, SIGPIPE};

enum vd_status recording_signals_open(struct recording_signals *signals,
                                      struct vd_error *err)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaddset(&set, numbers[i]);
    sigprocmask(SIG_BLOCK, &set, &signals->before);
    /* Were it ignored, as some parents leave it, the kernel would wait for the children
     * itself, and what they used would be lost. */
    signal(SIGCHLD, SIG_DFL);
    signals->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals->fd < 0)
        return vd_error_set(err, VD_ERR_IO, NULL, "no signals: %s", strerror(errno));
    return VD_OK;
}

bool recording_signals_next(struct recording_signals *signals, int *number, int *code)
{
    struct signalfd_siginfo info;

    if (read(signals->fd, &info, sizeof info) != (ssize_t)sizeof info)
        return false;
    *number = (int)info.ssi_signo;
    *code = info.ssi_code;
    return true;
}

enum recording_act recording_signal_act(const struct recording_signal *signal)
{
    if (signal->number == SIGCHLD)
        return RECORDING_REAP;
    if (signal->number == SIGPIPE)
        return RECORDING_IGNORE;
    if (!signal->has_command)
        return signal->number == SIGUSR2 || signal->number == SIGWINCH ? RECORDING_IGNORE
                                                                       : RECORDING_STOP;
    if (signal->code == SI_KERNEL)
        return RECORDING_IGNORE;
    /* It ends prmon; to a command that does not expect it, it would be the end as well.
     */
    if (signal->number == SIGUSR1 && !signal->caught)
        return RECORDING_STOP;
    return RECORDING_FORWARD;
}

void recording_signals_close(struct recording_signals *signals)
{
    if (signals->fd >= 0)
        close(signals->fd);
    signals->fd = -1;
}
