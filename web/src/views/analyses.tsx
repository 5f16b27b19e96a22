// Tables that were recorded elsewhere: sent here, analysed, and listed with what was found.

import { useEffect, useRef, useState } from "preact/hooks";
import * as api from "../api.ts";
import type { Analysis } from "../contract.ts";
import { count, fixed, megabytes, moment, processName } from "../format.ts";
import { Icon } from "../icons.tsx";
import { Empty, Panel, Scroll, Tag } from "../parts.tsx";
import { routeTo } from "../route.ts";
import { now } from "../store.ts";
import { send, type Upload, useUploads } from "../uploads.ts";

const LOOK_MS = 700; // while one is being analysed

export function Analyses() {
    const list = useList();
    if (list.answer?.upload_max === 0) {
        return (
            <Panel>
                <Empty title="No tables are taken here">
                    The monitor keeps nothing (--no-store), or --upload-max is off.
                </Empty>
            </Panel>
        );
    }
    return (
        <div class="stack">
            <Sender most={list.answer?.upload_max ?? 0} onSent={list.look} />
            <Panel
                title="Analyses"
                aside={
                    list.answer && (
                        <span class="num">
                            {bytes(list.answer.disk.used)} of {bytes(list.answer.disk.max)};
                            the oldest leave first
                        </span>
                    )
                }
            >
                {list.problem !== "" && (
                    <p class="problem" role="alert">
                        The list could not be asked for: {list.problem}
                    </p>
                )}
                {list.answer !== null &&
                    (list.answer.analyses.length === 0 ? (
                        <Empty title="None yet">
                            Analyses of uploaded tables are kept here.
                        </Empty>
                    ) : (
                        <Table analyses={list.answer.analyses} onChange={list.look} />
                    ))}
            </Panel>
        </div>
    );
}

/** The list, asked for again while something in it goes on. */
function useList() {
    const [answer, setAnswer] = useState<api.AnalysisList | null>(null);
    const [problem, setProblem] = useState("");
    const [round, setRound] = useState(0);
    const look = () => setRound((n) => n + 1);
    useEffect(() => {
        const stop = new AbortController();
        let timer = 0;
        api.analyses(stop.signal)
            .then((list) => {
                setAnswer(list);
                setProblem("");
                if (list.analyses.some(isUnderWay)) timer = window.setTimeout(look, LOOK_MS);
            })
            .catch((error: Error) => {
                if (stop.signal.aborted) return;
                setProblem(error.message);
                timer = window.setTimeout(look, 5 * LOOK_MS);
            });
        return () => {
            stop.abort();
            clearTimeout(timer);
        };
    }, [round]);
    return { answer, problem, look };
}

export function isUnderWay(analysis: Analysis): boolean {
    return analysis.state === "waiting" || analysis.state === "running";
}

export function bytes(size: number): string {
    return size < 1000 ? `${size} B` : megabytes(size / 1e6);
}

/* ---- sending ---- */

const DETECTORS: [string, string][] = [
    ["", "chosen by the table"],
    ["ordered", "ordered: rows in time"],
    ["ensemble", "ensemble"],
    ["isolation_forest", "isolation forest"],
    ["mahalanobis", "Mahalanobis distance"],
    ["lof", "local outlier factor"],
    ["pca", "PCA"],
];

function Sender(props: { most: number; onSent: () => void }) {
    const [over, setOver] = useState(false);
    const [share, setShare] = useState("");
    const [detector, setDetector] = useState("");
    const [raw, setRaw] = useState(false);
    const picker = useRef<HTMLInputElement>(null);
    const uploads = useUploads();
    const take = (files: FileList | null) => {
        if (files === null || files.length === 0) return;
        const settings: Record<string, string> = {};
        if (share !== "") settings["contamination"] = String(Number(share) / 100);
        if (detector !== "") settings["detector"] = detector;
        if (raw) settings["counters"] = "raw";
        send(files, settings, props.most, (id, _, alone) => {
            props.onSent();
            if (alone && location.hash === routeTo("analyses")) {
                location.hash = routeTo("analyses", id);
            }
        });
    };
    return (
        <Panel title="Upload a table">
            <div
                class={over ? "drop over" : "drop"}
                onDragOver={(e) => {
                    e.preventDefault();
                    setOver(true);
                }}
                onDragLeave={() => setOver(false)}
                onDrop={(e) => {
                    e.preventDefault();
                    setOver(false);
                    take(e.dataTransfer?.files ?? null);
                }}
            >
                <p>
                    <button
                        type="button"
                        class="tool"
                        disabled={props.most === 0}
                        onClick={() => picker.current?.click()}
                    >
                        <Icon name="upload" />
                        <span>Choose files</span>
                    </button>{" "}
                    or drop them here
                </p>
                <p class="dim">
                    CSV in any form, text of prmon, packed with gzip or not; up to{" "}
                    {bytes(props.most)}. They stay on this machine.
                </p>
                <input
                    ref={picker}
                    class="hidden"
                    type="file"
                    multiple
                    tabIndex={-1}
                    aria-label="Tables to upload"
                    onChange={(e) => {
                        take(e.currentTarget.files);
                        e.currentTarget.value = "";
                    }}
                />
            </div>
            <div class="upload-settings">
                <label>
                    Rows to flag
                    <select
                        value={share}
                        onChange={(e) => setShare(e.currentTarget.value)}
                    >
                        <option value="">what is out of the ordinary</option>
                        {["0.1", "1", "2", "5", "10"].map((percent) => (
                            <option key={percent} value={percent}>
                                {percent} % of them
                            </option>
                        ))}
                    </select>
                </label>
                <label>
                    Detector
                    <select
                        value={detector}
                        onChange={(e) => setDetector(e.currentTarget.value)}
                    >
                        {DETECTORS.map(([value, text]) => (
                            <option key={value} value={value}>
                                {text}
                            </option>
                        ))}
                    </select>
                </label>
                <label class="check">
                    <input
                        type="checkbox"
                        checked={raw}
                        onChange={(e) => setRaw(e.currentTarget.checked)}
                    />
                    prmon's counters as they are, not as rates
                </label>
            </div>
            {uploads.length > 0 && (
                <ul class="uploads" aria-label="Uploads">
                    {uploads.map((upload) => (
                        <UploadRow key={upload.key} upload={upload} />
                    ))}
                </ul>
            )}
        </Panel>
    );
}

