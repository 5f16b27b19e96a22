// Addresses of the views: "#/events/17". Pure.

export const TABS = [
    { id: "overview", title: "Overview" },
    { id: "cores", title: "Cores" },
    { id: "detectors", title: "Detectors" },
    { id: "events", title: "Events" },
    { id: "processes", title: "Processes" },
    { id: "metrics", title: "Metrics" },
] as const;

export type TabId = (typeof TABS)[number]["id"];

export interface Route {
    tab: TabId;
    rest: string[]; // decoded path parts behind the tab
}

export function parseRoute(hash: string): Route {
    const parts = hash
        .replace(/^#?\/?/, "")
        .split("/")
        .filter((part) => part !== "");
    const tab = TABS.find((t) => t.id === parts[0]);
    if (tab === undefined) return { tab: "overview", rest: [] };
    return { tab: tab.id, rest: parts.slice(1).map(decode) };
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
