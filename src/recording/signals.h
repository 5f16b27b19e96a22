/* The signals that a recording takes: for the command, for itself, or of its children. */
#ifndef VD_RECORDING_SIGNALS_H
#define VD_RECORDING_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

#include "vedette/status.h"

struct recording_signals {
    int fd;          /* signalfd(2), not blocking */
    sigset_t before; /* the mask to start the command with */
};

/* What a signal is for. */
enum recording_act {
    RECORDING_REAP,    /* some child has ended */
    RECORDING_FORWARD, /* to the command */
    RECORDING_STOP,    /* the recording ends */
    RECORDING_IGNORE,  /* the command has got it already */
};

/* What is known when a signal comes. */
struct recording_signal {
    int number, code; /* si_code */
    bool has_command; /* a command of ours is recorded, and runs */
    bool caught;      /* it has a handler for the signal */
};

/* Blocks the signals and opens their descriptor. To be called before the first fork. */
enum vd_status recording_signals_open(struct recording_signals *signals,
                                      struct vd_error *err);

/* The next signal that waits; false when there is none. */
bool recording_signals_next(struct recording_signals *signals, int *number, int *code);

enum recording_act recording_signal_act(const struct recording_signal *signal);

void recording_signals_close(struct recording_signals *signals);

#endif
