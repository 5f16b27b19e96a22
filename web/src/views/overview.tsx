// The first view: is this machine well, and what is it doing?

import { LiveChart } from "../chart.tsx";
import type { Event, Metric, Status } from "../contract.ts";
import {
    ago,
    clock,
    count,
    fixed,
    moment,
    number,
    quantity,
    roughSpan,
    signed,
    span,
    withUnit,
} from "../format.ts";
import { memo } from "../memo.ts";
import {
    Bar,
    Deviations,
    Empty,
    EventLine,
    Gauge,
    Panel,
    ProcessName,
    SeverityMark,
    SeverityTag,
    Sparkline,
} from "../parts.tsx";
import { namesOf } from "../roles.ts";
import { routeTo } from "../route.ts";
import { LiveScore } from "../score-chart.tsx";
import { extent, thin } from "../series.ts";
import { isLimit, isOpen, levelOf, severityOf, worstOpen } from "../severity.ts";
import { contactLost, heldScore, now, ui, useSelect, useStore, value } from "../store.ts";
import { frameNumber, useSeries } from "../use-series.ts";
import { useNeeds } from "../view-needs.ts";

const SPARK_POINTS = 80;

export function Overview() {
    const roles = useSelect(() => ui.shown.roles);
    useNeeds({ metrics: namesOf(roles), top: true });
    return (
        <div class="overview">
            <Verdict />
            <Gauges />
            <Cards />
            <Charts />
            <div class="rail">
                <Feed />
                <Busiest />
                <Counters />
            </div>
        </div>
    );
}

/* ---- the verdict ---- */

/** A limit that a person wrote down and what the detectors find are two things: each has
 * its sentence, its colour and its event. */
function Verdict() {
    const events = useSelect(() => ui.shown.events);
    const status = useSelect(() => ui.shown.status);
    const score = useSelect(heldScore);
    const limit = worstOpen(events.filter(isLimit));
    const unusual = worstOpen(events.filter((e) => !isLimit(e)));
    return (
        <Panel class={`verdict ${verdictClass(limit, unusual, score)}`} title="Verdict">
            {limit && (
                <Finding event={limit} word={limitWord(events)} limit />
            )}
            {unusual && <Finding event={unusual} word="Something is unusual" />}
            {!limit && !unusual && <Quiet status={status} score={score} />}
            <dl class="pairs">
                <dt>Score now</dt>
                <dd class="num">
                    {signed(score)}{" "}
                    {severityOf(score) !== "normal" && (
                        <SeverityTag severity={severityOf(score)} />
                    )}
                </dd>
                <Confidence />
                <dt>Metrics watched</dt>
                <dd class="num">{count(ui.shown.metrics.length)}</dd>
            </dl>
        </Panel>
    );
}

function verdictClass(
    limit: Event | undefined,
    unusual: Event | undefined,
    score: number | null,
): string {
    const kind = limit ? (unusual ? "is-limit is-both" : "is-limit") : "";
    const severity = unusual?.severity ?? (score === null ? "none" : severityOf(score));
    return `${kind} sev-${severity}`;
}

function limitWord(events: readonly Event[]): string {
    const n = events.filter((e) => isLimit(e) && isOpen(e)).length;
    return n > 1 ? `${n} limits are exceeded` : "A limit is exceeded";
}

function Finding(props: { event: Event; word: string; limit?: boolean }) {
    const { event, limit } = props;
    return (
        <div class={`finding sev-${event.severity} ${limit ? "limit" : ""}`}>
            <p class="verdict-word">
                <SeverityMark severity={event.severity} />
                {props.word}
            </p>
            <a class="verdict-why" href={routeTo("events", event.id)}>
                {event.reason}
            </a>
            {!limit && <Deviations event={event} class="verdict-top" />}
        </div>
    );
}

