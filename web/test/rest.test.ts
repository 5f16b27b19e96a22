import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff } from "../src/backoff.ts";
import type { Event, Metric } from "../src/contract.ts";
import { groupsOf, rolesOf, titleOfMetric } from "../src/roles.ts";
import { runs } from "../src/view-needs.ts";
import { addressOf, parseRoute, routeTo, zoomOf } from "../src/route.ts";
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

test("addresses survive odd names, and unknown ones are told apart", () => {
    const name = "disk_busy_percent{/dev/a b%}";
    const route = parseRoute(routeTo("metrics", name));
    assert.deepEqual([route.tab, route.rest], ["metrics", [name]]);
    assert.equal(parseRoute("#/nonsense").tab, null);
    assert.equal(parseRoute("#/events/abc").tab, null);
    assert.equal(parseRoute("#/overview/more").tab, null);
    assert.equal(parseRoute("").tab, "overview");
    assert.equal(parseRoute("#/events/17").rest[0], "17");
    assert.deepEqual(parseRoute("#/metrics/%E0%A4%A").rest, ["%E0%A4%A"]);
});

test("what is chosen is kept in the address and taken out when it is empty", () => {
    const route = parseRoute("#/events?kind=rule&q=a%26b");
    assert.equal(route.query.get("q"), "a&b");
    const changed = addressOf(route, { kind: null, alerted: "1", q: "" });
    assert.equal(changed, "#/events?alerted=1");
    assert.equal(addressOf(parseRoute(changed), { alerted: null }), "#/events");
    assert.equal(
        addressOf(parseRoute("#/metrics/a%2Fb"), { range: "60" }),
        "#/metrics/a%2Fb?range=60",
    );
});

test("a zoom is taken from an address only where it makes sense", () => {
    const zoom = (text: string) => zoomOf(new URLSearchParams(text));
    assert.deepEqual(zoom("from=10&to=20.5"), { from: 10, to: 20.5 });
    for (const bad of ["", "from=10", "from=20&to=10", "from=a&to=b", "from=-5&to=5"]) {
        assert.equal(zoom(bad), null, bad);
    }
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
        group: "cpu",
    };
}

test("a machine without sensors has no temperature, and cores are counted as people do", () => {
    const roles = rolesOf([
        metric("cpu_percent"),
        metric("cpu_core_percent", "10"),
        metric("cpu_core_percent", "2"),
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
    const memory = { ...metric("cpu_memory"), group: "memory" };
    assert.equal(groupsOf([metric("load_1"), memory])[1]![0], "Memory");
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

test("a group that the page does not know is its own heading", () => {
    const [name] = groupsOf([{ ...metric("zebra"), group: "stripes" }])[0]!;
    assert.equal(name, "Stripes");
});

test("the title of a metric is what it is, not what it is called", () => {
    const memory = { ...metric("cpu_memory"), help: "Memory in use: what is not free." };
    assert.equal(titleOfMetric(memory), "Memory in use");
    const disk = { ...metric("disk_read_mb", "sda"), help: "Data read from disks." };
    assert.equal(titleOfMetric(disk), "Data read from disks · sda");
    assert.equal(titleOfMetric(metric("zebra")), "zebra");
});

test("what views need is said in runs of indices", () => {
    assert.deepEqual(runs([]), []);
    assert.deepEqual(runs([true, false, true, true, true]), [0, [2, 4]]);
    assert.deepEqual(runs([false, true]), [1]);
});

test("the parts of the overview are known by exact names", () => {
    const names = ["pressure_io_percent", "pressure_io_full_percent", "pressure_cpu_percent", "load1"];
    const roles = rolesOf(names.map((name) => metric(name, "")));
    assert.deepEqual(
        roles.pressure.map((m) => m.name),
        ["pressure_cpu_percent", "pressure_io_percent"],
    );
    assert.equal(roles.load, null);
});
