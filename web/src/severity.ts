// What is calm and what is not: levels of gauges, severities of events. Pure. Every level
// has a word and a shape beside its colour.

import type { Event, Maybe, Severity } from "./contract.ts";

export type Level = "good" | "warn" | "bad" | "none";

export const SEVERITIES: Severity[] = ["critical", "high", "medium", "low"];

/** From a calibrated score: negative is anomalous, see docs/api.md. */
export function severityOf(score: Maybe | undefined): Severity {
    if (score === null || score === undefined || !(score < 0)) return "normal";
    if (score < -0.7) return "critical";
    if (score < -0.5) return "high";
    if (score < -0.3) return "medium";
    return "low";
}

export function levelOf(value: Maybe | undefined, warn: number, bad: number): Level {
    if (value === null || value === undefined || !Number.isFinite(value)) return "none";
    return value >= bad ? "bad" : value >= warn ? "warn" : "good";
}

export const LEVEL_WORD: Record<Level, string> = {
    good: "normal",
    warn: "elevated",
    bad: "high",
    none: "no reading",
};

export function isOpen(event: Event): boolean {
    return event.end === null;
}

/** A limit that somebody wrote down, not a finding of the detectors. */
export function isLimit(event: Event): boolean {
    return event.kind === "rule";
}

/** Events newest first; a later version of one takes its place. Bounded. */
export function mergeEvent(events: Event[], event: Event, limit: number): Event[] {
    const others = events.filter((e) => e.id !== event.id);
    let at = others.findIndex((e) => e.id < event.id);
    if (at < 0) at = others.length;
    return [...others.slice(0, at), event, ...others.slice(at)].slice(0, limit);
}

/** The worst of the open events, the newest of equals; undefined when all is over. */
export function worstOpen(events: readonly Event[]): Event | undefined {
    return events
        .filter(isOpen)
        .sort(
            (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity),
        )[0];
}
