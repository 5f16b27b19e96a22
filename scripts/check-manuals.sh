#!/usr/bin/env bash
# The manual pages that the tables give are without fault, and so are the completions.
#
#     scripts/check-manuals.sh PROGRAM
set -euo pipefail

program=$1
failed=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

"$program" help --man >"$folder/vedette.1"
for command in $("$program" help --names); do
    "$program" help --man "$command" >"$folder/vedette-$command.1"
done
for page in "$folder"/*.1; do
    mandoc -T lint -W warning "$page" || failed=1
done
"$program" completion bash >"$folder/bash"
bash -n "$folder/bash" || failed=1
shellcheck -s bash "$folder/bash" || failed=1
"$program" completion zsh >"$folder/zsh"
zsh -n "$folder/zsh" || failed=1
"$program" completion fish >"$folder/fish"
fish -n "$folder/fish" || failed=1
exit $failed
