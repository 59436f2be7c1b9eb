#!/usr/bin/env bash
# Builds and runs every test; the kinds that are no Swift tests (lint, fuzzing) first where they are quick.
set -euo pipefail
cd "$(dirname "$0")/.."

swift format lint --strict --recursive Package.swift Sources Tests Fuzz/Package.swift Fuzz/Sources
swift build --build-tests
# The tests start and stop a throw-away PostgreSQL, nginx and so on themselves; here they may not do without.
# nginx lies where only root looks.
export PATH=$PATH:/usr/sbin
NACRE_REQUIRE_POSTGRESQL=1 NACRE_REQUIRE_TOOLS=1 swift test --skip-build
if [ -x Fuzz/run.sh ]; then
    Fuzz/run.sh "${FUZZ_SECONDS:-3}"
fi
