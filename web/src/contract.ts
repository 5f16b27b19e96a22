// What the server sends, as docs/api.md describes it. A number that is not available on
// this machine, or was not available on this tick, is null.

export type Maybe = number | null;

export interface Status {
    version: string;
    host: string;
    state: "warming" | "learning" | "watching" | "paused";
    started: number;
    now: number;
    /** The host's zone: its name in the time zone database where that is known, and how
     * far east of UTC it is now, in seconds. */
    zone?: { name: string; east: number };
    interval: number;
    confidence: Maybe;
    /** Since when what is odd now has been a habit; null: it is none. */
    habit?: Maybe;
    points: number;
    anomalies: number;
    alerts: number;
    budget: { per_week: Maybe; used: Maybe; achieved_per_week: Maybe; threshold: Maybe };
    training: { last: Maybe; next: Maybe; rows: number; quarantined: number };
    self: {
        cpu_percent: Maybe;
        rss_mb: Maybe;
        dropped: number;
        stages: { name: string; us: Maybe }[];
    };
    detectors: DetectorStatus[];
    sinks: {
        name: string;
        unavailable: string | null;
        sent: number;
        retried: number;
        lost: number;
    }[];
    receivers: Receiver[];
    troubles: {collector: string; since : number; reason : string}[];
}

export interface Receiver {
    name: string;
    unavailable: string|null;
    state: "well"|"slow"|"failing";
    sent: number;
    retried: number;
    waiting: number;
    given_up: number;
    lost: number;
    failing: number;
    oldest: number;
    kept: boolean;
    error: string|null;
}

export interface DetectorStatus {
    name: string;
    title: string;
    unavailable: string | null;
    ready: boolean;
    from_labels: boolean;
    average_us: Maybe;
    p99_us: Maybe;
    max_us: Maybe;
}

export interface Metric {
    name: string;
    family: string;
    label_key: string | null;
    label: string;
    unit: string;
    help: string;
    core: boolean;
    /** What it is about: "cpu", "memory", ... */
    group: string;
}

export interface DetectorScore {
    name: string;
    ready: boolean;
    score: Maybe;
    raw: Maybe;
    surprise: Maybe;
    latency_us: Maybe;
}

export interface Process {
    pid: number;
    parent: number;
    uid: number;
    state: string;
    name: string;
    command: string;
    cpu_percent: Maybe;
    rss_mb: Maybe;
    pss_mb: Maybe;
    swap_mb: Maybe;
    major_faults_s: Maybe;
    read_mb_s: Maybe;
    write_mb_s: Maybe;
    threads: Maybe;
    gpu_percent: Maybe;
    gpu_mb: Maybe;
    suspicious: boolean;
}

/** A tick as the page keeps it: what the view shows is of now, the rest null or older. */
export interface Tick {
    type: "tick";
    t: number;
    tick: number;
    jitter_ms: Maybe;
    n_metrics: number;
    v: Maybe[];
    score: Maybe;
    confidence: Maybe;
    latency_us: Maybe;
    drift: boolean;
    detectors: DetectorScore[];
    top_cpu: Process[];
    n_processes: Maybe;
    n_threads: Maybe;
}

/** Of a tick what was asked for, and of that what changed unless it is whole. */
export interface TickChanges {
    type: "changes";
    whole: boolean;
    t: number;
    tick: number;
    score: Maybe;
    confidence: Maybe;
    v: Record<string, Maybe>; // by index in the schema
    jitter_ms?: Maybe;
    latency_us?: Maybe;
    drift?: boolean;
    detectors?: DetectorScore[];
    top_cpu?: (Partial<Process> & { pid: number })[];
    n_processes?: Maybe;
    n_threads?: Maybe;
}

export type Severity = "normal" | "low" | "medium" | "high" | "critical";
export type Feedback = "" | "normal" | "real" | "expected";

export interface Suspect {
    process: Process;
    resource: string;
    before: Maybe;
    during: Maybe;
    share: Maybe;
    /** Of what: the excess over before, or all use now. */
    of: "excess" | "use";
}

