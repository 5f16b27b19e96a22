// The state of the page. Messages change `live` as they come; what is on the screen is
// `shown`, which follows `live` unless the page is paused. Views read `shown`.

import { useLayoutEffect, useReducer } from "preact/hooks";
import type { Event, Message, Metric, Process, Status, Tick } from "./contract.ts";
import { changeProcesses } from "./processes.ts";
import { Ring } from "./ring.ts";
import { type Roles, rolesOf } from "./roles.ts";
import type { Window } from "./series.ts";
import { mergeEvent } from "./severity.ts";

const RING_ROWS = 1200;
const EVENTS_KEPT = 200;
/** At most this often is the screen brought up to date, whatever the interval. */
const REDRAW_MS = 200;

export const RANGES: [number, string, string][] = [
    [60, "1 min", "last minute"],
    [300, "5 min", "last 5 minutes"],
    [900, "15 min", "last 15 minutes"],
    [3600, "1 h", "last hour"],
    [21600, "6 h", "last 6 hours"],
    [86400, "24 h", "last 24 hours"],
    [604800, "7 d", "last 7 days"],
];

export interface Shown {
    status: Status | null;
    tick: Tick | null;
    metrics: Metric[];
    roles: Roles;
    events: Event[];
    processes: Process[] | null;
    processesAt: number;
    /** Changes when history must be asked for again: after a gap, a sleep, a reconnect. */
    epoch: number;
}

export type Connection =
    | { state: "connecting" }
    | { state: "live" }
    | { state: "silent"; since: number }
    | { state: "down"; retryAt: number; attempt: number };

export const ring = new Ring(RING_ROWS);

const live: Shown = {
    status: null,
    tick: null,
    metrics: [],
    roles: rolesOf([]),
    events: [],
    processes: null,
    processesAt: 0,
    epoch: 0,
};

export const ui = {
    shown: { ...live },
    connection: { state: "connecting" } as Connection,
    paused: false,
    range: 300,
    zoom: null as Window | null,
    /** Everything before this moment is left out of the live charts and the feed. */
    clearedAt: Number.NEGATIVE_INFINITY,
    theme: "auto" as "auto" | "light" | "dark",
};

let metricNames: string[] = [];
let statusAt = 0; // the page's clock when the last status came, milliseconds

/* ---- subscription ---- */

const listeners = new Set<() => void>();
let drawnAt = 0;
let timer = 0;

/** Redraws soon: at once for what a person did, throttled for what the server sent. */
export function emit(): void {
    for (const listener of [...listeners]) listener();
}

/** Brings what came to the screen. A page that was paused before anything came has nothing
 * to rest on: it takes the first of it. */
function follow(): void {
    if (!ui.paused || ui.shown.status === null) ui.shown = { ...live };
}

function emitSoon(): void {
    if (document.hidden || timer !== 0) return;
    const wait = Math.max(0, drawnAt + REDRAW_MS - performance.now());
    timer = window.setTimeout(() => {
        timer = 0;
        drawnAt = performance.now();
        follow();
        requestAnimationFrame(emit);
    }, wait);
}

/** Brings the screen up to date after the tab was hidden. */
export function wake(): void {
    emitSoon();
}

/** Draws the component again whenever the state changes. */
export function useStore(): typeof ui {
    const [, redraw] = useReducer((n: number, _: undefined) => n + 1, 0);
    // Before the next message can come: what it changes must not pass unseen.
    useLayoutEffect(() => {
        const listener = () => redraw(undefined);
        listeners.add(listener);
        return () => {
            listeners.delete(listener);
        };
    }, []);
    return ui;
}

/* ---- what the server sent ---- */

export function receive(message: Message): void {
    switch (message.type) {
        case "hello":
            takeMetrics(message.metrics);
            takeStatus(message.status);
            live.events = message.events
                .slice()
                .sort((a, b) => b.id - a.id)
                .slice(0, EVENTS_KEPT);
            if (message.latest !== null) takeTick(message.latest);
            live.epoch++;
            follow(); // the light goes "live" now: with it comes what is live
            break;
        case "tick":
            takeTick(message);
            break;
        case "event":
            live.events = mergeEvent(live.events, message.event, EVENTS_KEPT);
            break;
        case "metrics":
            takeMetrics(message.metrics);
            break;
        case "status":
            takeStatus(message.status);
            break;
        case "processes":
            live.processes = message.processes;
            live.processesAt = message.t;
            break;
        case "process_changes":
            live.processes = changeProcesses(live.processes ?? [], message);
            live.processesAt = message.t;
            break;
    }
    emitSoon();
}

