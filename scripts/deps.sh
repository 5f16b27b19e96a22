#!/usr/bin/env bash
# Installs what is missing, and does nothing when all is there.
#
#     scripts/deps.sh run      what building and running needs
#     scripts/deps.sh test     that, and what the tests and checks need
#
# A row is: package | how to see that it is there | what it is for. The probes are
# cmd:PROGRAM, pc:PKG-CONFIG-MODULE, header:FILE and py:MODULE, so that a machine that got
# the same things another way is left alone, with or without apt.
set -euo pipefail

run_needs='
build-essential      | cmd:cc              | the C compiler
cmake                | cmd:cmake           | the build
ninja-build          | cmd:ninja           | the build
pkg-config           | cmd:pkg-config      | finds the libraries
libuv1-dev           | pc:libuv            | the event loop
libjansson-dev       | pc:jansson          | JSON
libyaml-dev          | pc:yaml-0.1         | the configuration file
libsqlite3-dev       | pc:sqlite3          | the store
zlib1g-dev           | pc:zlib             | compressed logs
libzstd-dev          | pc:libzstd          | tables compressed with zstd
libcurl4-openssl-dev | pc:libcurl          | webhooks
libseccomp-dev       | pc:libseccomp       | the sandbox
libsvm-dev           | header:libsvm/svm.h | the one-class SVM
libxgboost-dev       | header:xgboost/c_api.h | the XGBoost detector
gnuplot-nox          | cmd:gnuplot         | plots of the reports
ca-certificates      | file:/etc/ssl/certs/ca-certificates.crt | downloads by npm
nodejs               | cmd:node            | bundles the dashboard
npm                  | cmd:npm             | bundles the dashboard
'

test_needs='
git                  | cmd:git             | what is in the repository
libcmocka-dev        | pc:cmocka           | unit tests
clang                | cmd:clang           | the second compiler
libclang-rt-dev      | clang:fuzzer        | the fuzzers
clang-format         | cmd:clang-format    | the format check
shellcheck           | cmd:shellcheck      | the check of the scripts
mandoc               | cmd:mandoc          | the check of the manual pages
python3              | cmd:python3         | tests of the program
python3-venv         | py:ensurepip        | tests of the program
chromium             | cmd:chromium        | tests of the dashboard
fonts-dejavu-core    | file:/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf | text in screenshots
xvfb                 | cmd:Xvfb            | tests of desktop notices
dunst                | cmd:dunst           | tests of desktop notices
dbus                 | cmd:dbus-daemon     | tests of desktop notices
systemd              | file:/lib/systemd/systemd | tests of units that fail
libglib2.0-bin       | cmd:gdbus           | tests of desktop notices
faketime             | cmd:faketime        | tests with a clock set back
iproute2             | cmd:ip              | tests of network load
systemd              | cmd:systemd-analyze | the check of the service
strace               | cmd:strace          | tests of what the program opens
procps               | cmd:ps              | tests of processes
zsh                  | cmd:zsh             | completion
fish                 | cmd:fish            | completion
bash-completion      | file:/usr/share/bash-completion/bash_completion | completion
'

say() { printf 'deps: %s\n' "$*"; }

# Is what the probe looks for there?
there() {
    case $1 in
        cmd:*) command -v "${1#cmd:}" >/dev/null ;;
        pc:*) command -v pkg-config >/dev/null && pkg-config --exists "${1#pc:}" ;;
        header:*) [ -e "/usr/include/${1#header:}" ] || [ -e "/usr/local/include/${1#header:}" ] ;;
        file:*) [ -e "${1#file:}" ] ;;
        clang:*) [ -n "$(clang -print-resource-dir 2>/dev/null)" ] &&
            [ -n "$(find "$(clang -print-resource-dir)/lib" \
                -name "libclang_rt.${1#clang:}*.a" 2>/dev/null)" ] ;;
        py:*) python3 -c "import ${1#py:}" 2>/dev/null ;;
        *) echo "deps: unknown probe '$1'" >&2; exit 2 ;;
    esac
}

case ${1:-run} in
    run) needs=$run_needs ;;
    test) needs=$run_needs$test_needs ;;
    *) echo "usage: $0 run|test" >&2; exit 2 ;;
esac

packages=()
while IFS='|' read -r package probe why; do
    read -r package <<<"$package"
    read -r probe <<<"$probe"
    [ -n "$package" ] || continue
    there "$probe" && continue
    packages+=("$package")
    say "missing: $package -$why"
done <<<"$needs"

[ ${#packages[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
    say "there is no apt-get here, so these cannot be installed: ${packages[*]}"
    say "install what your system calls them, then run this again"
    exit 1
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        say "not root and no sudo: as root, run: apt-get install ${packages[*]}"
        exit 1
    fi
    say "sudo is used for apt-get alone"
    as_root=(sudo)
fi

say "installing ${#packages[@]} packages with apt-get"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1 </dev/null
}
if ! apt update || ! apt install --no-install-recommends "${packages[@]}"; then
    tail -20 "$log"
    say "apt-get failed, see above"
    exit 1
fi
say "done"
