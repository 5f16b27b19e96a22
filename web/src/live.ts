// The connection to /api/v1/live: opens, reopens with growing waits, notices silence, and
// looks again when the tab wakes.

import { backoff } from "./backoff.ts";
import type { Message } from "./contract.ts";
import { bumpEpoch, namesByIndex, receive, setConnection, ui, wake } from "./store.ts";
import { onNeedsChanged, viewMessage } from "./view-needs.ts";

let socket: WebSocket | null = null;
let attempt = 0;
let retryTimer = 0;
let heardAt = 0;
let wantProcesses = 0;
let saidView = "";
let viewTimer = 0;

export function start(): void {
    onNeedsChanged(sayView);
    connect();
    setInterval(watch, 1000);
    document.addEventListener("visibilitychange", () => {
        if (!document.hidden) wakeUp();
    });
    window.addEventListener("online", wakeUp);
    // Pages kept in the browser's cache come back with a dead socket.
    window.addEventListener("pageshow", (e) => {
        if (e.persisted) wakeUp();
    });
}

function connect(): void {
    clearTimeout(retryTimer);
    const address = new URL("api/v1/live", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    address.hash = "";
    const opened = new WebSocket(address);
    socket = opened;
    opened.onmessage = (e) => {
        if (socket !== opened) return;
        heard(JSON.parse(e.data as string) as Message);
    };
    // A failed attempt gives "error" and then "close": one of them is enough.
    opened.onclose = () => {
        if (socket === opened) lost();
    };
}

function heard(message: Message): void {
    heardAt = performance.now();
    attempt = 0;
    receive(message);
    if (message.type === "hello") askForProcesses();
    if (message.type === "hello" || message.type === "metrics") {
        saidView = "";
        sayView();
    }
    if (ui.connection.state !== "live") setConnection({ state: "live" });
}

function lost(): void {
    socket = null;
    const wait = backoff(attempt++, Math.random());
    setConnection({ state: "down", retryAt: Date.now() + wait, attempt });
    retryTimer = window.setTimeout(connect, wait);
}

/** Tries now instead of at the end of the wait. */
export function retryNow(): void {
    if (socket !== null) return;
    setConnection({ state: "connecting" });
    connect();
}

/** Once a second: has it gone quiet? The wait for a retry counts down on the screen. */
function watch(): void {
    if (document.hidden) return;
    const { connection, shown } = ui;
    const patience = 3000 + 3000 * (shown.status?.interval ?? 1);
    const quiet = performance.now() - heardAt;
    if (connection.state === "live" && quiet > patience) {
        setConnection({ state: "silent", since: Date.now() - quiet });
    } else if (connection.state === "silent") {
        // A peer that vanished without a word (a suspended machine) never closes.
        if (quiet > 4 * patience) socket?.close();
        setConnection({ ...connection });
    } else if (connection.state === "down") {
        setConnection({ ...connection });
    }
}

function wakeUp(): void {
    if (socket === null) retryNow();
    else if (performance.now() - heardAt > 5000) bumpEpoch();
    wake();
}

/** Tells the server what is shown, once the views of this moment have all said it. */
function sayView(): void {
    if (viewTimer !== 0) return;
    viewTimer = window.setTimeout(() => {
        viewTimer = 0;
        const text = viewMessage(namesByIndex());
        // Before the greeting no metric has an index.
        if (socket?.readyState !== WebSocket.OPEN || ui.shown.status === null) return;
        if (text === null || text === saidView) return;
        socket.send(text);
        saidView = text;
    });
}

function askForProcesses(): void {
    if (socket?.readyState !== WebSocket.OPEN) return;
    socket.send(JSON.stringify({ type: "processes", on: wantProcesses > 0, changes: true }));
}

/** While held, the whole process table comes with each tick. Returns the release. */
export function holdProcesses(): () => void {
    wantProcesses++;
    if (wantProcesses === 1) askForProcesses();
    return () => {
        wantProcesses--;
        if (wantProcesses === 0) askForProcesses();
    };
}
