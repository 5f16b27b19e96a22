// The data of a live chart as a hook: asks the store for what the ring does not hold, and
// asks again after a gap, and now and then for long ranges.

import { useEffect, useRef, useState } from "preact/hooks";
import * as api from "./api.ts";
import type { History } from "./contract.ts";
import { type Columns, compose, type Window } from "./series.ts";
import { chartWindow, ring, ui, useStore } from "./store.ts";

const POINTS = 900;
/** Up to this range (seconds) the ring's ticks and the store's rows are as fine. */
const FINE = 900;
const REFRESH_S = 30;

export interface Series {
    columns: Columns;
    window: Window;
    loading: boolean;
    problem: string;
}

export function useSeries(names: readonly string[]): Series {
    const { shown, range, zoom, clearedAt } = useStore();
    const window = chartWindow();
    const [block, setBlock] = useState<History | null>(null);
    const [loading, setLoading] = useState(false);
    const [problem, setProblem] = useState("");
    const fetchedAt = useRef(Number.NEGATIVE_INFINITY);
    const [round, setRound] = useState(0);
    const key = names.join("\n");
    const known = shown.tick !== null;

    // The key stands for the names; the window moves on with every tick and is read, not followed
    useEffect(() => {
        if (!known || names.length === 0) return;
        const stop = new AbortController();
        const at = chartWindow();
        if (zoom === null && ring.first <= at.from) {
            setBlock(null);
            return;
        }
        fetchedAt.current = at.to;
        setLoading(true);
        api.history(names, at.from, at.to, POINTS, stop.signal)
            .then((answer) => {
                setBlock(answer);
                setProblem("");
            })
            .catch((error: Error) => {
                if (!stop.signal.aborted) setProblem(error.message);
            })
            .finally(() => {
                if (!stop.signal.aborted) setLoading(false);
            });
        return () => stop.abort();
    }, [key, range, zoom?.from, zoom?.to, shown.epoch, known, round]);

    const since = window.to - fetchedAt.current;
    const due = isDue(block, since, range) && zoom === null && !ui.paused;
    useEffect(() => {
        if (due) setRound((n) => n + 1);
    }, [due]);

    const from = zoom === null ? Math.max(window.from, clearedAt) : window.from;
    const columns = compose(names, block, ring, { from, to: window.to });
    return { columns, window, loading: loading && block === null, problem };
}

/** Long ranges show means, so the tail of single ticks is replaced now and then; and where
 * the store had not yet written the rows just before the page opened, it is asked again. */
function isDue(block: History | null, since: number, range: number): boolean {
    if (block === null) return false;
    if (range > FINE) return since > Math.max(REFRESH_S, 4 * block.step);
    const last = block.t[block.t.length - 1] ?? block.from;
    const hole = ring.first - last > 3 * Math.max(block.step, 1);
    return hole && since > 12 && since < 60;
}
