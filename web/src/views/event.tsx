// One event: why, who, the metrics around it, what ran from a minute before to half a
// minute after, and what a person says of it.

import { useEffect, useState } from "preact/hooks";
import * as api from "../api.ts";
import { Chart } from "../chart.tsx";
import type {
    Feedback,
    History,
    Metric,
    Suspect,
    Event as VdEvent,
} from "../contract.ts";
import {
    clock,
    date,
    fixed,
    megabytes,
    fullName,
    number,
    offsetName,
    processName,
    signed,
    span,
    withUnit,
} from "../format.ts";
import { HabitNote, useHabits } from "../habits.tsx";
import { Icon } from "../icons.tsx";
import { setZoom, useRoute } from "../navigate.ts";
import {
    Bar,
    Empty,
    eventSpan,
    Nothing,
    Panel,
    ProcessName,
    resourceWord,
    SeverityMark,
    SeverityTag,
    sharePercent,
    Tag,
} from "../parts.tsx";
import { ProcessTable } from "../process-table.tsx";
import { routeTo, zoomOf } from "../route.ts";
import { type Columns, compose, type Window } from "../series.ts";
import { titleOfMetric } from "../roles.ts";
import { Score } from "../score-chart.tsx";
import { isLimit, isOpen } from "../severity.ts";
import type { SortKey } from "../sort.ts";
import { now, replaceEvent, ring, ui, useSelect } from "../store.ts";
import { useNeeds } from "../view-needs.ts";

const BEFORE_S = 180;
const AFTER_S = 120;

export function EventPage(props: { id: number }) {
    useSelect(() => ui.shown.events);
    useSelect(() => Math.floor(now() / 5));
    const { event, problem, change } = useEvent(props.id);
    if (event === null) {
        return (
            <Panel>
                <Back />
                <h1>Event {props.id}</h1>
                <Empty title={problem === "" ? "Opening the event" : "It could not be opened"}>
                    {problem}
                </Empty>
            </Panel>
        );
    }
    return (
        <div class="stack">
            <Head event={event} />
            <div class="event-grid">
                <div class="stack">
                    <Why event={event} />
                    <Suspects event={event} />
                    <Judge event={event} onChange={change} />
                </div>
                <Around event={event} />
            </div>
            <Recorder event={event} />
        </div>
    );
}

/** The event with its recorder; asked for again as it changes while it is open. */
function useEvent(id: number) {
    const fresh = ui.shown.events.find((e) => e.id === id);
    const [event, setEvent] = useState<VdEvent | null>(null);
    const [problem, setProblem] = useState("");
    const open = fresh !== undefined && isOpen(fresh);
    // The recorder goes on until 30 s after the start: one more look then, one at the end.
    const age = fresh === undefined ? 0 : now() - fresh.start;
    const round = open ? (age > 32 ? 1 : 0) : 2;
    useEffect(() => {
        const stop = new AbortController();
        api.event(id, stop.signal)
            .then((answer) => {
                setEvent(answer);
                setProblem("");
            })
            .catch((error: Error) => {
                if (!stop.signal.aborted) setProblem(error.message);
            });
        return () => stop.abort();
    }, [id, round]);
    const shown =
        event !== null && event.id === id
            ? { ...event, ...(fresh ?? {}), recorder: event.recorder }
            : (fresh ?? null);
    const change = (changed: VdEvent) => {
        setEvent({ ...changed, recorder: changed.recorder ?? event?.recorder });
        replaceEvent(changed);
    };
    return { event: shown, problem, change };
}

function Back() {
    return (
        <a class="back" href={routeTo("events")}>
            <Icon name="back" /> All events
        </a>
    );
}

