// The log of events: what happened, why, and who; newest first, older ones by page.

import { useEffect, useState } from "preact/hooks";
import * as api from "../api.ts";
import type { Event, Habit, Severity } from "../contract.ts";
import { fixed, moment, processName } from "../format.ts";
import { HabitNote, useHabits } from "../habits.tsx";
import { Icon } from "../icons.tsx";
import { choose, useRoute } from "../navigate.ts";
import {
    Deviations,
    Empty,
    eventSpan,
    Panel,
    ProcessName,
    SeverityMark,
    SeverityTag,
    resourceWord,
    sharePercent,
    Tag,
} from "../parts.tsx";
import { routeTo } from "../route.ts";
import { isLimit, isOpen, mergeEvent, SEVERITIES } from "../severity.ts";
import { now, ui, useSelect } from "../store.ts";
import { Limits } from "./limits.tsx";

const PAGE = 25;
const KINDS = ["anomaly", "rule", "drift", "silence"];
const KIND_WORDS: Record<string, string> = { rule: "limit" };
const KEPT = 5000;

function Check(props: { label: string; on: boolean; set: (on: boolean) => void }) {
    return (
        <label class="check">
            <input
                type="checkbox"
                checked={props.on}
                onChange={(e) => props.set(e.currentTarget.checked)}
            />
            {props.label}
        </label>
    );
}

/** What is filtered stands in the address. */
export function Events() {
    useSelect(() => ui.shown.events);
    useSelect(() => ui.shown.epoch);
    useSelect(() => Math.floor(now() / 10)); // how long they have been open
    const { query } = useRoute();
    const kind = KINDS.find((k) => k === query.get("kind")) ?? "";
    const alerted = query.get("alerted") === "1";
    const judged = query.get("judged") === "1";
    const hidden = new Set((query.get("hide") ?? "").split(",") as Severity[]);
    const filter = query.get("q") ?? "";
    const habits = useHabits();
    const pages = usePages(kind, alerted, judged);
    const toggle = (severity: Severity) => {
        const next = SEVERITIES.filter((s) => hidden.has(s) !== (s === severity));
        choose({ hide: next.join(",") });
    };
    const found = pages.events.filter(
        (e) => !hidden.has(e.severity) && matches(e, filter),
    );
    return (
        <>
            <Panel class="events" title="Events" aside={`${found.length} shown`}>
                <div class="filters">
                    <fieldset class="chips">
                        <legend class="hidden">Severities shown</legend>
                        {SEVERITIES.map((severity) => (
                            <button
                                key={severity}
                                type="button"
                                class={`chip sev-${severity}`}
                                aria-pressed={!hidden.has(severity)}
                                onClick={() => toggle(severity)}
                            >
                                <SeverityMark severity={severity} />
                                {severity}
                            </button>
                        ))}
                    </fieldset>
                    <label class="select">
                        <span class="hidden">Kind</span>
                        <select value={kind} onChange={(e) => choose({ kind: e.currentTarget.value })}>
                            <option value="">every kind</option>
                            {KINDS.map((k) => (
                                <option key={k} value={k}>
                                    {KIND_WORDS[k] ?? k}
                                </option>
                            ))}
                        </select>
                    </label>
                    <Check label="alerted only" on={alerted} set={(on) => choose({ alerted: on ? "1" : null })} />
                    <Check label="marked only" on={judged} set={(on) => choose({ judged: on ? "1" : null })} />
                    <label class="search">
                        <Icon name="search" />
                        <span class="hidden">Filter by reason, metric or process</span>
                        <input
                            type="search"
                            data-filter
                            placeholder="Reason, metric, process"
                            value={filter}
                            onInput={(e) => choose({ q: e.currentTarget.value }, true)}
                        />
                        <kbd>/</kbd>
                    </label>
                </div>
                {pages.problem !== "" && (
                    <p class="problem" role="alert">
                        Events could not be asked for: {pages.problem}
                    </p>
                )}
                {found.length === 0 ? (
                    <NoneFound pages={pages} judged={judged} />
                ) : (
                    <ol class="log">
                        {found.map((event) => (
                            <LogRow key={event.id} event={event} habit={habits.get(event.id)} />
                        ))}
                    </ol>
                )}
                {pages.more && (
                    <button
                        type="button"
                        class="tool more"
                        disabled={pages.loading}
                        onClick={pages.next}
                    >
                        Older events
                    </button>
                )}
            </Panel>
            <Limits />
        </>
    );
}

