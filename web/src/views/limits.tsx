// The hard limits: which there are, and how they stand.

import { useEffect, useState } from "preact/hooks";
import * as api from "../api.ts";
import type { Limit } from "../contract.ts";
import { Panel, SeverityTag, Tag } from "../parts.tsx";
import { ui, useSelect } from "../store.ts";

const STATES: Record<Limit["state"], string> = {
    kept: "kept",
    exceeded: "exceeded",
    off: "switched off",
    "no metric": "not measured here",
};

/** Asked anew when an event comes or goes: only then one can have changed. */
export function Limits() {
    const newest = useSelect(() => ui.shown.events.map((e) => `${e.id}${e.end}`).join());
    const [limits, setLimits] = useState<Limit[]>([]);
    useEffect(() => {
        const stop = new AbortController();
        api.limits(stop.signal)
            .then(setLimits)
            .catch(() => {}); // the list stays as it was; the page says when contact is lost
        return () => stop.abort();
    }, [newest]);

    if (limits.length === 0) return null;
    return (
        <Panel title="Limits" aside="alert each time, at no cost to the budget" class="limits-panel">
            <ul class="limits">
                {limits.map((limit) => (
                    <li key={limit.rule} class={`limit-${limit.state.replace(" ", "-")}`}>
                        <code class="mono">{limit.rule}</code>
                        <SeverityTag severity={limit.severity} />
                        <span class="dim">{limit.builtin ? "built in" : "yours"}</span>
                        <Tag class={limit.state === "exceeded" ? "limit" : ""}>
                            {STATES[limit.state]}
                        </Tag>
                    </li>
                ))}
            </ul>
        </Panel>
    );
}
