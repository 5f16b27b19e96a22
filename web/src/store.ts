// The state of the page. Messages change `live` as they come; what is on the screen is
// `shown`, which follows `live` unless the page is paused. Views read `shown`.

import { useLayoutEffect, useReducer, useRef } from "preact/hooks";
import type {
    Event,
    Message,
    Metric,
    Process,
    Status,
    Tick,
    TickChanges,
} from "./contract.ts";
import { changeProcesses, Known } from "./processes.ts";
import { BROWSER, namedZone, setZone, UTC, type Zone } from "./format.ts";
import { Ring } from "./ring.ts";
import { type Roles, rolesOf } from "./roles.ts";
import { sustain, type Window } from "./series.ts";
import { mergeEvent, severityOf } from "./severity.ts";

const RING_ROWS = 1200;
const SHORTEST_S = 60; // of a chart
const HELD_S = 6;      // a little more than the five seconds that decide
const EVENTS_KEPT = 200;
/** So often is the screen brought up to date while all is calm: each time costs the
 * browser a frame, whatever has changed. */
const CALM_MS = 2000;
/** And while nobody has touched the page for a while: as often as the charts move on. */
const LEFT_ALONE_MS = 4000;
const ALONE_AFTER_MS = 20_000;
/** And so often when there is something to see at once. */
const URGENT_MS = 200;

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
    /** The server's time when it was last heard of. */
    heardAt: number;
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
    heardAt: 0,
};

export const ui = {
    shown: { ...live },
    connection: { state: "connecting" } as Connection,
    paused: false,
    range: 300,
    zoom: null as Window | null,
    /** The first moment of which the store knows something in this range. */
    dataSince: Number.NEGATIVE_INFINITY,
    /** Everything before this moment is left out of the live charts and the feed. */
    clearedAt: Number.NEGATIVE_INFINITY,
    theme: "auto" as "auto" | "light" | "dark",
    zone: "browser" as ZoneChoice,
};

export type ZoneChoice = "host" | "browser" | "utc";

let lostBefore = false; // down or silent, and not live since

let metricNames: string[] = [];
let followed: ReadonlySet<string> = new Set(); // series that the last tick brought
const busy = new Known();
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

function emitSoon(urgent = false): void {
    if (document.hidden || (timer !== 0 && !urgent)) return;
    clearTimeout(timer);
    // A little early, so that a tick of every second second is not missed by a hair.
    const pace = urgent ? URGENT_MS : (isLeftAlone() ? LEFT_ALONE_MS : CALM_MS) - 100;
    const wait = Math.max(0, drawnAt + pace - performance.now());
    timer = window.setTimeout(() => {
        timer = 0;
        drawnAt = performance.now();
        follow();
        requestAnimationFrame(emit);
    }, wait);
}

let touchedAt = 0; // the page's clock; the load counts as a touch

function isLeftAlone(): boolean {
    return performance.now() - touchedAt > ALONE_AFTER_MS;
}

/** Follows whether somebody is at the page. Who comes back sees at once what came. */
export function watchTouches(): void {
    for (const kind of ["pointermove", "pointerdown", "keydown", "wheel", "focus"]) {
        window.addEventListener(kind, touched, { passive: true });
    }
}

function touched(): void {
    const back = isLeftAlone();
    touchedAt = performance.now();
    if (back) emitSoon(true);
}

/** Whether somebody has to see it now and not in two seconds: what is new, not what goes
 * on. */
function isUrgent(message: Message): boolean {
    if (message.type === "tick" || message.type === "changes") {
        return severityOf(message.score) !== severityOf(ui.shown.tick?.score);
    }
    if (message.type === "event") return message.change !== "updated";
    return message.type === "hello" || message.type === "processes";
}

/** Brings the screen up to date after the tab was hidden. */
export function wake(): void {
    emitSoon(true);
}

