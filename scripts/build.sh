#!/usr/bin/env bash
# Builds one preset, quietly: the log is shown when something fails.
#
#     scripts/build.sh PRESET [CMAKE-OPTION...]
set -euo pipefail
cd "$(dirname "$0")/.."

preset=$1
shift
# shellcheck source=scripts/ccache.sh
. scripts/ccache.sh
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "building $preset"
if ! { cmake --preset "$preset" "$@" && cmake --build --preset "$preset"; } >"$log" 2>&1 </dev/null
then
    grep -E -A 12 'error|warning|FAILED|Error' "$log" | tail -60 || tail -40 "$log"
    echo "building $preset failed" >&2
    exit 1
fi
