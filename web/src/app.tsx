// The frame around the views: header, tabs, keys, help.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Receiver } from "./contract.ts";
import { useDataStart } from "./data-start.ts";
import { clock, moment, offsetName, span } from "./format.ts";
import { Icon } from "./icons.tsx";
import { retryNow } from "./live.ts";
import { setRange, setZoom, useRoute } from "./navigate.ts";
import { Choice, Empty, Panel } from "./parts.tsx";
import { type Route, routeTo, TABS, type TabId } from "./route.ts";
import {
    chooseZone,
    clearCharts,
    contactLost,
    isDark,
    now,
    RANGES,
    serverNow,
    setPaused,
    setTheme,
    ui,
    undoClear,
    useSelect,
    useStore,
    type ZoneChoice,
} from "./store.ts";
import { Analyses } from "./views/analyses.tsx";
import { AnalysisPage } from "./views/analysis.tsx";
import { Cores } from "./views/cores.tsx";
import { Detectors } from "./views/detectors.tsx";
import { EventPage } from "./views/event.tsx";
import { Events } from "./views/events.tsx";
import { Metrics } from "./views/metrics.tsx";
import { Overview } from "./views/overview.tsx";
import { Processes } from "./views/processes.tsx";

export function App() {
    const waiting = useSelect(() => ui.shown.status === null);
    const lost = useSelect(() => contactLost() !== null);
    const route = useRoute();
    const [help, setHelp] = useState(false);
    useKeys(() => setHelp((open) => !open));
    useTitle(route, lost);
    useDataStart();
    return (
        <div class={lost ? "page lost" : "page"}>
            <button type="button" class="skip" onClick={skipToMain}>
                Skip to content
            </button>
            <Header />
            <Tabs current={route.tab} />
            <Notices />
            <main id="main" tabIndex={-1}>
                <Toolbar route={route} onHelp={() => setHelp(true)} />
                {waiting ? <Waiting /> : <View route={route} />}
            </main>
            {help && <Help onClose={() => setHelp(false)} />}
        </div>
    );
}

const titleOf = (tab: TabId | null) =>
    TABS.find((t) => t.id === tab)?.title ?? "No such page";

/** The tab of the browser says it too when there is no contact. */
function useTitle(route: Route, lost: boolean): void {
    const host = useSelect(() => ui.shown.status?.host);
    useEffect(() => {
        const title = titleOf(route.tab);
        const whole = host === undefined ? "vedette" : `${title} · ${host} · vedette`;
        document.title = lost ? `No contact · ${whole}` : whole;
    }, [route.tab, host, lost]);
    useEffect(() => {
        const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
        // Without contact nothing can be loaded any more: this one is in its address.
        if (icon !== null) icon.href = lost ? LOST_ICON : "favicon.svg";
    }, [lost]);
}

const LOST_ICON = `data:image/svg+xml,${encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20"><path fill="none" ' +
        'stroke="#8a8f96" stroke-width="2.4" d="M5 2v16M6 3.5h11l-4 3.5 4 3.5H6M2 18L18 2"/></svg>',
)}`;

// A button and not a link to "#main": the address holds the view.
function skipToMain(): void {
    document.getElementById("main")?.focus();
}

function View(props: { route: Route }) {
    const { tab, rest } = props.route;
    switch (tab) {
        case "overview":
            return <Overview />;
        case "cores":
            return <Cores />;
        case "detectors":
            return <Detectors />;
        case "events":
            return rest[0] ? (
                <EventPage key={rest[0]} id={Number(rest[0])} />
            ) : (
                <Events />
            );
        case "processes":
            return <Processes />;
        case "metrics":
            return <Metrics picked={rest} />;
        case "analyses":
            return rest[0] ? (
                <AnalysisPage key={rest[0]} id={rest[0]} />
            ) : (
                <Analyses />
            );
        case null:
            return <NoSuchPage />;
    }
}

function NoSuchPage() {
    return (
        <Panel>
            <Empty title="There is no such page">
                Nothing is at <code>{location.hash}</code>.{" "}
                <a href={routeTo("overview")}>Go to the overview</a>
            </Empty>
        </Panel>
    );
}

/* ---- keys ---- */

