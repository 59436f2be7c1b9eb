#!/usr/bin/env bash
# How long a page of a list of a million pins takes, at its beginning and its end, in SQLite and in a throw-away
# PostgreSQL. Some ten minutes, most of them for making the pins; the build is that of the tests.
set -euo pipefail
cd "$(dirname "$0")/.."
NACRE_MEASURE=1 NACRE_REQUIRE_POSTGRESQL=1 swift test --no-parallel --filter 'PinPagingTests.*pagesOfAMillionPins' |
    grep -E 'FIGURE|failed|passed'
