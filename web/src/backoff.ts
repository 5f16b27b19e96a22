// How long to wait before the next attempt to connect. Pure. Doubling from half a second
// to ten seconds, with a quarter of chance so that many pages do not return in step.

export function backoff(attempt: number, random: number): number {
    const base = Math.min(10_000, 500 * 2 ** Math.min(attempt, 10));
    return Math.round(base * (0.875 + 0.25 * random));
}
