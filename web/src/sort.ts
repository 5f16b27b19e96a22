// Orders of a process table. Pure. What is absent comes last whichever way the order runs,
// and equals keep the order of their numbers, so that rows do not dance.

import type { Process } from "./contract.ts";

export type SortKey = Exclude<
    keyof Process,
    "command" | "suspicious" | "parent" | "pss_mb"
>;

export function compareBy(
    key: SortKey,
    down: boolean,
): (a: Process, b: Process) => number {
    const sign = down ? -1 : 1;
    return (a, b) => {
        const x = a[key];
        const y = b[key];
        if (x === null || y === null) {
            return x === y ? a.pid - b.pid : x === null ? 1 : -1;
        }
        const order =
            typeof x === "string" || typeof y === "string"
                ? String(x).localeCompare(String(y), "en", { sensitivity: "base" })
                : x - y;
        return order === 0 ? a.pid - b.pid : sign * order;
    };
}

/** The `n` with the most of what `of` measures; those with none are left out. */
export function most(
    processes: readonly Process[],
    of: (p: Process) => number,
    n: number,
): Process[] {
    return processes
        .filter((p) => of(p) > 0)
        .sort((a, b) => of(b) - of(a) || a.pid - b.pid)
        .slice(0, n);
}
