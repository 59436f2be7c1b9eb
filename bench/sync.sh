#!/usr/bin/env bash
# How fast are two folders equal through a node? Beside Syncthing, Unison, and rsync, which is the limit, in one run on
# loopback.
#
# usage: bench/sync.sh [--quick] [--nacre BINARY] [--dir DIR] [--json FILE] [ROW…]
#   --quick  5,000 files, a large file of 256 MiB, 100,000 files to scan
#   ROW      only these: first edit rename large stream line rescan million restore
# Prints a table of figures, what each should reach, and whether it does. Ends with 1 if one does not.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
for tool in rsync python3; do
    command -v "$tool" >/dev/null || { echo "$tool is missing: scripts/install-packages.sh sync-bench" >&2; exit 1; }
done
exec python3 -B "$here/bench/sync" --nacre "$here/.build/release/nacre" --dir "$here/bench/.work" "$@"
