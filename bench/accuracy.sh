#!/usr/bin/env bash
# Accuracy beside scikit-learn and XGBoost: bench/accuracy.csv. See bench/python/accuracy.py.
set -euo pipefail
cd "$(dirname "$0")/.."
bench/python/setup.sh
exec build/bench-venv/bin/python bench/python/accuracy.py "$@"
