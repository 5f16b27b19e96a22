import assert from "node:assert/strict";
import { test } from "node:test";
import type { Process } from "../src/contract.ts";
import { changeProcesses, Known } from "../src/processes.ts";

const one = { pid: 1, name: "init", cpu_percent: 0, rss_mb: 9 } as Process;
const two = { pid: 2, name: "sh", cpu_percent: 5, rss_mb: 1 } as Process;
const none = { type: "process_changes" as const, t: 0, gone: [], changed: [] };

test("nothing changed: the same objects", () => {
    assert.deepEqual(changeProcesses([one, two], none), [one, two]);
    assert.equal(changeProcesses([one, two], none)[1], two);
});

test("a field changes, the others stay; null is a value", () => {
    const changed = [{ pid: 2, cpu_percent: null }];
    const after = changeProcesses([one, two], { ...none, changed });
    assert.deepEqual(after[1], { ...two, cpu_percent: null });
    assert.equal(two.cpu_percent, 5);
    assert.equal(after[0], one);
});

test("processes end, begin, and a pid is given again", () => {
    const three = { pid: 3, name: "cc", cpu_percent: 90, rss_mb: 80 } as Process;
    const again = { ...two, name: "other", rss_mb: 2 };
    const after = changeProcesses([one, two], { ...none, gone: [1], changed: [again, three] });
    assert.deepEqual(after, [again, three]);
});

test("a process that was told of by name is known by its number", () => {
    const known = new Known();
    known.learn([{ pid: 7, name: "cc1", command: "cc1 a.c", cpu_percent: 90 }]);
    const [later, ...others] = known.learn([
        { pid: 7, cpu_percent: 50 },
        { pid: 8, cpu_percent: 1 },
    ]);
    assert.equal(later!.command, "cc1 a.c");
    assert.equal(later!.cpu_percent, 50);
    assert.deepEqual(others, []);
    for (let pid = 100; pid < 1000; pid++) known.learn([{ pid, name: "x" }]);
    assert.deepEqual(known.learn([{ pid: 7, cpu_percent: 1 }]), []);
    assert.equal(known.learn([{ pid: 999, cpu_percent: 1 }]).length, 1);
});
