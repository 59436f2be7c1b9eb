#!/usr/bin/env bash
# How far from the disk and from the tools people use today? One run, one machine, the same inputs for everybody.
#
# usage: bench/compare.sh [--quick] [--large MIB] [--small COUNT] [--dir DIR] [--nacre BINARY] [--json FILE]
#   --large  MiB of each of the four large files (1024);  --small  how many files of 1 KiB (100000)
#   --quick  64 MiB and 10000
# Prints a table of figures, what each should reach, and whether it does. Ends with 1 if one does not.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
nacre=$here/.build/release/nacre
large=1024 small=100000 mixed=20000 work=$here/bench/.work json= memory_disk=/dev/shm
while [ $# -gt 0 ]; do
    case $1 in
        --quick) large=64 small=10000 mixed=2000; shift ;;
        --large) large=$2; shift 2 ;;
        --small) small=$2; mixed=$(($2 / 5)); shift 2 ;;
        --dir) work=$2; shift 2 ;;
        --nacre) nacre=$2; shift 2 ;;
        --json) json=$2; shift 2 ;;
        *) sed -n '4,7s/^# //p' "$0" >&2; exit 2 ;;
    esac
done
mkdir -p "$work"
work=$(mktemp -d "$work/run.XXXXXX")
tmpfs=$(mktemp -d "$memory_disk/nacre-compare.XXXXXX")
trap 'rm -rf "$work" "$tmpfs" 2>/dev/null || { chmod -R u+w "$work"; rm -rf "$work" "$tmpfs"; }' EXIT
export BORG_BASE_DIR=$work/borg-home RESTIC_PASSWORD=benchmark RESTIC_CACHE_DIR=$work/restic-cache
export BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes HOME=$work/home
mkdir -p "$HOME"

