// What was found in an uploaded table: figures, charts, events, and the scored rows.

import { useEffect, useState } from "preact/hooks";
import * as api from "../api.ts";
import { Chart, type Line } from "../chart.tsx";
import type {
    AnalysedColumn,
    AnalysedEvent,
    Analysis,
    AnalysisResult,
    AnalysisRows,
    AnalysisShare,
    Event,
} from "../contract.ts";
import { count, date, clock, fixed, number, processName, signed, span } from "../format.ts";
import { Icon } from "../icons.tsx";
import { Empty, Panel, Scroll, SeverityTag, Tag } from "../parts.tsx";
import { routeTo } from "../route.ts";
import type { Columns, Window } from "../series.ts";
import { bytes, isUnderWay, rate, settingsText, State } from "./analyses.tsx";

type Whole = Analysis & { result?: AnalysisResult };

const LOOK_MS = 500;
const CHARTS = 6;
const EVENTS = 20;
const ROWS = 50;

export function AnalysisPage(props: { id: string }) {
    const { analysis, problem } = useAnalysis(props.id);
    if (analysis === null) {
        return (
            <Panel>
                <Back />
                <h1>Analysis</h1>
                <Empty title={problem === "" ? "Opening it" : "It could not be opened"}>
                    {problem}
                </Empty>
            </Panel>
        );
    }
    return (
        <div class="stack analysis">
            <Head analysis={analysis} />
            {analysis.result !== undefined && analysis.summary !== undefined && (
                <Found analysis={analysis} result={analysis.result} />
            )}
        </div>
    );
}

/** The analysis, asked for again until it is over. */
function useAnalysis(id: string) {
    const [analysis, setAnalysis] = useState<Whole | null>(null);
    const [problem, setProblem] = useState("");
    const [round, setRound] = useState(0);
    useEffect(() => {
        const stop = new AbortController();
        let timer = 0;
        api.analysis(id, stop.signal)
            .then((answer) => {
                setAnalysis(answer);
                setProblem("");
                if (isUnderWay(answer)) {
                    timer = window.setTimeout(() => setRound((n) => n + 1), LOOK_MS);
                }
            })
            .catch((error: Error) => {
                if (!stop.signal.aborted) setProblem(error.message);
            });
        return () => {
            stop.abort();
            clearTimeout(timer);
        };
    }, [id, round]);
    return { analysis, problem };
}

function Back() {
    return (
        <a class="back" href={routeTo("analyses")}>
            <Icon name="back" />
            Analyses
        </a>
    );
}

function Head(props: { analysis: Whole }) {
    const { analysis } = props;
    const [asked, setAsked] = useState(false);
    const [problem, setProblem] = useState("");
    const remove = () => {
        api.removeAnalysis(analysis.id)
            .then(() => {
                location.hash = routeTo("analyses");
            })
            .catch((error: Error) => setProblem(error.message));
    };
    const file = (name: string) => `api/v1/analyses/${analysis.id}/${name}`;
    return (
        <Panel class="analysis-head">
            <Back />
            <h1>{processName(analysis.name)}</h1>
            <p class="dim num">
                {bytes(analysis.size)} · {date(analysis.uploaded)} {clock(analysis.uploaded)} ·{" "}
                {settingsText(analysis)} · <span title="SHA-256">{analysis.sha256.slice(0, 12)}</span>
            </p>
            {analysis.state !== "done" && (
                <p>
                    <State analysis={analysis} />
                </p>
            )}
            <p class="tools">
                {analysis.state === "done" && (
                    <>
                        <a class="tool" href={file("scored.csv")} download>
                            <Icon name="download" />
                            Scored CSV
                        </a>
                        <a class="tool" href={file("result.json")} download>
                            <Icon name="download" />
                            JSON
                        </a>
                        {analysis.summary?.report && (
                            <a class="tool" href={file("report.html")} download>
                                <Icon name="download" />
                                Report
                            </a>
                        )}
                    </>
                )}
                {asked && !isUnderWay(analysis) ? (
                    <>
                        <button type="button" class="tool danger" onClick={remove}>
                            Delete it for good
                        </button>
                        <button type="button" class="tool" onClick={() => setAsked(false)}>
                            Keep
                        </button>
                    </>
                ) : (
                    <button
                        type="button"
                        class="tool"
                        onClick={isUnderWay(analysis) ? remove : () => setAsked(true)}
                    >
                        {isUnderWay(analysis) ? "Cancel" : "Delete"}
                    </button>
                )}
            </p>
            {problem !== "" && (
                <p class="problem" role="alert">
                    {problem}
                </p>
            )}
        </Panel>
    );
}

