// Which metric plays which part on the overview. Pure. A machine has some of them and not
// others; a part without a metric is left out or named in "not on this machine".

import type { Metric } from "./contract.ts";
import { words } from "./format.ts";

/** The total of a family (no label), or null. Several names may be given: the first that
 * this machine has is taken. */
export function total(metrics: readonly Metric[], ...families: string[]): Metric | null {
    for (const family of families) {
        const found = metrics.find((m) => m.family === family && m.label === "");
        if (found !== undefined) return found;
    }
    return null;
}

/** All members of a family that bear a label, in the order people count: sda, sdb; 2
 * before 10. */
export function members(metrics: readonly Metric[], family: string): Metric[] {
    return metrics.filter((m) => m.family === family && m.label !== "").sort(byLabel);
}

export function byLabel(a: Metric, b: Metric): number {
    return a.label.localeCompare(b.label, "en", { numeric: true });
}

export interface Roles {
    cpu: Metric | null;
    cpuParts: Metric[];
    memory: Metric | null;
    available: Metric | null;
    swap: Metric | null;
    temperature: Metric | null;
    frequency: Metric | null;
    gpu: Metric | null;
    gpuMemory: Metric | null;
    gpuTemperature: Metric | null;
    diskRead: Metric | null;
    diskWrite: Metric | null;
    sent: Metric | null;
    received: Metric | null;
    load: Metric | null;
    switches: Metric | null;
    pressure: Metric[];
    filesystems: Metric[];
    coreUse: Metric[];
    coreFrequency: Metric[];
    performanceCores: Metric | null;
    efficiencyCores: Metric | null;
}

export function rolesOf(metrics: readonly Metric[]): Roles {
    const some = (...families: string[]) => total(metrics, ...families);
    return {
        cpu: some("cpu_percent"),
        cpuParts: [
            some("cpu_user_percent"),
            some("cpu_system_percent"),
            some("cpu_iowait_percent"),
            some("cpu_steal_percent"),
        ].filter((m) => m !== null),
        memory: some("cpu_memory", "memory_percent"),
        available: some("memory_available_gb"),
        swap: some("swap_percent"),
        temperature: some("cpu_temp"),
        frequency: some("cpu_freq", "cpu_frequency"),
        gpu: some("gpu_percent"),
        gpuMemory: some("gpu_memory"),
        gpuTemperature: some("gpu_temp"),
        diskRead: some("disk_read_mb"),
        diskWrite: some("disk_write_mb"),
        sent: some("network_sent_mb"),
        received: some("network_recv_mb"),
        load: some("load_1"),
        switches: some("context_switches"),
        // Pressure stall, "some" rather than "full".
        pressure: [
            some("pressure_cpu_percent"),
            some("pressure_memory_percent"),
            some("pressure_io_percent"),
        ].filter((m) => m !== null),
        filesystems: members(metrics, "filesystem_percent"),
        coreUse: members(metrics, "cpu_core_percent"),
        coreFrequency: members(metrics, "cpu_core_freq"),
        performanceCores: some("cpu_p_percent"),
        efficiencyCores: some("cpu_e_percent"),
    };
}

/** The metrics that play a part on the overview, by name. */
export function namesOf(roles: Roles): string[] {
    const { coreUse: _, coreFrequency: __, ...parts } = roles;
    return Object.values(parts)
        .flat()
        .filter((m) => m !== null)
        .map((m) => m.name);
}

export interface Family {
    name: string;
    unit: string;
    help: string;
    members: Metric[];
}

/** The headings of the groups, in the order in which people look for them. */
const GROUPS: [string, string][] = [
    ["cpu", "CPU"],
    ["memory", "Memory"],
    ["disk", "Disks and file systems"],
    ["network", "Network"],
    ["gpu", "GPU"],
    ["temperature", "Temperature"],
    ["processes", "Processes"],
    ["services", "Services"],
    ["kernel", "Kernel"],
    ["other", "Other"],
    ["self", "vedette itself"],
];

/** A group that this page has not heard of is its own heading. */
function headingOf(group: string): string {
    return GROUPS.find(([name]) => name === group)?.[1] ?? words(group);
}

/** What a metric is, in words: "Memory in use". */
export function titleOfMetric(m: Metric): string {
    const title = (m.help.split(":")[0] ?? "").replace(/\.\s*$/, "");
    if (title === "") return m.name;
    return m.label === "" ? title : `${title} · ${m.label}`;
}

/** The metrics by family and the families by subject, in a fixed order. */
export function groupsOf(metrics: readonly Metric[]): [string, Family[]][] {
    const families = new Map<string, Family>();
    for (const m of metrics) {
        const family = families.get(m.family);
        if (family !== undefined) family.members.push(m);
        else {
            families.set(m.family, {
                name: m.family,
                unit: m.unit,
                help: m.help,
                members: [m],
            });
        }
    }
    const groups = new Map<string, Family[]>(GROUPS.map(([, heading]) => [heading, []]));
    for (const family of families.values()) {
        family.members.sort(byLabel);
        const heading = headingOf(family.members[0]!.group);
        groups.set(heading, [...(groups.get(heading) ?? []), family]);
    }
    return [...groups].filter(([, list]) => list.length > 0);
}
