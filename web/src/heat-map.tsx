// A heat map: one row per core, time to the right, brighter = busier. Drawn on a canvas,
// one pixel block per cell; the value under the pointer is printed below.

import { useEffect, useRef, useState } from "preact/hooks";
import { clock, withUnit } from "./format.ts";
import { bin, type Columns, type Window } from "./series.ts";
import { isDark } from "./store.ts";

const CELLS = 150;

// Lightness grows (in the dark) or falls (in the light) all along, so the order can be
// read without seeing hues.
const DARK = ["#19212b", "#1d4f7a", "#2490a3", "#5fc98d", "#f5e663"];
const LIGHT = ["#eef2f6", "#b9d7ee", "#6aa9d8", "#2668a8", "#0d2f5e"];

function rampOf(dark: boolean): string[] {
    const stops = (dark ? DARK : LIGHT).map(rgb);
    return Array.from({ length: 101 }, (_, i) => {
        const at = (i / 100) * (stops.length - 1);
        const low = Math.min(Math.floor(at), stops.length - 2);
        const mix = stops[low]!.map((c, k) =>
            Math.round(c + (stops[low + 1]![k]! - c) * (at - low)),
        );
        return `rgb(${mix.join(" ")})`;
    });
}

function rgb(hex: string): number[] {
    return [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));
}

export function HeatMap(props: { labels: string[]; columns: Columns; window: Window }) {
    const canvas = useRef<HTMLCanvasElement>(null);
    const [at, setAt] = useState<{ row: number; cell: number } | null>(null);
    const { labels, columns, window } = props;
    const rowHeight = labels.length > 96 ? 5 : labels.length > 24 ? 8 : 16;
    const dark = isDark();
    const cells = labels.map((_, i) => bin(columns[0]!, columns[i + 1]!, window, CELLS));

    useEffect(() => {
        const ctx = canvas.current!.getContext("2d")!;
        const ramp = rampOf(dark);
        ctx.clearRect(0, 0, CELLS, labels.length);
        cells.forEach((row, y) => {
            row.forEach((value, x) => {
                if (value === null) return;
                ctx.fillStyle = ramp[Math.max(0, Math.min(100, Math.round(value)))]!;
                ctx.fillRect(x, y, 1, 1);
            });
        });
    });

    const point = (e: PointerEvent) => {
        const box = canvas.current!.getBoundingClientRect();
        setAt({
            row: Math.min(
                labels.length - 1,
                Math.max(
                    0,
                    Math.floor(((e.clientY - box.top) / box.height) * labels.length),
                ),
            ),
            cell: Math.min(
                CELLS - 1,
                Math.max(0, Math.floor(((e.clientX - box.left) / box.width) * CELLS)),
            ),
        });
    };
    const time = (cell: number) =>
        window.from + ((cell + 0.5) / CELLS) * (window.to - window.from);
    return (
        <div class="heat">
            <div class="heat-rows num" aria-hidden="true">
                {labels.map((label, i) => (
                    <span key={label} style={{ height: `${rowHeight}px` }}>
                        {rowHeight > 8 || i % 8 === 0 ? label : ""}
                    </span>
                ))}
            </div>
            <canvas
                ref={canvas}
                width={CELLS}
                height={Math.max(1, labels.length)}
                style={{ height: `${rowHeight * labels.length}px` }}
                role="img"
                aria-label={`Use of ${labels.length} cores over time; the present values are in the list of cores`}
                onPointerMove={point}
                onPointerLeave={() => setAt(null)}
            />
            <div class="heat-foot num">
                <span>{clock(window.from)}</span>
                <span class="heat-at">
                    {at !== null
                        ? `core ${labels[at.row]} at ${clock(time(at.cell))}: ${withUnit(cells[at.row]?.[at.cell], "%")}`
                        : ""}
                </span>
                <span>{clock(window.to)}</span>
            </div>
            <div class="heat-scale num" aria-hidden="true">
                0 %
                <i
                    style={{
                        background: `linear-gradient(to right, ${(dark ? DARK : LIGHT).join(", ")})`,
                    }}
                />
                100 %
            </div>
        </div>
    );
}
