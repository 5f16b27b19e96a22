#!/usr/bin/env bash
# What the comparisons in Python need: the release library, and the peers in a virtual
# environment of their own (VEDETTE_BENCH_PYTHON = a Python that has them already).
set -euo pipefail
cd "$(dirname "$0")/../.."
cmake --preset release > /dev/null
ninja -C build/release libvedette.a vedette
if [ ! -x build/bench-venv/bin/python ]; then
    "${VEDETTE_BENCH_PYTHON:-python3}" -m venv --system-site-packages build/bench-venv
fi
build/bench-venv/bin/python -c 'import sklearn, xgboost' 2> /dev/null ||
    build/bench-venv/bin/pip install --quiet scikit-learn==1.9.1 xgboost==3.2.0