function NoneFound(props: { pages: ReturnType<typeof usePages>; judged: boolean }) {
    const { loading, problem, events } = props.pages;
    if (loading) return <Empty title="Looking" />;
    if (problem !== "") return null; // it may be that there are many
    return <Empty title="No events">{none(events.length, props.judged)}</Empty>;
}

function none(loaded: number, judged: boolean): string {
    if (judged && loaded === 0) return "Nothing was said of any event.";
    return loaded > 0
        ? "None of the events loaded so far fits the filter."
        : "Nothing has deviated from what is normal here.";
}

function matches(event: Event, filter: string): boolean {
    const wanted = filter.toLowerCase().split(/\s+/).filter(Boolean);
    if (wanted.length === 0) return true;
    const text = [
        event.reason,
        event.pattern,
        event.kind,
        event.note,
        ...event.explanation,
        ...event.suspects.map((s) => `${s.process.name} ${s.process.pid}`),
    ]
        .join(" ")
        .toLowerCase();
    return wanted.every((word) => text.includes(word));
}

/** The pages fetched so far, under what has arrived since. */
function usePages(kind: string, alerted: boolean, judged: boolean) {
    const { shown } = ui;
    const [fetched, setFetched] = useState<Event[]>([]);
    const [more, setMore] = useState(false);
    const [loading, setLoading] = useState(true);
    const [problem, setProblem] = useState("");

    const load = async (before: number | undefined, signal?: AbortSignal) => {
        setLoading(true);
        try {
            const query = { limit: PAGE, before, kind, alerted, judged };
            const page = await api.events(query, signal);
            const known = before === undefined ? [] : fetched;
            setFetched([...known, ...page]);
            setMore(page.length === PAGE);
            setProblem("");
        } catch (error) {
            if (signal?.aborted) return;
            setProblem((error as Error).message);
        }
        setLoading(false);
    };

    useEffect(() => {
        const stop = new AbortController();
        void load(undefined, stop.signal);
        return () => stop.abort();
    }, [kind, alerted, judged, shown.epoch]);

    const fits = (e: Event) =>
        (kind === "" || e.kind === kind) &&
        (!alerted || e.alerted) &&
        (!judged || e.feedback !== "");
    // What the connection brought reaches back further than what was fetched only when the
    // store gave nothing; then it is all there is.
    const oldest = fetched[fetched.length - 1]?.id ?? 0;
    let events = fetched;
    for (const event of shown.events) {
        if (fits(event) && event.id >= oldest) events = mergeEvent(events, event, KEPT);
    }
    const last = fetched[fetched.length - 1]?.id;
    return { events, more, loading, problem, next: () => void load(last) };
}

function LogRow(props: { event: Event; habit: Habit | undefined }) {
    const { event } = props;
    return (
        <li class={`log-row sev-${event.severity}`}>
            <div class="log-when num">
                <time>{moment(event.start, now())}</time>
                <span class="dim">{eventSpan(event)}</span>
            </div>
            <div class="log-what">
                <a class="log-reason" href={routeTo("events", event.id)}>
                    {event.reason}
                </a>
                <span class="log-tags">
                    <SeverityTag severity={event.severity} />
                    {isOpen(event) && <Tag class="open">open</Tag>}
                    {event.alerted && <Tag class="alerted">alerted</Tag>}
                    {event.kind !== "anomaly" && (
                        <Tag class={isLimit(event) ? "limit" : ""}>
                            {isLimit(event) ? "limit" : event.kind}
                        </Tag>
                    )}
                    {event.pattern !== "" && event.pattern !== event.kind && (
                        <Tag>{event.pattern}</Tag>
                    )}
                    {event.feedback !== "" && <Tag>marked {event.feedback}</Tag>}
                </span>
                {!isLimit(event) && <Deviations event={event} class="log-why" />}
                {event.note && <p class="log-note">{event.note}</p>}
                <HabitNote habit={props.habit} class="log-note" />
            </div>
            <div class="log-who">
                {event.suspects.slice(0, 2).map((s) => (
                    <span key={s.process.pid} title={processName(s.process.command)}>
                        <ProcessName process={s.process} />
                        <span class="dim num">
                            {" "}
                            {s.process.pid} · {sharePercent(s.share)} of{" "}
                            {s.of === "use" ? "all " : ""}
                            {resourceWord(s.resource)}
                        </span>
                    </span>
                ))}
            </div>
            <div class="log-score num" title="Score at the peak">
                {isLimit(event) ? "" : fixed(event.score, 2)}
            </div>
        </li>
    );
}