function Head(props: { event: VdEvent }) {
    const { event } = props;
    const habit = useHabits().get(event.id);
    return (
        <Panel class={`event-head sev-${event.severity}`}>
            <Back />
            <h1>
                <SeverityMark severity={event.severity} />
                {event.reason}
            </h1>
            <p class="log-tags">
                <SeverityTag severity={event.severity} />
                {isOpen(event) && <Tag class="open">open</Tag>}
                <Tag class="alerted">
                    {event.alerted ? "alerted" : "seen, not alerted"}
                </Tag>
                <Tag class={isLimit(event) ? "limit" : ""}>
                    {isLimit(event) ? "limit" : event.kind}
                </Tag>
                {event.pattern !== "" && event.pattern !== event.kind && (
                    <Tag>{event.pattern}</Tag>
                )}
                {event.factors.map((factor) => (
                    <Tag key={factor} class="num">
                        {factor}
                    </Tag>
                ))}
            </p>
            {event.note && <p class="event-note">{event.note}</p>}
            <HabitNote habit={habit} class="event-note" />
            <p class="dim num">
                {date(event.start)} {clock(event.start)} {offsetName(event.start)},{" "}
                {eventSpan(event)}
                {!isLimit(event) && certainty(event)} · event {event.id}
            </p>
        </Panel>
    );
}

function certainty(event: VdEvent): string {
    const sure =
        event.confidence === null ? "–" : `${Math.round(event.confidence * 100)} %`;
    return ` · score ${signed(event.score)} at the peak · confidence ${sure}`;
}

function metricOf(name: string): Metric | undefined {
    return ui.shown.metrics.find((m) => m.name === name);
}

function Why(props: { event: VdEvent }) {
    const { event } = props;
    return (
        <Panel title="Why">
            {isLimit(event) ? (
                <LimitWhy event={event} />
            ) : event.top.length === 0 ? (
                <ul class="why-text">
                    {event.explanation.map((text) => (
                        <li key={text}>{text}</li>
                    ))}
                </ul>
            ) : (
                <ul class="why">
                    {event.top.map((top, i) => (
                        <Deviation
                            key={top.metric}
                            top={top}
                            text={event.explanation[i] ?? ""}
                        />
                    ))}
                </ul>
            )}
        </Panel>
    );
}

/** A limit has no "expected": what it is, and what was measured. */
function LimitWhy(props: { event: VdEvent }) {
    const { event } = props;
    const { limit } = event;
    const measured = event.top[0];
    const unit = metricOf(measured?.metric ?? "")?.unit ?? "";
    const held = limit?.since ? (event.end ?? now()) - limit.since : null;
    return (
        <div class="limit-why">
            {measured && (
                <p>
                    <a href={routeTo("metrics", measured.metric)} title={measured.metric}>
                        {titleOf(measured.metric)}
                    </a>{" "}
                    <strong class="num">{withUnit(measured.value, unit)}</strong>
                </p>
            )}
            {limit && (
                <p class="num">
                    Limit {withUnit(limit.value, unit)}
                    {limit.for_s ? ` for ${span(limit.for_s)}` : ""}
                    {held !== null && `, ${limit.above ? "above" : "below"} it for ${span(held)}`}
                </p>
            )}
            {limit ? (
                <p class="dim">
                    The rule: <code class="mono">{limit.rule}</code>
                </p>
            ) : (
                <ul class="why-text">
                    {event.explanation.map((text) => (
                        <li key={text}>{text}</li>
                    ))}
                </ul>
            )}
        </div>
    );
}

/** What a metric is, in words; its name where it is not known here. */
function titleOf(name: string): string {
    const metric = metricOf(name);
    return metric === undefined ? name : titleOfMetric(metric);
}

/** Value and expected value as two marks on one line. */
function Deviation(props: { top: VdEvent["top"][number]; text: string }) {
    const { top } = props;
    const of = metricOf(top.metric)?.unit ?? "";
    const most =
        of === "%"
            ? 100
            : Math.max(Math.abs(top.value ?? 0), Math.abs(top.expected ?? 0));
    const at = (v: number | null) =>
        `${Math.min(100, Math.max(0, most > 0 ? (Math.abs(v ?? 0) / most) * 100 : 0))}%`;
    return (
        <li title={props.text}>
            <a href={routeTo("metrics", top.metric)} title={top.metric}>
                {titleOf(top.metric)}
            </a>
            <span class="why-z num">z = {fixed(top.z, 1)}</span>
            <span class="why-line" aria-hidden="true">
                <i style={{ width: at(top.value) }} />
                <b style={{ left: at(top.expected) }} />
            </span>
            <span class="num why-values">
                <strong>{withUnit(top.value, of)}</strong>
                <span class="dim"> instead of about {withUnit(top.expected, of)}</span>
            </span>
            <span class="hidden">{props.text}</span>
        </li>
    );
}