function Quiet(props: { status: Status | null; score: number | null }) {
    const { status, score } = props;
    const last = useSelect(() => ui.shown.events[0]?.start ?? null);
    const isHabit = useSelect(() => status?.habit != null && (score ?? 0) < 0);
    const text = useSelect(() => subline(status, last));
    return (
        <>
            <p class="verdict-word">
                {score !== null && <SeverityMark severity={severityOf(score)} />}
                {isHabit ? "A habit of this machine" : headline(status, score)}
            </p>
            <p class="verdict-why">{text}</p>
        </>
    );
}

function Confidence() {
    const share = useSelect(() => ui.shown.tick?.confidence ?? null);
    return (
        <>
            <dt>Confidence</dt>
            <dd>
                <Bar share={share} />
                <span class="num">{percent(share)}</span>
            </dd>
        </>
    );
}

function percent(share: number | null | undefined): string {
    return share === null || share === undefined ? "–" : `${Math.round(share * 100)} %`;
}

function headline(status: Status | null, score: number | null): string {
    if (status?.state === "paused") return "Detection is paused";
    if (score === null || status?.state === "warming") return "Warming up";
    return score < 0 ? "Looks unusual" : "All as usual";
}

function subline(status: Status | null, last: number | null): string {
    const lost = contactLost();
    if (lost !== null) return `So it was at ${clock(lost)}.`;
    if (status?.state === "warming") {
        return "Collecting the first minute of what is normal here.";
    }
    if (status?.habit != null) {
        return `It comes and goes since ${moment(status.habit, now())}, and is no event.`;
    }
    if (last === null) return "Nothing unusual has been seen yet.";
    return `The last event began ${ago(last, now())}.`;
}

/* ---- gauges ---- */

interface Dial {
    label: string;
    metric: Metric | null;
    /** At full scale, and where amber and red begin. */
    full: number;
    warn: number;
    bad: number;
    detail?: string;
    always?: boolean;
}

function Gauges() {
    useStore();
    const { roles } = ui.shown;
    const dials: Dial[] = [
        {
            label: "CPU",
            metric: roles.cpu,
            full: 100,
            warn: 75,
            bad: 90,
            detail: cpuDetail(),
            always: true,
        },
        {
            label: "Memory",
            metric: roles.memory,
            full: 100,
            warn: 80,
            bad: 92,
            detail: memoryDetail(),
            always: true,
        },
        { label: "Temperature", metric: roles.temperature, full: 110, warn: 75, bad: 90 },
        { label: "GPU", metric: roles.gpu, full: 100, warn: 85, bad: 97 },
        { label: "GPU memory", metric: roles.gpuMemory, full: 100, warn: 85, bad: 95 },
        {
            label: "GPU temp.",
            metric: roles.gpuTemperature,
            full: 110,
            warn: 78,
            bad: 88,
        },
    ];
    // Every machine has a CPU and memory: without a reading they keep their place.
    const has = (dial: Dial) => dial.always || value(dial.metric) !== null;
    const here = dials.filter(has);
    const absent = dials.filter((dial) => !has(dial));
    const extra = here.length < 5 ? extraDials() : [];
    const shown = [...here, ...extra].slice(0, 6);
    return (
        <Panel class="gauges" title="Gauges">
            <div class={`gauge-row of-${shown.length}`}>
                {shown.map((dial) => (
                    <DialGauge key={dial.label} dial={dial} />
                ))}
            </div>
            {absent.length > 0 && ui.shown.tick !== null && (
                <p class="absent">Not on this machine: {listAbsent(absent)}</p>
            )}
        </Panel>
    );
}

function listAbsent(dials: Dial[]): string {
    const names = dials.map((dial) => dial.label.replace("GPU temp.", "GPU temperature"));
    const gpu = names.filter((name) => name.startsWith("GPU"));
    const rest = names.filter((name) => !name.startsWith("GPU"));
    const shown = gpu.length === 3 ? [...rest, "a GPU"] : names;
    return shown.map((n) => (/^(GPU|a GPU)/.test(n) ? n : n.toLowerCase())).join(", ");
}

