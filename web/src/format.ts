// Numbers and times as people read them. Pure. Absent is shown as an en dash.

import type { Maybe } from "./contract.ts";

export const ABSENT = "–";

const MINUS = "−";

function present(value: Maybe | undefined): value is number {
    return value !== null && value !== undefined && Number.isFinite(value);
}

/** Three significant digits or so, never in exponent form for what people meet: 0.004,
 * 1.25, 12.5, 125, 12,500. */
export function number(value: Maybe | undefined): string {
    if (!present(value)) return ABSENT;
    const size = Math.abs(value);
    let text: string;
    if (size === 0) text = "0";
    else if (size < 0.0005) text = "<0.001";
    else if (size < 0.1) text = size.toFixed(3);
    else if (size < 10) text = size.toFixed(2);
    else if (size < 100) text = size.toFixed(1);
    else if (size < 1e6) text = grouped(Math.round(size));
    else text = scaled(size);
    return value < 0 && text !== "0" ? MINUS + text : text;
}

function scaled(size: number): string {
    const [by, suffix] = size < 1e9 ? [1e6, "M"] : size < 1e12 ? [1e9, "G"] : [1e12, "T"];
    return `${(size / (by as number)).toFixed(2)} ${suffix}`;
}

function grouped(whole: number): string {
    return String(whole).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Short, for an axis: 20, 0.5, 100 k, 2.5 M. */
export function axisNumber(value: number): string {
    const size = Math.abs(value);
    const [by, suffix] =
        size >= 1e9
            ? [1e9, " G"]
            : size >= 1e6
              ? [1e6, " M"]
              : size >= 1e4
                ? [1e3, " k"]
                : [1, ""];
    const digits = String(Number((size / by).toPrecision(4)));
    return (value < 0 ? MINUS : "") + digits + suffix;
}

export function count(value: Maybe | undefined): string {
    return present(value) ? grouped(Math.round(value)) : ABSENT;
}

/** A number with a fixed count of decimals, so that columns line up. */
export function fixed(value: Maybe | undefined, decimals: number): string {
    if (!present(value)) return ABSENT;
    const text = Math.abs(value).toFixed(decimals);
    return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

export function signed(value: Maybe | undefined, decimals = 2): string {
    if (!present(value)) return ABSENT;
    return value > 0 ? `+${value.toFixed(decimals)}` : fixed(value, decimals);
}

const UNITS: Record<string, string> = { C: "°C", "1/s": "/s" };

/** The unit as it is printed: "C" is "°C". */
export function unit(name: string): string {
    return UNITS[name] ?? name;
}

/** The value split from its unit, for display at two sizes. Sizes and rates in MB and GB
 * move to the unit that keeps the number readable. */
export function quantity(value: Maybe | undefined, of: string): [string, string] {
    if (!present(value)) return [ABSENT, ""];
    const rate = of.endsWith("/s") ? "/s" : "";
    if (of === "MB" || of === "MB/s") {
        const size = Math.abs(value);
        if (size !== 0 && size < 0.0995) return [number(value * 1000), `kB${rate}`];
        if (size >= 1000) return [number(value / 1000), `GB${rate}`];
    }
    if (of === "%") return [percentDigits(value), "%"];
    if (of === "C") return [fixed(value, Math.abs(value) < 100 ? 1 : 0), "°C"];
    if (of === "MHz" && value >= 1000) return [(value / 1000).toFixed(2), "GHz"];
    return [number(value), unit(of)];
}

function percentDigits(value: number): string {
    const size = Math.abs(value);
    return fixed(value, size >= 99.95 || size === 0 ? 0 : size < 1 ? 2 : 1);
}

export function withUnit(value: Maybe | undefined, of: string): string {
    const [digits, suffix] = quantity(value, of);
    if (suffix === "" || digits === ABSENT) return digits;
    return suffix === "%" ? `${digits} %` : `${digits} ${suffix}`;
}

export function megabytes(value: Maybe | undefined): string {
    return withUnit(value, "MB");
}

/** Microseconds in the unit that fits. */
export function micros(value: Maybe | undefined): string {
    if (!present(value)) return ABSENT;
    if (value < 1000) return `${number(value)} µs`;
    if (value < 1e6) return `${number(value / 1000)} ms`;
    return `${number(value / 1e6)} s`;
}

/** A span of seconds in two units: "3 d 4 h", "12 min 5 s", "250 ms". */
export function span(seconds: Maybe | undefined): string {
    if (!present(seconds) || seconds < 0) return ABSENT;
    if (seconds < 1) return seconds === 0 ? "0 s" : `${Math.round(seconds * 1000)} ms`;
    const whole = Math.round(seconds);
    const parts: [number, string][] = [
        [Math.floor(whole / 86400), "d"],
        [Math.floor(whole / 3600) % 24, "h"],
        [Math.floor(whole / 60) % 60, "min"],
        [whole % 60, "s"],
    ];
    const first = parts.findIndex(([n]) => n > 0);
    return parts
        .slice(first, first + 2)
        .filter(([n]) => n > 0)
        .map(([n, name]) => `${n} ${name}`)
        .join(" ");
}

/** One unit, for what is known roughly: "50 days", "3 years". */
export function roughSpan(seconds: number): string {
    const units: [number, string][] = [
        [365.25 * 86400, "year"],
        [86400, "day"],
        [3600, "hour"],
        [60, "minute"],
    ];
    const [size, name] = units.find(([size]) => seconds >= 1.5 * size) ?? [1, "second"];
    const n = Math.round(seconds / size);
    return `${grouped(n)} ${name}${n === 1 ? "" : "s"}`;
}

function two(n: number): string {
    return String(n).padStart(2, "0");
}

/* ---- times, in the zone that is chosen ---- */

/** Seconds east of UTC at a time. */
export type Zone = (t: number) => number;

export const UTC: Zone = () => 0;
export const BROWSER: Zone = (t) => -60 * new Date(t * 1000).getTimezoneOffset();

let zone: Zone = BROWSER;

export function setZone(chosen: Zone): void {
    zone = chosen;
}

/** A zone by its name in the time zone database; null where the browser has none such. */
export function namedZone(name: string): Zone | null {
    let format: Intl.DateTimeFormat;
    try {
        format = new Intl.DateTimeFormat("en", {
            timeZone: name,
            timeZoneName: "longOffset",
        });
    } catch {
        return null;
    }
    const known = new Map<number, number>(); // by quarter of an hour: changes fall on those
    return (t) => {
        const quarter = Math.floor(t / 900);
        let east = known.get(quarter);
        if (east === undefined) {
            east = eastOf(format.formatToParts(t * 1000));
            if (known.size > 4096) known.clear();
            known.set(quarter, east);
        }
        return east;
    };
}

function eastOf(parts: Intl.DateTimeFormatPart[]): number {
    const text = parts.find((part) => part.type === "timeZoneName")?.value ?? "";
    const match = /([+-])(\d\d):?(\d\d)/.exec(text);
    if (match === null) return 0; // "GMT"
    const seconds = Number(match[2]) * 3600 + Number(match[3]) * 60;
    return match[1] === "-" ? -seconds : seconds;
}

/** "UTC+02:00", "UTC" */
export function offsetName(t: number): string {
    const minutes = Math.round(zone(t) / 60);
    if (minutes === 0) return "UTC";
    const size = Math.abs(minutes);
    const sign = minutes < 0 ? MINUS : "+";
    return `UTC${sign}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** A date whose UTC fields are those of the clock on the wall. */
function wall(t: number): Date {
    return new Date((t + zone(t)) * 1000);
}

/** A date whose local fields are those of the clock on the wall: for uPlot. */
export function zoned(t: number): Date {
    return new Date((t + zone(t) - BROWSER(t)) * 1000);
}

/** Time of day, "14:03:07". */
export function clock(t: Maybe | undefined, seconds = true): string {
    if (!present(t)) return ABSENT;
    const d = wall(t);
    const text = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
    return seconds ? `${text}:${two(d.getUTCSeconds())}` : text;
}

/** "2026-11-21" */
export function date(t: number): string {
    const d = wall(t);
    return `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`;
}

/** Time of day when it is today as seen from `now`, date and time otherwise. */
export function moment(t: Maybe | undefined, now: number): string {
    if (!present(t)) return ABSENT;
    return date(t) === date(now) ? clock(t) : `${date(t).slice(5)} ${clock(t, false)}`;
}

/** "12 s ago", "in 4 min": one unit is enough. */
export function ago(t: Maybe | undefined, now: number): string {
    if (!present(t)) return ABSENT;
    const seconds = Math.abs(now - t);
    if (seconds < 1.5) return "now";
    const text =
        seconds < 90
            ? `${Math.round(seconds)} s`
            : seconds < 5400
              ? `${Math.round(seconds / 60)} min`
              : seconds < 172800
                ? `${Math.round(seconds / 3600)} h`
                : `${Math.round(seconds / 86400)} d`;
    return t <= now ? `${text} ago` : `in ${text}`;
}

/** "disk_busy_percent{sda}" or "windowed_pca" -> words. */
export function words(name: string): string {
    const text = name.replace(/[_.]+/g, " ").trim();
    return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A process name on one line: control characters (a name may hold newlines) are shown
 * as their pictures, and direction overrides are dropped, so that a name can neither break
 * the row nor pretend to be another. */
export function processName(name: string): string {
    let text = "";
    for (const char of name) {
        const code = char.codePointAt(0)!;
        if (code < 0x20) text += String.fromCodePoint(0x2400 + code);
        else if (code === 0x7f) text += "\u2421";
        else if (isInvisible(code)) text += "\ufffd";
        else text += char;
    }
    return text === "" ? "(no name)" : text;
}

/** The kernel keeps 15 bytes of a name; the command often has all of it. */
export function fullName(process: { name: string; command: string }): string {
    const { name, command } = process;
    if (name.length < 15) return name;
    const file = /^(\S+)/.exec(command)?.[1]?.replace(/^.*\//, "") ?? "";
    return file.startsWith(name) ? file : name;
}

function isInvisible(code: number): boolean {
    return (
        (code >= 0x80 && code < 0xa0) ||
        (code >= 0x200b && code <= 0x200f) ||
        (code >= 0x2028 && code <= 0x202e) ||
        (code >= 0x2066 && code <= 0x2069) ||
        code === 0xfeff
    );
}