function amount(value: number | null, resource: string): string {
    if (resource === "cpu") return value === null ? "–" : `${number(value)} %`;
    if (resource === "memory") return megabytes(value);
    return withUnit(value, "MB/s");
}

function Suspects(props: { event: VdEvent }) {
    const { suspects } = props.event;
    const users = suspects.length > 0 && suspects.every((s) => s.of === "use");
    return (
        <Panel
            title={users ? "Largest users now" : "Suspects"}
            aside={users ? "share of all use" : "share of the excess"}
        >
            {suspects.length === 0 ? (
                <Nothing>No process stands out.</Nothing>
            ) : (
                <ol class="top-list suspects">
                    {suspects.map((s) => (
                        <SuspectRow key={`${s.process.pid} ${s.resource}`} suspect={s} />
                    ))}
                </ol>
            )}
        </Panel>
    );
}

function SuspectRow(props: { suspect: Suspect }) {
    const { suspect } = props;
    return (
        <li>
            <span class="top-name">
                <ProcessName process={suspect.process} />
                <span class="dim num"> {suspect.process.pid}</span>
            </span>
            <b class="num">{sharePercent(suspect.share)}</b>
            <Bar share={suspect.share} />
            <span class="dim num suspect-use">
                {resourceWord(suspect.resource)}{" "}
                {suspect.of === "excess" &&
                    `${amount(suspect.before, suspect.resource)} → `}
                {amount(suspect.during, suspect.resource)}
            </span>
        </li>
    );
}

/* ---- feedback ---- */

const VERDICTS: [Feedback, string, string][] = [
    ["normal", "Normal", "A false alarm: nothing was wrong."],
    ["real", "Real", "It was worth knowing."],
    ["expected", "Expected at this hour", "Known, and fine at this time of day."],
];

/** What each answer would change, in a sentence; "" until the server has counted. */
function usePreviews(event: VdEvent, words: Feedback[]): Map<Feedback, api.Preview> {
    const [previews, setPreviews] = useState<Map<Feedback, api.Preview>>(new Map());
    useEffect(() => {
        const stop = new AbortController();
        setPreviews(new Map());
        for (const word of words) {
            api.preview(event.id, word, stop.signal)
                .then((found) => setPreviews((known) => new Map(known).set(word, found)))
                .catch(() => {}); // the answer itself does not depend on it
        }
        return () => stop.abort();
    }, [event.id, event.feedback, event.alerted]);
    return previews;
}

/** The sentence, and links to the events that it counts. */
function Changed(props: { found: api.Preview | undefined }) {
    const { preview = "", changed = [] } = props.found ?? {};
    return (
        <span class="judge-preview">
            {preview}
            {changed.map((id) => (
                <a key={id} href={routeTo("events", id)}>
                    event {id}
                </a>
            ))}
        </span>
    );
}

function Judge(props: { event: VdEvent; onChange: (event: VdEvent) => void }) {
    const { event } = props;
    const [busy, setBusy] = useState(false);
    const [problem, setProblem] = useState("");
    const marked = event.feedback !== "";
    const previews = usePreviews(
        event,
        marked ? [""] : VERDICTS.map(([verdict]) => verdict),
    );
    const say = async (verdict: Feedback) => {
        setBusy(true);
        try {
            props.onChange(await api.feedback(event.id, verdict));
            setProblem("");
        } catch (error) {
            const { message, hint } = error as api.ApiError;
            setProblem(hint ? `${message}. ${hint}` : message);
        }
        setBusy(false);
    };
    return (
        <Panel title="What was it?">
            <ul class="judge">
                {VERDICTS.map(([verdict, text, hint]) => (
                    <li key={verdict} class={event.feedback === verdict ? "chosen" : ""}>
                        <button
                            type="button"
                            class="tool"
                            disabled={busy}
                            aria-pressed={event.feedback === verdict}
                            aria-describedby={`judge-${verdict}`}
                            onClick={() => say(verdict)}
                        >
                            {text}
                        </button>
                        <p id={`judge-${verdict}`} class="dim">
                            {hint}
                            <Changed found={previews.get(verdict)} />
                        </p>
                    </li>
                ))}
                {marked && (
                    <li>
                        <button
                            type="button"
                            class="tool plain"
                            disabled={busy}
                            aria-describedby="judge-undo"
                            onClick={() => say("")}
                        >
                            Undo
                        </button>
                        <p id="judge-undo" class="dim">
                            As if nothing had been said
                            <Changed found={previews.get("")} />
                        </p>
                    </li>
                )}
            </ul>
            <p class="dim judge-note" aria-live="polite">
                {problem ||
                    (marked
                        ? `Marked as ${event.feedback}.`
                        : "Your answer acts on the alerts at once, and can be undone.")}{" "}
                <a href={`${routeTo("events")}?judged=1`}>All that was said</a>
            </p>
        </Panel>
    );
}