function useKeys(toggleHelp: () => void): void {
    useLayoutEffect(() => {
        const onKey = (e: KeyboardEvent) => {
            if (e.ctrlKey || e.metaKey || e.altKey) return;
            const target = e.target as HTMLElement;
            if (target.matches?.("input, textarea, select")) {
                if (e.key === "Escape") target.blur();
                return;
            }
            if (pressed(e.key, toggleHelp)) e.preventDefault();
        };
        document.addEventListener("keydown", onKey);
        return () => document.removeEventListener("keydown", onKey);
    }, []);
}

function pressed(key: string, toggleHelp: () => void): boolean {
    const tab = TABS[Number(key) - 1];
    if (/^[1-9]$/.test(key) && tab !== undefined) location.hash = routeTo(tab.id);
    else if (key === "p") setPaused(!ui.paused);
    else if (key === "c") clearCharts();
    else if (key === "t") toggleTheme();
    else if (key === "?") toggleHelp();
    else if (key === "Escape" && ui.zoom !== null) setZoom(null);
    else if (key === "/") {
        const filter = document.querySelector<HTMLInputElement>("[data-filter]");
        if (filter === null) location.hash = routeTo("processes");
        else filter.focus();
    } else return false;
    return true;
}

function toggleTheme(): void {
    setTheme(isDark() ? "light" : "dark");
}

/* ---- header ---- */

const STATE_WORDS: Record<string, string> = {
    warming: "warming up",
    learning: "learning",
    watching: "watching",
    paused: "paused",
};

function Header() {
    return (
        <header class="top">
            <a class="brand" href={routeTo("overview")} aria-label="vedette, overview">
                <Icon name="pennon" />
                <span>vedette</span>
            </a>
            <Host />
            <Facts />
            <ConnectionLight />
        </header>
    );
}

function Host() {
    const status = useSelect(() => ui.shown.status);
    const sure = useSelect(() =>
        Math.round(100 * (ui.shown.tick?.confidence ?? status?.confidence ?? 0)),
    );
    return (
        <div class="host">
            <strong title={status ? `vedette ${status.version}` : undefined}>
                {status?.host ?? "…"}
            </strong>
            {status && (
                <span class={`state state-${status.state}`}>
                    {STATE_WORDS[status.state] ?? status.state}
                    {sure > 0 && sure < 100 && <span class="num"> · {sure} % sure</span>}
                </span>
            )}
        </div>
    );
}

function Facts() {
    const status = useSelect(() => ui.shown.status);
    const at = useSelect(() => clock(ui.shown.tick?.t));
    const up = useSelect(() => span(roughly(serverNow() - (status?.started ?? 0))));
    const zone = useSelect(() => offsetName(now()));
    if (status === null) return null;
    return (
        <dl class="facts num">
            <div>
                <dt title="How long vedette has been running; not the machine">
                    vedette up
                </dt>
                <dd>{up}</dd>
            </div>
            <div>
                <dt>every</dt>
                <dd>{span(status.interval)}</dd>
            </div>
            <div>
                <dt>at</dt>
                <dd class="at-clock">{at}</dd>
                <dd>
                    <ZoneMenu now={zone} />
                </dd>
            </div>
        </dl>
    );
}

/** Whole minutes once there are some: a figure that changes each second says no more. */
function roughly(seconds: number): number {
    return seconds < 60 ? seconds : 60 * Math.floor(seconds / 60);
}

const ZONES: [ZoneChoice, string][] = [
    ["browser", "this browser's time"],
    ["host", "the host's time"],
    ["utc", "UTC"],
];

/** In which zone all times are printed. */
function ZoneMenu(props: { now: string }) {
    const choice = useSelect(() => ui.zone);
    const host = useSelect(() => ui.shown.status?.zone?.name ?? "");
    return (
        <label class="zone" title="The zone of all times on this page">
            <span aria-hidden="true">{props.now}</span>
            <select
                aria-label={`Time zone: ${props.now}`}
                value={choice}
                onChange={(e) => chooseZone(e.currentTarget.value as ZoneChoice)}
            >
                {ZONES.map(([value, text]) => (
                    <option key={value} value={value}>
                        {text}
                        {value === "host" && host !== "" ? ` (${host})` : ""}
                    </option>
                ))}
            </select>
        </label>
    );
}

