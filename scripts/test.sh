#!/usr/bin/env bash
# All tests: installs what they need, builds, runs, and ends with each runner's own closing
# line and with what took longest. The exit status is that of the worst.
#
#     scripts/test.sh [unit|cli|system|live|browser|web|asan|tsan|fuzz|soak...]
#
# Without words: all but soak, which is what needs hours: every fuzzer for SOAK_SECONDS
# (600), this machine left alone for as long, and what the others leave out as slow.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
unset DESTDIR MAKEFLAGS MAKELEVEL

steps=("$@")
failed=0
closing=()
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

wanted() {
    if [ ${#steps[@]} -eq 0 ]; then
        [ "$1" != soak ]
    else
        [[ " ${steps[*]} " == *" $1 "* ]]
    fi
}

# step NAME PATTERN COMMAND...: runs it, keeps the last line that matches the pattern.
step() {
    local name=$1 pattern=$2 line code start=$SECONDS
    shift 2
    echo "== $name: $*"
    "$@" 2>&1 </dev/null | tee "$logs/$name"
    code=${PIPESTATUS[0]}
    line=$(grep -E "$pattern" "$logs/$name" | tail -1)
    [ "$code" -eq 0 ] || failed=1
    closing+=("$name: ${line:-no closing line} (exit $code, $((SECONDS - start)) s)")
    echo "$((SECONDS - start)) $name" >>"$logs/steps"
}

build() {
    local start=$SECONDS
    scripts/build.sh "$@" || { closing+=("build $1: failed"); failed=1; return 1; }
    echo "$((SECONDS - start)) build $1" >>"$logs/steps"
}

# The lines of ctest and pytest that say how long a test took, as "SECONDS STEP: TEST".
slowest() {
    local log
    for log in "$logs"/*; do
        sed -nE -e "s|^ *[0-9]+/[0-9]+ Test +#[0-9]+: (\S+) .* ([0-9.]+) sec.*|\2 ${log##*/}: \1|p" \
            -e "s|^([0-9.]+)s (call\|setup\|teardown) +(.*)|\1 ${log##*/}: \3|p" "$log"
    done | sort -rn | head -12
}

venv() {
    local stamp=.venv/installed
    if ! cmp -s tests/requirements.txt "$stamp"; then
        echo "installing the Python packages of tests/requirements.txt into .venv"
        { [ -x .venv/bin/python ] || python3 -m venv .venv; } &&
            .venv/bin/pip install -q --disable-pip-version-check -r tests/requirements.txt &&
            cp tests/requirements.txt "$stamp" || return 1
    fi
}

pytest() {
    .venv/bin/python -m pytest -q -ra --durations=5 -p no:cacheprovider "$@"
}

ctest_line='tests? passed|tests failed'
pytest_line='(passed|failed|error|skipped|no tests ran).* in [0-9]'

scripts/deps.sh test || exit 1
venv || exit 1

if wanted unit || wanted cli || wanted system || wanted live ||
    wanted browser; then
    build dev || exit 1
fi
if wanted unit; then
    step unit "$ctest_line" ctest --test-dir build/dev --output-on-failure \
        -j "$(nproc)"
fi
if wanted cli; then
    step cli "$pytest_line" pytest tests/cli -n "$((2 * $(nproc)))" --maxschedchunk 1
fi
# Most of a test of the running program is waiting: many at once, the long ones first. What
# loads the real machine is alone on it.
if wanted system; then
    step system "$pytest_line" pytest tests/system -m 'not live' \
        -n "$((5 * $(nproc)))" --maxschedchunk 1
fi
if wanted live; then
    step live "$pytest_line" pytest tests/system -m live
fi
if wanted browser; then
    step browser "$pytest_line" pytest tests/browser -n "$((2 * $(nproc)))" --maxschedchunk 1
fi
if wanted web && [ -d web/test ]; then
    step web '^# pass' npm --prefix web test
fi
if wanted asan && build asan; then
    step asan "$ctest_line" ctest --test-dir build/asan --output-on-failure \
        -j "$(nproc)" -LE slow
    # What reads and writes, not what trains (the unit tests do) or looks at texts.
    VEDETTE_BUILD=build/asan step asan-cli "$pytest_line" pytest tests/cli \
        --ignore tests/cli/test_help.py -m 'not slow and not trains' -n "$((2 * $(nproc)))" --maxschedchunk 1
fi
if wanted tsan && build tsan; then
    VEDETTE_BUILD=build/tsan step tsan "$pytest_line" pytest -m tsan tests/system \
        -n "$((3 * $(nproc)))" --maxschedchunk 1
fi
# Long enough to find what is new and near the corpus; the rest is for the soak.
if wanted fuzz && build fuzz -DVD_FUZZ_SECONDS=8; then
    step fuzz "$ctest_line" ctest --preset fuzz -j "$((2 * $(nproc)))"
fi
if wanted soak && build asan; then
    step soak-slow "$ctest_line" ctest --test-dir build/asan --output-on-failure \
        -j "$(nproc)" -L slow
fi
if wanted soak && build dev; then
    QUIET_SECONDS=${SOAK_SECONDS:-600} step soak-quiet "$pytest_line" pytest \
        tests/system/test_live.py -k quiet
fi
if wanted soak && build fuzz -DVD_FUZZ_SECONDS="${SOAK_SECONDS:-600}"; then
    step soak-fuzz "$ctest_line" ctest --preset fuzz -j "$(nproc)"
fi

echo
echo "== what took longest (seconds)"
[ ! -e "$logs/steps" ] || sort -rn "$logs/steps"
echo "-- the slowest tests"
slowest
echo
echo "== closing lines"
printf '%s\n' "${closing[@]}"
if [ "$failed" -ne 0 ]; then
    echo "tests: FAILED"
    exit 1
fi
echo "tests: ok"
