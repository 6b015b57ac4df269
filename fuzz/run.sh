#!/usr/bin/env bash
# Fuzzes the targets for some seconds each (default: 60): all, or those that are named.
#
#     fuzz/run.sh 600 workload plan
#
# It needs the nightly compiler and cargo-fuzz (cargo install cargo-fuzz). Inputs that fail are left in
# fuzz/artifacts; once the error is fixed they belong in fuzz/found/TARGET, which a test runs.
set -euo pipefail
cd "$(dirname "$0")"

seconds="${1:-60}"
shift || true
# No address sanitizer: the crate has no unsafe code, and without it three times as many inputs are run.
fuzz() { # fuzz build|run any|functions …
    cargo +nightly fuzz "$1" --fuzz-dir . --sanitizer none "${@:2}"
}
fuzz build any
fuzz build functions
targets=("$@")
if [ "${#targets[@]}" -eq 0 ]; then
    mapfile -t targets < <(for program in any functions; do DYNAMETER_FUZZ_TARGET=list fuzz run "$program" 2>/dev/null; done)
fi
for target in "${targets[@]}"; do
    case "$target" in
        function-*) program=functions ;;
        *) program=any ;;
    esac
    mkdir -p "corpus/$target" "artifacts/$target"
    echo "== $target"
    DYNAMETER_FUZZ_TARGET="$target" fuzz run "$program" "corpus/$target" -- -max_total_time="$seconds" -max_len=16384 \
        -timeout=20 -rss_limit_mb=4096 -artifact_prefix="artifacts/$target/" -print_final_stats=1 2>&1 |
        grep -E 'panicked|SUMMARY|stat::|ALARM|ERROR' || true
done
