#!/usr/bin/env bash
# Runs the C++ tests of build/release, then the Python tests with the built program and real
# models, and ends with one line: "N passed, N failed, N skipped".
set -uo pipefail
cd "$(dirname "$0")/.."

reports=build/reports
rm -rf "$reports"
mkdir -p "$reports"
status=0

GTEST_OUTPUT="xml:$PWD/$reports/" ctest --test-dir build/release --output-on-failure \
  -j "${JOBS:-$(nproc)}" --no-tests=error || status=1

# A process for each folder: their helpers have the same names.
for folder in tests/e2e tests/parity tests/server tests/web; do
  PONDER_BIN=$PWD/build/release/ponder build/venv/bin/python -m pytest -q -rs "$folder" \
    -p no:cacheprovider --junitxml="$reports/pytest-${folder#tests/}.xml" || status=1
done

build/venv/bin/python tools/count_tests.py "$reports" || status=1
exit $status