function takeMetrics(metrics: Metric[]): void {
    live.metrics = metrics.map(whole);
    live.roles = rolesOf(live.metrics);
    metricNames = metrics.map((m) => m.name);
    const scores = live.tick?.detectors.map((d) => `score.${d.name}`) ?? [];
    ring.keep(new Set([...metricNames, "score", ...scores ]));
}

/** A metric without a label or unit has "" there, however the server says so. */
function whole(m: Metric): Metric {
    return { ...m, label: m.label ?? "", unit: m.unit ?? "" };
}

function takeStatus(status: Status): void {
    live.status = status;
    statusAt = performance.now();
}

function takeTick(tick: Tick): void {
    const gap = tick.t - ring.last;
    const interval = live.status?.interval ?? 1;
    // A jump in time means that ticks were missed: the store has them.
    if (gap > Math.max(5, 5 * interval)) live.epoch++;
    const names = metricNames.slice(0, tick.v.length);
    const scores = tick.detectors.filter((d) => d.ready);
    ring.push(
        tick.t,
        [...names, "score", ...scores.map((d) => `score.${d.name}`)],
        [...tick.v.slice(0, names.length), tick.score, ...scores.map((d) => d.score)],
    );
    live.tick = tick;
}

/** History must be asked for again (the tab slept). */
export function bumpEpoch(): void {
    live.epoch++;
    emitSoon();
}

/** Puts an event that a request brought (feedback) in place of the one in the list, on the
 * screen too. */
export function replaceEvent(event: Event): void {
    const put = (events: Event[]) =>
        events.map((e) => (e.id === event.id ? { ...event, recorder: undefined } : e));
    live.events = put(live.events);
    ui.shown = { ...ui.shown, events: put(ui.shown.events) };
    emit();
}

export function setConnection(connection: Connection): void {
    ui.connection = connection;
    emit();
}

/* ---- what a person did ---- */

export function setPaused(paused: boolean): void {
    ui.paused = paused;
    if (!paused) ui.shown = { ...live };
    emit();
}

export function setRange(seconds: number): void {
    ui.range = seconds;
    ui.zoom = null;
    remember("vedette.range", String(seconds));
    emit();
}

export function setZoom(zoom: Window | null): void {
    ui.zoom = zoom;
    emit();
}

export function clearCharts(): void {
    ui.clearedAt = now();
    ui.zoom = null;
    emit();
}

export function undoClear(): void {
    ui.clearedAt = Number.NEGATIVE_INFINITY;
    emit();
}

export function setTheme(theme: typeof ui.theme): void {
    ui.theme = theme;
    applyTheme();
    remember("vedette.theme", theme);
    emit();
}

function applyTheme(): void {
    const root = document.documentElement;
    if (ui.theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = ui.theme;
}

export function isDark(): boolean {
    if (matchMedia("print").matches) return false; // the charts are drawn anew for paper
    if (ui.theme !== "auto") return ui.theme === "dark";
    return matchMedia("(prefers-color-scheme: dark)").matches;
}

// Storage may be forbidden; then choices last as long as the page.
function remember(key: string, value: string): void {
    try {
        localStorage.setItem(key, value);
    } catch {}
}

export function recall(): void {
    try {
        const theme = localStorage.getItem("vedette.theme");
        if (theme === "light" || theme === "dark") ui.theme = theme;
        const range = Number(localStorage.getItem("vedette.range"));
        if (RANGES.some(([seconds]) => seconds === range)) ui.range = range;
    } catch {}
    applyTheme();
    for (const query of ["(prefers-color-scheme: dark)", "print"]) {
        matchMedia(query).addEventListener("change", emit);
    }
}

/* ---- reading ---- */

/** The server's time: that of the tick on the screen, else of the status. */
export function now(): number {
    const { tick, status } = ui.shown;
    return tick?.t ?? status?.now ?? Date.now() / 1000;
}

/** The server's time now, also while no ticks come. */
export function serverNow(): number {
    if (ui.paused || live.status === null) return now();
    const byStatus = live.status.now + (performance.now() - statusAt) / 1000;
    return Math.max(byStatus, live.tick?.t ?? 0);
}

/** What the live charts show. */
export function chartWindow(): Window {
    if (ui.zoom !== null) return ui.zoom;
    const to = now();
    return { from: to - ui.range, to };
}

export function value(metric: Metric | null | undefined): number | null {
    if (metric === null || metric === undefined || ui.shown.tick === null) return null;
    const index = ui.shown.metrics.indexOf(metric);
    return ui.shown.tick.v[index] ?? null;
}
