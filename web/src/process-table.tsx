// A table of processes: sortable, filterable. Used for the live table and for the flight
// recorder. All that comes from processes is text.

import { useState } from "preact/hooks";
import type { Maybe, Process } from "./contract.ts";
import { count, fixed, megabytes, processName, withUnit } from "./format.ts";
import { Icon } from "./icons.tsx";
import { choose, useRoute } from "./navigate.ts";
import { Nothing, ProcessName, Scroll, Tag } from "./parts.tsx";
import { compareBy, type SortKey } from "./sort.ts";
import { userName, useUsers } from "./users.ts";

export interface TableSort {
    key: SortKey;
    down: boolean;
}

interface Column {
    key: SortKey;
    title: string;
    hint?: string;
    right?: boolean;
    wide?: boolean; // left out on a phone
    cell: (p: Process) => string;
}

/** A column in which most have none is read by those that have some: 0 needs no unit. */
const orZero = (value: Maybe, of: string) => (value === 0 ? "0" : withUnit(value, of));
const rate = (value: Maybe) => orZero(value, "MB/s");

const COLUMNS: Column[] = [
    { key: "pid", title: "PID", right: true, cell: (p) => String(p.pid) },
    { key: "name", title: "Name", cell: (p) => p.name },
    {
        key: "cpu_percent",
        title: "CPU",
        hint: "of one core",
        right: true,
        cell: (p) => (p.cpu_percent === null ? "–" : `${fixed(p.cpu_percent, 1)} %`),
    },
    { key: "rss_mb", title: "Memory", right: true, cell: (p) => megabytes(p.rss_mb) },
    {
        key: "read_mb_s",
        title: "Read",
        right: true,
        wide: true,
        cell: (p) => rate(p.read_mb_s),
    },
    {
        key: "write_mb_s",
        title: "Written",
        right: true,
        wide: true,
        cell: (p) => rate(p.write_mb_s),
    },
    {
        key: "threads",
        title: "Threads",
        right: true,
        wide: true,
        cell: (p) => count(p.threads),
    },
    { key: "state", title: "State", wide: true, cell: (p) => p.state },
    { key: "uid", title: "User", wide: true, cell: (p) => userName(p.uid) },
];

const GPU: Column[] = [
    {
        key: "gpu_percent",
        title: "GPU",
        right: true,
        wide: true,
        cell: (p) => withUnit(p.gpu_percent, "%"),
    },
    {
        key: "gpu_mb",
        title: "GPU memory",
        right: true,
        wide: true,
        cell: (p) => megabytes(p.gpu_mb),
    },
];

const SWAP: Column[] = [
    {
        key: "swap_mb",
        title: "Swap",
        hint: "memory moved out to swap",
        right: true,
        wide: true,
        cell: (p) => orZero(p.swap_mb, "MB"),
    },
    {
        key: "major_faults_s",
        title: "Faults",
        hint: "page faults a second that waited for a disk",
        right: true,
        wide: true,
        cell: (p) => orZero(p.major_faults_s, "/s"),
    },
];

