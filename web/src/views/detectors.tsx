// The detectors: what each says, whether they agree, what they cost; and what vedette
// itself costs.

import { useState } from "preact/hooks";
import { LiveChart } from "../chart.tsx";
import type { DetectorScore, DetectorStatus, Receiver } from "../contract.ts";
import { count, micros, number, signed, withUnit, words } from "../format.ts";
import { Bar, Empty, Panel, Scroll, SeverityMark, SeverityTag, Tag } from "../parts.tsx";
import { routeTo } from "../route.ts";
import { type Columns, sustain } from "../series.ts";
import { severityOf } from "../severity.ts";
import { heldScore, ui, useStore } from "../store.ts";
import { useNeeds } from "../view-needs.ts";

const COLORS = ["--s1", "--s2", "--s3", "--s4", "--s5", "--s6", "--s7", "--s8", "--s9"];

interface Row {
    status: DetectorStatus;
    score: DetectorScore | null;
    color: string;
}

/** The rows of the status with the scores of the tick. A detector that only the tick knows
 * (its status comes seconds later) is there as well. */
function rowsOf(): Row[] {
    const { status, tick } = ui.shown;
    const scores = new Map((tick?.detectors ?? []).map((d) => [d.name, d]));
    const known = status?.detectors ?? [];
    const names = new Set(known.map((d) => d.name));
    const others = [...scores.values()]
        .filter((d) => !names.has(d.name))
        .map((d) => ({
            name: d.name,
            title: words(d.name),
            unavailable: null,
            ready: d.ready,
            from_labels: false,
            average_us: null,
            p99_us: null,
            max_us: null,
        }));
    return [...known, ...others].map((status, i) => ({
        status,
        score: scores.get(status.name) ?? null,
        color: COLORS[i % COLORS.length]!,
    }));
}

export function Detectors() {
    useStore();
    useNeeds({ metrics: [], detectors: true });
    const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
    const rows = rowsOf();
    const toggle = (name: string) => {
        const next = new Set(hidden);
        if (!next.delete(name)) next.add(name);
        setHidden(next);
    };
    return (
        <div class="stack">
            <div class="two-thirds">
                <Timeline rows={rows} hidden={hidden} />
                <Agreement rows={rows} />
            </div>
            <Table rows={rows} hidden={hidden} onToggle={toggle} />
            <Self />
        </div>
    );
}

function Timeline(props: { rows: Row[]; hidden: ReadonlySet<string> }) {
    const lines = props.rows
        .filter((row) => row.status.unavailable === null)
        .filter((row) => !props.hidden.has(row.status.name))
        .map((row) => ({
            name: `score.${row.status.name}`,
            label: row.status.title,
            color: row.color,
            width: 1.2,
        }));
    return (
        <Panel>
            <LiveChart
                title="Scores"
                unit=""
                lines={[
                    ...lines,
                    { name: "score", label: "Combined", color: "--text", width: 2.2 },
                ]}
                derive={holdLast}
                min={-1.05}
                max={1.05}
                zones
                rule={{ at: 0, label: "threshold" }}
                events={ui.shown.events}
                height={300}
                format={(v) => signed(v)}
                legend={false}
            />
        </Panel>
    );
}

/** The combined score as it decides; the detectors' own are single samples. */
function holdLast(columns: Columns): Columns {
    const last = columns.length - 1;
    return [...columns.slice(0, last), sustain(columns[0]!, columns[last]!)];
}

function Agreement(props: { rows: Row[] }) {
    const { tick } = ui.shown;
    const voting = props.rows.filter(
        (row) => row.score?.ready && row.score.score !== null,
    );
    const against = voting.filter((row) => row.score!.score! < 0).length;
    const held = heldScore();
    const severity = severityOf(tick?.score);
    return (
        <Panel title="Agreement" class="agreement">
            {voting.length === 0 ? (
                <Empty title="No verdict yet">
                    The first detectors are ready after about a minute of watching.
                </Empty>
            ) : (
                <>
                    <p class="verdict-word">
                        <SeverityMark severity={severity} />
                        <span class="num">
                            {against === 0 ? voting.length : against} of {voting.length}
                        </span>
                        {against === 0 ? " say normal" : " say unusual"}
                    </p>
                    <p class="dim">
                        <span>
                            This sample's score <b class="num">{signed(tick?.score)}</b>,
                            held{" "}
                            <b class="num" title="Held for three of five seconds: this one decides">
                                {signed(held)}
                            </b>
                        </span>
                        {tick?.drift && <Tag class="alerted">drift seen</Tag>}
                    </p>
                    <ul class="votes">
                        {voting.map((row) => (
                            <Vote key={row.status.name} row={row} />
                        ))}
                    </ul>
                </>
            )}
        </Panel>
    );
}

