#!/usr/bin/env bash
# A large table through `vedette detect` beside pandas and scikit-learn, in the same run: CPU
# seconds and the peak of memory, the share of each step, and the limit.
#
#     bench/batch.sh [ROWS] [FIGURES.csv]
#
# ROWS (default 1000000) are made.
# 10000000 is the table that the claims are about: 690 MB, and
# 3 GB of memory and three minutes for the peers, which are left out where they cannot be had.
# The limit of fewer rows is in proportion, although learning takes the same for all.
# The figures are also written to a file, build/batch.csv when none is named.
set -euo pipefail
cd "$(dirname "$0")/.."
rows=${1:-1000000}
figures=${2:-build/batch.csv}
preset=build/release
cmake --preset release -DVD_BENCH=ON > /dev/null
ninja -C $preset vedette table_rows bench_table > /dev/null
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# measure NAME COMMAND...: CPU seconds, wall seconds and the peak of one command, and what it
# says of its steps.
measure() {
    local name=$1
    shift
    python3 - "$name" "$@" << 'END'
import os, resource, subprocess, sys, time
start = time.monotonic()
done = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
use = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{sys.argv[1]:34s} {use.ru_utime + use.ru_stime:7.2f} s of CPU "
      f"{time.monotonic() - start:7.2f} s  peak {use.ru_maxrss // 1024:5d} MB"
      + ("" if done.returncode == 0 else f"  FAILED ({done.returncode})"), flush=True)
for line in done.stdout.splitlines():
    if line.startswith("Took "):
        print(f"  by the clock: {line}", flush=True)
END
}

steps() {
    $preset/table_rows "$rows" 1 > "$folder/table.csv"
    echo "$rows rows, $(stat -c %s "$folder/table.csv") bytes," \
        "load $(cut -d ' ' -f 1 /proc/loadavg)"
    echo "--- the parts, one thread"
    taskset -c 0 $preset/bench_table "$folder/table.csv" 1
    echo "--- vedette detect, as it is without options"
    for threads in 1 2; do
        measure "detect, $threads thread(s)" \
            $preset/vedette -c none detect --threads $threads "$folder/table.csv"
        measure "detect, $threads thread(s), scored CSV" $preset/vedette -c none detect \
            --threads $threads "$folder/table.csv" -o "$folder/scored.csv"
        rm -f "$folder/scored.csv"
    done
    awk -v rows="$rows" 'BEGIN {
        printf "%-34s %7.2f s of CPU\n", "limit", 6 * rows / 1e7
        printf "%-34s %7.2f s of CPU\n", "limit, scored CSV (and 200 MB)",
               18 * rows / 1e7
    }'
    echo "--- pandas and scikit-learn"
    if [ ! -x build/bench-venv/bin/python ]; then
        python3 -m venv build/bench-venv || true
    fi
    if build/bench-venv/bin/python -c 'import pandas, sklearn' 2> /dev/null ||
        build/bench-venv/bin/pip install --quiet pandas scikit-learn 2> /dev/null; then
        for output in - "$folder/peer.csv"; do
            taskset -c 0 build/bench-venv/bin/python bench/python/batch.py \
                "$folder/table.csv" "$output"
        done
    else
        echo "pandas and scikit-learn are not to be had here: left out"
    fi
}

steps 2>&1 | tee "$folder/said"
awk -v rows="$rows" 'BEGIN { print "rows,what,cpu_s,wall_s,peak_mb" }
    match($0, / +[0-9.]+ s of CPU/) {
        what = substr($0, 1, RSTART - 1)
        gsub(/^ +| +$|,/, "", what)
        split(substr($0, RSTART), part, " ")
        print rows "," what "," part[1] "," part[5] "," part[8]
    }' "$folder/said" > "$figures"
