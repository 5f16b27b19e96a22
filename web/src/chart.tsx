// A chart over time on uPlot, with a legend of our own: names are text nodes, values follow
// the cursor, else show the newest. Colours come from the style sheet.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { Event, Severity } from "./contract.ts";
import { axisNumber, clock, date, unit as printUnit, withUnit, zoned } from "./format.ts";
import { setZoom } from "./navigate.ts";
import { type Columns, extent, type Window } from "./series.ts";
import { Nothing } from "./parts.tsx";
import { isDark, now, ui, useSelect } from "./store.ts";
import { useSeries } from "./use-series.ts";

export interface Line {
    name: string;
    label: string;
    color: string; // a custom property: "--s1"
    fill?: boolean;
    dash?: boolean;
    width?: number;
    /** Dots without a line. */
    points?: boolean;
}

export interface ChartProps {
    title: string;
    unit: string;
    lines: Line[];
    height?: number;
    /** Fixed bounds; else from the data, 0 included. */
    min?: number;
    max?: number;
    /** The scale reaches at least this far, so that noise near 0 does not look like a storm. */
    reach?: number;
    /** A dashed line with its name. */
    rule?: { at: number; label: string };
    /** Tints below the rule, as the severities of a score do. */
    zones?: boolean;
    events?: Pick<Event, "start" | "end" | "severity">[];
    /** The first two lines are the edges of a band. */
    band?: boolean;
    /** The chart runs along numbers of rows, not along time. */
    rows?: boolean;
    format?: (value: number | null) => string;
    note?: string;
    onZoom?: (window: Window | null) => void;
    group?: string;
    legend?: boolean;
}

interface LiveProps extends ChartProps {
    /** What the lines are made of, where they are not series themselves. */
    sources?: string[];
    derive?: (columns: Columns) => Columns;
}

/** A chart of the live window: history behind, ticks in front. */
export function LiveChart(props: LiveProps) {
    const home = useRef<HTMLDivElement>(null);
    const seen = useSeen(home);
    const names = props.sources ?? props.lines.map((line) => line.name);
    const series = useSeries(names, seen);
    return (
        <div ref={home}>
            <Chart
                {...props}
                columns={props.derive ? props.derive(series.columns) : series.columns}
                window={series.window}
                loading={series.loading}
                note={series.problem !== "" ? `history: ${series.problem}` : props.note}
                onZoom={props.onZoom ?? setZoom}
            />
        </div>
    );
}

/** Whether an element is on the screen, or nearly. */
function useSeen(home: { current: HTMLElement | null }): boolean {
    const [seen, setSeen] = useState(false);
    useEffect(() => {
        const observer = new IntersectionObserver(
            (entries) => setSeen(entries[entries.length - 1]!.isIntersecting),
            { rootMargin: "80px" },
        );
        observer.observe(home.current!);
        return () => observer.disconnect();
    }, []);
    return seen;
}

interface DrawnProps extends ChartProps {
    columns: Columns;
    window: Window;
    loading?: boolean;
}

export function Chart(props: DrawnProps) {
    const dark = useSelect(isDark);
    const zone = useSelect(() => ui.zone);
    const box = useRef<HTMLDivElement>(null);
    const legend = useRef<HTMLUListElement>(null);
    const plot = useRef<uPlot | null>(null);
    const latest = useRef(props);
    latest.current = props;
    const shape = props.lines
        .map((l) => [l.name, l.color, l.fill, l.dash, l.points].join())
        .join("\n");

    // Drawn anew when its shape or the theme changes; the data follows in the next effect
    useLayoutEffect(() => {
        const home = box.current!;
        const drawn = new uPlot(
            options(latest, home.clientWidth, legend),
            latest.current.columns as uPlot.AlignedData,
            home,
        );
        plot.current = drawn;
        update(drawn, latest.current);
        const observer = new ResizeObserver(() => {
            const width = home.clientWidth;
            if (width > 0 && width !== drawn.width) {
                drawn.setSize({ width, height: drawn.height });
            }
        });
        observer.observe(home);
        return () => {
            observer.disconnect();
            drawn.destroy();
            plot.current = null;
        };
    }, [shape, dark, zone, props.height, props.unit]);

    // Before the frame is painted: a chart that came after it would cost a frame of its own.
    useLayoutEffect(() => {
        if (plot.current !== null) {
            update(plot.current, props);
            showValues(plot.current, props, legend.current);
        }
    });

    const empty = extent(props.columns.slice(1)) === null;
    const [spoken, setSpoken] = useState("");
    const onKey = (e: KeyboardEvent) => {
        const text = plot.current && moveCursor(plot.current, latest.current, e);
        if (text === null) return;
        setSpoken(text);
        e.preventDefault();
        e.stopPropagation();
    };
    return (
        <figure class="chart">
            <figcaption class="chart-head">
                <span class="chart-title">
                    {props.title}
                    {props.unit !== "" && <small> {printUnit(props.unit)}</small>}
                </span>
                {props.legend !== false && (
                    <ul class="legend" ref={legend}>
                        {props.lines.map((line) => (
                            <li key={line.name}>
                                <i
                                    class={line.dash ? "key dash" : "key"}
                                    style={{ color: `var(${line.color})` }}
                                />
                                <span class="legend-name">{line.label}</span>
                                <b class={line.points ? "num hidden" : "num"} />
                            </li>
                        ))}
                    </ul>
                )}
            </figcaption>
            <div class="chart-box">
                <div
                    ref={box}
                    class="chart-canvas"
                    role="group"
                    aria-roledescription="chart"
                    tabIndex={0}
                    onKeyDown={onKey}
                    onBlur={() => plot.current?.setCursor({ left: -10, top: -10 })}
                    aria-label={`${props.title} over ${props.rows ? "the rows" : "time"}. Left and right arrow read the values.`}
                />
                {empty && (
                    <div class="chart-empty">
                        {props.loading ? (
                            "Loading"
                        ) : (
                            <Nothing>Nothing recorded in this window yet</Nothing>
                        )}
                    </div>
                )}
                <p class="hidden" aria-live="polite">
                    {spoken}
                </p>
            </div>
            {props.note && <p class="chart-note">{props.note}</p>}
        </figure>
    );
}

