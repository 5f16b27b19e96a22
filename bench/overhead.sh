#!/usr/bin/env bash
# What watching costs: `vedette monitor` with everything on beside netdata with machine
# learning on, at the same time on the same machine, 5 minutes of steady state at 1 Hz.
#
#     bench/overhead.sh [SECONDS [WARM_UP_SECONDS]]
#
# CPU is user and system time of all threads (and of the collectors that netdata starts as
# processes of their own) from /proc/PID/stat: time of the processor, not of the clock, so
# that neighbours disturb little. Memory is the proportional set size of smaps_rollup, the
# mean of one reading every 10 s. netdata comes from apt (netdata-core), runs in a folder of
# its own, keeps its data in memory and is stopped afterwards. Writes bench/overhead.csv.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-300}
warm_up=${2:-90}
program=${VEDETTE:-build/release/vedette}
work=$(mktemp -d)
pids=()

stop() {
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap stop EXIT

# The process and all that it started, one pid a line.
tree() {
    local child
    echo "$1"
    cat /proc/"$1"/task/*/children 2>/dev/null | tr ' ' '\n' | while read -r child; do
        [ -z "$child" ] || tree "$child"
    done
}

# user + system time of the tree in clock ticks, of ended children too.
cpu_ticks() {
    local pid sum=0 line
    for pid in $(tree "$1"); do
        line=$(cat "/proc/$pid/stat" 2>/dev/null) || continue
        # shellcheck disable=SC2086
        set -- ${line##*)}
        sum=$((sum + ${12} + ${13} + ${14} + ${15}))
    done
    echo "$sum"
}

pss_kb() {
    local pid
    for pid in $(tree "$1"); do
        cat "/proc/$pid/smaps_rollup" 2>/dev/null || true
    done | awk '/^Pss:/ { sum += $2 } END { print sum + 0 }'
}

start_netdata() {
    mkdir -p "$work/nd/cache" "$work/nd/lib" "$work/nd/log"
    cat >"$work/nd/netdata.conf" <<CONF
[global]
    run as user = root
[db]
    mode = ram
    retention = 3600
[directories]
    cache = $work/nd/cache
    lib = $work/nd/lib
    log = $work/nd/log
[web]
    bind to = 127.0.0.1:0
    default port = 19987
[ml]
    enabled = yes
[statsd]
    enabled = no
CONF
    netdata -D -c "$work/nd/netdata.conf" -P "$work/nd/pid" >"$work/nd/out" 2>&1 &
    pids+=($!)
    netdata_pid=$!
}

"$program" monitor --config none --data-dir "$work/data" --port 0 >"$work/vedette.out" 2>&1 &
pids+=($!)
vedette_pid=$!
netdata_pid=
if command -v netdata >/dev/null; then
    start_netdata
else
    echo "netdata is not installed (apt-get install --no-install-recommends netdata-core):" \
        "measured without it"
fi

sleep "$warm_up"
declare -A before pss
subjects=(vedette ${netdata_pid:+netdata})
pid_of() { if [ "$1" = vedette ]; then echo "$vedette_pid"; else echo "$netdata_pid"; fi; }
for s in "${subjects[@]}"; do
    kill -0 "$(pid_of "$s")" || { echo "$s ended"; cat "$work"/*.out "$work"/*/out; exit 1; }
    before[$s]=$(cpu_ticks "$(pid_of "$s")")
    pss[$s]=0
done
start=$(date +%s.%N)
readings=0
while [ $((readings * 10)) -lt "$seconds" ]; do
    sleep 10
    readings=$((readings + 1))
    for s in "${subjects[@]}"; do
        pss[$s]=$((pss[$s] + $(pss_kb "$(pid_of "$s")")))
    done
done
hz=$(getconf CLK_TCK)
processes=$(find /proc -maxdepth 1 -name '[0-9]*' | wc -l)
{
    echo "# bench/overhead.sh $seconds $warm_up, $(nproc) cores, $processes processes"
    echo "program,version,seconds,cpu_percent_of_a_core,pss_mib"
    for s in "${subjects[@]}"; do
        now=$(date +%s.%N)
        after=$(cpu_ticks "$(pid_of "$s")")
        if [ "$s" = vedette ]; then version=$("$program" --version); else version=$(netdata -V); fi
        awk -v s="$s" -v v="$(echo "$version" | grep -o '[0-9][0-9.]*' | head -1)" \
            -v t="$(awk "BEGIN { print $now - $start }")" -v c=$((after - before[$s])) \
            -v hz="$hz" -v p="${pss[$s]}" -v n="$readings" \
            'BEGIN { printf "%s,%s,%.0f,%.3f,%.1f\n", s, v, t, c / hz / t * 100, p / n / 1024 }'
    done
} | tee "${OVERHEAD_CSV:-bench/overhead.csv}"
