#!/usr/bin/env bash
# Removes the files that `make install` wrote down.
#
#     scripts/uninstall.sh MANIFEST [DESTDIR]
set -euo pipefail

if [ ! -e "$1" ]; then
    echo "uninstall: $1 is not there: nothing was installed from this folder" >&2
    exit 1
fi
# The manifest's last line has no line break.
while read -r file || [ -n "$file" ]; do
    rm -f -- "${2:-}$file"
done <"$1"
# Folders of vedette alone; those that others share stay.
sed -n 's|\(.*/vedette\)/[^/]*$|\1|p' "$1" | sort -u | while read -r folder; do
    rmdir --ignore-fail-on-non-empty -- "${2:-}$folder" 2>/dev/null || true
done
echo "uninstall: removed $(grep -c . "$1") files"
