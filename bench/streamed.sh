#!/usr/bin/env bash
# Host-wide detectors row by row, on SKAB and ADBench: bench/streamed.csv. See
# bench/python/streamed.py.
set -euo pipefail
cd "$(dirname "$0")/.."
bench/python/setup.sh
exec build/bench-venv/bin/python bench/python/streamed.py "$@"
