#!/usr/bin/env bash
# The release is hardened: position independent, read-only relocations bound at start, no
# executable stack, stack protector, checked string functions.
#
#     scripts/check-hardening.sh PROGRAM
set -euo pipefail

program=$1
failed=0

want() {
    echo "hardening: $program: $1"
    failed=1
}

# The lists are read whole: with pipefail, grep -q would break the pipe of a longer one.
header=$(readelf -hW "$program")
segments=$(readelf -lW "$program")
dynamic=$(readelf -dW "$program")
symbols=$(readelf -sW --dyn-syms "$program")

grep -q 'Type:.*DYN' <<<"$header" || want "is not position independent (PIE)"
grep -q 'GNU_RELRO' <<<"$segments" || want "has no RELRO"
grep -Eq 'BIND_NOW|FLAGS_1.*NOW' <<<"$dynamic" || want "does not bind at start (full RELRO)"
grep 'GNU_STACK' <<<"$segments" | grep -q 'RWE' && want "has an executable stack"
grep -q '__stack_chk_fail' <<<"$symbols" || want "has no stack protector"
grep -q '__[a-z]*_chk@' <<<"$symbols" || want "has no fortified function"
grep -Eq 'R(UN)?PATH' <<<"$dynamic" && want "has a run path"
exit $failed
