#!/usr/bin/env bash
# The service as systemd sees it: how much a process that was taken over could reach, 0 to 10.
# Fails above 2.0, and on anything that systemd does not understand.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! systemd-analyze security --help 2>/dev/null | grep -q -- --offline; then
    echo "service: skipped, no systemd-analyze with --offline here (systemd 250)"
    exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed 's|@VD_PROGRAM@|/bin/true|' packaging/vedette.service.in >"$folder/vedette.service"
if ! systemd-analyze security --offline=true --threshold=20 --no-pager \
    "$folder/vedette.service" >"$folder/report" 2>"$folder/said"; then
    grep -v '^✓' "$folder/report"
    cat "$folder/said"
    exit 1
fi
if grep -E 'Unknown|Failed|ignoring' "$folder/said"; then exit 1; fi
tail -1 "$folder/report"