/* ---- by keyboard ---- */

const STEPS: Record<string, number> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    PageUp: -10,
    PageDown: 10,
    Home: Number.NEGATIVE_INFINITY,
    End: Number.POSITIVE_INFINITY,
};

/** Moves the cursor by a hundredth of the width and says what is there; null = the key
 * means nothing here. */
function moveCursor(plot: uPlot, props: DrawnProps, e: KeyboardEvent): string | null {
    const steps = STEPS[e.key];
    if (steps === undefined || e.ctrlKey || e.altKey || e.metaKey) return null;
    const width = plot.over.clientWidth;
    const last = plot.valToPos(plot.data[0][plot.data[0].length - 1] ?? 0, "x");
    const end = Math.max(0, Math.min(width - 1, last));
    const at = plot.cursor.left ?? -1;
    const from = at < 0 ? end + (steps < 0 ? 0 : -width / 100) : at;
    const left = Math.max(0, Math.min(end, from + (steps * width) / 100));
    plot.setCursor({ left, top: plot.over.clientHeight / 2 });
    const index = plot.posToIdx(left);
    const values = props.lines.map((line, i) => {
        const value = print(props, plot.data[i + 1]?.[index] ?? null);
        return props.lines.length > 1 ? `${line.label} ${value}` : value;
    });
    const x = plot.data[0][index];
    return `${props.rows ? `row ${x}` : clock(x)}: ${values.join(", ")}`;
}

/* ---- uPlot ---- */

function update(plot: uPlot, props: DrawnProps): void {
    plot.batch(() => {
        plot.setData(props.columns as uPlot.AlignedData, false);
        plot.setScale("x", { min: props.window.from, max: props.window.to });
    });
}

function showValues(plot: uPlot, props: DrawnProps, list: HTMLUListElement | null): void {
    if (list === null) return;
    const time = plot.data[0];
    const at = plot.cursor.idx ?? time.length - 1;
    const items = list.querySelectorAll("b");
    props.lines.forEach((_, i) => {
        const text = print(props, plot.data[i + 1]?.[at] ?? null);
        const item = items[i];
        if (item !== undefined && item.textContent !== text) item.textContent = text;
    });
}

function print(props: ChartProps, value: number | null): string {
    return props.format ? props.format(value) : withUnit(value, props.unit);
}

type Latest = { current: DrawnProps };

/** Seconds between two labels; steps of two keep a narrow chart from having one only. */
const MIN = 60;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;
const TIME_STEPS = [
    ...[1, 2, 5, 10, 15, 30],
    ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MIN),
    ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
    ...[1, 2, 7].map((days) => days * DAY),
];

function options(
    latest: Latest,
    width: number,
    legend: { current: HTMLUListElement | null },
): uPlot.Options {
    const props = latest.current;
    const css = getComputedStyle(document.documentElement);
    const color = (name: string) => css.getPropertyValue(name).trim();
    const font = `11px ${css.getPropertyValue("--font").trim()}`;
    const axis: uPlot.Axis = {
        stroke: color("--dim"),
        font,
        grid: { stroke: color("--grid"), width: 1 },
        ticks: { show: false },
    };
    return {
        width: Math.max(width, 40),
        height: props.height ?? 150,
        padding: [8, 24, 0, 0],
        legend: { show: false },
        focus: { alpha: 0.35 },
        tzDate: zoned,
        scales: {
            x: { time: !props.rows, auto: false },
            y: { range: (_, low, high) => bounds(latest.current, low, high) },
        },
        axes: [
            {
                ...axis,
                space: 56,
                incrs: props.rows ? undefined : TIME_STEPS,
                size: 22,
                gap: 6,
                values: (_, at, __, ___, incr) =>
                    props.rows ? at.map(axisNumber) : times(at, incr),
            },
            {
                ...axis,
                size: 42,
                gap: 6,
                space: 30,
                values: (_, at) => at.map((v) => tickLabel(latest.current, v)),
            },
        ],
        series: [
            {},
            ...props.lines.map((line) => ({
                label: line.label,
                stroke: color(line.color),
                width: line.points ? 0 : (line.width ?? 1.5),
                fill: line.fill ? `${color(line.color)}22` : undefined,
                dash: line.dash ? [4, 3] : undefined,
                points: line.points
                    ? { show: true, size: 5, width: 0, fill: color(line.color) }
                    : { show: false },
                spanGaps: false,
            })),
        ],
        bands: props.band
            ? [{ series: [2, 1], fill: `${color(props.lines[0]!.color)}55` }]
            : undefined,
        cursor: {
            y: false,
            drag: { x: true, y: false, setScale: false },
            points: { size: 6 },
            sync: { key: props.group ?? "page" },
            bind: {
                mousedown: (u, _target, handle) => (event) => {
                    dragged = u;
                    return handle(event);
                },
                dblclick: () => () => {
                    latest.current.onZoom?.(null);
                    return null;
                },
            },
        },
        hooks: {
            setCursor: [(u) => showValues(u, latest.current, legend.current)],
            setSelect: [(u) => zoomTo(u, latest.current)],
            drawAxes: [(u) => drawBehind(u, latest.current, color)],
        },
    };
}

