// The tables that are being sent. They go on while another view is open.

import { useEffect, useReducer } from "preact/hooks";
import * as api from "./api.ts";

const AT_ONCE = 3; // as many as the server takes

export interface Upload {
    key: number;
    file: File;
    settings: Record<string, string>;
    sent: number;
    state: "waiting" | "sending" | "failed";
    problem: string;
    abort: () => void;
}

let uploads: readonly Upload[] = [];
let nextKey = 1;
const listeners = new Set<() => void>();

function change(key: number, to: Partial<Upload> | null): void {
    uploads = uploads.flatMap((u) =>
        u.key !== key ? [u] : to === null ? [] : [{ ...u, ...to }],
    );
    for (const listener of [...listeners]) listener();
}

/** Sends the tables, a few at a time. What is too large is not even begun. */
export function send(
    files: Iterable<File>,
    settings: Record<string, string>,
    most: number,
    onDone: (id: string, known: boolean, alone: boolean) => void,
): void {
    const list = [...files];
    for (const file of list) {
        const key = nextKey++;
        const tooLarge = file.size > most;
        uploads = [
            {
                key,
                file,
                settings,
                sent: 0,
                state: tooLarge || file.size === 0 ? "failed" : "waiting",
                problem: tooLarge
                    ? "larger than this monitor takes"
                    : file.size === 0
                      ? "the file is empty"
                      : "",
                abort: () => change(key, null),
            },
            ...uploads,
        ];
    }
    begin(onDone, list.length === 1);
    for (const listener of [...listeners]) listener();
}

function begin(onDone: (id: string, known: boolean, alone: boolean) => void, alone: boolean) {
    const sending = uploads.filter((u) => u.state === "sending").length;
    const next = [...uploads].reverse().find((u) => u.state === "waiting");
    if (next === undefined || sending >= AT_ONCE) return;
    const { key, file, settings } = next;
    const { answer, abort } = api.upload(file, settings, (sent) => change(key, { sent }));
    change(key, { state: "sending", abort });
    answer
        .then(({ analysis, known }) => {
            change(key, null);
            onDone(analysis.id, known, alone);
        })
        .catch((error: api.ApiError) => {
            if (error.message === "cancelled") change(key, null);
            else {
                change(key, {
                    state: "failed",
                    problem: [error.message, error.hint].filter(Boolean).join("; "),
                    abort: () => change(key, null),
                });
            }
        })
        .finally(() => begin(onDone, false));
    begin(onDone, false);
}

export function useUploads(): readonly Upload[] {
    const [, redraw] = useReducer((n: number, _: undefined) => n + 1, 0);
    useEffect(() => {
        const listener = () => redraw(undefined);
        listeners.add(listener);
        return () => {
            listeners.delete(listener);
        };
    }, []);
    return uploads;
}
