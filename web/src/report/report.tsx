// The report of an analysis, from top to bottom: what was found, charts, events, the worst
// rows, what was looked at and how.

import { useMemo, useState } from "preact/hooks";
import { Chart, type Line } from "../chart.tsx";
import type { Maybe, Severity } from "../contract.ts";
import {
    count,
    date,
    clock,
    fixed,
    number,
    offsetName,
    signed,
    span,
    unit,
    words,
} from "../format.ts";
import { Icon } from "../icons.tsx";
import { Panel, Scroll, SeverityTag } from "../parts.tsx";
import type { Window } from "../series.ts";
import { SEVERITIES, severityOf } from "../severity.ts";
import { isDark, setTheme, useSelect } from "../store.ts";
import type {
    Deviation,
    Found,
    Metric,
    PackedRow,
    Quality,
    Report,
    View,
} from "./data.ts";

/** So many charts are drawn at first, and so many rows of a table. */
const CHARTS = 12;
const ROWS = 50;

const BAND: Line[] = [
    { name: "low", label: "least", color: "--s1", width: 1 },
    { name: "high", label: "greatest", color: "--s1", width: 1 },
    { name: "odd", label: "anomalies", color: "--bad", points: true },
];
const SINGLE: Line[] = [
    { name: "value", label: "value", color: "--s1" },
    { name: "odd", label: "anomalies", color: "--bad", points: true },
];

export function Page({ view }: { view: View }) {
    const [window, setWindow] = useState<Window | null>(null);
    const { report } = view;
    const show = (event: Found) => {
        setWindow(view.around(event));
        document.getElementById("charts")?.scrollIntoView();
    };
    return (
        <main class="report">
            <Head report={report} />
            <Figures view={view} />
            {report.quality && <Comparison quality={report.quality} />}
            {window !== null && (
                <Zoomed view={view} window={window} reset={() => setWindow(null)} />
            )}
            <Charts view={view} window={window ?? view.all} onZoom={setWindow} />
            <Events view={view} show={show} />
            <Worst view={view} />
            <Looked report={report} />
            <p class="made">
                Made by vedette {report.version}, {moment(report.made)} (
                {offsetName(report.made)}). Charts show the least and the greatest value
                of {report.buckets.row.length} parts of the rows; drag over one to look
                closer, click twice to go back.
            </p>
        </main>
    );
}

function moment(t: Maybe): string {
    return t === null ? "–" : `${date(t)} ${clock(t)}`;
}

function place(view: View, row: number, t: Maybe): string {
    return view.timed ? moment(t) : `row ${count(row)}`;
}

function Head({ report }: { report: Report }) {
    const dark = useSelect(isDark);
    return (
        <>
            <header class="report-head">
                <h1>{report.files.join(", ")}</h1>
                <div class="tools">
                    <button
                        type="button"
                        class="tool plain"
                        onClick={() => setTheme(dark ? "light" : "dark")}
                        title={dark ? "Light colours" : "Dark colours"}
                        aria-label={dark ? "Light colours" : "Dark colours"}
                    >
                        <Icon name={dark ? "sun" : "moon"} />
                    </button>
                </div>
            </header>
            <p class="verdict">{verdict(report)}</p>
        </>
    );
}

