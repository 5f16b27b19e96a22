#!/usr/bin/env bash
# Manual pages, completions, options.md and the example of a configuration file, all from
# the tables of the program.
#
#     scripts/documents.sh PROGRAM FOLDER
set -euo pipefail

program=$1
folder=$2
# The same sources give the same bytes: no date of today.
date=$(date -u -d "@${SOURCE_DATE_EPOCH:-1767225600}" +%Y-%m-%d)

mkdir -p "$folder/man1"
rm -f "$folder/stamp" "$folder"/man1/*
"$program" help --man --date "$date" >"$folder/man1/vedette.1"
for command in $("$program" help --names); do
    "$program" help --man --date "$date" "$command" >"$folder/man1/vedette-$command.1"
done
for shell in bash zsh fish; do
    "$program" completion $shell >"$folder/vedette.$shell"
done
"$program" help --markdown >"$folder/options.md"
"$program" config example >"$folder/vedette.yaml"
touch "$folder/stamp"
