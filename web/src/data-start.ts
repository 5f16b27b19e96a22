// Where the data of the chosen range begins: asked for in ever finer steps, so that seven
// days with ten minutes in them are drawn as those ten minutes.

import { useEffect } from "preact/hooks";
import * as api from "./api.ts";
import { now, setDataSince, ui, useSelect } from "./store.ts";

const POINTS = 600;
const ROUNDS = 4;
/** Ranges below are drawn as they are. */
const LEAST_S = 900;

export function useDataStart(): void {
    const range = useSelect(() => ui.range);
    const epoch = useSelect(() => ui.shown.epoch);
    const name = useSelect(() => (ui.shown.roles.cpu ?? ui.shown.metrics[0])?.name);
    useEffect(() => {
        if (range < LEAST_S || name === undefined) return;
        const stop = new AbortController();
        find(name, range, stop.signal)
            .then((since) => {
                if (!stop.signal.aborted) setDataSince(since);
            })
            .catch(() => {}); // then the range is drawn whole
        return () => stop.abort();
    }, [range, epoch, name]);
}

async function find(name: string, range: number, signal: AbortSignal): Promise<number> {
    const to = now();
    let from = to - range;
    for (let round = 0; round < ROUNDS; round++) {
        const answer = await api.history([name], from, to, POINTS, signal);
        const mean = answer.series[name]?.mean ?? [];
        const first = answer.t[mean.findIndex((value) => value !== null)];
        if (first === undefined) return Number.NEGATIVE_INFINITY;
        const start = Math.max(from, first - answer.step);
        // Close enough: a tenth of what is drawn.
        if (answer.step < (to - start) / 10) return start > to - range + answer.step ? start : Number.NEGATIVE_INFINITY;
        from = start;
    }
    return from;
}
