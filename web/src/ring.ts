// The last ticks of the series that are followed, in bounded memory: one time column and
// one column per name, written round and round. Pure.

export class Ring {
    readonly capacity: number;
    private readonly time: Float64Array;
    private readonly columns = new Map<string, Float32Array>();
    /** When each series was followed from. */
    private readonly begun = new Map<string, number>();
    private head = 0; // where the next row goes
    private rows = 0;

    constructor(capacity: number) {
        this.capacity = capacity;
        this.time = new Float64Array(capacity);
    }

    get length(): number {
        return this.rows;
    }

    /** The time of the oldest and the newest row; NaN when empty. */
    get first(): number {
        return this.rows === 0 ? Number.NaN : this.time[this.index(0)]!;
    }
    get last(): number {
        return this.rows === 0 ? Number.NaN : this.time[this.index(this.rows - 1)]!;
    }

    /** From when on all of `names` are here; Infinity when one is not at all. */
    since(names: readonly string[]): number {
        let from = this.rows === 0 ? Number.POSITIVE_INFINITY : this.first;
        for (const name of names) {
            from = Math.max(from, this.begun.get(name) ?? Number.POSITIVE_INFINITY);
        }
        return from;
    }

    private index(row: number): number {
        return (this.head - this.rows + row + 2 * this.capacity) % this.capacity;
    }

    /** Adds a row. A row that is not newer than the last is left out: a clock set back must
     * not make a line run backwards. Names and values are parallel. */
    push(
        t: number,
        names: readonly string[],
        values: readonly (number | null)[],
    ): boolean {
        if (!Number.isFinite(t) || (this.rows > 0 && t <= this.last)) return false;
        for (const column of this.columns.values()) column[this.head] = Number.NaN;
        this.time[this.head] = t;
        for (let i = 0; i < names.length; i++) {
            this.column(names[i]!, t)[this.head] = values[i] ?? Number.NaN;
        }
        this.head = (this.head + 1) % this.capacity;
        this.rows = Math.min(this.rows + 1, this.capacity);
        return true;
    }

    private column(name: string, t: number): Float32Array {
        let column = this.columns.get(name);
        if (column === undefined) {
            column = new Float32Array(this.capacity).fill(Number.NaN);
            this.columns.set(name, column);
            this.begun.set(name, t);
        }
        return column;
    }

    /** Forgets the series that are not among `names`: nobody follows them any more, and
     * what comes later does not join on. */
    keep(names: ReadonlySet<string>): void {
        for (const name of [...this.columns.keys()]) {
            if (names.has(name)) continue;
            this.columns.delete(name);
            this.begun.delete(name);
        }
    }

    clear(): void {
        this.rows = 0;
        this.head = 0;
        this.columns.clear();
        this.begun.clear();
    }

    /** The first row after `t`, by bisection; `length` when there is none. */
    after(t: number): number {
        let low = 0;
        let high = this.rows;
        while (low < high) {
            const middle = (low + high) >> 1;
            if (this.time[this.index(middle)]! > t) high = middle;
            else low = middle + 1;
        }
        return low;
    }

    /** Appends the rows after `from` and up to `to` to `out`: [times, one list per name].
     * A value that is not there is null, which the chart draws as a gap. */
    read(
        names: readonly string[],
        from: number,
        to: number,
        out: (number | null)[][],
    ): void {
        const columns = names.map((name) => this.columns.get(name));
        for (let row = this.after(from); row < this.rows; row++) {
            const at = this.index(row);
            if (this.time[at]! > to) break;
            out[0]!.push(this.time[at]!);
            for (let i = 0; i < columns.length; i++) {
                const value = columns[i]?.[at];
                out[i + 1]!.push(
                    value === undefined || Number.isNaN(value) ? null : value,
                );
            }
        }
    }

    /** The last `n` values of one series, oldest first, for a sparkline. */
    tail(name: string, n: number, until = Number.POSITIVE_INFINITY): (number | null)[] {
        const column = this.columns.get(name);
        if (column === undefined) return [];
        const end = until === Number.POSITIVE_INFINITY ? this.rows : this.after(until);
        const values: (number | null)[] = [];
        for (let row = Math.max(0, end - n); row < end; row++) {
            const value = column[this.index(row)]!;
            values.push(Number.isNaN(value) ? null : value);
        }
        return values;
    }
}
