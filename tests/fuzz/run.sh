#!/usr/bin/env bash
# Runs every fuzz target for some seconds: tests/fuzz/run.sh [SECONDS [TARGET ...]]
# Seeds come from corpus/TARGET; what is found goes to build/fuzz/corpus and build/fuzz/crashes.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-60}
shift || true
programs=${PONDER_FUZZ_BIN:-build/fuzz/tests/fuzz}
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for source in tests/fuzz/*_fuzz.cpp; do targets+=("$(basename "$source" _fuzz.cpp)"); done
fi

status=0
for target in "${targets[@]}"; do
  found=build/fuzz/corpus/$target
  crashes=build/fuzz/crashes/$target
  mkdir -p "$found" "$crashes"
  log=build/fuzz/$target.log
  seeds=()
  [ -d "tests/fuzz/corpus/$target" ] && seeds+=("tests/fuzz/corpus/$target")
  options=(-max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -max_len=20000
    -detect_leaks=1 -print_final_stats=1 -artifact_prefix="$crashes/")
  [ -f "tests/fuzz/$target.dict" ] && options+=(-dict="tests/fuzz/$target.dict")
  if "$programs/${target}_fuzz" "${options[@]}" "$found" "${seeds[@]}" >"$log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    printf '%-24s %12s runs in %s s, nothing found\n' "$target" "${runs:-?}" "$seconds"
  else
    status=1
    tail -n 60 "$log"
    printf '%-24s FAILED; input under %s, log in %s\n' "$target" "$crashes" "$log"
  fi
done
exit $status