/** A bar from the threshold in the middle: right is normal, left is unusual. */
function Vote(props: { row: Row }) {
    const score = props.row.score!.score!;
    const severity = severityOf(score);
    const side = score < 0 ? "right" : "left";
    return (
        <li class={`sev-${severity}`}>
            <span class="vote-name">{props.row.status.title}</span>
            <span class="vote-bar" aria-hidden="true">
                <i
                    class={score < 0 ? "against" : "for"}
                    style={{ [side]: "50%", width: `${Math.abs(score) * 50}%` }}
                />
            </span>
            <span class="num vote-score">{signed(score)}</span>
        </li>
    );
}

function Table(props: {
    rows: Row[];
    hidden: ReadonlySet<string>;
    onToggle: (name: string) => void;
}) {
    return (
        <Panel title="Verdict and speed">
            <Scroll label="Detectors">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">Detector</th>
                            <th scope="col" class="right">
                                Score
                            </th>
                            <th scope="col">Says</th>
                            <th scope="col">Status</th>
                            <th scope="col" class="right">
                                Surprise
                            </th>
                            <th scope="col" class="right">
                                Raw
                            </th>
                            <th scope="col" class="right">
                                Latest
                            </th>
                            <th scope="col" class="right">
                                Average
                            </th>
                            <th scope="col" class="right">
                                P99
                            </th>
                            <th scope="col" class="right">
                                Max
                            </th>
                        </tr>
                    </thead>
                    <tbody>
                        {props.rows.map((row) => (
                            <DetectorRow
                                key={row.status.name}
                                row={row}
                                shown={!props.hidden.has(row.status.name)}
                                onToggle={() => props.onToggle(row.status.name)}
                            />
                        ))}
                        <tr class="sum">
                            <th scope="row">
                                <span class="key-name">
                                    <i class="key" style={{ color: "var(--text)" }} />
                                    Combined
                                </span>
                            </th>
                            <td class="right num">{signed(ui.shown.tick?.score)}</td>
                            <td>
                                <Says score={ui.shown.tick?.score ?? null} />
                            </td>
                            <td colSpan={3} />
                            <td class="right num">{micros(ui.shown.tick?.latency_us)}</td>
                            <td colSpan={3} />
                        </tr>
                    </tbody>
                </table>
            </Scroll>
        </Panel>
    );
}

function DetectorRow(props: { row: Row; shown: boolean; onToggle: () => void }) {
    const { status, score, color } = props.row;
    const ready = score?.ready ?? status.ready;
    return (
        <tr class={status.unavailable !== null ? "off" : undefined}>
            <th scope="row">
                <button
                    type="button"
                    class="key-name"
                    aria-pressed={props.shown}
                    title="Show or hide its line in the chart"
                    disabled={status.unavailable !== null}
                    onClick={props.onToggle}
                >
                    <i
                        class={props.shown ? "key" : "key out"}
                        style={{ color: `var(${color})` }}
                    />
                    {status.title}
                </button>
            </th>
            <td class="right num">{signed(score?.score)}</td>
            <td>
                <Says score={score?.score ?? null} />
            </td>
            <td>{stateOf(status, ready)}</td>
            <td class="right num">{number(score?.surprise)}</td>
            <td class="right num">{number(score?.raw)}</td>
            <td class="right num">{micros(score?.latency_us)}</td>
            <td class="right num">{micros(status.average_us)}</td>
            <td class="right num">{micros(status.p99_us)}</td>
            <td class="right num">{micros(status.max_us)}</td>
        </tr>
    );
}

function stateOf(status: DetectorStatus, ready: boolean) {
    if (status.unavailable !== null) return status.unavailable;
    if (ready) return "ready";
    if (!status.from_labels) return "learning";
    return (
        <a
            href={routeTo("events")}
            title="It learns from events of which somebody said what they were"
        >
            waits for a label
        </a>
    );
}

