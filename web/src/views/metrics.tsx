// Every metric by family. Pick some to chart them; those of one unit share a chart. What is
// picked stands in the address.

import { LiveChart } from "../chart.tsx";
import type { Metric } from "../contract.ts";
import { unit as printUnit, withUnit } from "../format.ts";
import { Icon } from "../icons.tsx";
import { choose, replaceRoute, useRoute } from "../navigate.ts";
import { Empty, Nothing, Panel, Scroll } from "../parts.tsx";
import { type Family, groupsOf, titleOfMetric } from "../roles.ts";
import { addressOf, parseRoute } from "../route.ts";
import { extent } from "../series.ts";
import { ui, useSelect, useStore, value } from "../store.ts";
import { useNeeds } from "../view-needs.ts";
import { useSeries } from "../use-series.ts";

const COLORS = ["--s1", "--s2", "--s3", "--s4", "--s5", "--s6", "--s7", "--s8", "--s9"];
const MOST = COLORS.length;

export function Metrics(props: { picked: string[] }) {
    useNeeds({ metrics: "all" });
    const metrics = useSelect(() => ui.shown.metrics);
    const roles = useSelect(() => ui.shown.roles);
    const picked =
        props.picked.length > 0
            ? props.picked
            : roles.cpu !== null
              ? [roles.cpu.name]
              : [];
    const chosen = picked
        .map((name) => metrics.find((m) => m.name === name))
        .filter((m) => m !== undefined);
    const toggle = (metric: Metric) => {
        const next = picked.includes(metric.name)
            ? picked.filter((name) => name !== metric.name)
            : [...picked, metric.name].slice(-MOST);
        // Replaced, so that Back leaves the explorer instead of undoing each choice.
        const { query } = parseRoute(location.hash);
        replaceRoute(addressOf({ tab: "metrics", rest: next, query }, {}));
    };
    return (
        <div class="explorer">
            <Catalogue picked={picked} onToggle={toggle} />
            <div class="stack">
                {chosen.length === 0 ? (
                    <Panel>
                        <Empty title="Nothing picked">Pick a metric from the list.</Empty>
                    </Panel>
                ) : (
                    <Picked metrics={chosen} />
                )}
            </div>
        </div>
    );
}

/* ---- the charts ---- */

function Picked(props: { metrics: Metric[] }) {
    const units = [...new Set(props.metrics.map((m) => m.unit))];
    const events = useSelect(() => ui.shown.events);
    const colorOf = (m: Metric) => COLORS[props.metrics.indexOf(m) % MOST]!;
    return (
        <>
            {units.map((unit) => {
                const metrics = props.metrics.filter((m) => m.unit === unit);
                return (
                    <Panel key={unit}>
                        <LiveChart
                            title={
                                metrics.length === 1
                                    ? titleOfMetric(metrics[0]!)
                                    : titleOf(unit)
                            }
                            unit={unit}
                            height={units.length > 2 ? 180 : 280}
                            events={events}
                            lines={metrics.map((m) => ({
                                name: m.name,
                                label: titleOfMetric(m),
                                color: colorOf(m),
                                fill: metrics.length === 1,
                            }))}
                            legend={metrics.length > 1}
                        />
                        <Figures metrics={metrics} />
                    </Panel>
                );
            })}
        </>
    );
}

function titleOf(unit: string): string {
    return unit === "" ? "Counts" : `In ${printUnit(unit)}`;
}

