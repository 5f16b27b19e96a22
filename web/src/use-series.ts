// The data of a live chart as a hook: asks the store for what the ring does not hold, and
// asks again after a gap, and now and then for long ranges. A chart moves on by a
// seventy-fifth of its range, not with every tick: less is hardly seen and costs as much.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import * as api from "./api.ts";
import type { History } from "./contract.ts";
import { type Columns, compose, type Window } from "./series.ts";
import { chartWindow, now, ring, ui, useSelect } from "./store.ts";
import { useNeeds } from "./view-needs.ts";

const POINTS = 900;
/** Up to this range (seconds) the ring's ticks and the store's rows are as fine. */
const FINE = 900;
const REFRESH_S = 30;
const SLOWEST_S = 10;

/** When a picture of so many seconds is drawn again: counts up. */
export function frameNumber(range: number): number {
    return Math.floor(now() / Math.min(range / 75, SLOWEST_S));
}

export interface Series {
    columns: Columns;
    window: Window;
    loading: boolean;
    problem: string;
}

/** What is drawn is another when this text is another. */
function frameOf(): string {
    const { shown, range, zoom, clearedAt, dataSince } = ui;
    const at = zoom === null ? frameNumber(range) : `${zoom.from} ${zoom.to}`;
    return [at, range, clearedAt, dataSince, shown.epoch, shown.tick !== null].join(" ");
}

/** `seen`: whether the chart is on the screen; else it keeps what it has. */
export function useSeries(names: readonly string[], seen = true): Series {
    useNeeds({ metrics: names });
    const last = useRef("");
    const frame = useSelect(() => (seen || last.current === "" ? frameOf() : last.current));
    last.current = frame;
    const [block, setBlock] = useState<History | null>(null);
    const [loading, setLoading] = useState(false);
    const [problem, setProblem] = useState("");
    const fetchedAt = useRef(Number.NEGATIVE_INFINITY);
    const [round, setRound] = useState(0);
    const key = names.join("\n");
    const { shown, range, zoom, clearedAt, dataSince } = ui;
    const known = shown.tick !== null;

    // The key stands for the names; the window moves on with every tick and is read, not followed
    useEffect(() => {
        if (!known || names.length === 0) return;
        const stop = new AbortController();
        const at = chartWindow();
        if (zoom === null && ring.since(names) <= at.from) {
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
    }, [key, range, zoom?.from, zoom?.to, dataSince, shown.epoch, known, round]);

    const { columns, window } = useMemo(() => {
        const at = chartWindow();
        const from = zoom === null ? Math.max(at.from, clearedAt) : at.from;
        return { window: at, columns: compose(names, block, ring, { from, to: at.to }) };
    }, [key, frame, block]);

    const since = window.to - fetchedAt.current;
    const due = isDue(names, block, since, range) && zoom === null && !ui.paused;
    useEffect(() => {
        if (due) setRound((n) => n + 1);
    }, [due]);
    return { columns, window, loading: loading && block === null, problem };
}

/** Long ranges show means, so the tail of single ticks is replaced now and then; and where
 * the store had not yet written the rows just before the page opened, it is asked again. */
function isDue(
    names: readonly string[],
    block: History | null,
    since: number,
    range: number,
): boolean {
    if (block === null) return false;
    if (range > FINE) return since > Math.max(REFRESH_S, 4 * block.step);
    const last = block.t[block.t.length - 1] ?? block.from;
    const hole = ring.since(names) - last > 3 * Math.max(block.step, 1);
    return hole && since > 12 && since < 60;
}
