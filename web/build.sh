#!/usr/bin/env bash
# Builds the page: one file, dist/dynameter.html, which holds the engine. `build.sh engine` stops at the
# engine, dist/engine.wasm.gz, which `report --interactive` needs.
set -euo pipefail
cd "$(dirname "$0")"

target=wasm32-unknown-unknown
if [ ! -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]; then
    rustup target add $target >/dev/null 2>&1 || true
fi
if [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ]; then
    cargo build --profile web --target $target
elif [ -d "$(rustc --print sysroot)/lib/rustlib/src/rust/library" ]; then
    # The standard library is built from its source.
    RUSTC_BOOTSTRAP=1 cargo build --profile web --target $target -Zbuild-std=std,panic_abort
else
    echo "the page needs the standard library of $target: run \`rustup target add $target\`, or install the" >&2
    echo "source of the standard library of $(rustc --version)" >&2
    exit 1
fi
target_dir="$(cargo metadata --format-version 1 --no-deps | node -pe 'JSON.parse(require("fs").readFileSync(0)).target_directory')"
mkdir -p dist
node pack.js engine "$target_dir/$target/web/dynameter_web.wasm" dist/engine.wasm.gz
if [ "${1:-}" = engine ]; then
    exit 0
fi

npm ci --silent --no-audit --no-fund --ignore-scripts
node pack.js page dist/engine.wasm.gz dist/dynameter.html
