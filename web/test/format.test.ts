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

test("times are of the zone that is chosen, in summer too", () => {
    const winter = Date.UTC(2026, 0, 15, 12, 0, 0) / 1000;
    const summer = Date.UTC(2026, 6, 15, 22, 30, 0) / 1000;
    try {
        f.setZone(f.UTC);
        assert.equal(f.clock(winter), "12:00:00");
        assert.equal(f.offsetName(winter), "UTC");
        f.setZone(f.namedZone("Europe/Berlin")!);
        assert.equal(f.clock(winter), "13:00:00");
        assert.equal(f.clock(summer), "00:30:00");
        assert.equal(f.date(summer), "2026-07-16");
        assert.equal(f.offsetName(summer), "UTC+02:00");
        f.setZone(f.namedZone("America/St_Johns")!);
        assert.equal(f.offsetName(winter), "UTC−03:30");
        assert.equal(f.zoned(winter).getHours(), 8);
        assert.equal(f.zoned(winter).getMinutes(), 30);
    } finally {
        f.setZone(f.BROWSER);
    }
    assert.equal(f.namedZone("Nowhere/Land"), null);
});

test("a name that the kernel cut is taken whole from the command", () => {
    const journal = { name: "systemd-journal", command: "/lib/systemd/systemd-journald" };
    assert.equal(f.fullName(journal), "systemd-journald");
    assert.equal(f.fullName({ name: "sh", command: "/bin/shell -c x" }), "sh");
    const thread = { name: "worker-thread-1", command: "/usr/bin/program --x" };
    assert.equal(f.fullName(thread), "worker-thread-1");
});

test("rarity is told in the unit that fits", () => {
    assert.equal(f.roughSpan(4_336_816), "50 days");
    assert.equal(f.roughSpan(1e9), "32 years");
    assert.equal(f.roughSpan(60), "60 seconds");
    assert.equal(f.roughSpan(7200), "2 hours");
});