function Found(props: { analysis: Whole; result: AnalysisResult }) {
    const { analysis, result } = props;
    const summary = analysis.summary!;
    const [share, setShare] = useState<number | null>(null);
    const other = useShare(analysis.id, share);
    const flagged = other?.parts ?? result.parts.anomalies;
    return (
        <>
            <dl class="figures num">
                <Figure name="Rows" value={count(summary.rows)} />
                <Figure name="Anomalies" value={count((other ?? summary).anomalies)} />
                <Figure name="Rate" value={rate(other ?? summary)} />
                <Figure name="Events" value={count((other ?? summary).events)} />
                <Figure name="Columns" value={count(summary.columns)} />
                {summary.pace !== null && (
                    <Figure name="A row every" value={span(summary.pace)} />
                )}
                <Figure name="Took" value={span(summary.seconds)} />
            </dl>
            <Panel class="wide" title="Score">
                <p class="dim">
                    {summary.way}: {result.why}. Flagged is {result.threshold_from}.
                </p>
                <ShareSlider
                    own={summary.anomalies / Math.max(summary.rows, 1)}
                    share={share}
                    set={setShare}
                />
                <ScoreChart result={result} flagged={flagged} />
            </Panel>
            <Charts result={result} flagged={flagged} />
            <EventTable result={result} />
            <RowTable id={analysis.id} share={share} any={summary.anomalies > 0} />
            <ColumnTable result={result} />
        </>
    );
}

function Figure(props: { name: string; value: string }) {
    return (
        <div>
            <dt>{props.name}</dt>
            <dd>{props.value}</dd>
        </div>
    );
}

/* ---- another share ---- */

/** What flagging that share gives, from the scores that are kept; null = as it was. */
function useShare(id: string, share: number | null): AnalysisShare | null {
    const [answer, setAnswer] = useState<AnalysisShare | null>(null);
    useEffect(() => {
        if (share === null) {
            setAnswer(null);
            return;
        }
        const stop = new AbortController();
        api.analysisShare(id, share, stop.signal)
            .then(setAnswer)
            .catch(() => {}); // the next move asks again
        return () => stop.abort();
    }, [id, share]);
    return answer;
}

const STEPS = 100;
const MOST = 0.2;

/** From a hundredth of a percent to 20 %, by equal ratios. */
const shareAt = (step: number) =>
    step === 0 ? 0 : Number((MOST * 2000 ** (step / STEPS - 1)).toPrecision(2));
const stepAt = (share: number) =>
    share <= 0
        ? 0
        : Math.max(1, Math.round(STEPS * (1 + Math.log(Math.min(share, MOST) / MOST) / Math.log(2000))));

function ShareSlider(props: {
    own: number;
    share: number | null;
    set: (share: number | null) => void;
}) {
    const { share, own } = props;
    return (
        <div class="slider">
            <label>
                <span>Flag</span>
                <input
                    type="range"
                    min={0}
                    max={STEPS}
                    value={stepAt(share ?? own)}
                    aria-valuetext={`${number(100 * (share ?? own))} % of the rows`}
                    onInput={(e) => props.set(shareAt(Number(e.currentTarget.value)))}
                />
                <output class="slider-at num">
                    {number(100 * (share ?? own))} % of the rows
                    {share === null ? ", as found" : ""}
                </output>
            </label>
            <button
                type="button"
                class="tool"
                disabled={share === null}
                onClick={() => props.set(null)}
            >
                As found
            </button>
        </div>
    );
}

/* ---- charts ---- */

/** Whether the table has times; else rows are counted. */
function isTimed(result: AnalysisResult): boolean {
    return result.parts.t.length > 0 && result.parts.t.every((t) => t !== null);
}

function axisOf(result: AnalysisResult): number[] {
    return isTimed(result) ? (result.parts.t as number[]) : result.parts.row;
}

function windowOf(x: number[]): Window {
    const from = x[0] ?? 0;
    return { from, to: Math.max(x[x.length - 1] ?? 1, from + 1) };
}

/** Events as the charts tint them. */
function tints(result: AnalysisResult): Event[] {
    const timed = isTimed(result);
    return result.events.map((e) => ({
        ...NO_EVENT,
        start: timed ? e.start! : e.first,
        end: timed ? e.end! : e.last,
        severity: e.peak.severity,
    }));
}

const NO_EVENT: Event = {
    id: 0,
    start: 0,
    peak: null,
    end: null,
    severity: "low",
    score: null,
    confidence: null,
    alerted: false,
    kind: "anomaly",
    pattern: "",
    reason: "",
    explanation: [],
    top: [],
    factors: [],
    suspects: [],
    note: "",
    feedback: "",
};

const FLAGGED: Line = { name: "flagged", label: "flagged", color: "--bad", points: true };

