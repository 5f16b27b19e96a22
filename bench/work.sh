#!/usr/bin/env bash
# A user at work beside a monitor: builds, packages, a browser. Whom does it wake?
#
#     bench/work.sh [MINUTES]
#
# For so many minutes (30) builds of this tree, package downloads, pip installs and a
# headless Chromium that opens pages follow each other in a random order (seed 1), with
# pauses, as somebody works who has forgotten that he is watched. Prints what was an event,
# what alerted and why, and how many of each; the exit status is 1 above two alerts. What
# is not installed is left out, and said.
set -euo pipefail
cd "$(dirname "$0")/.."

minutes=${1:-30}
work=$(mktemp -d)
RANDOM=1
trap 'kill "$monitor" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

build() {
    git archive HEAD | tar x -C "$(mkdir -p "$work/tree" && echo "$work/tree")"
    cmake -S "$work/tree" -B "$work/build" -DCMAKE_BUILD_TYPE=Debug -DVD_DASHBOARD=OFF
    timeout 300 cmake --build "$work/build" -j "$(nproc)"
    rm -rf "$work/build"
}

packages() {
    (cd "$work" && apt-get download gcc-12 cmake git)
    rm -f "$work"/*.deb
}

install() {
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" install --no-cache-dir -q numpy pytest
    rm -rf "$work/venv"
}

browse() {
    for _ in 1 2 3; do
        timeout 60 "$browser" --headless --no-sandbox --disable-gpu \
            --user-data-dir="$work/profile" --virtual-time-budget=8000 \
            --screenshot="$work/page.png" "http://127.0.0.1:$port/"
    done
}

for browser in chromium chromium-browser google-chrome ""; do
    command -v "$browser" >/dev/null && break
done
tasks=(build install)
command -v apt-get >/dev/null && tasks+=(packages)
if [ -n "$browser" ]; then tasks+=(browse); else echo "no Chromium: nothing is browsed"; fi

build/release/vedette monitor --config none --no-desktop --port 0 --data-dir "$work/data" \
    >"$work/said" 2>&1 &
monitor=$!
until port=$(grep -oE '127\.0\.0\.1:[0-9]+' "$work/said" | head -1 | cut -d: -f2) &&
    [ -n "$port" ]; do sleep 1; done

end=$((SECONDS + minutes * 60))
while [ "$SECONDS" -lt "$end" ]; do
    task=${tasks[RANDOM % ${#tasks[@]}]}
    start=$SECONDS
    "$task" >"$work/$task.log" 2>&1 || echo "$task failed: $(tail -1 "$work/$task.log")"
    echo "$(date +%H:%M:%S) $task, $((SECONDS - start)) s"
    sleep $((RANDOM % 20 + 5))
done
kill -INT "$monitor"
wait "$monitor" || true

echo "== what was alerted"
grep -v '^vedette: ' "$work/said" || true
echo "== events"
build/release/vedette events --config none --data-dir "$work/data" || true
alerts=$(wc -l <"$work/data/alerts.jsonl")
echo "$alerts alerts in $minutes minutes"
[ "$alerts" -le 2 ]
