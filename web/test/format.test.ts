import assert from "node:assert/strict";
import { test } from "node:test";
import * as f from "../src/format.ts";

test("numbers keep about three digits", () => {
    assert.equal(f.number(0), "0");
    assert.equal(f.number(0.0042), "0.004");
    assert.equal(f.number(1.256), "1.26");
    assert.equal(f.number(12.34), "12.3");
    assert.equal(f.number(12500), "12,500");
    assert.equal(f.number(2.5e9), "2.50 G");
    assert.equal(f.number(-3), "−3.00");
});

test("absent is a dash, whichever way it is absent", () => {
    for (const value of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY]) {
        assert.equal(f.number(value), f.ABSENT);
        assert.equal(f.withUnit(value, "%"), f.ABSENT);
        assert.equal(f.micros(value), f.ABSENT);
        assert.equal(f.clock(value), f.ABSENT);
    }
});

test("quantities move to the unit that reads well", () => {
    assert.deepEqual(f.quantity(0.05, "MB/s"), ["50.0", "kB/s"]);
    assert.deepEqual(f.quantity(1500, "MB"), ["1.50", "GB"]);
    assert.deepEqual(f.quantity(3200, "MHz"), ["3.20", "GHz"]);
    assert.deepEqual(f.quantity(61.25, "C"), ["61.3", "°C"]);
    assert.deepEqual(f.quantity(100, "%"), ["100", "%"]);
});

test("a rounded minus zero is zero", () => {
    assert.equal(f.fixed(-0.001, 2), "0.00");
});

test("spans use two units and skip the empty one", () => {
    assert.equal(f.span(0.05), "50 ms");
    assert.equal(f.span(1), "1 s");
    assert.equal(f.span(65), "1 min 5 s");
    assert.equal(f.span(3600), "1 h");
    assert.equal(f.span(90061), "1 d 1 h");
    assert.equal(f.span(59.7), "1 min");
    assert.equal(f.span(null), f.ABSENT);
});

test("ago looks both ways", () => {
    assert.equal(f.ago(100, 100.4), "now");
    assert.equal(f.ago(40, 100), "60 s ago");
    assert.equal(f.ago(400, 100), "in 5 min");
});

test("a process name stays on its line and hides nothing", () => {
    assert.equal(f.processName("a\nb\tc"), "a\u240ab\u2409c");
    assert.equal(f.processName("evil\u202egpj.exe"), "evil\ufffdgpj.exe");
    assert.equal(f.processName("<img src=x>"), "<img src=x>");
    assert.equal(f.processName(""), "(no name)");
    assert.equal(f.processName("naïve 日本"), "naïve 日本");
});

test("numbers on an axis are short", () => {
    assert.equal(f.axisNumber(0), "0");
    assert.equal(f.axisNumber(0.04), "0.04");
    assert.equal(f.axisNumber(0.30000000000000004), "0.3");
    assert.equal(f.axisNumber(2500), "2500");
    assert.equal(f.axisNumber(100_000), "100 k");
    assert.equal(f.axisNumber(-2_500_000), "−2.5 M");
});