function UploadRow(props: { upload: Upload }) {
    const { upload } = props;
    const { file, sent, state } = upload;
    return (
        <li class={state === "failed" ? "failed" : undefined}>
            <span class="upload-name">{processName(file.name)}</span>
            <span class="dim num">
                {state === "failed"
                    ? upload.problem
                    : state === "waiting"
                      ? "waits"
                      : `${bytes(sent)} of ${bytes(file.size)}`}
            </span>
            <button type="button" class="tool" onClick={upload.abort}>
                {state === "failed" ? "Dismiss" : "Cancel"}
                <span class="hidden"> {file.name}</span>
            </button>
            {state !== "failed" && (
                <progress max={file.size} value={sent} aria-label={`Sending ${file.name}`} />
            )}
        </li>
    );
}

/* ---- the list ---- */

function Table(props: { analyses: Analysis[]; onChange: () => void }) {
    return (
        <Scroll label="Table of analyses">
            <table class="analyses">
                <thead>
                    <tr>
                        <th scope="col">File</th>
                        <th scope="col">Uploaded</th>
                        <th scope="col" class="right">
                            Rows
                        </th>
                        <th scope="col" class="right">
                            Anomalies
                        </th>
                        <th scope="col" class="right">
                            Rate
                        </th>
                        <th scope="col" class="right">
                            Events
                        </th>
                        <th scope="col">Settings</th>
                        <th scope="col">
                            <span class="hidden">What can be done</span>
                        </th>
                    </tr>
                </thead>
                <tbody>
                    {props.analyses.map((analysis) => (
                        <Line
                            key={analysis.id}
                            analysis={analysis}
                            onChange={props.onChange}
                        />
                    ))}
                </tbody>
            </table>
        </Scroll>
    );
}

function Line(props: { analysis: Analysis; onChange: () => void }) {
    const { analysis } = props;
    const { summary } = analysis;
    const remove = () => {
        void api.removeAnalysis(analysis.id).catch(() => {}).then(props.onChange);
    };
    return (
        <tr>
            <td>
                <a class="file" href={routeTo("analyses", analysis.id)}>
                    {processName(analysis.name)}
                </a>{" "}
                <span class="dim num">{bytes(analysis.size)}</span>
            </td>
            <td class="num">{moment(analysis.uploaded, now())}</td>
            {summary === undefined ? (
                <td class="num" colSpan={4}>
                    <State analysis={analysis} />
                </td>
            ) : (
                <>
                    <td class="num right">{count(summary.rows)}</td>
                    <td class="num right">{count(summary.anomalies)}</td>
                    <td class="num right">{rate(summary)}</td>
                    <td class="num right">{count(summary.events)}</td>
                </>
            )}
            <td class="dim">{settingsText(analysis)}</td>
            <td class="right">
                <button type="button" class="tool" onClick={remove}>
                    {isUnderWay(analysis) ? "Cancel" : "Delete"}
                    <span class="hidden"> {analysis.name}</span>
                </button>
            </td>
        </tr>
    );
}

export function rate(summary: { rows: number; anomalies: number }): string {
    if (summary.rows === 0) return "–";
    return `${fixed((100 * summary.anomalies) / summary.rows, 2)} %`;
}

/** How far it is, or why it came to nothing. */
export function State(props: { analysis: Analysis }) {
    const { analysis } = props;
    if (analysis.state === "failed") {
        return (
            <span class="failed">
                <Tag class="failed">failed</Tag> {analysis.error?.message}
                {analysis.error?.hint ? ` (${analysis.error.hint})` : ""}
            </span>
        );
    }
    if (analysis.state === "waiting") return <>waits for its turn</>;
    const done = analysis.progress ?? 0;
    return (
        <span class="under-way" role="status">
            <progress max={1} value={done} aria-label={`Analysing ${analysis.name}`} />
            {Math.round(100 * done)} %, {count(analysis.rows)} rows
        </span>
    );
}

export function settingsText(analysis: Analysis): string {
    const { settings } = analysis;
    const parts = [
        settings.detector ?? "",
        settings.contamination === null
            ? ""
            : `${Number((100 * settings.contamination).toPrecision(4))} % of the rows`,
        settings.counters === "raw" ? "raw counters" : "",
    ].filter(Boolean);
    return parts.length === 0 ? "as it comes" : parts.join(", ");
}