/** Draws the component again when what `select` gives is another. */
export function useSelect<T>(select: () => T): T {
    const [, redraw] = useReducer((n: number, _: undefined) => n + 1, 0);
    const chosen = select();
    const latest = useRef({ select, chosen });
    latest.current = { select, chosen };
    useLayoutEffect(() => {
        const listener = () => {
            const { select, chosen } = latest.current;
            if (!Object.is(select(), chosen)) redraw(undefined);
        };
        listeners.add(listener);
        return () => {
            listeners.delete(listener);
        };
    }, []);
    return chosen;
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
            takeStatus(message.status as Status);
            busy.clear();
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
        case "changes":
            takeChanges(message);
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
    emitSoon(isUrgent(message));
}

function takeMetrics(metrics: Metric[]): void {
    live.metrics = metrics.map(whole);
    live.roles = rolesOf(live.metrics);
    metricNames = metrics.map((m) => m.name);
    // An index may stand for another metric now: what was known by index is not any more.
    if (live.tick !== null) live.tick = { ...live.tick, v: [] };
}

/** A metric without a label or unit has "" there, however the server says so. */
function whole(m: Metric): Metric {
    return { ...m, label: m.label ?? "", unit: m.unit ?? "" };
}

/** What a status leaves out (nobody looks at it) stays as it was. */
function takeStatus(status: Partial<Status>): void {
    live.status = { ...(live.status ?? {}), ...status } as Status;
    statusAt = performance.now();
    live.heardAt = live.status.now;
    if (ui.zone === "host") applyZone();
}

function noteGap(t: number): void {
    const interval = live.status?.interval ?? 1;
    // A jump in time means that ticks were missed: the store has them.
    if (t - ring.last > Math.max(5, 5 * interval)) live.epoch++;
}

function takeTick(tick: Tick): void {
    noteGap(tick.t);
    const scores = tick.detectors.filter((d) => d.ready);
    const names = [
        ...metricNames.slice(0, tick.v.length),
        "score",
        ...scores.map((d) => `score.${d.name}`),
    ];
    followSeries(names);
    ring.push(tick.t, names, [...tick.v, tick.score, ...scores.map((d) => d.score)]);
    busy.learn(tick.top_cpu);
    live.tick = tick;
    live.heardAt = tick.t;
}

/** The tick before, brought forward. What is not followed is not known. */
function takeChanges(message: TickChanges): void {
    noteGap(message.t);
    const before = live.tick;
    const v = message.whole ? [] : (before?.v.slice() ?? []);
    for (const [index, value] of Object.entries(message.v)) v[Number(index)] = value;
    const scores = (message.detectors ?? []).filter((d) => d.ready);
    const known = metricNames.map((_, i) => i).filter((i) => v[i] !== undefined);
    const names = [
        ...known.map((i) => metricNames[i]!),
        "score",
        ...scores.map((d) => `score.${d.name}`),
    ];
    followSeries(names);
    ring.push(message.t, names, [
        ...known.map((i) => v[i]!),
        message.score,
        ...scores.map((d) => d.score),
    ]);
    const { type: _, whole: __, v: ___, top_cpu, ...rest } = message;
    live.tick = {
        ...(before ?? NO_TICK),
        ...rest,
        v,
        top_cpu: top_cpu === undefined ? [] : busy.learn(top_cpu),
    };
    live.heardAt = message.t;
}

const NO_TICK: Tick = {
    type: "tick",
    t: 0,
    tick: 0,
    jitter_ms: null,
    n_metrics: 0,
    v: [],
    score: null,
    confidence: null,
    latency_us: null,
    drift: false,
    detectors: [],
    top_cpu: [],
    n_processes: null,
    n_threads: null,
};

/** Series that are followed no more are forgotten: there would be a hole in them. */
function followSeries(names: string[]): void {
    const now = new Set(names);
    if ([...followed].some((name) => !now.has(name))) ring.keep(now);
    followed = now;
}

/** The names of the metrics as the server counts them. */
export function namesByIndex(): readonly string[] {
    return metricNames;
}

/** History must be asked for again (the tab slept). */
export function bumpEpoch(): void {
    live.epoch++;
    emitSoon(true);
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
    if (connection.state === "live") lostBefore = false;
    if (connection.state === "down" || connection.state === "silent") {
        lostBefore = true;
        // The last that came is shown now, and nothing moves after that.
        clearTimeout(timer);
        timer = 0;
        follow();
    }
    emit();
}