function DialGauge(props: { dial: Dial }) {
    const { dial } = props;
    const v = value(dial.metric);
    const [digits, suffix] = quantity(v, dial.metric?.unit ?? "");
    return (
        <Gauge
            label={dial.label}
            value={digits}
            unit={suffix}
            share={v === null ? null : v / dial.full}
            level={levelOf(v, dial.warn, dial.bad)}
            warn={dial.warn / dial.full}
            bad={dial.bad / dial.full}
            detail={dial.detail}
        />
    );
}

/** Where there are no sensors, there is room for what fills up. */
function extraDials(): Dial[] {
    const { roles } = ui.shown;
    const dials: Dial[] = [];
    if (value(roles.swap) !== null) {
        dials.push({ label: "Swap", metric: roles.swap, full: 100, warn: 40, bad: 80 });
    }
    const fullest = roles.filesystems
        .filter((m) => value(m) !== null)
        .sort((a, b) => value(b)! - value(a)!)[0];
    if (fullest !== undefined) {
        dials.push({
            label: "Fullest disk",
            metric: fullest,
            full: 100,
            warn: 85,
            bad: 95,
            detail: fullest.label,
        });
    }
    return dials;
}

function cpuDetail(): string {
    const frequency = value(ui.shown.roles.frequency);
    if (frequency !== null) return withUnit(frequency, "MHz");
    const cores = ui.shown.roles.coreUse.length;
    return cores > 0 ? `${cores} cores` : "";
}

function memoryDetail(): string {
    const available = value(ui.shown.roles.available);
    return available === null ? "" : `${number(available)} GB free`;
}

/* ---- cards ---- */

/** What a metric of pressure is about, by its group. */
function pressureName(m: Metric): string {
    return m.group === "memory" ? "Memory" : m.group === "disk" ? "I/O" : "CPU";
}

function Cards() {
    const roles = useSelect(() => ui.shown.roles);
    const cards: [string, Metric | null, number?][] = [
        ["Disk read", roles.diskRead],
        ["Disk write", roles.diskWrite],
        ["Network in", roles.received],
        ["Network out", roles.sent],
        ["Load, 1 min", roles.load, Math.max(roles.coreUse.length, 1)],
        ...roles.pressure.map((m): [string, Metric, number] => [
            `${pressureName(m)} pressure`,
            m,
            100,
        ]),
        ["Context switches", roles.switches],
    ];
    const present = useSelect(() =>
        cards.map(([, metric]) => (value(metric) === null ? "0" : "1")).join(""),
    );
    const here = cards.filter((_, i) => present[i] === "1");
    const { columns } = useSeries(here.map(([, metric]) => metric!.name));
    return (
        <section class={`cards cards-${here.length + 1}`} aria-label="Metrics">
            {here.map(([label, metric, full], i) => (
                <Card
                    key={label}
                    label={label}
                    metric={metric!}
                    full={full}
                    values={columns[i + 1]!}
                />
            ))}
            <ProcessCard />
        </section>
    );
}

function ProcessCard() {
    const processes = useSelect(() => ui.shown.tick?.n_processes);
    const threads = useSelect(() => ui.shown.tick?.n_threads);
    return (
        <article class="card">
            <h2>Processes</h2>
            <p class="card-value num">{count(processes)}</p>
            <p class="card-foot num">{count(threads)} threads</p>
        </article>
    );
}

/** A card's bar is the share of the bound where there is one, else of the peak in sight. */
const Card = memo(function Card(props: {
    label: string;
    metric: Metric;
    full?: number;
    values: (number | null)[];
}) {
    const { metric, full } = props;
    const peak = extent([props.values])?.[1] ?? 0;
    return (
        <article class="card">
            <h2>
                <a href={routeTo("metrics", metric.name)}>{props.label}</a>
            </h2>
            <CardValue metric={metric} full={full} peak={peak} />
            <Spark values={props.values} />
            <p class="card-foot num">
                {full === undefined || metric.unit === "%"
                    ? `peak ${withUnit(peak, metric.unit)}`
                    : `of ${full} ${full === 1 ? "core" : "cores"}`}
            </p>
        </article>
    );
});

const Spark = memo(function Spark(props: { values: (number | null)[] }) {
    return <Sparkline values={thin(props.values, SPARK_POINTS)} />;
});

