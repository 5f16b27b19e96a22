// What the views that are open need of each tick. A view holds its needs while it is
// mounted; the server is told of the sum.

import { useEffect } from "preact/hooks";

/** Views that were left need theirs a while longer: who comes back finds no hole. */
const LINGER_MS = 60_000;
/** A message to the server is at most 1024 bytes. */
const MESSAGE_MAX = 1000;

export interface Needs {
    metrics: readonly string[] | "all";
    detectors?: boolean;
    top?: boolean;
}

const held = new Set<Needs>();
let changed: () => void = () => {};

export function onNeedsChanged(listener: () => void): void {
    changed = listener;
}

/** Holds the needs while the component is there. */
export function useNeeds(needs: Needs): void {
    const key = JSON.stringify(needs);
    useEffect(() => {
        held.add(needs);
        changed();
        return () => {
            setTimeout(() => {
                held.delete(needs);
                changed();
            }, LINGER_MS);
        };
    }, [key]);
}

/** The message that says what is needed: indices of `names`, runs of them as pairs. null
 * while no view is there: the first will say it. */
export function viewMessage(names: readonly string[]): string | null {
    const all = [...held];
    if (all.length === 0) return null;
    const flags = {
        type: "view",
        detectors: all.some((n) => n.detectors),
        top: all.some((n) => n.top),
    };
    if (all.some((n) => n.metrics === "all")) return JSON.stringify(flags);
    const wanted = new Set(all.flatMap((n) => n.metrics as readonly string[]));
    const metrics = runs(names.map((name) => wanted.has(name)));
    const text = JSON.stringify({ ...flags, metrics });
    return text.length <= MESSAGE_MAX ? text : JSON.stringify(flags);
}

/** [true, false, true, true] -> [0, [2, 3]] */
export function runs(wanted: readonly boolean[]): (number | [number, number])[] {
    const out: (number | [number, number])[] = [];
    for (let i = 0; i < wanted.length; i++) {
        if (!wanted[i]) continue;
        const first = i;
        while (wanted[i + 1]) i++;
        out.push(i === first ? first : [first, i]);
    }
    return out;
}