function plural(n: number, noun: string): string {
    return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** What was found, in a sentence. */
function verdict(report: Report): string {
    const rows = plural(report.rows, "row");
    const events = report.events.length + report.events_left_out;
    const over =
        report.first !== null && report.last !== null
            ? ` from ${moment(report.first)} to ${moment(report.last)}`
            : "";
    if (report.anomalies === 0) return `Nothing unusual in ${rows}${over}.`;
    const odd = `${plural(report.anomalies, "row")} of ${count(report.rows)}`;
    return `${odd}${over} ${report.anomalies === 1 ? "is" : "are"} unusual, in ${plural(events, "event")}.`;
}

function share(part: number, whole: number): string {
    const percent = whole > 0 ? (100 * part) / whole : 0;
    return `${percent !== 0 && percent < 0.01 ? "<0.01" : number(percent)} %`;
}

function Figures({ view }: { view: View }) {
    const { report } = view;
    const worst = SEVERITIES.find((s) => view.events.some((e) => e.severity === s));
    return (
        <dl class="figures">
            <Figure
                name="Rows"
                value={count(report.rows)}
                small={report.skipped > 0 ? `${count(report.skipped)} not readable` : ""}
            />
            <Figure
                name="Anomalies"
                value={count(report.anomalies)}
                small={share(report.anomalies, report.rows)}
            />
            <Figure
                name="Events"
                value={count(report.events.length + report.events_left_out)}
                small={worst ? `worst: ${worst}` : ""}
            />
            <Figure
                name="Columns looked at"
                value={count(report.metrics.length)}
                small={`${count(report.left_out.length)} left out`}
            />
            {report.first !== null && report.last !== null && (
                <Figure
                    name="Time"
                    value={span(report.last - report.first)}
                    small={report.pace ? `a row every ${span(report.pace)}` : ""}
                />
            )}
            <Figure name="Analysed in" value={span(report.seconds)} small="" />
        </dl>
    );
}

function Figure(props: { name: string; value: string; small: string }) {
    return (
        <div>
            <dt>{props.name}</dt>
            <dd>
                {props.value} <small>{props.small}</small>
            </dd>
        </div>
    );
}

function Comparison({ quality }: { quality: Quality }) {
    const figures: [string, Maybe][] = [
        ["Precision", quality.precision],
        ["Recall", quality.recall],
        ["F1", quality.f1],
        ["False alarm rate", quality.false_alarm_rate],
        ["ROC AUC", quality.roc_auc],
        ["Average precision", quality.average_precision],
    ];
    return (
        <Panel
            title={`Compared with the labels${quality.column === "" ? "" : ` of ${quality.column}`}`}
            aside={`${count(quality.anomalies)} anomalous rows, ${count(quality.normal)} normal ones`}
        >
            <dl class="figures small">
                {figures.map(([name, value]) => (
                    <Figure key={name} name={name} value={fixed(value, 3)} small="" />
                ))}
                <Figure
                    name="Events found"
                    value={`${count(quality.events_found)} of ${count(quality.events)}`}
                    small=""
                />
            </dl>
        </Panel>
    );
}

/* ---- charts ---- */

function Zoomed(props: { view: View; window: Window; reset: () => void }) {
    const { view, window } = props;
    const at = (x: number) => (view.timed ? moment(x) : `row ${count(x)}`);
    return (
        <div class="zoomed" role="status">
            <span>
                Charts show {at(window.from)} to {at(window.to)}
            </span>
            <button type="button" class="tool plain" onClick={props.reset}>
                Show all
            </button>
        </div>
    );
}

function Charts(props: {
    view: View;
    window: Window;
    onZoom: (w: Window | null) => void;
}) {
    const { view } = props;
    const [all, setAll] = useState(false);
    const drawn = useMemo(
        () => view.report.metrics.filter((m) => m.low !== null),
        [view],
    );
    const marks = useMemo(() => view.marks(), [view]);
    const score = useMemo(() => view.score(), [view]);
    const common = {
        events: marks,
        window: props.window,
        onZoom: props.onZoom,
        rows: !view.timed,
        group: "report",
    };
    return (
        <>
            <section class="charts" id="charts" aria-label="Charts">
                <div class="panel wide">
                    <Chart
                        {...common}
                        title="Anomaly score"
                        unit=""
                        lines={[{ name: "score", label: "lowest score", color: "--s1" }]}
                        columns={score}
                        min={-1.05}
                        max={1.05}
                        zones
                        rule={{ at: 0, label: "threshold" }}
                        format={(v) => signed(v)}
                    />
                </div>
                {(all ? drawn : drawn.slice(0, CHARTS)).map((metric) => (
                    <MetricChart
                        key={metric.name}
                        view={view}
                        metric={metric}
                        common={common}
                    />
                ))}
            </section>
            {drawn.length > CHARTS && !all && (
                <div class="more-rows">
                    <button type="button" class="tool plain" onClick={() => setAll(true)}>
                        Draw {drawn.length - CHARTS} more
                    </button>
                </div>
            )}
        </>
    );
}

type Common = Omit<Parameters<typeof Chart>[0], "title" | "unit" | "lines" | "columns">;

function MetricChart(props: { view: View; metric: Metric; common: Common }) {
    const { view, metric } = props;
    const each = view.report.rows === view.x.length;
    const columns = useMemo(() => {
        const [x, low, high, dots] = view.columnsOf(metric);
        return each ? [x!, high!, dots!] : [x!, low!, high!, dots!];
    }, [view, metric]);
    return (
        <div class="panel">
            <Chart
                {...props.common}
                title={metric.name}
                unit={metric.unit}
                lines={each ? SINGLE : BAND}
                band={!each}
                columns={columns}
                legend={false}
            />
        </div>
    );
}

/* ---- tables ---- */

function Deviations(props: { report: Report; top: Deviation[] }) {
    return (
        <ul>
            {props.top.map(([metric, value, expected, z]) => {
                const m = props.report.metrics[metric];
                if (m === undefined) return null;
                const way =
                    value !== null && expected !== null && value < expected
                        ? "low"
                        : "high";
                const of = m.unit === "" ? "" : ` ${unit(m.unit)}`;
                return (
                    <li key={metric}>
                        {m.name} {number(value)}
                        {of} ({way}, expected ≈{number(expected)}
                        {z !== null && `, z=${fixed(z, 1)}`})
                    </li>
                );
            })}
        </ul>
    );
}

/** Some rows at first, more on demand: a table of thousands would cost seconds. */
function useMore(n: number) {
    const [shown, setShown] = useState(ROWS);
    const note = n > shown && (
        <div class="more-rows">
            <span>
                {count(shown)} of {count(n)} are shown.
            </span>
            <button type="button" class="tool plain" onClick={() => setShown(shown * 4)}>
                More
            </button>
        </div>
    );
    return { shown, note };
}

function Events(props: { view: View; show: (event: Found) => void }) {
    const { view } = props;
    const [order, setOrder] = useState<"worst" | "time">("worst");
    const [only, setOnly] = useState<Severity | "all">("all");
    const events = useMemo(() => {
        const some = view.events.filter((e) => only === "all" || e.severity === only);
        return order === "time"
            ? some
            : some.sort((a, b) => (a.packed[7] ?? 0) - (b.packed[7] ?? 0));
    }, [view, order, only]);
    const { shown, note } = useMore(events.length);
    if (view.events.length === 0) return null;
    return (
        <Panel
            class="long"
            title="Events"
            aside={
                <span class="choices">
                    <select
                        aria-label="Severity"
                        value={only}
                        onChange={(e) =>
                            setOnly(e.currentTarget.value as Severity | "all")
                        }
                    >
                        <option value="all">all severities</option>
                        {SEVERITIES.map((s) => (
                            <option key={s} value={s}>
                                {s}
                            </option>
                        ))}
                    </select>
                    <select
                        aria-label="Order"
                        value={order}
                        onChange={(e) =>
                            setOrder(e.currentTarget.value as "worst" | "time")
                        }
                    >
                        <option value="worst">the worst first</option>
                        <option value="time">in their order</option>
                    </select>
                </span>
            }
        >
            <Scroll label="Events">
                <table>
                    <thead>
                        <tr>
                            <th>Begins</th>
                            <th>{view.timed ? "Lasts" : "Rows"}</th>
                            <th class="right">Anomalies</th>
                            <th>Severity</th>
                            <th class="right">Score</th>
                            <th>Pattern</th>
                            <th>Why</th>
                        </tr>
                    </thead>
                    <tbody>
                        {events.slice(0, shown).map((event) => (
                            <EventRow
                                key={event.packed[0]}
                                view={view}
                                event={event}
                                show={props.show}
                            />
                        ))}
                    </tbody>
                </table>
            </Scroll>
            {note}
            {view.report.events_left_out > 0 && (
                <p class="dim">
                    {count(view.report.events_left_out)} later events are counted, not
                    kept.
                </p>
            )}
        </Panel>
    );
}

function EventRow(props: { view: View; event: Found; show: (event: Found) => void }) {
    const { view, event } = props;
    const [first, last, from, to, rows, , , score, pattern, reason, top] = event.packed;
    const pace = view.report.pace ?? 0;
    return (
        <tr>
            <td class="num">
                <button
                    type="button"
                    class="as-link"
                    title="Show it in the charts"
                    onClick={() => props.show(event)}
                >
                    {place(view, first, from)}
                </button>
            </td>
            <td class="num">
                {view.timed
                    ? span((to ?? 0) - (from ?? 0) + pace)
                    : `${count(first)}–${count(last)}`}
            </td>
            <td class="num right">{count(rows)}</td>
            <td>
                <SeverityTag severity={event.severity} />
            </td>
            <td class="num right">{fixed(score, 2)}</td>
            <td>{words(pattern)}</td>
            <td class="words">
                {reason}
                <Deviations report={view.report} top={top} />
            </td>
        </tr>
    );
}

function Worst({ view }: { view: View }) {
    const rows = view.report.worst;
    const { shown, note } = useMore(rows.length);
    if (rows.length === 0) return null;
    return (
        <Panel class="long" title="The worst rows" aside={plural(rows.length, "row")}>
            <Scroll label="The worst rows">
                <table>
                    <thead>
                        <tr>
                            <th class="right">Row</th>
                            {view.timed && <th>Time</th>}
                            <th class="right">Score</th>
                            <th>Severity</th>
                            <th>Why</th>
                            <th>Factors</th>
                        </tr>
                    </thead>
                    <tbody>
                        {rows.slice(0, shown).map((row) => (
                            <WorstRow key={row[0]} view={view} row={row} />
                        ))}
                    </tbody>
                </table>
            </Scroll>
            {note}
        </Panel>
    );
}

function WorstRow(props: { view: View; row: PackedRow }) {
    const [row, at, score, reason, top, factors] = props.row;
    return (
        <tr>
            <td class="num right">{count(row)}</td>
            {props.view.timed && <td class="num">{moment(at)}</td>}
            <td class="num right">{fixed(score, 2)}</td>
            <td>
                <SeverityTag severity={severityOf(score)} />
            </td>
            <td class="words">
                {reason}
                <Deviations report={props.view.report} top={top} />
            </td>
            <td>
                {factors.map((factor) => (
                    <div key={factor}>{factor}</div>
                ))}
            </td>
        </tr>
    );
}

/** What was looked at, and how. */
function Looked({ report }: { report: Report }) {
    const noted = report.metrics.filter((m) => m.note !== "");
    const facts: [string, string][] = [
        ["Way", report.why === "" ? report.way : `${report.way}: ${report.why}`],
        ["Threshold", report.threshold],
        ["Learned from", plural(report.learned, "row")],
        ["Looked at", report.metrics.map((m) => m.name).join(", ")],
        ["Taken as", noted.map((m) => `${m.name}: ${m.note}`).join("; ")],
    ];
    return (
        <Panel title="How it was done">
            <dl class="facts-of">
                {facts
                    .filter(([, text]) => text !== "")
                    .map(([name, text]) => [
                        <dt key={name}>{name}</dt>,
                        <dd key={`${name}=`}>{text}</dd>,
                    ])}
            </dl>
            {report.left_out.length > 0 && (
                <>
                    <p class="sub">Left out</p>
                    <ul class="left-out">
                        {report.left_out.map(([name, why]) => (
                            <li key={name}>
                                {name} <span class="dim">({why})</span>
                            </li>
                        ))}
                    </ul>
                </>
            )}
        </Panel>
    );
}