function CardValue(props: { metric: Metric; full?: number; peak: number }) {
    const { metric, full } = props;
    const v = useSelect(() => value(metric));
    const [digits, suffix] = quantity(v, metric.unit);
    const of = full ?? Math.max(props.peak, v ?? 0);
    const level = full === undefined ? undefined : levelOf((v ?? 0) / full, 0.5, 0.9);
    return (
        <>
            <p class="card-value num">
                {digits}
                <small>{suffix}</small>
            </p>
            <Bar
                share={of > 0 ? (v ?? 0) / of : 0}
                level={level === "good" ? undefined : level}
            />
        </>
    );
}

/* ---- charts ---- */

const line = (m: Metric, label: string, color: string, fill = false) => ({
    name: m.name,
    label,
    color,
    fill,
});

function Charts() {
    const roles = useSelect(() => ui.shown.roles);
    const events = useSelect(() => ui.shown.events);
    const present = (metric: Metric | null) => value(metric) !== null;
    const hot = useSelect(() =>
        [roles.temperature, roles.gpuTemperature, roles.gpu, roles.gpuMemory]
            .map(present)
            .join(),
    );
    const [hasHeat, hasGpuHeat, hasGpu, hasGpuMemory] = hot
        .split(",")
        .map((text) => text === "true");
    const cpu = [
        ...(roles.cpu ? [line(roles.cpu, "all", "--s1", true)] : []),
        ...roles.cpuParts
            .slice(0, 3)
            .map((m, i) =>
                line(m, PART_WORDS[m.family] ?? m.family, ["--s2", "--s3", "--s4", "--s5"][i]!),
            ),
    ];
    const memory = [
        ...(roles.memory ? [line(roles.memory, "used", "--s3", true)] : []),
        ...(roles.swap ? [line(roles.swap, "swap", "--s4")] : []),
    ];
    const disk = [
        ...(roles.diskRead ? [line(roles.diskRead, "read", "--s1", true)] : []),
        ...(roles.diskWrite ? [line(roles.diskWrite, "write", "--s2", true)] : []),
    ];
    const network = [
        ...(roles.received ? [line(roles.received, "in", "--s1", true)] : []),
        ...(roles.sent ? [line(roles.sent, "out", "--s2", true)] : []),
    ];
    const pressure = roles.pressure.map((m, i) =>
        line(m, pressureName(m), ["--s1", "--s3", "--s2"][i]!),
    );
    const heat = [
        ...(hasHeat ? [line(roles.temperature!, "CPU", "--s2")] : []),
        ...(hasGpuHeat ? [line(roles.gpuTemperature!, "GPU", "--s4")] : []),
    ];
    const gpu = [
        ...(hasGpu ? [line(roles.gpu!, "load", "--s4", true)] : []),
        ...(hasGpuMemory ? [line(roles.gpuMemory!, "memory", "--s5")] : []),
    ];
    return (
        <div class="charts">
            <Panel class="wide">
                <LiveScore events={events} height={170} />
            </Panel>
            <ChartPanel events={events} title="CPU" unit="%" lines={cpu} min={0} max={100} />
            <ChartPanel events={events} title="Memory" unit="%" lines={memory} min={0} max={100} />
            <ChartPanel events={events} title="Disk" unit="MB/s" lines={disk} reach={0.5} />
            <ChartPanel events={events} title="Network" unit="MB/s" lines={network} reach={0.05} />
            <ChartPanel events={events} title="Pressure" unit="%" lines={pressure} reach={5} />
            <ChartPanel events={events} title="Temperature" unit="C" lines={heat} reach={60} />
            <ChartPanel events={events} title="GPU" unit="%" lines={gpu} min={0} max={100} />
        </div>
    );
}

function ChartPanel(props: {
    title: string;
    unit: string;
    lines: ReturnType<typeof line>[];
    events: Event[];
    min?: number;
    max?: number;
    reach?: number;
}) {
    if (props.lines.length === 0) return null;
    return (
        <Panel>
            <LiveChart {...props} events={props.events} />
        </Panel>
    );
}

