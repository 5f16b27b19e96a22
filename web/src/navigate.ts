// The address as state: which view is open.

import { useEffect, useState } from "preact/hooks";
import { parseRoute, type Route } from "./route.ts";
import { setZoom } from "./store.ts";

const listeners = new Set<() => void>();

window.addEventListener("hashchange", () => {
    for (const listener of [...listeners]) listener();
});

/** Changes the address without a step in the browser's history. */
export function replaceRoute(hash: string): void {
    history.replaceState(null, "", hash);
    for (const listener of [...listeners]) listener();
}

export function useRoute(): Route {
    const [route, setRoute] = useState(() => parseRoute(location.hash));
    useEffect(() => {
        let last = route;
        const follow = () => {
            const next = parseRoute(location.hash);
            // Picking one more metric is not another page; another view or event is.
            const moved = next.tab !== last.tab || next.tab === "events";
            last = next;
            setRoute(next);
            if (!moved) return;
            setZoom(null);
            window.scrollTo(0, 0);
        };
        listeners.add(follow);
        return () => {
            listeners.delete(follow);
        };
    }, []);
    return route;
}