/* ---- the metrics around it ---- */

interface Shown {
    metric: string;
    /** A line across the chart, and its name. */
    rule?: { at: number; label: string };
}

/** Of a limit its metric with the limit; of an anomaly those that deviate. */
function chartsOf(event: VdEvent): Shown[] {
    const { limit } = event;
    const top = event.top.map(({ metric, expected }) => ({
        metric,
        rule:
            expected === null || isLimit(event)
                ? undefined
                : { at: expected, label: "expected" },
    }));
    if (!limit || limit.value === null) return top;
    const rule = { at: limit.value, label: "limit" };
    return top.map((shown, i) => (i === 0 ? { ...shown, rule } : shown));
}

function Around(props: { event: VdEvent }) {
    const { event } = props;
    const { query } = useRoute();
    // What comes after it is drawn as it comes.
    const last = event.end === null ? Number.POSITIVE_INFINITY : event.end + AFTER_S;
    const at = useSelect(() => Math.min(5 * Math.floor(now() / 5), last));
    const end = event.end ?? at;
    const window: Window = {
        from: event.start - BEFORE_S,
        to: Math.min(Math.max(end + AFTER_S, event.start + AFTER_S), now()),
    };
    const charts = chartsOf(event);
    const names = ["score", ...charts.map((shown) => shown.metric)];
    useNeeds({ metrics: at < last ? names : [] });
    const block = useBlock(names, window, `${event.id} ${event.end}`);
    const shown = zoomOf(query) ?? window;
    const columns = compose(names, block, ring, window);
    const part = (i: number): Columns => [columns[0]!, columns[i]!];
    const group = `event${event.id}`;
    return (
        <div class="stack around">
            {!isLimit(event) && (
                <Panel>
                    <Score
                        events={[event]}
                        height={130}
                        columns={part(1)}
                        window={shown}
                        group={group}
                        onZoom={setZoom}
                    />
                </Panel>
            )}
            {charts.map(({ metric: name, rule }, i) => (
                <Panel key={name}>
                    <Chart
                        title={titleOf(name)}
                        unit={metricOf(name)?.unit ?? ""}
                        lines={[
                            {
                                name,
                                label: "value",
                                color: ["--s2", "--s3", "--s4"][i] ?? "--s5",
                                fill: true,
                            },
                        ]}
                        rule={rule}
                        reach={rule?.at}
                        events={[event]}
                        height={130}
                        columns={part(i + 2)}
                        window={shown}
                        group={group}
                        onZoom={setZoom}
                    />
                </Panel>
            ))}
        </div>
    );
}

function useBlock(names: string[], window: Window, key: string): History | null {
    const [block, setBlock] = useState<History | null>(null);
    useEffect(() => {
        const stop = new AbortController();
        const at = window;
        api.history(names, at.from, at.to, 600, stop.signal)
            .then(setBlock)
            .catch(() => {}); // the charts then show what the page itself saw
        return () => stop.abort();
    }, [key]);
    return block;
}

/* ---- the flight recorder ---- */

