// What a report is made of: the JSON that src/batch/report.c writes into the page. Names and
// texts come from the analysed file and are shown as text nodes only.

import type { Event, Maybe, Severity } from "../contract.ts";
import { SEVERITIES, severityOf } from "../severity.ts";
import { breakGaps, type Columns, type Window } from "../series.ts";

/** A metric that deviates: its number in `metrics`, value, what was expected, sigmas. */
export type Deviation = [metric: number, value: Maybe, expected: Maybe, z: Maybe];

export interface Metric {
    name: string;
    unit: string;
    expected: Maybe;
    note: string;
    /** Least and greatest value in each bucket; null = not among those with a chart. */
    low: Maybe[] | null;
    high: Maybe[] | null;
}

/** Rows on end that are odd, as they stand in the page. */
export type PackedEvent = [
    first: number,
    last: number,
    from: Maybe,
    to: Maybe,
    rows: number,
    peakRow: number,
    peakAt: Maybe,
    score: Maybe,
    pattern: string,
    reason: string,
    top: Deviation[],
];

export type PackedRow = [
    row: number,
    at: Maybe,
    score: Maybe,
    reason: string,
    top: Deviation[],
    factors: string[],
];

export interface Quality {
    column: string;
    anomalies: number;
    normal: number;
    precision: Maybe;
    recall: Maybe;
    f1: Maybe;
    false_alarm_rate: Maybe;
    roc_auc: Maybe;
    average_precision: Maybe;
    events: number;
    events_found: number;
}

export interface Report {
    version: string;
    made: number;
    zone: string;
    files: string[];
    rows: number;
    anomalies: number;
    skipped: number;
    first: Maybe;
    last: Maybe;
    pace: Maybe;
    way: string;
    why: string;
    threshold: string;
    learned: number;
    seconds: number;
    metrics: Metric[];
    /** Names of what was not looked at, and why. */
    left_out: [name: string, why: string][];
    buckets: { row: number[]; t: Maybe[]; score: Maybe[]; anomalies: number[] };
    events: PackedEvent[];
    events_left_out: number;
    worst: PackedRow[];
    quality: Quality | null;
}

export interface Found {
    from: number;
    to: number;
    severity: Severity;
    packed: PackedEvent;
}

/** The report as its charts need it: along time where all buckets have one, else along
 * the rows. */
export class View {
    readonly timed: boolean;
    readonly x: number[];
    readonly all: Window;
    readonly events: Found[];

    constructor(readonly report: Report) {
        const { t, row } = report.buckets;
        this.timed = t.length > 0 && t.every((at) => at !== null);
        this.x = this.timed ? (t as number[]) : row;
        const from = this.x[0] ?? 0;
        const end = this.timed ? (report.last ?? from) : report.rows - 1;
        this.all = { from, to: Math.max(end, from + 1) };
        this.events = report.events.map((packed) => ({
            from: this.timed ? (packed[2] ?? from) : packed[0],
            to: this.timed ? (packed[3] ?? from) : packed[1],
            severity: severityOf(packed[7]),
            packed,
        }));
    }

    /** What a chart takes as its events. Those that lie less than a bucket apart are one,
     * as bad as the worst of them: ten thousand would cost seconds and look the same. */
    marks(): Pick<Event, "start" | "end" | "severity">[] {
        const bucket = (this.all.to - this.all.from) / Math.max(1, this.x.length);
        const marks: Pick<Event, "start" | "end" | "severity">[] = [];
        for (const { from, to, severity } of this.events) {
            const last = marks[marks.length - 1];
            if (last === undefined || from - last.end! > bucket) {
                marks.push({ start: from, end: to, severity });
                continue;
            }
            last.end = Math.max(last.end!, to);
            if (SEVERITIES.indexOf(severity) < SEVERITIES.indexOf(last.severity)) {
                last.severity = severity;
            }
        }
        return marks;
    }

    score(): Columns {
        return breakGaps([this.x, this.report.buckets.score]);
    }

    /** [x, low, high, red dots], with a hole where rows are missing; the first two are one where each bucket is one row. */
    columnsOf(metric: Metric): Columns {
        const { anomalies } = this.report.buckets;
        const [low, high] = [metric.low ?? [], metric.high ?? []];
        const middle = metric.expected ?? 0;
        const dots = high.map((most, i) => {
            const least = low[i] ?? null;
            if (!anomalies[i] || most === null || least === null) return null;
            return most - middle >= middle - least ? most : least;
        });
        return breakGaps([this.x, low, high, dots]);
    }

    /** An event with as much before and behind it that it can be told from the rest. */
    around(event: Found): Window {
        const bucket = (this.all.to - this.all.from) / Math.max(1, this.x.length);
        const room = Math.max(2 * (event.to - event.from), 25 * bucket);
        return {
            from: Math.max(this.all.from, event.from - room),
            to: Math.min(this.all.to, event.to + room),
        };
    }
}

export function read(): Report {
    return JSON.parse(document.getElementById("data")!.textContent!) as Report;
}