function Figures(props: { metrics: Metric[] }) {
    const series = useSeries(props.metrics.map((m) => m.name));
    useStore();
    return (
        <Scroll label="Figures">
            <table class="figures-table">
                <thead>
                    <tr>
                        <th scope="col">Metric</th>
                        <th scope="col" class="right">
                            Now
                        </th>
                        <th scope="col" class="right">
                            Mean
                        </th>
                        <th scope="col" class="right">
                            Least
                        </th>
                        <th scope="col" class="right">
                            Most
                        </th>
                    </tr>
                </thead>
                <tbody>
                    {props.metrics.map((m, i) => {
                        const column = series.columns[i + 1] ?? [];
                        const range = extent([column]);
                        return (
                            <tr key={m.name}>
                                <th scope="row">
                                    <span>{titleOfMetric(m)}</span>
                                    <span class="dim help-line mono">{m.name}</span>
                                </th>
                                <td class="right num">{withUnit(value(m), m.unit)}</td>
                                <td class="right num">
                                    {withUnit(mean(column), m.unit)}
                                </td>
                                <td class="right num">
                                    {withUnit(range?.[0] ?? null, m.unit)}
                                </td>
                                <td class="right num">
                                    {withUnit(range?.[1] ?? null, m.unit)}
                                </td>
                            </tr>
                        );
                    })}
                </tbody>
            </table>
        </Scroll>
    );
}

function mean(column: (number | null)[]): number | null {
    let sum = 0;
    let n = 0;
    for (const v of column) {
        if (v === null) continue;
        sum += v;
        n++;
    }
    return n === 0 ? null : sum / n;
}

/* ---- the catalogue ---- */

function Catalogue(props: { picked: string[]; onToggle: (m: Metric) => void }) {
    useStore();
    const filter = useRoute().query.get("q") ?? "";
    const wanted = filter.toLowerCase().trim();
    const found = ui.shown.metrics.filter(
        (m) => wanted === "" || `${m.name} ${m.help}`.toLowerCase().includes(wanted),
    );
    return (
        <Panel class="catalogue" title="Metrics" aside={`${ui.shown.metrics.length}`}>
            <label class="search">
                <Icon name="search" />
                <span class="hidden">Filter metrics</span>
                <input
                    type="search"
                    data-filter
                    placeholder="Filter"
                    value={filter}
                    onInput={(e) => choose({ q: e.currentTarget.value }, true)}
                />
                <kbd>/</kbd>
            </label>
            <div class="catalogue-list">
                {groupsOf(found).map(([group, families]) => (
                    <section key={group}>
                        <h3 class="sub">{group}</h3>
                        {families.map((family) => (
                            <FamilyRows
                                key={family.name}
                                family={family}
                                open={wanted !== ""}
                                {...props}
                            />
                        ))}
                    </section>
                ))}
                {found.length === 0 && <Nothing>No metric matches.</Nothing>}
            </div>
        </Panel>
    );
}

function FamilyRows(props: {
    family: Family;
    open: boolean;
    picked: string[];
    onToggle: (m: Metric) => void;
}) {
    const { family, picked } = props;
    const single = family.members.find((m) => m.label === "");
    const labelled = family.members.filter((m) => m.label !== "");
    const chosen = labelled.some((m) => picked.includes(m.name));
    return (
        <>
            {single && <MetricRow metric={single} name={titleOfMetric(single)} {...props} />}
            {labelled.length > 0 && (
                <details open={props.open || chosen || labelled.length === 1}>
                    <summary title={`${family.name}: ${family.help}`}>
                        <span>{titleOfMetric({ ...labelled[0]!, label: "" })}</span>
                        <span class="dim num">{perLabel(labelled)}</span>
                    </summary>
                    {labelled.map((m) => (
                        <MetricRow key={m.name} metric={m} name={m.label} {...props} />
                    ))}
                </details>
            )}
        </>
    );
}

function MetricRow(props: {
    metric: Metric;
    name: string;
    picked: string[];
    onToggle: (m: Metric) => void;
}) {
    const { metric } = props;
    return (
        <label class="metric-row" title={`${metric.name}: ${metric.help}`}>
            <input
                type="checkbox"
                checked={props.picked.includes(metric.name)}
                onChange={() => props.onToggle(metric)}
            />
            <span>{props.name}</span>
            <span class="num">{withUnit(value(metric), metric.unit)}</span>
        </label>
    );
}

function perLabel(labelled: Metric[]): string {
    const key = labelled[0]!.label_key;
    return key === null ? String(labelled.length) : `per ${key}, ${labelled.length}`;
}
