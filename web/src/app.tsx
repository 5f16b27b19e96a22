// The frame around the views: header, tabs, keys, help.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Receiver } from "./contract.ts";
import { ago, clock, span } from "./format.ts";
import { Icon } from "./icons.tsx";
import { retryNow } from "./live.ts";
import { useRoute } from "./navigate.ts";
import { Choice } from "./parts.tsx";
import { type Route, routeTo, TABS, type TabId } from "./route.ts";
import {
    clearCharts,
    isDark,
    now,
    RANGES,
    serverNow,
    setPaused,
    setRange,
    setTheme,
    setZoom,
    ui,
    undoClear,
    useStore,
} from "./store.ts";
import { Cores } from "./views/cores.tsx";
import { Detectors } from "./views/detectors.tsx";
import { EventPage } from "./views/event.tsx";
import { Events } from "./views/events.tsx";
import { Metrics } from "./views/metrics.tsx";
import { Overview } from "./views/overview.tsx";
import { Processes } from "./views/processes.tsx";

export function App() {
    useStore();
    const route = useRoute();
    const [help, setHelp] = useState(false);
    useKeys(() => setHelp((open) => !open));
    useEffect(() => {
        const title = TABS.find((tab) => tab.id === route.tab)!.title;
        const host = ui.shown.status?.host;
        document.title = host === undefined ? "vedette" : `${title} · ${host} · vedette`;
    }, [route.tab, ui.shown.status?.host]);
    return (
        <>
            <button type="button" class="skip" onClick={skipToMain}>
                Skip to content
            </button>
            <Header />
            <Tabs current={route.tab} />
            <Notices />
            <main id="main" tabIndex={-1}>
                <Toolbar route={route} onHelp={() => setHelp(true)} />
                {ui.shown.status === null ? <Waiting /> : <View route={route} />}
            </main>
            {help && <Help onClose={() => setHelp(false)} />}
        </>
    );
}

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
            return rest[0] && rest[0] !== "marked" ? (
                <EventPage key={rest[0]} id={Number(rest[0])} />
            ) : (
                <Events key={rest[0]} marked={rest[0] === "marked"} />
            );
        case "processes":
            return <Processes />;
        case "metrics":
            return <Metrics picked={rest} />;
    }
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
    const { status } = ui.shown;
    const confidence = ui.shown.tick?.confidence ?? status?.confidence ?? null;
    return (
        <header class="top">
            <a class="brand" href={routeTo("overview")} aria-label="vedette, overview">
                <Icon name="pennon" />
                <span>vedette</span>
            </a>
            <div class="host">
                <strong title={status ? `vedette ${status.version}` : undefined}>
                    {status?.host ?? "…"}
                </strong>
                {status && (
                    <span class={`state state-${status.state}`}>
                        {STATE_WORDS[status.state] ?? status.state}
                        {confidence !== null && confidence > 0 && confidence < 0.995 && (
                            <span class="num">
                                {" "}
                                · {Math.round(confidence * 100)} % sure
                            </span>
                        )}
                    </span>
                )}
            </div>
            {status && (
                <dl class="facts num">
                    <div>
                        <dt>up</dt>
                        <dd>{span(serverNow() - status.started)}</dd>
                    </div>
                    <div>
                        <dt>every</dt>
                        <dd>{span(status.interval)}</dd>
                    </div>
                    <div>
                        <dt>at</dt>
                        <dd>{clock(ui.shown.tick?.t)}</dd>
                    </div>
                </dl>
            )}
            <ConnectionLight />
        </header>
    );
}

function ConnectionLight() {
    const { connection, paused } = ui;
    const text = paused
        ? "paused"
        : connection.state === "live"
          ? "live"
          : connection.state === "down"
            ? "offline"
            : connection.state === "silent"
              ? "silent"
              : "connecting";
    const kind = paused ? "paused" : connection.state;
    return (
        <span
            class={`light light-${kind}`}
            role="status"
            data-connection={connection.state}
        >
            <i aria-hidden="true" />
            {text}
        </span>
    );
}

/* ---- tabs ---- */

function Tabs(props: { current: TabId }) {
    const open = ui.shown.events.filter((e) => e.end === null).length;
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
    const charts = props.route.tab !== "processes" && props.route.tab !== "events";
    return (
        <div class="toolbar">
            {charts && (
                <Choice
                    label="Time range of the charts"
                    value={ui.zoom === null ? ui.range : null}
                    options={RANGES}
                    onChange={setRange}
                />
            )}
            {charts && ui.zoom !== null && (
                <button type="button" class="zoomed num" onClick={() => setZoom(null)}>
                    {clock(ui.zoom.from)} – {clock(ui.zoom.to)} <Icon name="close" />
                    <span class="hidden">leave the zoom</span>
                </button>
            )}
            <span class="gap" />
            <button
                type="button"
                class="tool"
                aria-pressed={ui.paused}
                title="Pause the page; the monitor goes on (p)"
                onClick={() => setPaused(!ui.paused)}
            >
                <Icon name={ui.paused ? "play" : "pause"} />
                <span>{ui.paused ? "Resume" : "Pause"}</span>
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
                aria-label={`Switch to the ${isDark() ? "light" : "dark"} theme`}
                onClick={toggleTheme}
            >
                <Icon name={isDark() ? "sun" : "moon"} />
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

/* ---- notices ---- */

function Notices() {
    const { connection, paused, clearedAt } = ui;
    const wait =
        connection.state === "down"
            ? Math.max(0, Math.ceil((connection.retryAt - Date.now()) / 1000))
            : 0;
    return (
        <div class="notices" aria-live="polite">
            {connection.state === "down" && (
                <p class="notice notice-down">
                    <span>
                        The monitor does not answer. Next try in{" "}
                        <span class="num">{wait} s</span>.
                    </span>
                    <button type="button" onClick={retryNow}>
                        Try now
                    </button>
                </p>
            )}
            {connection.state === "silent" && (
                <p class="notice notice-down">
                    <span>
                        No data since {ago(connection.since / 1000, Date.now() / 1000)}.
                    </span>
                </p>
            )}
            {ui.shown.status?.receivers.filter(isInTrouble).map((receiver) => (
                <p class="notice notice-down" key={receiver.name}>
                    <span>
                        Alerts do not get through to the {receiver.name}:{" "}
                        {receiver.error ?? receiver.state}.{" "}
                        <span class="num">{receiver.waiting}</span> waiting.
                    </span>
                </p>
            ))}
            {ui.shown.status?.troubles.map((trouble) => (
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
    return (
        <div class="waiting" aria-busy="true">
            <Icon name="pennon" />
            <p>
                {ui.connection.state === "down"
                    ? "Waiting for the monitor"
                    : "Connecting"}
            </p>
        </div>
    );
}

/* ---- help ---- */

const KEYS: [string, string][] = [
    ["1 – 6", "the views, in the order of the tabs"],
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
                Drag across a chart to look closer; double-click to return. A score of +1
                is normal, 0 is the threshold, −1 is as unusual as it gets: low to −0.3,
                medium to −0.5, high to −0.7, critical below.
            </p>
            <button type="button" class="tool" onClick={() => dialog.current?.close()}>
                Close
            </button>
        </dialog>
    );
}
