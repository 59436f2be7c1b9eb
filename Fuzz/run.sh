#!/usr/bin/env bash
# Fuzzes decoders with libFuzzer and AddressSanitizer: run.sh SECONDS [TARGET…], each so long, all by default.
# Begins with the inputs in Corpus/<target>. New ones that reach more code go to .build/corpus/<target>, from
# where `run.sh --keep [TARGET…]` takes small ones into Corpus. Inputs that break a property go to Crashes.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:?usage: run.sh SECONDS | --keep [TARGET…]}
shift

# All modules are instrumented. The driver is the one without a main function: the program has its own.
toolchain=$(dirname "$(dirname "$(readlink -f "$(command -v swiftc)")")")
driver=$(find "$toolchain/lib/clang" -name "libclang_rt.fuzzer_no_main-$(uname -m).a" | head -n 1)
if [ -z "$driver" ]; then
    echo "fuzzing: the Swift toolchain at $toolchain has no libFuzzer; use one from swift.org" >&2
    exit 1
fi
options=(-c release --sanitize address -Xswiftc -g
    -Xswiftc -sanitize-coverage=edge,inline-8bit-counters,pc-table,trace-cmp
    -Xlinker "$driver" -Xlinker -lstdc++)
mkdir -p .build Crashes
if ! swift build "${options[@]}" >.build/build.log 2>&1; then
    cat .build/build.log >&2
    exit 1
fi
fuzzer=$(swift build "${options[@]}" --show-bin-path 2>/dev/null)/nacre-fuzz

# Freed memory is kept back for a while to find its use; nothing that is found here needs much of it.
export ASAN_OPTIONS=quarantine_size_mb=8:detect_leaks=0:abort_on_error=0:allocator_may_return_null=0
export SWIFT_BACKTRACE=enable=no
mapfile -t known < <("$fuzzer" --list)
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=("${known[@]}")

failed=0
for target in "${targets[@]}"; do
    if [[ ! " ${known[*]} " == *" $target "* ]]; then
        echo "fuzzing: there is no target $target; known are: ${known[*]}" >&2
        exit 2
    fi
    mkdir -p ".build/corpus/$target" "Corpus/$target"
    log=.build/$target.log
    if [ "$seconds" = --keep ]; then
        # One input for each edge; counts of passes would multiply them.
        "$fuzzer" "--target=$target" -merge=1 -use_counters=0 -max_len=512 \
            "Corpus/$target" ".build/corpus/$target" >"$log" 2>&1
        printf '%-12s %5s inputs kept\n' "$target" "$(find "Corpus/$target" -type f | wc -l)"
        continue
    fi
    result=ok
    "$fuzzer" "--target=$target" ".build/corpus/$target" "Corpus/$target" \
        -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=64 \
        -artifact_prefix="Crashes/$target-" -print_final_stats=1 -print_funcs=0 >"$log" 2>&1 || result=FOUND
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    edges=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1 | cut -d' ' -f2 || true)
    printf '%-12s %9s runs  %6s edges  %s\n' "$target" "${runs:-0}" "${edges:-0}" "$result"
    [ "$result" = ok ] && continue
    failed=1
    grep -E 'does not hold|Fatal error|^SUMMARY|^==.*ERROR' "$log" | head -n 4 | sed 's/^/    /' >&2 || true
    input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
    echo "    again: SWIFT_BACKTRACE=enable=no $fuzzer --target=$target ${input:+$PWD/}$input" >&2
    echo "    log: $PWD/$log" >&2
done
exit "$failed"
