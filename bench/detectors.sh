#!/usr/bin/env bash
# Speed beside scikit-learn and XGBoost: bench/detectors.csv. See bench/python/detectors.py.
set -euo pipefail
cd "$(dirname "$0")/.."
bench/python/setup.sh
exec build/bench-venv/bin/python bench/python/detectors.py "$@"
