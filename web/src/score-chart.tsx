// The anomaly score over time. What is drawn is what decides: the score that was held for
// three of the last five seconds. Single samples are drawn thin beside it on demand.

import { useState } from "preact/hooks";
import { Chart, type ChartProps, LiveChart } from "./chart.tsx";
import { signed } from "./format.ts";
import { type Columns, sustain, type Window } from "./series.ts";

const HELD = { name: "held", label: "score", color: "--s1", width: 2 };
const SINGLE = { name: "single", label: "single samples", color: "--s9", width: 1 };

const SHAPE = {
    title: "Anomaly score",
    unit: "",
    min: -1.05,
    max: 1.05,
    zones: true,
    rule: { at: 0, label: "threshold" },
    format: (v: number | null) => signed(v),
};

/** [times, scores] -> [times, held, single samples?] */
function linesOf(columns: Columns, single: boolean): Columns {
    const held = sustain(columns[0]!, columns[1]!);
    return single ? [columns[0]!, held, columns[1]!] : [columns[0]!, held];
}

function useSingle() {
    const [single, setSingle] = useState(false);
    const button = (
        <button
            type="button"
            class="tool plain raw-toggle"
            aria-pressed={single}
            title="The score decides once it has held for three of five seconds; this draws each sample's own as well"
            onClick={() => setSingle(!single)}
        >
            Single samples
        </button>
    );
    return { single, button, lines: single ? [HELD, SINGLE] : [HELD] };
}

export function LiveScore(props: Pick<ChartProps, "events" | "height">) {
    const { single, button, lines } = useSingle();
    return (
        <div class="with-toggle">
            <LiveChart
                {...SHAPE}
                {...props}
                lines={lines}
                sources={["score"]}
                derive={(columns) => linesOf(columns, single)}
            />
            {button}
        </div>
    );
}

/** Of columns that are there already. */
export function Score(
    props: Pick<ChartProps, "events" | "height" | "group" | "onZoom"> & {
        columns: Columns;
        window: Window;
    },
) {
    const { single, button, lines } = useSingle();
    return (
        <div class="with-toggle">
            <Chart
                {...SHAPE}
                {...props}
                lines={lines}
                columns={linesOf(props.columns, single)}
            />
            {button}
        </div>
    );
}
