#!/usr/bin/env bash
# The library gives away vd_ names only: vd_* is public, vd__* is shared between its files
# and hidden in the shared object.
#
#     scripts/check-exports.sh BUILD-FOLDER
set -euo pipefail

failed=0
for name in $(nm -g --defined-only "$1/libvedette.a" | awk 'NF == 3 { print $3 }' | sort -u); do
    case $name in
        vd_*) ;;
        *) echo "exports: libvedette.a defines $name"; failed=1 ;;
    esac
done
for name in $(nm -D --defined-only "$1/libvedette.so" | awk 'NF == 3 { print $3 }' | sort -u); do
    case $name in
        vd__*) echo "exports: libvedette.so gives away $name"; failed=1 ;;
        vd_*) ;;
        *) echo "exports: libvedette.so gives away $name"; failed=1 ;;
    esac
done
exit $failed
