#!/usr/bin/env bash
# usage: soak.sh NACRE SECONDS [OPTION…]: a soak on a directory of its own, which stays if something is wrong
set -euo pipefail
nacre=$(realpath "$1")
seconds=$2
shift 2
directory=$(mktemp -d "${TMPDIR:-/tmp}/nacre-soak.XXXXXX")
echo "soaking for $seconds s in $directory"
python3 -B "$(dirname "$0")/soak" "$nacre" "$directory" --seconds "$seconds" "$@"
rm -rf "$directory"
