import assert from "node:assert/strict";
import { test } from "node:test";
import type { History } from "../src/contract.ts";
import { Ring } from "../src/ring.ts";
import { bin, compose, extent, medianStep, sustain, thin } from "../src/series.ts";

function block(t: number[], mean: (number | null)[]): History {
    return { from: t[0]!, to: t[t.length - 1]!, step: 1, t, series: { a: { mean } } };
}

test("history first, then what the ring has after it, no row twice", () => {
    const ring = new Ring(8);
    for (const t of [3, 4, 5]) ring.push(t, ["a"], [t]);
    const got = compose(["a"], block([1, 2, 3], [1, 2, 3]), ring, { from: 1, to: 9 });
    assert.deepEqual(got, [
        [1, 2, 3, 4, 5],
        [1, 2, 3, 4, 5],
    ]);
});

test("the ring alone where it reaches back far enough", () => {
    const ring = new Ring(8);
    for (const t of [1, 2, 3]) ring.push(t, ["a"], [t]);
    const got = compose(["a"], block([1, 2, 3], [9, 9, 9]), ring, { from: 1, to: 9 });
    assert.deepEqual(got[1], [2, 3]);
});

test("the window cuts both ends and an unknown series is all null", () => {
    const got = compose(["a", "z"], block([1, 2, 3, 4], [1, 2, 3, 4]), new Ring(2), {
        from: 2,
        to: 3,
    });
    assert.deepEqual(got, [
        [2, 3],
        [2, 3],
        [null, null],
    ]);
});

test("no line is drawn over a time that nobody saw", () => {
    const got = compose(
        ["a"],
        block([1, 2, 3, 4, 60, 61, 62, 63], [1, 1, 1, 1, 2, 2, 2, 2]),
        new Ring(2),
        { from: 0, to: 99 },
    );
    assert.deepEqual(got[0], [1, 2, 3, 4, 5, 60, 61, 62, 63]);
    assert.equal(got[1]![4], null);
});

test("median step", () => {
    assert.equal(medianStep([0, 2, 4, 6, 50]), 2);
    assert.ok(Number.isNaN(medianStep([1, 2])));
});

test("extent leaves out what is absent", () => {
    assert.deepEqual(
        extent([
            [null, 3],
            [1, null],
        ]),
        [1, 3],
    );
    assert.equal(extent([[null]]), null);
});

test("bins hold means, empty ones null, the right edge the last", () => {
    assert.deepEqual(bin([0, 1, 2, 10], [1, 3, null, 7], { from: 0, to: 10 }, 5), [
        2,
        null,
        null,
        null,
        7,
    ]);
});

test("thinning keeps peaks and gaps", () => {
    assert.deepEqual(thin([1, 9, 2, 3, null, null], 3), [9, 3, null]);
    assert.deepEqual(thin([1, 2], 5), [1, 2]);
});

test("cells of the store's grid where nothing fell leave room for the ring", () => {
    const ring = new Ring(8);
    for (const t of [2.2, 3.2, 4.2]) ring.push(t, ["a"], [t]);
    const grid = block([0, 1, 2, 3, 4], [0, null, 2, null, null]);
    const got = compose(["a"], grid, ring, { from: 0, to: 9 });
    assert.deepEqual(got[0], [0, 2, 2.2, 3.2, 4.2]);
});

test("one odd sample decides nothing, three of five seconds do", () => {
    const time = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    const single = [1, 1, 1, -1, 1, 1, 1, 1, 1];
    assert.deepEqual(sustain(time, single).slice(2), [1, 1, 1, 1, 1, 1, 1]);
    const held = [1, 1, 1, -1, -0.5, -0.8, 1, 1, 1];
    assert.equal(sustain(time, held)[4], 1);
    assert.equal(sustain(time, held)[5], -0.5);
    assert.equal(sustain(time, held)[8], 1);
    assert.equal(sustain(time, [...held.slice(0, 8), null])[8], null);
});

test("rows that stand for five seconds or more are taken as they are", () => {
    assert.deepEqual(sustain([0, 60, 120, 180], [1, -1, 1, 1]), [1, -1, 1, 1]);
});
