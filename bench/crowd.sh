#!/usr/bin/env bash
# What a tick costs among very many processes, and on very many cores: user and system time
# of the whole monitor, a second from tick to tick, after half a minute of warming up.
#
#     bench/crowd.sh [PROCESSES [CORES [SECONDS]]]      (10,000, 512, 40)
#
# First as this machine is, then among so many processes that sleep (real ones: half a GB),
# then with the cores of a made-up tree, whose files are opened anew on each tick as those
# of a running kernel are not.
set -euo pipefail
cd "$(dirname "$0")/.."

processes=${1:-10000}
cores=${2:-512}
seconds=${3:-40}
program=${VEDETTE:-build/release/vedette}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cpu_ticks() {
    local line
    line=$(cat "/proc/$1/stat")
    # shellcheck disable=SC2086
    set -- ${line##*)}
    echo $((${12} + ${13}))
}

# cost WHAT OPTION...
cost() {
    local what=$1 pid before after hz
    shift
    "$program" monitor --config none --data-dir "$work/data" --port 0 --no-desktop \
        --duration $((seconds + 35))s "$@" >"$work/log" 2>&1 &
    pid=$!
    sleep 30
    before=$(cpu_ticks "$pid")
    sleep "$seconds"
    after=$(cpu_ticks "$pid")
    hz=$(getconf CLK_TCK)
    awk -v what="$what" -v ticks=$((after - before)) -v hz="$hz" -v seconds="$seconds" \
        -v rss="$(awk '/VmRSS/ { print $2 }' "/proc/$pid/status")" 'BEGIN {
            printf "%-44s %6.2f ms a tick, %.1f MiB\n", what, 1000 * ticks / hz / seconds,
                   rss / 1024 }'
    wait "$pid"
    rm -rf "$work/data"
}

if [ "${CROWD_INNER:-}" ]; then
    cost "among $processes sleeping processes"
    exit
fi
cost "$(find /proc -maxdepth 1 -name '[0-9]*' | wc -l) processes, $(nproc) cores"
CROWD_INNER=1 build/release/crowd "$processes" "$0" "$processes" "$cores" "$seconds"
python3 bench/crowd_tree.py "$work/root" "$cores" 100
cost "a tree of $cores cores" --root "$work/root"
