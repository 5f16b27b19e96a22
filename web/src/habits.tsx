// What comes and goes by itself, again and again, is a habit of the machine: the events
// that taught it say so, since what is like them will be no event.

import { useEffect, useState } from "preact/hooks";
import * as api from "./api.ts";
import type { Habit } from "./contract.ts";
import { moment } from "./format.ts";
import { now, ui, useSelect } from "./store.ts";

/** The habits by event, asked for with the view and when one is seen again. */
export function useHabits(): ReadonlyMap<number, Habit> {
    const [habits, setHabits] = useState<ReadonlyMap<number, Habit>>(new Map());
    const current = useSelect(() => ui.shown.status?.habit ?? null);
    useEffect(() => {
        const stop = new AbortController();
        api.habits(stop.signal)
            .then((list) => setHabits(new Map(list.map((h) => [h.event, h]))))
            .catch(() => {}); // the view is whole without it
        return () => stop.abort();
    }, [current]);
    return habits;
}

export function HabitNote(props: { habit: Habit | undefined; class: string }) {
    const { habit } = props;
    if (habit === undefined) return null;
    return (
        <p class={`${props.class} num`}>
            A habit since {moment(habit.since, now())}: the like of it came last{" "}
            {moment(habit.seen, now())}, and is no event while it does not grow.
        </p>
    );
}
