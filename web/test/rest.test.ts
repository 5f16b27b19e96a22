import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff } from "../src/backoff.ts";
import type { Event, Metric } from "../src/contract.ts";
import { groupsOf, rolesOf } from "../src/roles.ts";
import { parseRoute, routeTo } from "../src/route.ts";
import { levelOf, mergeEvent, severityOf, worstOpen } from "../src/severity.ts";

test("severity follows the score", () => {
    assert.equal(severityOf(null), "normal");
    assert.equal(severityOf(0.2), "normal");
    assert.equal(severityOf(0), "normal");
    assert.equal(severityOf(-0.1), "low");
    assert.equal(severityOf(-0.31), "medium");
    assert.equal(severityOf(-0.6), "high");
    assert.equal(severityOf(-0.71), "critical");
});

test("levels", () => {
    assert.equal(levelOf(null, 1, 2), "none");
    assert.equal(levelOf(0.5, 1, 2), "good");
    assert.equal(levelOf(1, 1, 2), "warn");
    assert.equal(levelOf(2, 1, 2), "bad");
});

function event(id: number, reason = ""): Event {
    return { id, reason, start: id, end: null } as Event;
}

test("events stay newest first, once each, and bounded", () => {
    let list: Event[] = [];
    for (const id of [1, 3, 2]) list = mergeEvent(list, event(id), 3);
    assert.deepEqual(
        list.map((e) => e.id),
        [3, 2, 1],
    );
    list = mergeEvent(list, event(2, "changed"), 3);
    assert.equal(list[1]!.reason, "changed");
    list = mergeEvent(list, event(9), 3);
    assert.deepEqual(
        list.map((e) => e.id),
        [9, 3, 2],
    );
});

test("routes survive odd names and unknown views", () => {
    assert.deepEqual(parseRoute(""), { tab: "overview", rest: [] });
    assert.deepEqual(parseRoute("#/nonsense/1"), { tab: "overview", rest: [] });
    const name = "disk_busy_percent{/mnt/a b%}";
    assert.deepEqual(parseRoute(routeTo("metrics", name)), {
        tab: "metrics",
        rest: [name],
    });
    assert.deepEqual(parseRoute("#/events/%E0%A4%A"), {
        tab: "events",
        rest: ["%E0%A4%A"],
    });
});

test("waits double and end at ten seconds", () => {
    assert.equal(backoff(0, 0.5), 500);
    assert.equal(backoff(1, 0.5), 1000);
    assert.equal(backoff(50, 0.5), 10_000);
    assert.ok(backoff(3, 0) < backoff(3, 1));
});

function metric(family: string, label = ""): Metric {
    const name = label === "" ? family : `${family}{${label}}`;
    return {
        name,
        family,
        label,
        label_key: null,
        unit: "%",
        help: "",
        core: false,
    };
}

test("a machine without sensors has no temperature, and cores are counted as people do", () => {
    const roles = rolesOf([
        metric("cpu_percent"),
        metric("core_percent", "10"),
        metric("core_percent", "2"),
    ]);
    assert.equal(roles.temperature, null);
    assert.equal(roles.cpu?.name, "cpu_percent");
    assert.deepEqual(
        roles.coreUse.map((m) => m.label),
        ["2", "10"],
    );
});

test("every metric is in exactly one group", () => {
    const metrics = [
        "cpu_percent",
        "cpu_memory",
        "disk_read_mb",
        "gpu_temp",
        "zebra",
    ].map((family) => metric(family));
    const all = groupsOf(metrics).flatMap(([, families]) =>
        families.flatMap((f) => f.members),
    );
    assert.deepEqual(all.map((m) => m.name).sort(), metrics.map((m) => m.name).sort());
    assert.equal(groupsOf([metric("cpu_memory")])[0]![0], "Memory");
    assert.equal(groupsOf([metric("gpu_temp")])[0]![0], "GPU");
});

test("the worst open event speaks for all, the newest of equals", () => {
    const list = [
        { ...event(5), severity: "low" },
        { ...event(4), severity: "high" },
        { ...event(3), severity: "high" },
        { ...event(2), severity: "critical", end: 9 },
    ] as Event[];
    assert.equal(worstOpen(list)!.id, 4);
    assert.equal(worstOpen([{ ...event(1), end: 2 }]), undefined);
});