function ScoreChart(props: { result: AnalysisResult; flagged: number[] }) {
    const { result, flagged } = props;
    const x = axisOf(result);
    const dots = result.parts.score.map((s, i) => ((flagged[i] ?? 0) > 0 ? s : null));
    return (
        <Chart
            title="Anomaly score"
            unit=""
            min={-1.05}
            max={1.05}
            zones
            rule={{ at: 0, label: "threshold" }}
            format={(v) => signed(v)}
            height={180}
            group="analysis"
            rows={!isTimed(result)}
            lines={[{ name: "score", label: "lowest score", color: "--s1" }, FLAGGED]}
            columns={[x, result.parts.score, dots]}
            window={windowOf(x)}
        />
    );
}

/** Columns that events speak of come first. */
function byWeight(result: AnalysisResult): AnalysedColumn[] {
    const weight = new Map<string, number>();
    for (const event of result.events) {
        event.peak.explanation.forEach((text, i) => {
            const name = text.slice(0, text.lastIndexOf(": "));
            const column = result.columns.find((c) => text.startsWith(`${c.name}:`));
            const key = column?.name ?? name;
            weight.set(key, (weight.get(key) ?? 0) + 1 / (i + 1));
        });
    }
    return result.columns
        .filter((c) => c.high !== undefined)
        .sort((a, b) => (weight.get(b.name) ?? 0) - (weight.get(a.name) ?? 0));
}

function Charts(props: { result: AnalysisResult; flagged: number[] }) {
    const { result, flagged } = props;
    const [all, setAll] = useState(false);
    const columns = byWeight(result);
    const events = tints(result);
    const x = axisOf(result);
    const shown = all ? columns : columns.slice(0, CHARTS);
    return (
        <>
            <div class="charts">
                {shown.map((column) => (
                    <Panel key={column.name}>
                        <Chart
                            title={column.name}
                            unit={column.unit}
                            events={events.length <= 50 ? events : []}
                            group="analysis"
                            rows={!isTimed(result)}
                            lines={linesOf(column)}
                            columns={columnsOf(column, x, flagged)}
                            window={windowOf(x)}
                        />
                    </Panel>
                ))}
            </div>
            {columns.length > shown.length && (
                <button type="button" class="tool more" onClick={() => setAll(true)}>
                    Show all {count(columns.length)} columns
                </button>
            )}
        </>
    );
}

function isOneLine(column: AnalysedColumn): boolean {
    return column.low!.every((low, i) => low === column.high![i]);
}

function linesOf(column: AnalysedColumn): Line[] {
    const high = { name: "high", label: "highest", color: "--s1" };
    const low = { name: "low", label: "lowest", color: "--s7" };
    if (isOneLine(column)) return [{ ...high, label: "value" }, FLAGGED];
    return [high, low, FLAGGED];
}

/** Flagged parts have their dot where the column is furthest from what is expected. */
function columnsOf(column: AnalysedColumn, x: number[], flagged: number[]): Columns {
    const { high, low, expected } = column;
    const dots = high!.map((top, i) => {
        if ((flagged[i] ?? 0) === 0) return null;
        const bottom = low![i] ?? null;
        if (top === null || bottom === null || expected === null) return top;
        return Math.abs(top - expected) >= Math.abs(bottom - expected) ? top : bottom;
    });
    return isOneLine(column) ? [x, high!, dots] : [x, high!, low!, dots];
}

/* ---- tables ---- */

function when(event: AnalysedEvent): string {
    if (event.start === null) return `row ${count(event.first)}`;
    return `${date(event.start)} ${clock(event.start)}`;
}

function EventTable(props: { result: AnalysisResult }) {
    const { result } = props;
    const [limit, setLimit] = useState(EVENTS);
    const total = result.events.length + result.events_left_out;
    return (
        <Panel title={`Events (${count(total)})`}>
            {result.quality !== null && (
                <p class="dim num">
                    Against the labels ({processName(result.quality.labels)}): precision{" "}
                    {fixed(result.quality.precision, 3)}, recall{" "}
                    {fixed(result.quality.recall, 3)}, F1 {fixed(result.quality.f1, 3)}, ROC AUC{" "}
                    {fixed(result.quality.roc_auc, 3)}; {count(result.quality.events_found)} of{" "}
                    {count(result.quality.events)} labelled events found.
                </p>
            )}
            {result.events.length === 0 ? (
                <Empty title="No events">Nothing in this table is out of the ordinary.</Empty>
            ) : (
                <Scroll label="Table of events">
                    <table class="found-events">
                        <thead>
                            <tr>
                                <th scope="col">When</th>
                                <th scope="col" class="right">
                                    Rows
                                </th>
                                <th scope="col">Severity</th>
                                <th scope="col">What</th>
                            </tr>
                        </thead>
                        <tbody>
                            {result.events.slice(0, limit).map((event) => (
                                <tr key={event.first}>
                                    <td class="num">{when(event)}</td>
                                    <td class="num right">
                                        {event.first === event.last
                                            ? count(event.first)
                                            : `${count(event.first)} – ${count(event.last)}`}
                                    </td>
                                    <td>
                                        <SeverityTag severity={event.peak.severity} />{" "}
                                        <Tag>{event.pattern}</Tag>
                                    </td>
                                    <td class="what">
                                        {event.peak.reason}
                                        <span class="dim num">
                                            {event.peak.explanation.join("; ")}
                                        </span>
                                    </td>
                                </tr>
                            ))}
                        </tbody>
                    </table>
                </Scroll>
            )}
            {result.events.length > limit && (
                <button
                    type="button"
                    class="tool more"
                    onClick={() => setLimit((n) => n + 5 * EVENTS)}
                >
                    More events
                </button>
            )}
        </Panel>
    );
}

