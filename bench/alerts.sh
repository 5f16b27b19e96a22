#!/usr/bin/env bash
# Does the whole monitor keep the alert budget? Days of stationary noise through every
# detector, kind by kind; writes bench/alerts.csv.
#
#     bench/alerts.sh [DAYS [BUDGET]]
#
# Nothing happens in this noise, so every alert is a false one. Those of the first hour,
# while the monitor knows nothing yet, are counted apart; `ratio` is the others over what
# the budget allows. The loudest kind is drawn five times, to tell its rate from luck. A day
# takes a minute and a half of one processor.
set -euo pipefail
cd "$(dirname "$0")/.."

export DAYS=${1:-3} BUDGET=${2:-7} TZ=UTC
work=$(mktemp -d)
export work
trap 'rm -rf "$work"' EXIT

play() {
    local kind=$1 seed=$2 data=$work/$1-$2
    build/release/vedette generate --preset "$kind" --seed "$seed" \
        --rows "$(awk -v days="$DAYS" 'BEGIN { print int(days * 86400) }')" > "$data.csv"
    build/release/vedette monitor --replay "$data.csv" --quiet --no-terminal --no-desktop \
        --no-dashboard --no-performance-log --no-metrics-history \
        --no-anomalies-log --budget "$BUDGET" --data-dir "$data" > /dev/null
    awk -v kind="$kind" -v seed="$seed" -v days="$DAYS" -v budget="$BUDGET" '
        /"alerted": true/ { if (substr($0, 11, 13) < "2026-01-01T01") early++; else late++ }
        END { printf "%s,%d,%g,%g,%d,%d,%.2f\n", kind, seed, days, budget, early, late,
              late / (budget * (days - 1 / 24) / 7) }' "$data/alerts.jsonl"
    rm -rf "$data" "$data.csv"
}
export -f play

{
    echo "# bench/alerts.sh $DAYS $BUDGET"
    echo "noise,seed,days,budget_per_week,alerts_in_the_first_hour,alerts_later,ratio"
    {
        printf '%s 1\n' on_off mixed periodic heavy correlated counts rare_counts daily \
            gaussian
        printf 'bursty %d\n' 1 2 3 4 5
    } | xargs -P "$(nproc)" -L 1 bash -c 'play "$@"' play
} | tee bench/alerts.csv