function ConnectionLight() {
    const { connection, paused } = useStoreLight();
    const text = paused ? "paused" : LIGHT_WORDS[connection];
    return (
        <span
            class={`light light-${paused ? "paused" : connection}`}
            role="status"
            data-connection={connection}
        >
            <i aria-hidden="true" />
            {text}
        </span>
    );
}

const LIGHT_WORDS = {
    live: "live",
    down: "no contact",
    silent: "no contact",
    connecting: "connecting",
};

function useStoreLight() {
    const connection = useSelect(() => ui.connection.state);
    const paused = useSelect(() => ui.paused);
    return { connection, paused };
}

/* ---- tabs ---- */

function Tabs(props: { current: TabId | null }) {
    const open = useSelect(() => ui.shown.events.filter((e) => e.end === null).length);
    return (
        <nav class="tabs" aria-label="Views">
            {TABS.map((tab, i) => (
                <a
                    key={tab.id}
                    href={routeTo(tab.id)}
                    aria-current={tab.id === props.current ? "page" : undefined}
                    title={`${tab.title} (${i + 1})`}
                >
                    <Icon name={tab.id} />
                    <span>{tab.title}</span>
                    {tab.id === "events" && open > 0 && (
                        <b class="badge num">
                            {open}
                            <span class="hidden"> open</span>
                        </b>
                    )}
                </a>
            ))}
        </nav>
    );
}

/* ---- tools ---- */

function Toolbar(props: { route: Route; onHelp: () => void }) {
    const { tab, rest } = props.route;
    const charts = tab !== null && !["processes", "events", "analyses"].includes(tab);
    const range = useSelect(() => ui.range);
    const zoom = useSelect(() => ui.zoom);
    const paused = useSelect(() => ui.paused);
    const dark = useSelect(isDark);
    const isOne = (tab === "events" || tab === "analyses") && rest.length > 0; // which has a heading of its own
    return (
        <div class="toolbar">
            {!isOne && <h1>{titleOf(tab)}</h1>}
            {charts && (
                <Choice
                    label="Time range of the charts"
                    value={zoom === null ? range : null}
                    options={RANGES}
                    onChange={setRange}
                />
            )}
            {charts && zoom === null && <SinceWhen />}
            {charts && zoom !== null && (
                <button type="button" class="zoomed num" onClick={() => setZoom(null)}>
                    {moment(zoom.from, now())} – {clock(zoom.to)} <Icon name="close" />
                    <span class="hidden">leave the zoom</span>
                </button>
            )}
            <span class="gap" />
            <button
                type="button"
                class="tool"
                aria-pressed={paused}
                title="Pause the page; the monitor goes on (p)"
                onClick={() => setPaused(!paused)}
            >
                <Icon name={paused ? "play" : "pause"} />
                <span>{paused ? "Resume" : "Pause"}</span>
            </button>
            <button
                type="button"
                class="tool"
                title="Start the charts and the feed afresh; nothing is deleted (c)"
                onClick={clearCharts}
            >
                <Icon name="clear" />
                <span>Clear</span>
            </button>
            <button
                type="button"
                class="tool square"
                title="Dark or light (t)"
                aria-label={`Switch to the ${dark ? "light" : "dark"} theme`}
                onClick={toggleTheme}
            >
                <Icon name={dark ? "sun" : "moon"} />
            </button>
            <button
                type="button"
                class="tool square"
                title="Help (?)"
                aria-label="Help"
                onClick={props.onHelp}
            >
                <Icon name="help" />
            </button>
        </div>
    );
}

/** A range that reaches back further than the data shows the data. */
function SinceWhen() {
    const since = useSelect(() =>
        ui.dataSince > now() - ui.range ? moment(ui.dataSince, now()) : null,
    );
    return since === null ? null : (
        <span class="since num" title="The store has nothing older in this range">
            all there is, since {since}
        </span>
    );
}

/* ---- notices ---- */

