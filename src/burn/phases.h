/* One process that makes one load after the other, as it is told. */
#ifndef VD_BURN_PHASES_H
#define VD_BURN_PHASES_H

#include "burn/work.h"

/* For people, and for --help. */
#define BURN_PHASE_NAMES "baseline, recovery, cpu, memory, leak, io (or disk) and network"

/* The load that a phase of this name makes, to be written to the pipe; -1 when there is
 * no such phase. A baseline or a recovery is a load of nothing. */
int burn_phase_of(const char *name);

/* Reads one byte for each phase from the pipe, and makes its load until the next byte
 * comes or the pipe ends. Returns an exit code: 0, or 1 when a load failed. */
int burn_phases_run(int control, const struct burn_plan *plan);

#endif
