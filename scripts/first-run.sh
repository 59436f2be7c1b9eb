#!/usr/bin/env bash
# The main job, shown once: add a folder, list it, read it back, verify everything.
# usage: first-run.sh NACRE FOLDER
set -euo pipefail
nacre=$1
folder=$2

if [ ! -d "$folder" ]; then
    echo "make demo: there is no folder $folder; name one with make demo DIR=some/folder" >&2
    exit 2
fi
export NACRE_DATA=${NACRE_DATA:-$PWD/.build/first-run-data}
back=$(mktemp -d)
trap 'rm -rf "$back"' EXIT

say() { printf '\n== %s\n' "$1"; }

# Hidden entries stay out, as in every IPFS tool, and so does nothing else.
say "nacre add $folder"
status=0
"$nacre" add "$folder" >"$back/added" || status=$?
# 3: some entries could not be read; the messages above say which.
if [ "$status" -ne 0 ] && [ "$status" -ne 3 ]; then exit "$status"; fi
tail -n 5 "$back/added"
echo "($(wc -l <"$back/added") entries)"
root=$(tail -n 1 "$back/added" | cut -d' ' -f1)

say "nacre ls $root"
"$nacre" ls "$root" >"$back/listing"
head -n 10 "$back/listing"
echo "($(wc -l <"$back/listing") entries at the top)"

say "nacre get $root, and comparison with the folder"
"$nacre" get "$root" -o "$back/copy"
if [ "$status" -eq 0 ]; then
    # What was left out at adding is left out of the comparison as well.
    differences=$(diff -rq --no-dereference "$folder" "$back/copy" 2>&1 | grep -vE '^Only in .*: \.' | grep -vE 'is a (fifo|socket|block special|character special)' || true)
    if [ -n "$differences" ]; then
        printf '%s\n' "$differences" >&2
        echo "make demo: what came back differs from what was put in" >&2
        exit 1
    fi
    echo "byte for byte the same"
fi

say "nacre verify"
"$nacre" verify

say "root CID"
echo "$root"

cat <<TEXT

It is kept in $NACRE_DATA (export NACRE_DATA to use it in your own commands). Try next:

  export NACRE_DATA=$NACRE_DATA
  $nacre ls $root
  $nacre car export $root > folder.car
  $nacre pin ls
TEXT
