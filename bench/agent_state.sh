#!/usr/bin/env bash
# What the agent should see of a row: bench/agent_state.csv. See bench/python/agent_state.py.
set -euo pipefail
cd "$(dirname "$0")/.."
bench/python/setup.sh
exec build/bench-venv/bin/python bench/python/agent_state.py "$@"