export function ProcessTable(props: {
    processes: readonly Process[];
    filter?: string;
    start?: SortKey;
    limit: number;
    /** Processes to point at, and why. */
    marked?: ReadonlyMap<number, string>;
    caption: string;
    /** Keeps the order in the address. */
    inAddress?: boolean;
}) {
    const start = { key: props.start ?? "cpu_percent", down: true };
    const [own, setOwn] = useState<TableSort>(start);
    const said = useRoute().query.get("sort");
    const sort = props.inAddress ? sortOf(said, start) : own;
    const setSort = (next: TableSort) => {
        if (props.inAddress) choose({ sort: `${next.down ? "-" : ""}${next.key}` });
        else setOwn(next);
    };
    useUsers();
    const [all, setAll] = useState(false);
    const gpu = props.processes.some((p) => p.gpu_mb !== null || p.gpu_percent !== null);
    const swap = props.processes.some(
        (p) => (p.swap_mb ?? 0) > 0 || (p.major_faults_s ?? 0) > 0,
    );
    const columns = [...COLUMNS, ...(swap ? SWAP : []), ...(gpu ? GPU : [])];
    const found = matching(props.processes, props.filter ?? "").sort(
        compareBy(sort.key, sort.down),
    );
    const shown = all ? found : found.slice(0, props.limit);
    return (
        <>
            <Scroll label={props.caption}>
                <table class="processes">
                    <caption class="hidden">{props.caption}</caption>
                    <thead>
                        <tr>
                            {columns.map((column) => (
                                <Head
                                    key={column.key}
                                    column={column}
                                    sort={sort}
                                    onSort={setSort}
                                />
                            ))}
                            <th scope="col" class="wide command">
                                Command
                            </th>
                        </tr>
                    </thead>
                    <tbody>
                        {shown.map((p) => (
                            <Row
                                key={p.pid}
                                process={p}
                                columns={columns}
                                mark={props.marked?.get(p.pid)}
                            />
                        ))}
                    </tbody>
                </table>
            </Scroll>
            {found.length === 0 && <Nothing>No process matches.</Nothing>}
            {found.length > shown.length && (
                <button type="button" class="tool more" onClick={() => setAll(true)}>
                    Show all {count(found.length)}
                </button>
            )}
        </>
    );
}

/** "-rss_mb" -> the most memory first. */
function sortOf(said: string | null, otherwise: TableSort): TableSort {
    const key = [...COLUMNS, ...SWAP, ...GPU].find(
        (column) => column.key === said?.replace(/^-/, ""),
    )?.key;
    return key === undefined ? otherwise : { key, down: said!.startsWith("-") };
}

/** By name, command or number; all words must occur. */
export function matching(processes: readonly Process[], filter: string): Process[] {
    const wanted = filter.toLowerCase().split(/\s+/).filter(Boolean);
    if (wanted.length === 0) return processes.slice();
    return processes.filter((p) => {
        const text = `${p.pid} ${p.name} ${p.command} ${userName(p.uid)}`.toLowerCase();
        return wanted.every((word) => text.includes(word));
    });
}

function Head(props: {
    column: Column;
    sort: TableSort;
    onSort: (sort: TableSort) => void;
}) {
    const { column, sort } = props;
    const active = sort.key === column.key;
    const firstDown =
        column.key !== "name" && column.key !== "pid" && column.key !== "state";
    return (
        <th
            scope="col"
            class={`${column.right ? "right" : ""} ${column.wide ? "wide" : ""}`}
            aria-sort={active ? (sort.down ? "descending" : "ascending") : undefined}
        >
            <button
                type="button"
                title={column.hint ? `${column.title}, ${column.hint}` : undefined}
                onClick={() =>
                    props.onSort({
                        key: column.key,
                        down: active ? !sort.down : firstDown,
                    })
                }
            >
                {column.title}
                {active && <Icon name={sort.down ? "down" : "up"} />}
            </button>
        </th>
    );
}

function Row(props: { process: Process; columns: Column[]; mark?: string }) {
    const { process } = props;
    return (
        <tr class={props.mark ? "marked" : undefined}>
            {props.columns.map((column) => (
                <td
                    key={column.key}
                    class={`num ${column.right ? "right" : ""} ${column.wide ? "wide" : ""}`}
                >
                    {column.key === "name" ? (
                        <>
                            <ProcessName process={process} />
                            {process.suspicious && (
                                <Tag
                                    class="suspicious"
                                    title="More than half of the machine's CPU, or more than 500 MB"
                                >
                                    heavy
                                </Tag>
                            )}
                            {props.mark && <Tag class="suspect">{props.mark}</Tag>}
                        </>
                    ) : (
                        column.cell(process)
                    )}
                </td>
            ))}
            <td
                class="wide command"
                title={processName(process.command || "kernel thread")}
            >
                {process.command === "" ? (
                    <i class="dim">kernel</i>
                ) : (
                    processName(process.command)
                )}
            </td>
        </tr>
    );
}
