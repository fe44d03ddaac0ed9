#!/usr/bin/env bash
# Configures a preset of CMakePresets.json once, then builds it: tools/build.sh PRESET [TARGET ...]
set -euo pipefail
cd "$(dirname "$0")/.."

preset=$1
shift
folder=build/$preset
if [ ! -f "$folder/build.ninja" ]; then
  mkdir -p "$folder"
  cmake --preset "$preset" >"$folder/configure.log" 2>&1 || { cat "$folder/configure.log"; exit 1; }
fi
quiet=--quiet
[ -t 1 ] && quiet=
exec ninja -C "$folder" -j "${JOBS:-$(nproc)}" $quiet "$@"
