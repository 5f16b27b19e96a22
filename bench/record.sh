#!/usr/bin/env bash
# CPU time that recording a tree of 200 processes takes for each sample, once a second, beside
# prmon on the same tree in the same minutes; and whether 1,000 children of 5 ms are counted.
#
#     bench/record.sh [SECONDS]
#
# prmon is built from its release 3.3.0: from PRMON_SOURCE (a folder with its sources), or
# cloned. PRMON names a binary that is there already. Without any of them its lines are
# skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
seconds=${1:-20}
vedette=$root/build/release/vedette
folder=$(mktemp -d)
tree=
trap '[ -z "$tree" ] || kill -- "-$tree" 2>/dev/null || true; rm -rf "$folder"' EXIT

# prmon_binary: its path, or why there is none in $missing.
prmon_binary() {
    local source=${PRMON_SOURCE:-$root/build/prmon-source}
    prmon=${PRMON:-$root/build/prmon/package/prmon}
    [ ! -x "$prmon" ] || return 0
    if [ ! -d "$source" ]; then
        timeout 60 git clone -q --depth 1 --branch v3.3.0 https://github.com/HSF/prmon \
            "$source" 2>"$folder/log" ||
            { missing="its sources cannot be had ($(tail -1 "$folder/log"))"; return 1; }
    fi
    { cmake -S "$source" -B build/prmon -DCMAKE_BUILD_TYPE=Release \
        -DUSE_EXTERNAL_NLOHMANN_JSON=ON -DUSE_EXTERNAL_SPDLOG=ON &&
        cmake --build build/prmon --target prmon; } >"$folder/log" 2>&1 ||
        { missing="it does not build: nlohmann-json3-dev and libspdlog-dev are needed"
          return 1; }
}

# cpu_ns PID: CPU time of all its threads so far.
cpu_ns() {
    awk '{ sum += $1 } END { printf "%.0f", sum }' /proc/"$1"/task/*/schedstat
}

rows_of() {
    wc -l <"$folder/rows.txt"
}

# measure NAME COMMAND...: attaches COMMAND to the tree, and prints its cost for each row.
measure() {
    local name=$1 recorder cpu rows
    shift
    "$@" --pid "$tree" -f "$folder/rows.txt" -j "$folder/sum.json" \
        -o "$folder/log.txt" >/dev/null 2>&1 &
    recorder=$!
    sleep 3
    cpu=$(cpu_ns $recorder) rows=$(rows_of)
    sleep "$seconds"
    cpu=$(($(cpu_ns $recorder) - cpu)) rows=$(($(rows_of) - rows))
    kill -USR1 $recorder
    wait $recorder || true
    awk -v name="$name" -v cpu=$cpu -v rows=$rows \
        'BEGIN { printf "  %-34s %7.2f ms a sample (%d samples)\n", name, cpu / rows / 1e6, rows }'
}

# plant KIND: a tree of 200 processes in a group of its own.
plant() {
    setsid python3 -S -c '
import mmap, os, sys, time
for i in range(199):
    if os.fork() == 0:
        break
busy = sys.argv[1] == "busy"
if not busy and i < 198:
    os.execlp("sleep", "sleep", "3600")
while True:
    time.sleep(0.2)
    if busy:  # of the kernel, each time anew: malloc would keep it
        with mmap.mmap(-1, 400_000) as memory:
            memory.write(b"x" * 400_000)
' "$1" &
    tree=$!
    sleep 4
}

compare() {
    plant "$1"
    echo "200 processes that $2:"
    measure "vedette" "$vedette" record -i 1
    measure "vedette --pss-every 1" "$vedette" record -i 1 --pss-every 1
    if prmon_binary; then
        measure "prmon 3.3.0" "$prmon" --interval 0
        measure "prmon 3.3.0 --fast-memmon" "$prmon" --interval 0 --fast-memmon
    else
        echo "  prmon: skipped, $missing"
    fi
    kill -- "-$tree"
    wait "$tree" 2>/dev/null || true
    tree=
}

children() {
    local code='
import os, resource, time
for i in range(1000):
    if (pid := os.fork()) == 0:
        end = time.process_time() + 0.005
        while time.process_time() < end:
            pass
        os._exit(0)
    os.waitpid(pid, 0)
use = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(sum(u.ru_utime + u.ru_stime for u in use))'
    local truth
    truth=$("$vedette" record -q -i 1 -f "$folder/rows.txt" -j "$folder/sum.json" \
        -o "$folder/log.txt" -- python3 -S -c "$code")
    awk -F'\t' -v truth="$truth" '{ cpu = $15 + $16 } END {
        printf "1,000 children of 5 ms: %.2f s of CPU, by wait4 %.2f s (%+.2f %%)\n",
            cpu, truth, 100 * (cpu / truth - 1) }' "$folder/rows.txt"
}

compare idle "sleep"
compare busy "change their memory five times a second"
children
