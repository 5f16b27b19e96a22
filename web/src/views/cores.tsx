// Every core: now as bars, over time as a heat map; the kinds of core, and the clock.

import { LiveChart } from "../chart.tsx";
import type { Metric } from "../contract.ts";
import { fixed, withUnit } from "../format.ts";
import { HeatMap } from "../heat-map.tsx";
import { Bar, Empty, Panel } from "../parts.tsx";
import { levelOf } from "../severity.ts";
import { ui, useStore, value } from "../store.ts";
import { useSeries } from "../use-series.ts";
import { useNeeds } from "../view-needs.ts";

/** More cores than this take the whole width. */
const MANY = 24;

export function Cores() {
    useStore();
    const { roles } = ui.shown;
    useNeeds({
        metrics: [
            ...roles.coreUse,
            ...roles.coreFrequency,
            roles.cpu,
            roles.performanceCores,
            roles.efficiencyCores,
            roles.frequency,
            roles.load,
        ]
            .filter((m) => m !== null)
            .map((m) => m.name),
    });
    if (roles.coreUse.length === 0) {
        return (
            <Panel>
                <Empty title="No figures per core">
                    This machine does not report the use of single cores.
                </Empty>
            </Panel>
        );
    }
    return (
        <div class="stack">
            <Summary />
            <div class={roles.coreUse.length > MANY ? "stack" : "halves"}>
                <Panel title="Now" aside={`${roles.coreUse.length} cores`}>
                    <Bars />
                </Panel>
                <Panel title="Over time">
                    <Heat />
                </Panel>
            </div>
            <Kinds />
        </div>
    );
}

function Summary() {
    const { roles } = ui.shown;
    const busy = roles.coreUse
        .filter((m) => value(m) !== null)
        .sort((a, b) => value(b)! - value(a)!)[0];
    const hot = roles.coreUse.filter((m) => (value(m) ?? 0) >= 90).length;
    const facts: [string, string, string?][] = [
        ["All cores", withUnit(value(roles.cpu), "%")],
        ["Busiest", withUnit(value(busy), "%"), busy ? `core ${busy.label}` : ""],
        ["Above 90 %", String(hot), hot === 1 ? "core" : "cores"],
    ];
    if (value(roles.performanceCores) !== null) {
        facts.push([
            "Performance cores",
            withUnit(value(roles.performanceCores), "%"),
            "mean",
        ]);
    }
    if (value(roles.efficiencyCores) !== null) {
        facts.push([
            "Efficiency cores",
            withUnit(value(roles.efficiencyCores), "%"),
            "mean",
        ]);
    }
    if (value(roles.frequency) !== null) {
        facts.push(["Clock rate", withUnit(value(roles.frequency), "MHz"), "mean"]);
    }
    return (
        <dl class="figures">
            {facts.map(([name, text, detail]) => (
                <div key={name}>
                    <dt>{name}</dt>
                    <dd class="num">
                        {text} {detail && <small>{detail}</small>}
                    </dd>
                </div>
            ))}
        </dl>
    );
}

function Bars() {
    const { roles } = ui.shown;
    const frequency = new Map(roles.coreFrequency.map((m) => [m.label, m]));
    const known = roles.coreUse.some((m) => value(m) !== null);
    const clocked = roles.coreFrequency.some((m) => value(m) !== null);
    return (
        <ol
            class={`cores ${clocked ? "clocked" : ""} ${roles.coreUse.length > MANY ? "many" : ""}`}
        >
            {roles.coreUse.map((m) => (
                <CoreBar
                    key={m.name}
                    metric={m}
                    frequency={frequency.get(m.label) ?? null}
                    known={known}
                />
            ))}
        </ol>
    );
}

/** `known`: other cores have a reading, so that one without is off-line. */
function CoreBar(props: { metric: Metric; frequency: Metric | null; known: boolean }) {
    const use = value(props.metric);
    const clock = value(props.frequency);
    const level = levelOf(use, 75, 92);
    return (
        <li class="num">
            <span class="core-label">{props.metric.label}</span>
            <Bar
                share={use === null ? null : use / 100}
                level={level === "good" ? undefined : level}
            />
            <span class="core-use">
                {use === null ? (props.known ? "off" : "–") : `${fixed(use, 0)} %`}
            </span>
            {clock !== null && (
                <span class="core-clock">{fixed(clock / 1000, 2)} GHz</span>
            )}
        </li>
    );
}

function Heat() {
    const { roles } = ui.shown;
    const series = useSeries(roles.coreUse.map((m) => m.name));
    return (
        <HeatMap
            labels={roles.coreUse.map((m) => m.label)}
            columns={series.columns}
            window={series.window}
        />
    );
}

function Kinds() {
    const { roles, events } = ui.shown;
    const kinds = [
        {
            metric: roles.performanceCores,
            label: "performance",
            color: "--s1",
            fill: true,
        },
        {
            metric: roles.efficiencyCores,
            label: "efficiency",
            color: "--s3",
            fill: false,
        },
    ].filter((kind) => value(kind.metric) !== null);
    return (
        <div class="charts">
            {kinds.length > 0 ? (
                <Panel>
                    <LiveChart
                        title="Kinds of core, mean use"
                        unit="%"
                        min={0}
                        max={100}
                        events={events}
                        lines={kinds.map((kind) => ({
                            ...kind,
                            name: kind.metric!.name,
                        }))}
                    />
                </Panel>
            ) : (
                roles.cpu && (
                    <Panel>
                        <LiveChart
                            title="All cores, mean use"
                            unit="%"
                            min={0}
                            max={100}
                            events={events}
                            lines={[
                                {
                                    name: roles.cpu.name,
                                    label: "all",
                                    color: "--s1",
                                    fill: true,
                                },
                            ]}
                        />
                    </Panel>
                )
            )}
            {value(roles.frequency) !== null && (
                <Panel>
                    <LiveChart
                        title="Clock rate, mean"
                        unit="MHz"
                        reach={2000}
                        events={events}
                        lines={[
                            { name: roles.frequency!.name, label: "mean", color: "--s2" },
                        ]}
                    />
                </Panel>
            )}
            {value(roles.load) !== null && (
                <Panel>
                    <LiveChart
                        title="Load, 1 min"
                        unit=""
                        reach={1}
                        events={events}
                        lines={[
                            {
                                name: roles.load!.name,
                                label: "load",
                                color: "--s8",
                                fill: true,
                            },
                        ]}
                    />
                </Panel>
            )}
        </div>
    );
}
