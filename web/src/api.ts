// Requests to the JSON API. At most two at a time: the server's connections are bounded,
// and a page of charts must not crowd out others.

import type {
    Analysis,
    AnalysisResult,
    AnalysisRows,
    AnalysisShare,
    Event,
    Feedback,
    Habit,
    History,
    Limit,
} from "./contract.ts";

const AT_ONCE = 2;
const METRICS_PER_REQUEST = 16;

let running = 0;
const waiting: (() => void)[] = [];

async function turn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= AT_ONCE) await new Promise<void>((go) => waiting.push(go));
    running++;
    try {
        return await work();
    } finally {
        running--;
        waiting.shift()?.();
    }
}

export class ApiError extends Error {
    readonly hint: string;
    constructor(message: string, hint = "") {
        super(message);
        this.hint = hint;
    }
}

async function request<T>(path: string, init?: RequestInit): Promise<T> {
    return turn(async () => {
        const answer = await fetch(`api/v1/${path}`, init);
        if (answer.ok) return (await answer.json()) as T;
        const body = (await answer.json().catch(() => null)) as {
            error?: { message?: string; hint?: string };
        } | null;
        throw new ApiError(
            body?.error?.message ?? `the server answered ${answer.status}`,
            body?.error?.hint,
        );
    });
}

/** Series from the store. Long lists are asked for in parts and put together. */
export async function history(
    names: readonly string[],
    from: number,
    to: number,
    points: number,
    signal: AbortSignal,
): Promise<History> {
    const parts: string[][] = [];
    for (let i = 0; i < names.length; i += METRICS_PER_REQUEST) {
        parts.push(names.slice(i, i + METRICS_PER_REQUEST));
    }
    const answers = await Promise.all(
        parts.map((part) => {
            const query = new URLSearchParams(part.map((name) => ["metric", name]));
            query.set("from", from.toFixed(3));
            query.set("to", to.toFixed(3));
            query.set("points", String(Math.round(points)));
            return request<History>(`history?${query}`, { signal });
        }),
    );
    // The parts have the same bounds and step; a row that arrived between two requests is
    // on the right edge and is cut off.
    const rows = Math.min(...answers.map((a) => a.t.length));
    const first = answers[0]!;
    const series: History["series"] = {};
    for (const answer of answers) Object.assign(series, answer.series);
    return { ...first, t: first.t.slice(0, rows), series };
}

export interface EventQuery {
    before?: number;
    limit: number;
    kind?: string;
    alerted?: boolean;
    judged?: boolean;
}

export async function events(query: EventQuery, signal?: AbortSignal): Promise<Event[]> {
    const search = new URLSearchParams({ limit: String(query.limit) });
    if (query.before !== undefined) search.set("before", String(query.before));
    if (query.kind) search.set("kind", query.kind);
    if (query.alerted) search.set("alerted", "1");
    if (query.judged) search.set("judged", "1");
    const answer = await request<Event[] | { events: Event[] }>(`events?${search}`, {
        signal,
    });
    return Array.isArray(answer) ? answer : answer.events;
}

export async function event(id: number, signal?: AbortSignal): Promise<Event> {
    const answer = await request<Event | { event: Event }>(`events/${id}`, { signal });
    return "event" in answer ? answer.event : answer;
}

export async function feedback(id: number, verdict: Feedback): Promise<Event> {
    const answer = await request<Event | { event: Event }>(`events/${id}/feedback`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ feedback: verdict }),
    });
    return "event" in answer ? answer.event : answer;
}

/** What saying that of an event would change: as a sentence, and the events it means. */
export interface Preview {
    preview: string;
    changed: number[];
}

export async function preview(
    id: number,
    verdict: Feedback,
    signal: AbortSignal,
): Promise<Preview> {
    const query = new URLSearchParams({ feedback: verdict });
    return request<Preview>(`events/${id}/preview?${query}`, { signal });
}

/** The users of the machine, by number. */
export async function users(): Promise<Record<string, string>> {
    return (await request<{ users: Record<string, string> }>("users")).users;
}

/** The events that belong to habits. */
export async function habits(signal: AbortSignal): Promise<Habit[]> {
    return request<Habit[]>("habits", { signal });
}

/** The hard limits, and how they stand. */
export async function limits(signal: AbortSignal): Promise<Limit[]> {
    return request<Limit[]>("limits", { signal });
}

/* ---- uploaded tables ---- */

export interface AnalysisList {
    /** Bytes of a table; 0: none is taken. */
    upload_max: number;
    disk: { used: number; max: number };
    analyses: Analysis[];
}

export async function analyses(signal?: AbortSignal): Promise<AnalysisList> {
    return request<AnalysisList>("analyses", { signal });
}

export async function analysis(
    id: string,
    signal: AbortSignal,
): Promise<Analysis & { result?: AnalysisResult }> {
    return request(`analyses/${id}`, { signal });
}

export async function analysisRows(
    id: string,
    query: { from: number; limit: number; odd: boolean; share: number | null },
    signal: AbortSignal,
): Promise<AnalysisRows> {
    const search = new URLSearchParams({
        from: String(query.from),
        limit: String(query.limit),
        odd: query.odd ? "1" : "0",
    });
    if (query.share !== null) search.set("share", String(query.share));
    return request<AnalysisRows>(`analyses/${id}/rows?${search}`, { signal });
}

export async function analysisShare(
    id: string,
    share: number,
    signal: AbortSignal,
): Promise<AnalysisShare> {
    return request<AnalysisShare>(`analyses/${id}/share?share=${share}`, { signal });
}

/** Cancels what is under way, and removes what there is. */
export async function removeAnalysis(id: string): Promise<void> {
    await request(`analyses/${id}`, { method: "DELETE" });
}

/** Sends a table; only this kind of request tells how far it is. */
export function upload(
    file: File,
    settings: Record<string, string>,
    onProgress: (sent: number) => void,
): { answer: Promise<{ analysis: Analysis; known: boolean }>; abort: () => void } {
    const sender = new XMLHttpRequest();
    const query = new URLSearchParams({ name: file.name, ...settings });
    const answer = new Promise<{ analysis: Analysis; known: boolean }>((done, fail) => {
        sender.upload.onprogress = (e) => onProgress(e.loaded);
        sender.onerror = () => fail(new ApiError("the connection was cut"));
        sender.onabort = () => fail(new ApiError("cancelled"));
        sender.onload = () => {
            const body = parsed(sender.responseText);
            if (sender.status === 200 || sender.status === 201) {
                done({ analysis: body as Analysis, known: sender.status === 200 });
            } else {
                const error = (body as { error?: { message: string; hint?: string } } | null)
                    ?.error;
                fail(
                    new ApiError(
                        error?.message ?? `the server answered ${sender.status}`,
                        error?.hint,
                    ),
                );
            }
        };
    });
    sender.open("POST", `api/v1/analyses?${query}`);
    sender.setRequestHeader("Content-Type", "application/octet-stream");
    sender.send(file);
    return { answer, abort: () => sender.abort() };
}

function parsed(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return null;
    }
}
