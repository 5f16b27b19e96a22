// All processes of the machine, as of the last tick.

import { useEffect } from "preact/hooks";
import type { Process } from "../contract.ts";
import { clock, count, fixed, megabytes, withUnit } from "../format.ts";
import { Icon } from "../icons.tsx";
import { holdProcesses } from "../live.ts";
import { choose, useRoute } from "../navigate.ts";
import { Bar, Empty, Nothing, Panel, ProcessName } from "../parts.tsx";
import { ProcessTable } from "../process-table.tsx";
import { most } from "../sort.ts";
import { ui, useStore } from "../store.ts";
import { useNeeds } from "../view-needs.ts";

const ROWS = 50;

export function Processes() {
    useStore();
    useEffect(holdProcesses, []);
    useNeeds({ metrics: [] });
    const filter = useRoute().query.get("q") ?? "";
    const { processes, processesAt } = ui.shown;
    const heavy = processes?.filter((p) => p.suspicious).length ?? 0;
    return (
        <div class="stack">
            <div class="thirds">
                <Top
                    title="Most CPU"
                    list={processes && most(processes, (p) => p.cpu_percent ?? 0, 5)}
                    of={(p) => p.cpu_percent ?? 0}
                    print={(p) => `${fixed(p.cpu_percent, 1)} %`}
                />
                <Top
                    title="Most memory"
                    list={processes && most(processes, (p) => p.rss_mb ?? 0, 5)}
                    of={(p) => p.rss_mb ?? 0}
                    print={(p) => megabytes(p.rss_mb)}
                />
                <Top
                    title="Most disk I/O"
                    list={processes && most(processes, io, 5)}
                    of={io}
                    print={(p) => withUnit(io(p), "MB/s")}
                />
            </div>
            <Panel
                title="All processes"
                aside={
                    processes === null
                        ? undefined
                        : `${count(processes.length)} at ${clock(processesAt)}${heavy > 0 ? `, ${heavy} heavy` : ""}`
                }
            >
                <label class="search">
                    <Icon name="search" />
                    <span class="hidden">Filter by name, command or number</span>
                    <input
                        type="search"
                        data-filter
                        placeholder="Filter by name, command or number"
                        value={filter}
                        onInput={(e) => choose({ q: e.currentTarget.value }, true)}
                    />
                    <kbd>/</kbd>
                </label>
                {processes === null ? (
                    <Empty title="Waiting for the next tick" />
                ) : (
                    <ProcessTable
                        inAddress
                        processes={processes}
                        filter={filter}
                        limit={ROWS}
                        caption="Table of all processes"
                    />
                )}
            </Panel>
        </div>
    );
}

function io(p: Process): number {
    return (p.read_mb_s ?? 0) + (p.write_mb_s ?? 0);
}

function Top(props: {
    title: string;
    list: Process[] | null;
    of: (p: Process) => number;
    print: (p: Process) => string;
}) {
    const list = props.list ?? [];
    const most = Math.max(...list.map(props.of), 1e-9);
    return (
        <Panel title={props.title}>
            {list.length === 0 ? (
                <Nothing>
                    {props.list === null ? "Waiting for the next tick" : "None at the moment"}
                </Nothing>
            ) : (
                <ol class="top-list">
                    {list.map((p) => (
                        <li key={p.pid}>
                            <span class="top-name">
                                <ProcessName process={p} />
                                <span class="dim num"> {p.pid}</span>
                            </span>
                            <span class="num">{props.print(p)}</span>
                            <Bar share={props.of(p) / most} />
                        </li>
                    ))}
                </ol>
            )}
        </Panel>
    );
}