/* ---- what a person did ---- */

export function setPaused(paused: boolean): void {
    ui.paused = paused;
    if (!paused) ui.shown = { ...live };
    emit();
}

/** What the charts show; the address says it (navigate.ts). null = the range stays. */
export function showWindow(range: number | null, zoom: Window | null): void {
    if (range !== null && range !== ui.range) {
        ui.range = range;
        ui.dataSince = Number.NEGATIVE_INFINITY;
        remember("vedette.range", String(range));
    }
    ui.zoom = zoom;
    emit();
}

export function clearCharts(): void {
    ui.clearedAt = now();
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

export function chooseZone(choice: ZoneChoice): void {
    ui.zone = choice;
    applyZone();
    remember("vedette.zone", choice);
    emit();
}

function applyZone(): void {
    if (ui.zone === "host") setZone(hostZone());
    else setZone(ui.zone === "utc" ? UTC : BROWSER);
}

let hostName = "";
let hostByName: Zone | null = null;

/** By its name, which knows of summer time; else as far east as it is now. */
function hostZone(): Zone {
    const { name, east } = live.status?.zone ?? { name: "", east: 0 };
    if (name !== hostName) {
        hostName = name;
        hostByName = name === "" ? null : namedZone(name);
    }
    return hostByName ?? (() => east);
}

function applyTheme(): void {
    const root = document.documentElement;
    if (ui.theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = ui.theme;
}

// Kept: asking for one anew is slow, and each chart looks with each frame.
const onPaper = matchMedia("print");
const darkWanted = matchMedia("(prefers-color-scheme: dark)");

export function isDark(): boolean {
    if (onPaper.matches) return false; // the charts are drawn anew for paper
    if (ui.theme !== "auto") return ui.theme === "dark";
    return darkWanted.matches;
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
        const zone = localStorage.getItem("vedette.zone");
        if (zone === "host" || zone === "utc") ui.zone = zone;
        const range = Number(localStorage.getItem("vedette.range"));
        if (RANGES.some(([seconds]) => seconds === range)) ui.range = range;
    } catch {}
    applyTheme();
    applyZone();
    watchTheme();
}

/** Draws anew when the browser's theme changes, and for paper. */
export function watchTheme(): void {
    for (const query of [onPaper, darkWanted]) query.addEventListener("change", emit);
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
    if (contactLost() !== null) return live.heardAt;
    const byStatus = live.status.now + (performance.now() - statusAt) / 1000;
    return Math.max(byStatus, live.tick?.t ?? 0);
}

/** The score that decides: see sustain() in series.ts. */
export function heldScore(): number | null {
    const { tick } = ui.shown;
    if (tick === null || tick.score === null) return null;
    const columns: (number | null)[][] = [[], []];
    ring.read(["score"], tick.t - HELD_S, tick.t, columns);
    const held = sustain(columns[0]!, columns[1]!);
    return held[held.length - 1] ?? tick.score;
}

/** What the live charts show. */
export function chartWindow(): Window {
    if (ui.zoom !== null) return ui.zoom;
    const to = now();
    const from = Math.max(to - ui.range, Math.min(ui.dataSince, to - SHORTEST_S));
    return { from, to };
}

/** Charts begin where the data does: seven days with ten minutes in them show those. */
export function setDataSince(t: number): void {
    if (t === ui.dataSince) return;
    ui.dataSince = t;
    emit();
}

/** The moment when the server was last heard of, while it is not heard; else null. */
export function contactLost(): number | null {
    const { state } = ui.connection;
    if (ui.shown.status === null || state === "live" || !lostBefore) return null;
    return live.heardAt;
}

export function value(metric: Metric | null | undefined): number | null {
    if (metric === null || metric === undefined || ui.shown.tick === null) return null;
    const index = ui.shown.metrics.indexOf(metric);
    return ui.shown.tick.v[index] ?? null;
}