// The chart on which the last drag began. The others of its group show it too, and each may be
// a tick ahead or behind: one drag is one zoom, not several that differ in a tenth of a second.
let dragged: uPlot | null = null;

function zoomTo(u: uPlot, props: DrawnProps): void {
    if (u.select.width < 6) return;
    const from = u.posToVal(u.select.left, "x");
    const to = u.posToVal(u.select.left + u.select.width, "x");
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (u === dragged && to - from >= 2) props.onZoom?.({ from, to });
}

function bounds(
    props: ChartProps,
    low: number | null,
    high: number | null,
): [number, number] {
    if (props.min !== undefined && props.max !== undefined) return [props.min, props.max];
    const least = Math.min(low ?? 0, props.min ?? 0);
    const reach = props.reach ?? (props.unit === "%" ? 5 : 0.01);
    const most = Math.max(high ?? 0, reach);
    const room = (most - least) * 0.08;
    return [least < 0 ? least - room : least, most + room];
}

function times(at: number[], step: number): string[] {
    if (step >= DAY) return at.map((t) => date(t).slice(5));
    return at.map((t, i) => {
        const first = i === 0 || date(t) !== date(at[i - 1]!);
        const day = first && i > 0 ? `${date(t).slice(5)} ` : "";
        return day !== "" ? date(t).slice(5) : clock(t, step < MIN);
    });
}

function tickLabel(props: ChartProps, value: number): string {
    if (props.zones) return value > 0 ? `+${value}` : String(value).replace("-", "−");
    if (props.format) return props.format(value);
    return axisNumber(value);
}

/* ---- what lies behind the lines ---- */

type Color = (name: string) => string;

function drawBehind(u: uPlot, props: DrawnProps, color: Color): void {
    const { ctx } = u;
    ctx.save();
    const { left, top, width, height } = u.bbox;
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    if (props.zones) drawZones(u, color);
    for (const event of props.events ?? []) drawEvent(u, event, color);
    if (props.rule !== undefined) drawRule(u, props.rule, color);
    ctx.restore();
}

const ZONES: [number, number, Severity][] = [
    [0, -0.3, "low"],
    [-0.3, -0.5, "medium"],
    [-0.5, -0.7, "high"],
    [-0.7, -1.1, "critical"],
];

function drawZones(u: uPlot, color: Color): void {
    const { left, width } = u.bbox;
    for (const [from, to, severity] of ZONES) {
        const y = u.valToPos(from, "y", true);
        u.ctx.fillStyle = `${color(`--${severity}`)}12`;
        u.ctx.fillRect(left, y, width, u.valToPos(to, "y", true) - y);
    }
}

/** An event: a tint from start to end, and a notch at the top whose width is at least
 * visible. */
function drawEvent(
    u: uPlot,
    event: Pick<Event, "start" | "end" | "severity">,
    color: Color,
): void {
    const { top, height } = u.bbox;
    const from = u.valToPos(event.start, "x", true);
    const to = u.valToPos(event.end ?? now(), "x", true);
    const wide = Math.max(to - from, 2 * devicePixelRatio);
    const tint = color(`--${event.severity}`) || color("--low");
    u.ctx.fillStyle = `${tint}14`;
    u.ctx.fillRect(from, top, wide, height);
    u.ctx.fillStyle = tint;
    u.ctx.fillRect(from, top, wide, 3 * devicePixelRatio);
}

function drawRule(u: uPlot, rule: { at: number; label: string }, color: Color): void {
    const { ctx } = u;
    const { left, width } = u.bbox;
    const y = Math.round(u.valToPos(rule.at, "y", true)) + 0.5;
    ctx.strokeStyle = color("--rule");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(left + width, y);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.fillStyle = color("--dim");
    ctx.font = `${10.5 * devicePixelRatio}px ${color("--font")}`;
    ctx.textAlign = "right";
    ctx.textBaseline = "top";
    ctx.fillText(
        rule.label,
        left + width - 6 * devicePixelRatio,
        y + 4 * devicePixelRatio,
    );
}
