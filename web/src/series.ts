// A chart's data: what the store remembers, followed by what arrived since. Pure.

import type { History } from "./contract.ts";
import type { Ring } from "./ring.ts";

export type Columns = (number | null)[][]; // [times, one list per name]

export interface Window {
    from: number;
    to: number;
}

/** The series `names` in `window`: the block of history first, then the rows of the ring
 * that are newer than it. A block may be null (not fetched yet, or no store). */
export function compose(
    names: readonly string[],
    block: History | null,
    ring: Ring,
    window: Window,
): Columns {
    const out: Columns = [[], ...names.map(() => [])];
    let until = window.from;
    // The ring holds every tick and the block may hold means, so the ring alone is better
    // where it reaches back far enough.
    if (block !== null && !(ring.since(names) <= window.from)) {
        until = appendBlock(names, block, window, out);
    }
    ring.read(names, until, window.to, out);
    return breakGaps(out);
}

function appendBlock(
    names: readonly string[],
    block: History,
    window: Window,
    out: Columns,
): number {
    const means = names.map((name) => block.series[name]?.mean);
    let until = window.from;
    for (let row = 0; row < block.t.length; row++) {
        const t = block.t[row]!;
        if (t < window.from || t > window.to) continue;
        // The store answers on an even grid. A cell where nothing fell is no row: the ring
        // may hold it, and what nobody saw is told from the jump in time.
        if (means.every((mean) => (mean?.[row] ?? null) === null)) continue;
        out[0]!.push(t);
        means.forEach((mean, i) => {
            out[i + 1]!.push(mean?.[row] ?? null);
        });
        until = t;
    }
    return until;
}

/** Puts a row of nulls where time jumps (the monitor was off, the machine slept), so that
 * no line is drawn across what nobody saw. */
export function breakGaps(columns: Columns): Columns {
    const time = columns[0] as number[];
    const step = medianStep(time);
    if (!(step > 0)) return columns;
    const broken: Columns = columns.map(() => []);
    for (let row = 0; row < time.length; row++) {
        if (row > 0 && time[row]! - time[row - 1]! > 6 * step) {
            broken[0]!.push(time[row - 1]! + step);
            for (let i = 1; i < columns.length; i++) broken[i]!.push(null);
        }
        for (let i = 0; i < columns.length; i++) broken[i]!.push(columns[i]![row]!);
    }
    return broken;
}

export function medianStep(time: readonly number[]): number {
    if (time.length < 3) return Number.NaN;
    const steps: number[] = [];
    const stride = Math.max(1, Math.floor(time.length / 64));
    for (let i = stride; i < time.length; i += stride) {
        steps.push((time[i]! - time[i - stride]!) / stride);
    }
    steps.sort((a, b) => a - b);
    return Math.max(steps[steps.length >> 1]!, 0.05);
}

/** Least and greatest of a band of series; null when nothing is there. */
export function extent(columns: readonly (number | null)[][]): [number, number] | null {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const column of columns) {
        for (const value of column) {
            if (value === null) continue;
            if (value < low) low = value;
            if (value > high) high = value;
        }
    }
    return low <= high ? [low, high] : null;
}

/** Means over cells of equal width for a heat map: `cells` values, null where no row
 * fell. */
export function bin(
    time: readonly (number | null)[],
    values: readonly (number | null)[],
    window: Window,
    cells: number,
): (number | null)[] {
    const sum = new Float64Array(cells);
    const n = new Uint32Array(cells);
    const scale = cells / (window.to - window.from);
    for (let row = 0; row < time.length; row++) {
        const value = values[row];
        if (value === null || value === undefined) continue;
        const cell = Math.floor((time[row]! - window.from) * scale);
        const at = cell === cells ? cells - 1 : cell; // the right edge belongs to the last
        if (at < 0 || at >= cells) continue;
        sum[at]! += value;
        n[at]! += 1;
    }
    return Array.from(sum, (total, i) => (n[i]! === 0 ? null : total / n[i]!));
}

/** At most `n` values: the greatest of each run, so that a short peak is not lost. */
export function thin(values: readonly (number | null)[], n: number): (number | null)[] {
    if (values.length <= n) return values.slice();
    const out: (number | null)[] = [];
    for (let i = 0; i < n; i++) {
        const from = Math.floor((i * values.length) / n);
        const to = Math.floor(((i + 1) * values.length) / n);
        const range = extent([values.slice(from, to)]);
        out.push(range === null ? null : range[1]);
    }
    return out;
}

/** What decides about events (src/alert/events.c): the third-worst score of the last five
 * seconds, so that one odd sample is none. A row that stands for longer is its own. */
export function sustain(
    time: readonly (number | null)[],
    scores: readonly (number | null)[],
): (number | null)[] {
    const step = medianStep(time as number[]);
    const rows = (seconds: number) => Math.max(1, Math.ceil(seconds / (step || 1)));
    const of = rows(5);
    const need = rows(3);
    return scores.map((score, i) => {
        if (score === null) return null;
        const recent = scores
            .slice(Math.max(0, i - of + 1), i + 1)
            .filter((s): s is number => s !== null)
            .sort((a, b) => a - b);
        return recent[Math.min(need, recent.length) - 1] ?? null;
    });
}
