#!/usr/bin/env bash
# Builds and runs every test; the kinds that are no Swift tests (lint, fuzzing) first where they are quick.
set -euo pipefail
cd "$(dirname "$0")/.."

swift format lint --strict --recursive Package.swift Sources Tests Fuzz/Package.swift Fuzz/Sources
swift build --build-tests
# The tests start and stop a throw-away PostgreSQL, nginx and so on themselves; here they may not do without.
# nginx lies where only root looks.
export PATH=$PATH:/usr/sbin
# All tests at once on two cores leave each of them waiting for minutes, and connections idle that are to be closed then.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=${SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH:-$((2 * $(nproc)))}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
NACRE_REQUIRE_POSTGRESQL=1 NACRE_REQUIRE_TOOLS=1 swift test --skip-build 2>&1 | tee "$log" || {
    # What failed, behind the thousands of lines of what did not.
    grep -a -A 4 -e 'recorded an issue' -e 'failed after' -e 'error:' "$log" | tail -n 200
    exit 1
}
if [ -x Fuzz/run.sh ]; then
    Fuzz/run.sh "${FUZZ_SECONDS:-3}"
fi