function Says(props: { score: number | null }) {
    return props.score === null ? (
        <span>–</span>
    ) : (
        <SeverityTag severity={severityOf(props.score)} />
    );
}

/* ---- vedette's own cost ---- */

function Self() {
    const { status, tick } = ui.shown;
    if (status === null) return null;
    const { self } = status;
    const whole = self.stages.reduce((sum, stage) => sum + (stage.us ?? 0), 0);
    return (
        <div class="halves">
            <Panel title="What vedette itself costs">
                <dl class="figures small">
                    <div>
                        <dt>CPU, of one core</dt>
                        <dd class="num">{withUnit(self.cpu_percent, "%")}</dd>
                    </div>
                    <div>
                        <dt>Memory</dt>
                        <dd class="num">{withUnit(self.rss_mb, "MB")}</dd>
                    </div>
                    <div>
                        <dt>Jitter of the last tick</dt>
                        <dd class="num">{withUnit(tick?.jitter_ms, "ms")}</dd>
                    </div>
                    <div>
                        <dt>Left out</dt>
                        <dd class="num">{count(self.dropped)}</dd>
                    </div>
                </dl>
                {self.stages.length > 0 && (
                    <>
                        <h3 class="sub">
                            Last tick by stage <span class="num">{micros(whole)}</span>
                        </h3>
                        <ul class="votes">
                            {self.stages.map((stage) => (
                                <li key={stage.name}>
                                    <span class="vote-name">{stage.name}</span>
                                    <Bar
                                        share={whole > 0 ? (stage.us ?? 0) / whole : 0}
                                    />
                                    <span class="num vote-score">{micros(stage.us)}</span>
                                </li>
                            ))}
                        </ul>
                    </>
                )}
            </Panel>
            <Panel title="Where records go">
                <Scroll label="Sinks">
                    <table>
                        <thead>
                            <tr>
                                <th scope="col">Sink</th>
                                <th scope="col">Status</th>
                                <th scope="col" class="right">
                                    Sent
                                </th>
                                <th scope="col" class="right">
                                    Retried
                                </th>
                                <th scope="col" class="right">
                                    Lost
                                </th>
                            </tr>
                        </thead>
                        <tbody>
                            {status.sinks.map((sink) => (
                                <tr
                                    key={sink.name}
                                    class={sink.unavailable ? "off" : undefined}
                                >
                                    <th scope="row">{sink.name}</th>
                                    <td>
                                        {sink.unavailable ??
                                            (sink.lost > 0 ? "losing" : "fine")}
                                    </td>
                                    <td class="right num">{count(sink.sent)}</td>
                                    <td class="right num">{count(sink.retried)}</td>
                                    <td class="right num">{count(sink.lost)}</td>
                                </tr>
                            ))}
                        </tbody>
                    </table>
                </Scroll>
                {status.receivers.length > 0 && (
                    <>
                        <h3 class="sub">Who is told of alerts</h3>
                        <Scroll label="Who is told of alerts">
                            <Receivers rows={status.receivers} />
                        </Scroll>
                    </>
                )}
                {status.sinks.length === 0 && (
                    <Empty title="Nowhere">Nothing is kept: no sink is set up.</Empty>
                )}
            </Panel>
        </div>
    );
}

function Receivers(props: { rows: Receiver[] }) {
    return (
        <table>
            <thead>
                <tr>
                    <th scope="col">Receiver</th>
                    <th scope="col">Status</th>
                    {["Sent", "Retried", "Waiting", "Given up", "Lost"].map((title) => (
                        <th key={title} scope="col" class="right">
                            {title}
                        </th>
                    ))}
                </tr>
            </thead>
            <tbody>
                {props.rows.map((row) => (
                    <tr key={row.name} class={row.unavailable ? "off" : undefined}>
                        <th scope="row">{row.name}</th>
                        <td>{row.unavailable ?? row.error ?? row.state}</td>
                        <td class="right num">{count(row.sent)}</td>
                        <td class="right num">{count(row.retried)}</td>
                        <td class="right num">{count(row.waiting)}</td>
                        <td class="right num">{count(row.given_up)}</td>
                        <td class="right num">{count(row.lost)}</td>
                    </tr>
                ))}
            </tbody>
        </table>
    );
}
