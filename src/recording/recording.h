/* Records what a command, a process, or phases of made loads use: prmon's files, at any
 * interval, with nothing lost. The one entry of this folder:
 *
 *     plan.h      what the user wants
 *     child.h     the command and its end          signals.h  what it is sent
 *     phases.h    made loads instead of a command
 *     sampler.h   one sample as a row              files.h    where rows and summary go
 *     verdict.h   --detect                         live.h     what the terminal shows
 *     notes.h     what there is to say
 */
#ifndef VD_RECORDING_RECORDING_H
#define VD_RECORDING_RECORDING_H

#include "recording/plan.h"
#include "vedette/status.h"

/* Records until the end. *code is what to exit with: the command's exit code or 128 and
 * the signal that ended it. On failure `err` is filled, and *code says as well how a
 * command that could not be run failed (0 = there was none). */
enum vd_status recording_run(const struct recording_plan *plan, int *code,
                             struct vd_error *err);

#endif