const PART_WORDS: Record<string, string> = {
    cpu_user_percent: "user",
    cpu_system_percent: "system",
    cpu_iowait_percent: "iowait",
    cpu_steal_percent: "steal",
};

/* ---- the right-hand side ---- */

function Feed() {
    const events = useSelect(() => ui.shown.events);
    const clearedAt = useSelect(() => ui.clearedAt);
    useSelect(() => Math.floor(now() / 10)); // how long ago, how long already
    const fresh = events.filter((e) => e.start >= clearedAt || isOpen(e)).slice(0, 7);
    return (
        <Panel
            class="feed"
            title="Latest events"
            aside={<a href={routeTo("events")}>All events</a>}
        >
            {fresh.length === 0 ? (
                <Empty title="Quiet">
                    {events.length > 0
                        ? "Cleared. Earlier ones are under Events."
                        : "What deviates from normal will be listed here, with its cause."}
                </Empty>
            ) : (
                <div class="event-lines">
                    {fresh.map((event) => (
                        <EventLine key={event.id} event={event} />
                    ))}
                </div>
            )}
        </Panel>
    );
}

function Busiest() {
    useSelect(() => frameNumber(ui.range)); // with the charts
    const list = (ui.shown.tick?.top_cpu ?? []).filter((p) => (p.cpu_percent ?? 0) > 0);
    if (list.length === 0) return null;
    const most = Math.max(...list.map((p) => p.cpu_percent ?? 0));
    return (
        <Panel
            class="busy"
            title="Busiest processes"
            aside={<a href={routeTo("processes")}>All processes</a>}
        >
            <ol class="top-list">
                {list.map((p) => (
                    <li key={p.pid}>
                        <span class="top-name">
                            <ProcessName process={p} />
                            <span class="dim num"> {p.pid}</span>
                        </span>
                        <span class="num">{fixed(p.cpu_percent, 1)} %</span>
                        <Bar share={(p.cpu_percent ?? 0) / most} />
                    </li>
                ))}
            </ol>
        </Panel>
    );
}

function Counters() {
    const status = useSelect(() => ui.shown.status); // comes every five seconds
    if (status === null) return null;
    const { budget, training } = status;
    return (
        <Panel class="counters" title="Counters">
            <dl class="pairs">
                <dt>Points seen</dt>
                <dd class="num">{count(status.points)}</dd>
                <dt>Anomalies</dt>
                <dd class="num">{count(status.anomalies)}</dd>
                <dt>Alerts</dt>
                <dd class="num">{count(status.alerts)}</dd>
                <dt>Alert budget</dt>
                <dd class="num">{number(budget.per_week)} a week</dd>
                <dt>Achieved rate</dt>
                <dd class="num">
                    {budget.achieved_per_week === null
                        ? "too early to say"
                        : `${number(budget.achieved_per_week)} a week`}
                </dd>
                <dt>Threshold</dt>
                <dd class="num">
                    <Threshold surprise={budget.threshold} interval={status.interval} />
                </dd>
                <dt>Last training</dt>
                <dd class="num">
                    {training.last ? ago(training.last, now()) : "not yet"}
                </dd>
                <dt>Next training</dt>
                <dd class="num">{training.next ? ago(training.next, now()) : "–"}</dd>
                <dt>Rows learned from</dt>
                <dd class="num">{count(training.rows)}</dd>
                <dt>Rows kept out</dt>
                <dd class="num">{count(training.quarantined)}</dd>
                <dt>vedette up</dt>
                <dd class="num">{span(now() - status.started)}</dd>
            </dl>
        </Panel>
    );
}

/** The threshold is a surprise, -log10 of a probability: how rarely a sample of the usual
 * is that odd. */
function Threshold(props: { surprise: number | null; interval: number }) {
    if (props.surprise === null) return <>–</>;
    const ticks = 10 ** props.surprise;
    return (
        <span
            title={`1 in ${count(ticks)} samples: what is usual is that odd by chance so rarely`}
        >
            once in {roughSpan(ticks * props.interval)}
        </span>
    );
}
