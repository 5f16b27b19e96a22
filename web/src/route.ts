// Addresses of the views: "#/events/17?from=1764370000&to=1764370300". Pure.

export const TABS = [
    { id: "overview", title: "Overview" },
    { id: "cores", title: "Cores" },
    { id: "detectors", title: "Detectors" },
    { id: "events", title: "Events" },
    { id: "processes", title: "Processes" },
    { id: "metrics", title: "Metrics" },
    { id: "analyses", title: "Analyses" },
] as const;

export type TabId = (typeof TABS)[number]["id"];

export interface Route {
    tab: TabId | null; // null: there is no such address
    rest: string[]; // decoded path parts behind the tab
    /** What is chosen in the view: range, zoom, filters. */
    query: URLSearchParams;
}

export function parseRoute(hash: string): Route {
    const [path = "", search = ""] = hash.replace(/^#?\/?/, "").split("?", 2);
    const parts = path.split("/").filter((part) => part !== "");
    const query = new URLSearchParams(search);
    const rest = parts.slice(1).map(decode);
    if (parts.length === 0) return { tab: "overview", rest: [], query };
    const tab = TABS.find((t) => t.id === parts[0])?.id ?? null;
    const known = tab !== null && isPlace(tab, rest);
    return { tab: known ? tab : null, rest, query };
}

/** Whether a view has such a place: an event has a number, metrics have names. */
function isPlace(tab: TabId, rest: string[]): boolean {
    if (tab === "metrics") return true;
    if (tab === "analyses") {
        return rest.length === 0 || (rest.length === 1 && /^[0-9a-f]{32}$/.test(rest[0]!));
    }
    if (tab !== "events") return rest.length === 0;
    return rest.length === 0 || (rest.length === 1 && /^[1-9]\d{0,15}$/.test(rest[0]!));
}

function decode(part: string): string {
    try {
        return decodeURIComponent(part);
    } catch {
        return part;
    }
}

export function routeTo(tab: TabId, ...rest: (string | number)[]): string {
    return `#/${[tab, ...rest.map((part) => encodeURIComponent(String(part)))].join("/")}`;
}

/** The address of what is chosen; what is empty is left out. */
export function addressOf(route: Route, changes: Record<string, string | null>): string {
    const query = new URLSearchParams(route.query);
    for (const [name, value] of Object.entries(changes)) {
        if (value === null || value === "") query.delete(name);
        else query.set(name, value);
    }
    const path = routeTo(route.tab ?? "overview", ...route.rest);
    return query.size === 0 ? path : `${path}?${query}`;
}

/** A zoom as the address has it; null when there is none that makes sense. */
export function zoomOf(query: URLSearchParams): { from: number; to: number } | null {
    const from = Number(query.get("from") ?? Number.NaN);
    const to = Number(query.get("to") ?? Number.NaN);
    return from > 0 && to > from && to < 1e11 ? { from, to } : null;
}