function NoContact() {
    useStore(); // the wait counts down
    const { connection } = ui;
    const lost = contactLost();
    if (connection.state === "live" || (lost === null && connection.state !== "down")) {
        return null;
    }
    const wait =
        connection.state === "down" ? Math.ceil((connection.retryAt - Date.now()) / 1000) : 0;
    return (
        <p class="notice notice-down">
            <span>
                <b>
                    {lost === null
                        ? "No contact with the monitor."
                        : `No contact since ${clock(lost)}.`}
                </b>{" "}
                {lost !== null && "What is shown is of then. "}
                {connection.state === "silent"
                    ? "The monitor is silent."
                    : "The monitor does not answer."}{" "}
                {wait > 0 ? (
                    <>
                        Next try in <span class="num">{wait} s</span>.
                    </>
                ) : (
                    "Trying."
                )}
            </span>
            {wait > 0 && (
                <button type="button" onClick={retryNow}>
                    Try now
                </button>
            )}
        </p>
    );
}

function Notices() {
    const paused = useSelect(() => ui.paused);
    const clearedAt = useSelect(() => ui.clearedAt);
    const status = useSelect(() => ui.shown.status);
    return (
        <div class="notices" aria-live="polite">
            <NoContact />
            {status?.receivers.filter(isInTrouble).map((receiver) => (
                <p class="notice notice-down" key={receiver.name}>
                    <span>
                        Alerts do not get through to the {receiver.name}:{" "}
                        {receiver.error ?? receiver.state}.{" "}
                        <span class="num">{receiver.waiting}</span> waiting.
                    </span>
                </p>
            ))}
            {status?.troubles.map((trouble) => (
                <p class="notice" key={trouble.collector}>
                    <span>
                        Since {clock(trouble.since)}, {trouble.collector}:{" "}
                        {trouble.reason}.
                    </span>
                </p>
            ))}
            {paused && (
                <p class="notice">
                    <span>
                        Paused at <span class="num">{clock(now())}</span>. The monitor
                        goes on.
                    </span>
                    <button type="button" onClick={() => setPaused(false)}>
                        Resume
                    </button>
                </p>
            )}
            {Number.isFinite(clearedAt) && (
                <p class="notice">
                    <span>
                        Charts start at <span class="num">{clock(clearedAt)}</span>.
                    </span>
                    <button type="button" onClick={undoClear}>
                        Show everything
                    </button>
                </p>
            )}
        </div>
    );
}

/** Whether people have to know: alerts wait for it, or it is slow to take them. */
function isInTrouble(receiver: Receiver): boolean {
    return receiver.state !== "well" && (receiver.waiting > 0 || receiver.kept);
}

function Waiting() {
    const connection = useSelect(() => ui.connection.state);
    return (
        <div class="waiting" aria-busy="true">
            <Icon name="pennon" />
            <p>
                {connection === "down" ? "Waiting for the monitor" : "Connecting"}
            </p>
        </div>
    );
}

/* ---- help ---- */

const KEYS: [string, string][] = [
    ["1 – 7", "the views, in the order of the tabs"],
    ["p", "pause the page, and go on"],
    ["c", "clear: start charts and feed afresh"],
    ["t", "dark or light"],
    ["/", "filter"],
    ["Esc", "leave a zoom, a field, this help"],
    ["?", "this help"],
];

function Help(props: { onClose: () => void }) {
    const dialog = useRef<HTMLDialogElement>(null);
    useEffect(() => dialog.current?.showModal(), []);
    return (
        <dialog
            ref={dialog}
            class="help"
            aria-labelledby="help-title"
            onClose={props.onClose}
        >
            <h2 id="help-title">Keys and signs</h2>
            <dl class="keys">
                {KEYS.map(([key, what]) => (
                    <div key={key}>
                        <dt>
                            <kbd>{key}</kbd>
                        </dt>
                        <dd>{what}</dd>
                    </div>
                ))}
            </dl>
            <p>
                Drag across a chart to look closer; double-click to return. With the focus
                on a chart, the arrow keys read its values. A score of +1
                is normal, 0 is the threshold, −1 is as unusual as it gets: low to −0.3,
                medium to −0.5, high to −0.7, critical below.
            </p>
            <button type="button" class="tool" onClick={() => dialog.current?.close()}>
                Close
            </button>
        </dialog>
    );
}
