#!/usr/bin/env bash
# Runs every benchmark, or those named: each is a program bench_NAME of the release build
# (from bench/NAME.c) or a script bench/NAME.sh. The results are kept as csv beside them.
set -euo pipefail
cd "$(dirname "$0")/.."

names=("$@")
if [ ${#names[@]} -eq 0 ]; then
    mapfile -t names < <(find bench -maxdepth 1 \( -name '*.c' -o -name '*.sh' \) -printf '%f\n' |
        sed 's/\.[^.]*$//' | sort -u)
fi
for name in "${names[@]}"; do
    echo "== $name"
    if [ -x "bench/$name.sh" ]; then
        "bench/$name.sh"
    else
        "build/release/bench_$name"
    fi
done
