// Small pieces that several views share.

import type { ComponentChildren } from "preact";
import type { Event, Maybe, Metric, Process, Severity, Suspect } from "./contract.ts";
import { ABSENT, clock, fullName, moment, processName, span, withUnit } from "./format.ts";
import { memo } from "./memo.ts";
import { titleOfMetric } from "./roles.ts";
import { routeTo } from "./route.ts";
import { extent } from "./series.ts";
import { isOpen, LEVEL_WORD, type Level } from "./severity.ts";
import { contactLost, now, ui, useSelect } from "./store.ts";

export function Panel(props: {
    title?: string;
    aside?: ComponentChildren;
    class?: string;
    children: ComponentChildren;
}) {
    return (
        <section class={`panel ${props.class ?? ""}`} aria-label={props.title}>
            {props.title && (
                <header class="panel-head">
                    <h2>{props.title}</h2>
                    {props.aside && <div class="panel-aside">{props.aside}</div>}
                </header>
            )}
            {props.children}
        </section>
    );
}

/** Says that there is nothing; never without contact, when nobody can know. */
export function Empty(props: { title: string; children?: ComponentChildren }) {
    const lost = useSelect(contactLost);
    return (
        <div class="empty">
            <strong>{lost === null ? props.title : "Not known"}</strong>
            {lost !== null ? (
                <p>There is no contact since {clock(lost)}.</p>
            ) : (
                props.children && <p>{props.children}</p>
            )}
        </div>
    );
}

/** The same in a line. */
export function Nothing(props: { children: ComponentChildren }) {
    const lost = useSelect(contactLost);
    return (
        <p class="dim pad">
            {lost === null ? props.children : `Not known: no contact since ${clock(lost)}`}
        </p>
    );
}

/** What may be wider than the screen: shows by its shadow that it goes on, and can be
 * moved by keys. */
export function Scroll(props: { label: string; children: ComponentChildren }) {
    return (
        <div class="scroll" tabIndex={0} role="region" aria-label={props.label}>
            {props.children}
        </div>
    );
}

/* ---- severity ---- */

const MARKS: Record<Severity, string> = {
    normal: "M3 8.5l3.2 3L13 4.5",
    low: "M8 2.5L13.5 8 8 13.5 2.5 8z",
    medium: "M8 2.5l6 10.5H2z",
    high: "M2.8 2.8h10.4v10.4H2.8z",
    critical: "M5 1.8h6L14.2 5v6L11 14.2H5L1.8 11V5z",
};

/** A shape per severity: tick, diamond, triangle, square, octagon. */
export function SeverityMark(props: { severity: Severity }) {
    return (
        <svg
            class={`mark sev-${props.severity}`}
            viewBox="0 0 16 16"
            width="14"
            height="14"
            aria-hidden="true"
        >
            <path d={MARKS[props.severity]} />
        </svg>
    );
}

export function SeverityTag(props: { severity: Severity }) {
    return (
        <span class={`tag severity sev-${props.severity}`}>
            <SeverityMark severity={props.severity} />
            {props.severity}
        </span>
    );
}

export function Tag(props: {
    children: ComponentChildren;
    title?: string;
    class?: string;
}) {
    return (
        <span class={`tag ${props.class ?? ""}`} title={props.title}>
            {props.children}
        </span>
    );
}

/* ---- meters ---- */

/** Thin bar; the number stands beside it, so it is hidden from readers. */
export function Bar(props: { share: Maybe; level?: Level; marks?: number[] }) {
    const share = Math.max(0, Math.min(1, props.share ?? 0));
    return (
        <span class={`bar level-${props.level ?? "plain"}`} aria-hidden="true">
            <i style={{ transform: `scaleX(${share.toFixed(4)})` }} />
        </span>
    );
}

const SWEEP = 0.7; // of the circle

/** A gauge: an arc over 252 degrees. `share` is where the needle would be. */
export const Gauge = memo(function Gauge(props: {
    label: string;
    value: string;
    unit: string;
    share: Maybe;
    level: Level;
    detail?: string;
    warn: number;
    bad: number;
}) {
    const share = Math.max(0, Math.min(1, props.share ?? 0));
    return (
        <div class={`gauge level-${props.level}`}>
            <svg viewBox="0 0 100 84" aria-hidden="true">
                <path class="gauge-track" d={arc(0, 1, 40)} />
                <path class="gauge-warn" d={arc(props.warn, props.bad, 47)} />
                <path class="gauge-bad" d={arc(props.bad, 1, 47)} />
                {share > 0.004 && <path class="gauge-value" d={arc(0, share, 40)} />}
            </svg>
            <div class="gauge-text">
                <span class="gauge-number num">
                    {props.value}
                    <small>{props.unit}</small>
                </span>
                <span class="gauge-word">{LEVEL_WORD[props.level]}</span>
            </div>
            <div class="gauge-label">{props.label}</div>
            <div class="gauge-detail num">{props.detail ?? "\u00a0"}</div>
        </div>
    );
});