/** A page of the scored rows. */
function useRows(id: string, from: number, odd: boolean, share: number | null) {
    const [answer, setAnswer] = useState<AnalysisRows | null>(null);
    const [problem, setProblem] = useState("");
    useEffect(() => {
        const stop = new AbortController();
        api.analysisRows(id, { from, limit: ROWS, odd, share }, stop.signal)
            .then((rows) => {
                setAnswer(rows);
                setProblem("");
            })
            .catch((error: Error) => {
                if (!stop.signal.aborted) setProblem(error.message);
            });
        return () => stop.abort();
    }, [id, from, odd, share]);
    return { answer, problem };
}

function RowTable(props: { id: string; share: number | null; any: boolean }) {
    const [odd, setOdd] = useState(props.any);
    const [at, setAt] = useState(0);
    useEffect(() => setAt(0), [odd, props.share]);
    const { answer, problem } = useRows(props.id, at, odd, props.share);
    const total = answer?.total ?? 0;
    return (
        <Panel
            title="Rows"
            aside={
                <label class="check">
                    <input
                        type="checkbox"
                        checked={odd}
                        onChange={(e) => setOdd(e.currentTarget.checked)}
                    />
                    flagged only
                </label>
            }
        >
            {problem !== "" && (
                <p class="problem" role="alert">
                    The rows could not be asked for: {problem}
                </p>
            )}
            {answer !== null && (
                <Scroll label="Scored rows">
                    <table class="scored">
                        <thead>
                            <tr>
                                {answer.columns.map((name, i) => (
                                    <th key={i} scope="col">
                                        {processName(name)}
                                    </th>
                                ))}
                            </tr>
                        </thead>
                        <tbody>
                            {answer.rows.map((row) => (
                                <tr key={row.row} class={row.odd ? "marked" : undefined}>
                                    {row.cells.map((cell, i) => (
                                        <td key={i} class="num">
                                            {cell === "" ? "" : processName(cell)}
                                        </td>
                                    ))}
                                </tr>
                            ))}
                        </tbody>
                    </table>
                </Scroll>
            )}
            <p class="pager num">
                <button
                    type="button"
                    class="tool"
                    disabled={at === 0}
                    onClick={() => setAt(Math.max(0, at - ROWS))}
                >
                    Earlier
                </button>
                <span class="dim">
                    {total === 0
                        ? odd
                            ? "no row is flagged"
                            : "no rows"
                        : `${count(at + 1)} – ${count(Math.min(at + ROWS, total))} of ${count(total)}`}
                </span>
                <button
                    type="button"
                    class="tool"
                    disabled={at + ROWS >= total}
                    onClick={() => setAt(at + ROWS)}
                >
                    Later
                </button>
            </p>
        </Panel>
    );
}

function ColumnTable(props: { result: AnalysisResult }) {
    return (
        <Panel title="Columns">
            <Scroll label="Table of columns">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">Column</th>
                            <th scope="col">Used</th>
                            <th scope="col" class="right">
                                Expected
                            </th>
                            <th scope="col" class="right">
                                Spread
                            </th>
                        </tr>
                    </thead>
                    <tbody>
                        {props.result.columns.map((column, i) => (
                            <tr key={i}>
                                <td>{processName(column.name)}</td>
                                <td class={column.left_out ? "dim" : ""}>
                                    {column.left_out !== null
                                        ? `no: ${column.left_out}`
                                        : column.note || "yes"}
                                </td>
                                <td class="num right">
                                    {column.left_out !== null ? "" : number(column.expected)}
                                </td>
                                <td class="num right">
                                    {column.left_out !== null ? "" : number(column.sigma)}
                                </td>
                            </tr>
                        ))}
                    </tbody>
                </table>
            </Scroll>
        </Panel>
    );
}