function Recorder(props: { event: VdEvent }) {
    const { event } = props;
    const frames = event.recorder ?? [];
    const loaded = event.recorder !== undefined;
    const [chosen, setChosen] = useState<number | null>(null);
    if (frames.length === 0) {
        return (
            <Panel title="Flight recorder">
                <Empty title={loaded ? "No recording" : "Looking"}>
                    The process table from a minute before to half a minute after an event
                    is kept with it. For this one there is none.
                </Empty>
            </Panel>
        );
    }
    const peak = closest(frames, event.peak ?? event.start);
    const at = Math.min(chosen ?? peak, frames.length - 1);
    const frame = frames[at]!;
    const marked = new Map(event.suspects.map((s) => [s.process.pid, "suspect"]));
    const resource = event.suspects[0]?.resource ?? "cpu";
    return (
        <Panel
            title="Flight recorder"
            aside={<span class="num">{`${frame.processes.length} processes`}</span>}
        >
            <Traces event={event} resource={resource} />
            <div class="slider">
                <label>
                    <span class="num slider-at">
                        {clock(frame.t)} <b>{offset(frame.t - event.start)}</b>
                    </span>
                    <input
                        type="range"
                        min={0}
                        max={frames.length - 1}
                        value={at}
                        aria-label="Moment of the recording"
                        aria-valuetext={`${clock(frame.t)}, ${offset(frame.t - event.start)}`}
                        onInput={(e) => setChosen(Number(e.currentTarget.value))}
                    />
                </label>
                <div class="slider-jumps">
                    <button
                        type="button"
                        class="tool plain"
                        onClick={() => setChosen(closest(frames, event.start - 10))}
                    >
                        10 s before
                    </button>
                    <button
                        type="button"
                        class="tool plain"
                        onClick={() => setChosen(closest(frames, event.start))}
                    >
                        Start
                    </button>
                    <button
                        type="button"
                        class="tool plain"
                        onClick={() => setChosen(peak)}
                    >
                        Peak
                    </button>
                </div>
            </div>
            <ProcessTable
                key={resource}
                processes={frame.processes}
                start={sortOf(resource)}
                limit={15}
                marked={marked}
                caption={`Processes at ${clock(frame.t)}`}
            />
        </Panel>
    );
}

function offset(seconds: number): string {
    const whole = Math.round(seconds);
    if (whole === 0) return "at the start";
    return whole < 0 ? `${-whole} s before` : `${whole} s after the start`;
}

function closest(frames: { t: number }[], t: number): number {
    let best = 0;
    frames.forEach((frame, i) => {
        if (Math.abs(frame.t - t) < Math.abs(frames[best]!.t - t)) best = i;
    });
    return best;
}

function sortOf(resource: string): SortKey {
    if (resource === "memory") return "rss_mb";
    if (resource === "disk_read") return "read_mb_s";
    if (resource === "disk_write") return "write_mb_s";
    return "cpu_percent";
}

/** The suspects' use of the resource over the recording. */
function Traces(props: { event: VdEvent; resource: string }) {
    const { event, resource } = props;
    const frames = event.recorder ?? [];
    const key = sortOf(resource);
    const pids = [...new Set(event.suspects.map((s) => s.process.pid))].slice(0, 4);
    if (pids.length === 0 || frames.length < 2) return null;
    const columns: Columns = [
        frames.map((f) => f.t),
        ...pids.map((pid) =>
            frames.map((f) => {
                const value = f.processes.find((p) => p.pid === pid)?.[key];
                return typeof value === "number" ? value : null;
            }),
        ),
    ];
    const name = (pid: number) =>
        fullName(event.suspects.find((s) => s.process.pid === pid)!.process);
    return (
        <Chart
            title={`${resourceWord(resource)} of the suspects`}
            unit={resource === "cpu" ? "%" : resource === "memory" ? "MB" : "MB/s"}
            lines={pids.map((pid, i) => ({
                name: String(pid),
                label: `${processName(name(pid))} ${pid}`,
                color: ["--s6", "--s1", "--s3", "--s4"][i]!,
                fill: i === 0,
            }))}
            events={[event]}
            height={130}
            columns={columns}
            window={{ from: frames[0]!.t, to: frames[frames.length - 1]!.t }}
            group={`recorder${event.id}`}
        />
    );
}