function arc(from: number, to: number, radius: number): string {
    const at = (share: number) => {
        const angle = (0.5 + (1 - SWEEP) / 2 + share * SWEEP) * 2 * Math.PI - Math.PI / 2;
        return [50 + radius * Math.cos(angle), 50 + radius * Math.sin(angle)]
            .map((x) => x.toFixed(2))
            .join(" ");
    };
    const large = (to - from) * SWEEP > 0.5 ? 1 : 0;
    return `M${at(from)}A${radius} ${radius} 0 ${large} 1 ${at(to)}`;
}

/** A line of the last values without axes. */
export function Sparkline(props: {
    values: (number | null)[];
    floor?: number;
    peak?: number;
}) {
    const width = 120;
    const height = 28;
    const range = extent([props.values]);
    const d = range === null ? "" : sparkPath(props, range, width, height);
    return (
        <svg
            class="spark"
            viewBox={`0 0 ${width} ${height}`}
            preserveAspectRatio="none"
            aria-hidden="true"
        >
            {d !== "" && (
                <path class="spark-fill" d={`${d}L${width} ${height}L0 ${height}z`} />
            )}
            {d !== "" && <path class="spark-line" d={d} />}
        </svg>
    );
}

function sparkPath(
    props: { values: (number | null)[]; floor?: number; peak?: number },
    [low, high]: [number, number],
    width: number,
    height: number,
): string {
    const least = Math.min(low, props.floor ?? 0);
    const most = Math.max(high, props.peak ?? 0, least + 1e-9);
    const step = width / Math.max(props.values.length - 1, 1);
    let d = "";
    props.values.forEach((value, i) => {
        if (value === null) return;
        const y = height - 1.5 - ((value - least) / (most - least)) * (height - 3);
        d += `${d === "" ? `M0 ${y.toFixed(1)}L` : "L"}${(i * step).toFixed(1)} ${y.toFixed(1)}`;
    });
    return d;
}

/* ---- events and processes ---- */

export function eventSpan(event: Event): string {
    if (isOpen(event)) return `for ${span(now() - event.start)}, still going`;
    return `for ${span((event.end ?? event.start) - event.start)}`;
}

/** One event in a feed. */
export function EventLine(props: { event: Event }) {
    const { event } = props;
    const suspect = event.suspects[0];
    return (
        <a class={`event-line sev-${event.severity}`} href={routeTo("events", event.id)}>
            <span class="event-line-top">
                <SeverityTag severity={event.severity} />
                {event.kind === "rule" && <Tag class="limit">limit</Tag>}
                {isOpen(event) && <Tag class="open">open</Tag>}
                {event.alerted && <Tag class="alerted">alerted</Tag>}
                <time class="num" title={clock(event.start)}>
                    {moment(event.start, now())}
                </time>
            </span>
            <span class="event-line-reason">{event.reason}</span>
            {suspect && (
                <span class="event-line-who">
                    <ProcessName process={suspect.process} />: {shareOf(suspect)}
                </span>
            )}
        </a>
    );
}

/** "84 % of the CPU excess", "40 % of all memory use" */
export function shareOf({ share, resource, of }: Suspect): string {
    const what = resourceWord(resource);
    return of === "use"
        ? `${sharePercent(share)} of all ${what} use`
        : `${sharePercent(share)} of the ${what} excess`;
}

export function sharePercent(share: Maybe): string {
    return share === null ? ABSENT : `${Math.round(share * 100)} %`;
}

export function resourceWord(resource: string): string {
    return resource === "cpu" ? "CPU" : resource.replace(/_/g, " ");
}

/** What deviates, in words; the server's own text where the metric is not known here. */
export function Deviations(props: { event: Event; class: string }) {
    const { event } = props;
    const metrics = useSelect(() => ui.shown.metrics);
    return (
        <ul class={`${props.class} num`}>
            {event.explanation.map((text, i) => {
                const top = event.top[i];
                const metric = metrics.find((m) => m.name === top?.metric);
                return (
                    <li key={text} title={text}>
                        {top && metric ? deviationText(top, metric) : text}
                    </li>
                );
            })}
        </ul>
    );
}

function deviationText(top: Event["top"][number], metric: Metric): string {
    const value = withUnit(top.value, metric.unit);
    const expected =
        top.expected === null ? "" : `, expected ≈ ${withUnit(top.expected, metric.unit)}`;
    return `${titleOfMetric(metric)}: ${value}${expected}`;
}

/** Whatever a process calls itself, it is text on one line. */
export function ProcessName(props: { process: Process }) {
    const { process } = props;
    return (
        <span class="process-name" title={processName(process.command || process.name)}>
            {processName(fullName(process))}
        </span>
    );
}

/* ---- choices ---- */

export function Choice<T extends string | number>(props: {
    label: string;
    value: T | null;
    options: readonly (readonly [T, string, string?])[];
    onChange: (value: T) => void;
}) {
    return (
        <fieldset class="choice">
            <legend class="hidden">{props.label}</legend>
            {props.options.map(([value, text, title]) => (
                <button
                    key={value}
                    type="button"
                    aria-pressed={value === props.value}
                    title={title}
                    onClick={() => props.onChange(value)}
                >
                    {text}
                </button>
            ))}
        </fieldset>
    );
}