rows=() missed=0 peak=0
note() { printf '%s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null; }
calculate() { awk "BEGIN { printf \"%.4g\", $1 }"; }

# timed COMMAND…: seconds in $seconds; the largest resident size of any nacre run in $peak (KiB).
timed() {
    /usr/bin/time -o "$work/time" -f '%e %M' "$@" >"$work/out" 2>"$work/err" || {
        note "failed: $*"; tail -3 "$work/err" >&2; return 1
    }
    local resident
    read -r seconds resident < <(tail -1 "$work/time")
    [ "$seconds" != 0.00 ] || seconds=0.01
    if [ "$1" = "$nacre" ] && [ "$resident" -gt "$peak" ]; then peak=$resident; fi
}

# row WORK RELATION REACH FIGURE: RELATION is <= or >=.
row() {
    local ok=missed
    if awk "BEGIN { exit !($4 $2 $3) }"; then ok=ok; else missed=1; fi
    rows+=("$1|$2 $3|$4|$ok")
    note "$(printf '%-66s %-10s %8s  %s' "$1" "$2 $3" "$4" "$ok")"
}

copy_and_sync() { timed bash -c 'cp -r "$1" "$2" && sync -f "$2"' - "$1" "$2"; }
settle() { sync; sleep 1; }
warm() { find "$1" -type f -print0 | xargs -0 cat >/dev/null; }

note "inputs: 4 files of $large MiB, $small of 1 KiB, $mixed of 1 to 16 KiB, in $work"
python3 - "$work" "$large" "$small" "$mixed" <<'PYTHON'
import os, random, sys
work, large, small, mixed = sys.argv[1], *map(int, sys.argv[2:])
source = random.Random(1)
os.makedirs(f"{work}/large")
for number in range(4):
    with open(f"{work}/large/{number}", "wb") as file:
        for _ in range(large):
            file.write(source.randbytes(1 << 20))
def tree(name, count, size):
    for number in range(count):
        folder = f"{work}/{name}/{number // 1000}"
        if number % 1000 == 0:
            os.makedirs(folder)
        with open(f"{folder}/{number}", "wb") as file:
            file.write(source.randbytes(size()))
tree("small", small, lambda: 1024)
tree("mixed", mixed, lambda: source.randint(1024, 16384))
# Half of it once more, moved by a few bytes so that only cuts by content find it.
half = large
with open(f"{work}/doubled", "wb") as file:
    for round in range(2):
        with open(f"{work}/large/0", "rb") as original:
            file.write(b"moved" * round)
            while block := original.read(1 << 20):
                file.write(block)
PYTHON
settle

# The first touch of memory that a virtual machine was not given yet is several times slower than the next: whoever runs
# first would pay for all.
touch_memory() {
    local free
    free=$(df -Pm "$tmpfs" | awk -v most=$((large * 12)) 'NR == 2 { half = $4 / 2; print int(half < most ? half : most) }')
    head -c "${free}M" /dev/zero >"$tmpfs/touch" && rm "$tmpfs/touch"
}
median() { printf '%s\n' "$@" | sort -g | sed -n "$((($# + 1) / 2))p"; }

note "large files, the median of three rounds"
added=() gotten=()
for _ in 1 2 3; do
    warm "$work/large"
    touch_memory
    copy_and_sync "$work/large" "$work/large.copy"; copy=$seconds
    rm -rf "$work/large.copy" "$work/data"
    settle
    touch_memory
    timed "$nacre" --data "$work/data" add -Q "$work/large"; large_root=$(cat "$work/out")
    added+=("$(calculate "$seconds / $copy")")
    settle
    touch_memory
    timed cp -r "$work/large" "$work/large.copy"; copy=$seconds
    rm -rf "$work/large.copy"
    settle
    touch_memory
    timed "$nacre" --data "$work/data" get -q "$large_root" -o "$work/large.back"
    gotten+=("$(calculate "$seconds / $copy")")
    cmp -s "$work/large/3" "$work/large.back/3" || { note "get gave other bytes back"; exit 1; }
    rm -rf "$work/large.back"
    settle
done
row "add 4 x $large MiB: time of cp + sync" "<=" 1.1 "$(median "${added[@]}")"
row "get 4 x $large MiB: time of cp -r" "<=" 1.3 "$(median "${gotten[@]}")"

available=$(df -Pm "$tmpfs" | awk 'NR == 2 { print $4 }')
if [ "$available" -gt $((large * 9)) ]; then
    cp -r "$work/large" "$tmpfs/large"
    timed openssl dgst -sha256 "$tmpfs"/large/*; digest=$seconds
    timed "$nacre" --data "$tmpfs/data" add -Q "$tmpfs/large"
    row "add on tmpfs: time of openssl dgst -sha256" "<=" 0.6 "$(calculate "$seconds / $digest")"
    rm -rf "$tmpfs/large" "$tmpfs/data"
else
    note "tmpfs has only $available MiB free: its row is left out"
fi

note "fastcdc"
doubled=$((2 * large))
timed "$nacre" --data "$work/data-cdc" add -Q --chunker fastcdc "$work/doubled"
row "add --chunker fastcdc $doubled MiB, half duplicate: MiB a second" ">=" 700 "$(calculate "$doubled / $seconds")"
kept=$(du -sm "$work/data-cdc/blocks/packs" | cut -f1)
timed "$nacre" --data "$work/data-cdc" add -Q --chunker fastcdc "$work/doubled"
again=$(du -sm "$work/data-cdc/blocks/packs" | cut -f1)
row "second add of the same: MiB stored" "<=" 0 "$((again > kept ? again - kept : 0))"
if have casync; then
    settle
    timed casync make --without=all --store="$work/casync.castr" "$work/doubled.caibx" "$work/doubled"
    # casync compresses; random bytes do not shrink, so its store is as large as what it kept.
    casync_kept=$(du -sm --apparent-size "$work/casync.castr" | cut -f1)
    row "duplicate half found: MiB kept, times those of casync" "<=" 1.05 "$(calculate "$kept / $casync_kept")"
fi
rm -rf "$work/data-cdc" "$work/casync.castr" "$work/doubled"

note "small files"
settle; warm "$work/small"
copy_and_sync "$work/small" "$work/small.copy"; copy=$seconds
rm -rf "$work/small.copy"; settle
timed "$nacre" --data "$work/data" add -Q "$work/small"; small_root=$(cat "$work/out")
row "add $small files of 1 KiB: rate, times that of cp -r + sync" ">=" 0.5 "$(calculate "$copy / $seconds")"
rows+=("  files a second||$(calculate "$small / $seconds")|")
settle
timed cp -r "$work/small" "$work/small.copy"; copy=$seconds
settle
timed "$nacre" --data "$work/data" get -q "$small_root" -o "$work/small.back"
row "get $small files of 1 KiB: time of cp -r" "<=" 1.6 "$(calculate "$seconds / $copy")"
diff -r "$work/small" "$work/small.back" >/dev/null || { note "get gave other files back"; exit 1; }
rm -rf "$work/small.copy" "$work/small.back"

note "other tools, $mixed files of 1 to 16 KiB"
settle; warm "$work/mixed"
timed "$nacre" --data "$work/data" add -Q "$work/mixed"; ours=$seconds
other() { # NAME REACH COMMAND…
    local name=$1 reach=$2
    shift 2
    settle
    if timed "$@"; then row "add $mixed files: times the rate of $name" ">=" "$reach" "$(calculate "$seconds / $ours")"; fi
}
if have restic; then
    restic init -q -r "$work/restic"
    other "restic backup" 2 restic backup -q -r "$work/restic" "$work/mixed"
fi
if have borg; then
    borg init -e none "$work/borg" 2>/dev/null
    other "borg create" 2 borg create "$work/borg::one" "$work/mixed"
fi
if have casync; then
    other "casync make" 2 casync make --store="$work/mixed.castr" "$work/mixed.caidx" "$work/mixed"
fi
if have git-annex; then
    cp -r "$work/mixed" "$work/annex"
    git init -q "$work/annex"
    git -C "$work/annex" config user.name benchmark
    git -C "$work/annex" config user.email benchmark@localhost
    git -C "$work/annex" annex init -q benchmark >/dev/null 2>&1
    other "git-annex add" 100 git -C "$work/annex" annex add -q .
fi
row "peak memory of any nacre run: MiB" "<=" 256 "$(calculate "$peak / 1024")"

processor=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)
commit=$(git -C "$here" rev-parse --short HEAD 2>/dev/null || echo unknown)
echo "machine: $processor, $(nproc) processors, $(uname -sr); commit $commit; durability group, page cache warm"
printf '%-66s %-10s %8s  %s\n' work reach figure ''
for line in "${rows[@]}"; do
    IFS='|' read -r work_done reach figure ok <<<"$line"
    printf '%-66s %-10s %8s  %s\n' "$work_done" "$reach" "$figure" "$ok"
done
if [ -n "$json" ]; then
    printf '%s\n' "${rows[@]}" | python3 -c '
import json, sys
rows = [line.rstrip("\n").split("|") for line in sys.stdin]
keys = ("work", "reach", "figure", "ok")
print(json.dumps({"machine": sys.argv[1], "commit": sys.argv[2], "rows": [dict(zip(keys, r)) for r in rows]}, indent=1))
' "$processor" "$commit" >"$json"
fi
exit $missed
