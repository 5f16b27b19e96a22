// The list of processes, brought forward by what changed. Pure.

import type { Process, ProcessChanges } from "./contract.ts";

/** Processes that did not change stay the same objects. */
export function changeProcesses(
    before: readonly Process[],
    { gone, changed }: ProcessChanges,
): Process[] {
    const byPid = new Map(before.map((p) => [p.pid, p]));
    for (const pid of gone) byPid.delete(pid);
    for (const change of changed) {
        // A process that is not known yet comes whole.
        byPid.set(change.pid, { ...byPid.get(change.pid), ...change } as Process);
    }
    return [...byPid.values()];
}
