#!/usr/bin/env bash
# Builds the page and tests it. What is missing on this machine is said, and its part is skipped.
set -euo pipefail
cd "$(dirname "$0")"

skip() {
    echo "SKIPPED the page: $1"
    exit 0
}
command -v node >/dev/null && command -v npm >/dev/null || skip "node and npm are not installed"
sysroot="$(rustc --print sysroot)"
rustup target add wasm32-unknown-unknown >/dev/null 2>&1 || true
[ -d "$sysroot/lib/rustlib/wasm32-unknown-unknown/lib" ] || [ -d "$sysroot/lib/rustlib/src/rust/library" ] ||
    skip "neither the standard library of wasm32-unknown-unknown nor its source is installed (rustup target add wasm32-unknown-unknown)"
npm ci --silent --no-audit --no-fund --ignore-scripts || skip "its packages cannot be installed from npm"

./build.sh
# The page is small enough to be opened everywhere.
compressed="$(gzip -9 -c dist/dynameter.html | wc -c)"
[ "$compressed" -le 1500000 ] || {
    echo "dist/dynameter.html is $compressed bytes compressed; at most 1,500,000 are allowed" >&2
    exit 1
}
tests=(test/engine.test.mjs)
if command -v "${CHROMIUM:-chromium}" >/dev/null; then
    CHROMIUM="$(command -v "${CHROMIUM:-chromium}")"
    export CHROMIUM
    tests+=(test/page.test.mjs)
else
    echo "SKIPPED the page in a browser: Chromium is not installed"
fi
node --test "${tests[@]}"
