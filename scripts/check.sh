#!/usr/bin/env bash
# Everything that needs no running program: format, rules, warnings, exports, hardening,
# documents. The exit status says whether all is well; each failure says what is not.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
unset DESTDIR MAKEFLAGS MAKELEVEL

# shellcheck source=scripts/ccache.sh
. scripts/ccache.sh

failed=()

check() {
    local name=$1
    shift
    echo "== $name"
    "$@" </dev/null || failed+=("$name")
}

sources() {
    git ls-files --cached --others --exclude-standard '*.c' '*.h' | while read -r f; do
        [ -e "$f" ] && echo "$f"
    done
}

check_format() {
    sources | xargs clang-format --dry-run --Werror 2>&1 | grep -E 'error:' | head -20
    return "${PIPESTATUS[1]}"
}

check_lengths() {
    # Files of C code stay readable: 600 lines at most.
    sources | grep -E '^(lib|src)/' | xargs wc -l | awk '$2 != "total" && $1 > 600 {
        print "too long: " $2 ", " $1 " lines"; bad = 1 } END { exit bad }'
}

check_shell() {
    git ls-files --cached --others --exclude-standard '*.sh' '.ci/run' | xargs shellcheck -x
}

# Warnings are errors, in folders of their own.
strict() {
    local name=$1 preset=$2 compiler=$3
    local folder=build/check-$name log
    log=$(mktemp)
    cmake --preset "$preset" -B "$folder" -DCMAKE_C_COMPILER="$compiler" \
        -DCMAKE_C_FLAGS=-Werror -DVD_DASHBOARD="${4:-OFF}" \
        -DBUILD_TESTING=ON -DVD_BENCH=ON >"$log" 2>&1 &&
        cmake --build "$folder" >>"$log" 2>&1
    local code=$?
    [ $code -eq 0 ] || grep -E -A 6 'error:|Error|FAILED' "$log" | head -60
    rm -f "$log"
    return $code
}

scripts/deps.sh test || exit 1
check format check_format
check "file lengths" check_lengths
check "include rule" scripts/check-includes.sh
check scripts check_shell
check service scripts/check-service.sh
check "gcc, all parts" strict gcc release gcc ON
check "gcc, minimal" strict gcc-min min gcc
check "clang, all parts" strict clang release clang
check "clang, minimal" strict clang-min min clang
check exports scripts/check-exports.sh build/check-gcc
check hardening scripts/check-hardening.sh build/check-gcc/vedette
check "manual pages, completions" scripts/check-manuals.sh build/check-gcc/vedette
check "dashboard sources" npm --prefix web run --silent check

echo
if [ ${#failed[@]} -gt 0 ]; then
    echo "check: FAILED: $(IFS=,; echo "${failed[*]}")"
    exit 1
fi
echo "check: ok"