/** Of an event of kind "rule"; its metric is the first of `top`. */
export interface Limit {
    rule: string;
    above: boolean;
    value: Maybe;
    for_s: Maybe;
    since: Maybe;
}

export interface Event {
    id: number;
    start: number;
    peak: Maybe;
    end: Maybe;
    severity: Severity;
    score: Maybe;
    confidence: Maybe;
    alerted: boolean;
    kind: string;
    pattern: string;
    reason: string;
    explanation: string[];
    top: { metric: string; value: Maybe; expected: Maybe; z: Maybe }[];
    factors: string[];
    suspects: Suspect[];
    /** Why it did not alert, or what the alert cost. */
    note: string;
    /** Of kind "rule": what was written down. */
    limit?: Limit;
    feedback: Feedback;
    feedback_time?: Maybe;
    recorder?: { t: number; processes: Process[] }[];
}

/** An event whose like comes and goes so often that it is none any more. */
export interface Habit {
    event: number;
    since: number;
    seen: number;
}

export interface History {
    from: number;
    to: number;
    step: number;
    t: number[];
    series: Record<string, { mean: Maybe[]; min?: Maybe[]; max?: Maybe[] }>;
}

export type Message =
    | {
          type: "hello";
          status: Status;
          metrics: Metric[];
          latest: Tick | null;
          events: Event[];
      }
    | Tick
    | TickChanges
    | { type: "event"; change: "opened" | "updated" | "ended"; event: Event }
    | { type: "metrics"; metrics: Metric[] }
    | { type: "status"; status: Partial<Status> }
    | { type: "processes"; t: number; processes: Process[] }
    | ProcessChanges;

/** Against the list of the tick before: new processes whole, of others what differs. */
export interface ProcessChanges {
    type: "process_changes";
    t: number;
    gone: number[];
    changed: (Partial<Process> & { pid: number })[];
}

/** A hard limit, built in or written down. */
export interface Limit {
    rule: string;
    severity: Severity;
    builtin: boolean;
    state: "kept" | "exceeded" | "off" | "no metric";
}

/** A table that was uploaded, as the list has it. */
export interface Analysis {
    id: string;
    name: string;
    size: number;
    sha256: string;
    uploaded: number;
    settings: {
        contamination: Maybe;
        detector: string | null;
        seed: number;
        counters: "rate" | "raw";
    };
    state: "waiting" | "running" | "done" | "failed";
    progress?: number;
    rows?: number;
    finished?: number;
    error?: { message: string; hint: string };
    summary?: {
        rows: number;
        anomalies: number;
        events: number;
        skipped: number;
        columns: number;
        from: Maybe;
        to: Maybe;
        pace: Maybe;
        way: string;
        seconds: number;
        report: boolean;
    };
}

export interface AnalysedRow {
    row: number;
    t: Maybe;
    score: Maybe;
    severity: Severity;
    reason: string;
    factors: string[];
    explanation: string[];
}

export interface AnalysedColumn {
    name: string;
    left_out: string | null;
    note: string;
    unit: string;
    expected: Maybe;
    sigma: Maybe;
    low?: Maybe[];
    high?: Maybe[];
}

export interface AnalysedEvent {
    first: number;
    last: number;
    start: Maybe;
    end: Maybe;
    rows: number;
    pattern: string;
    peak: AnalysedRow;
}

export interface AnalysisResult {
    why: string;
    threshold_from: string;
    learned_rows: number;
    quality: {
        labels: string;
        precision: Maybe;
        recall: Maybe;
        f1: Maybe;
        roc_auc: Maybe;
        average_precision: Maybe;
        events: number;
        events_found: number;
    } | null;
    columns: AnalysedColumn[];
    parts: { row: number[]; t: Maybe[]; score: Maybe[]; anomalies: number[] };
    events: AnalysedEvent[];
    events_left_out: number;
    worst: AnalysedRow[];
}

/** What flagging another share of the rows would give. */
export interface AnalysisShare {
    share: Maybe;
    rows: number;
    anomalies: number;
    events: number;
    parts: number[];
}

export interface AnalysisRows {
    columns: string[];
    from: number;
    total: number;
    rows: { row: number; odd: boolean; surprise: Maybe; cells: string[] }[];
}
