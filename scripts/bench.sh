#!/usr/bin/env bash
# Runs every benchmark, or those named: scripts bench/NAME.sh, and programs bench_NAME of
# the release build for which there is no script. Results that are kept lie beside them as
# csv.
set -euo pipefail
cd "$(dirname "$0")/.."

names=("$@")
if [ ${#names[@]} -eq 0 ]; then
    mapfile -t names < <({
        find bench -maxdepth 1 -name '*.sh' -printf '%f\n' | sed 's/\.sh$//'
        find build/release -maxdepth 1 -name 'bench_*' -type f -perm -u+x -printf '%f\n' |
            sed 's/^bench_//'
    } | sort -u)
fi
for name in "${names[@]}"; do
    echo "== $name"
    if [ -x "bench/$name.sh" ]; then
        "bench/$name.sh"
    else
        "build/release/bench_$name"
    fi
done
