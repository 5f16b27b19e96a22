# shellcheck shell=bash
# Read by other scripts: compilers go through ccache where it is installed, so that a
# second clone compiles only what has changed.
if [ -z "${CMAKE_C_COMPILER_LAUNCHER+set}" ] && command -v ccache >/dev/null; then
    export CMAKE_C_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
fi
