import assert from "node:assert/strict";
import { test } from "node:test";
import { Ring } from "../src/ring.ts";

function filled(rows: number, capacity: number): Ring {
    const ring = new Ring(capacity);
    for (let t = 1; t <= rows; t++) ring.push(t, ["a"], [t * 10]);
    return ring;
}

test("an empty ring has no first and no last", () => {
    const ring = new Ring(4);
    assert.equal(ring.length, 0);
    assert.ok(Number.isNaN(ring.first));
    assert.deepEqual(ring.tail("a", 3), []);
});

test("old rows make room for new ones", () => {
    const ring = filled(10, 4);
    assert.equal(ring.length, 4);
    assert.equal(ring.first, 7);
    assert.equal(ring.last, 10);
    assert.deepEqual(ring.tail("a", 9), [70, 80, 90, 100]);
    assert.deepEqual(ring.tail("a", 2), [90, 100]);
    assert.deepEqual(ring.tail("a", 2, 9), [80, 90]);
});

test("time never runs backwards", () => {
    const ring = filled(3, 8);
    assert.equal(ring.push(2, ["a"], [0]), false);
    assert.equal(ring.push(3, ["a"], [0]), false);
    assert.equal(ring.length, 3);
    assert.equal(ring.push(Number.NaN, ["a"], [0]), false);
});

test("read gives the rows after from and up to to, also across the seam", () => {
    const ring = filled(10, 4);
    const out: (number | null)[][] = [[], []];
    ring.read(["a"], 8, 9.5, out);
    assert.deepEqual(out, [[9], [90]]);
});

test("a series that came late or fell silent is null where it was not", () => {
    const ring = new Ring(8);
    ring.push(1, ["a"], [1]);
    ring.push(2, ["a", "b"], [2, 20]);
    ring.push(3, ["b"], [null]);
    const out: (number | null)[][] = [[], [], [], []];
    ring.read(["a", "b", "never"], 0, 9, out);
    assert.deepEqual(out, [
        [1, 2, 3],
        [1, 2, null],
        [null, 20, null],
        [null, null, null],
    ]);
});

test("a reused slot does not show what was there before", () => {
    const ring = new Ring(2);
    ring.push(1, ["a"], [1]);
    ring.push(2, ["a"], [2]);
    ring.push(3, [], []);
    assert.deepEqual(ring.tail("a", 2), [2, null]);
});

test("series that are gone for good are forgotten, others keep their past", () => {
    const ring = new Ring(4);
    ring.push(1, [ "a", "b" ], [ 1, 2 ]);
    ring.keep(new Set([ "b", "c" ]));
    assert.deepEqual(ring.tail("a", 4), []);
    assert.deepEqual(ring.tail("b", 4), [ 2 ]);
    ring.push(2, [ "c" ], [ 3 ]);
    assert.deepEqual(ring.tail("c", 4), [ null, 3 ]);
});

test("a series is here since it is followed, and anew after it was let go", () => {
    const ring = new Ring(8);
    ring.push(1, ["a"], [1]);
    ring.push(2, ["a", "b"], [1, 2]);
    assert.equal(ring.since(["a"]), 1);
    assert.equal(ring.since(["a", "b"]), 2);
    assert.equal(ring.since(["c"]), Number.POSITIVE_INFINITY);
    ring.keep(new Set(["b"]));
    ring.push(3, ["a", "b"], [5, 6]);
    assert.equal(ring.since(["a"]), 3);
    assert.deepEqual(ring.tail("a", 3), [null, null, 5]);
});
