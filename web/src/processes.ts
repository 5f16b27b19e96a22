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

const KNOWN_MAX = 512;

/** Processes by number, each as it was last heard of. */
export class Known {
    private readonly byPid = new Map<number, Process>();

    /** The processes that the list speaks of, whole. The server tells of one whole first
     * and of its use later; one that was never heard of is left out. */
    learn(list: readonly (Partial<Process> & { pid: number })[]): Process[] {
        const found: Process[] = [];
        for (const told of list) {
            const before = this.byPid.get(told.pid);
            if (before === undefined && told.name === undefined) continue;
            const now = { ...before, ...told } as Process;
            this.byPid.delete(told.pid); // the newest come last
            this.byPid.set(told.pid, now);
            found.push(now);
        }
        for (const pid of this.byPid.keys()) {
            if (this.byPid.size <= KNOWN_MAX) break;
            this.byPid.delete(pid);
        }
        return found;
    }

    clear(): void {
        this.byPid.clear();
    }
}
