// Names of users by their number, asked for once; a user without a name is a number.

import { useEffect, useReducer } from "preact/hooks";
import * as api from "./api.ts";

let names: Record<string, string> = {};
let asked = false;

export function userName(uid: number): string {
    return names[String(uid)] ?? String(uid);
}

/** Asks for the names, and draws again when they are there. */
export function useUsers(): void {
    const [, redraw] = useReducer((n: number, _: undefined) => n + 1, 0);
    useEffect(() => {
        if (asked) return;
        asked = true;
        api.users()
            .then((answer) => {
                names = answer;
                redraw(undefined);
            })
            .catch(() => {
                asked = false; // the next table asks again
            });
    }, []);
}
