// The address as state: which view is open, and what is chosen in it. Reloading it and
// going back bring it all back.

import { useEffect, useState } from "preact/hooks";
import { addressOf, parseRoute, type Route, zoomOf } from "./route.ts";
import { type Window } from "./series.ts";
import { RANGES, showWindow, ui } from "./store.ts";

const listeners = new Set<(route: Route) => void>();
let current = parseRoute(location.hash);

function follow(): void {
    const next = parseRoute(location.hash);
    // Picking one more metric is not another page; another view or event is.
    const moved = next.tab !== current.tab || next.rest[0] !== current.rest[0];
    current = next;
    applyWindow(next);
    for (const listener of [...listeners]) listener(next);
    if (moved && next.tab !== "metrics") window.scrollTo(0, 0);
}

function applyWindow(route: Route): void {
    const range = Number(route.query.get("range"));
    const known = RANGES.some(([seconds]) => seconds === range);
    showWindow(known ? range : null, zoomOf(route.query));
}

export function startNavigation(): void {
    window.addEventListener("hashchange", follow);
    window.addEventListener("popstate", follow);
    applyWindow(current);
}

/** Changes the address without a step in the browser's history. */
export function replaceRoute(hash: string): void {
    if (hash === location.hash) return;
    history.replaceState(null, "", hash);
    follow();
}

export function pushRoute(hash: string): void {
    if (hash === location.hash) return;
    history.pushState(null, "", hash);
    follow();
}

/** Keeps a choice in the address, as a step back or, while somebody types, in place. */
export function choose(changes: Record<string, string | null>, typing = false): void {
    const hash = addressOf(current, changes);
    if (typing) replaceRoute(hash);
    else pushRoute(hash);
}

export function setRange(seconds: number): void {
    // The address left behind says its own range, so that going back finds it.
    const before = addressOf(current, { range: String(ui.range) });
    history.replaceState(null, "", before);
    current = parseRoute(before);
    choose({ range: String(seconds), from: null, to: null });
}

export function setZoom(zoom: Window | null): void {
    if (zoom === null) choose({ from: null, to: null });
    else choose({ from: zoom.from.toFixed(1), to: zoom.to.toFixed(1) });
}

export function useRoute(): Route {
    const [route, setRoute] = useState(current);
    useEffect(() => {
        listeners.add(setRoute);
        setRoute(current);
        return () => {
            listeners.delete(setRoute);
        };
    }, []);
    return route;
}
