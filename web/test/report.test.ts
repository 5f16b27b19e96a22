import assert from "node:assert/strict";
import test from "node:test";
import { type PackedEvent, type Report, View } from "../src/report/data.ts";

function event(first: number, last: number, score: number): PackedEvent {
    return [
        first,
        last,
        100 + first,
        100 + last,
        1,
        first,
        100 + first,
        score,
        "spike",
        "",
        [],
    ];
}

function report(events: PackedEvent[], timed = true): Report {
    const row = Array.from({ length: 100 }, (_, i) => i * 10);
    return {
        rows: 1000,
        first: 100,
        last: 1099,
        metrics: [],
        buckets: {
            row,
            t: row.map((i) => (timed ? 100 + i : null)),
            score: row.map(() => 0.5),
            anomalies: row.map((_, i) => (i % 10 === 3 ? 1 : 0)),
        },
        events,
    } as unknown as Report;
}

test("a table with times is drawn along them, one without along its rows", () => {
    const timed = new View(report([event(10, 12, -0.4)]));
    assert.deepEqual(timed.all, { from: 100, to: 1099 });
    assert.equal(timed.events[0]!.from, 110);
    const rows = new View(report([event(10, 12, -0.4)], false));
    assert.deepEqual(rows.all, { from: 0, to: 999 });
    assert.equal(rows.events[0]!.from, 10);
});

test("events less than a bucket apart are one mark, as bad as the worst of them", () => {
    const view = new View(
        report([
            event(10, 12, -0.1),
            event(15, 30, -0.9),
            event(16, 18, -0.4),
            event(500, 501, -0.4),
        ]),
    );
    assert.deepEqual(view.marks(), [
        { start: 110, end: 130, severity: "critical" },
        { start: 600, end: 601, severity: "medium" },
    ]);
    assert.equal(view.events.length, 4);
});

test("a red dot is on the side that is farther from what is expected", () => {
    const view = new View(report([]));
    const all = (value: number | null) => view.x.map(() => value);
    const metric = {
        name: "m",
        unit: "",
        note: "",
        expected: 10,
        low: all(1),
        high: all(12),
    };
    const [, , , dots] = view.columnsOf(metric);
    assert.equal(dots![3], 1);
    assert.equal(dots![4], null);
    assert.equal(view.columnsOf({ ...metric, high: all(50) })[3]![3], 50);
    assert.equal(view.columnsOf({ ...metric, low: all(null) })[3]![3], null);
});

test("an event is shown with room around it, within the table", () => {
    const view = new View(report([event(0, 5, -0.4), event(500, 600, -0.4)]));
    const [first, second] = view.events;
    assert.equal(view.around(first!).from, 100);
    assert.ok(view.around(second!).from < 500 && view.around(second!).to > 800);
});

test("a table of one row has a chart that is not empty", () => {
    const one = report([]);
    one.rows = 1;
    one.buckets = { row: [0], t: [100], score: [0], anomalies: [0] };
    one.last = 100;
    assert.deepEqual(new View(one).all, { from: 100, to: 101 });
});

test("no line goes over rows that are missing", () => {
    const data = report([]);
    data.buckets.t = data.buckets.t.map((t, i) => (i < 50 ? t! : t! + 500));
    const view = new View(data);
    const [time, score] = view.score();
    assert.equal(time!.length, 101);
    assert.equal(score![50], null);
    const metric = { name: "m", unit: "", note: "", expected: 0, low: view.x, high: view.x };
    assert.equal(view.columnsOf(metric)[1]![50], null);
});
