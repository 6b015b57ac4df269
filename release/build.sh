#!/usr/bin/env bash
# Builds a release archive into dist/, with its checksum:
#
#     release/build.sh x86_64-unknown-linux-gnu light
#
# light: estimate, compare, check, import, report and bills, built for size: a quarter smaller, and about 10 % slower.
# full: traces, accounts, agents and data frames as well, built for speed.
# A Linux target is linked against glibc 2.17 with cargo-zigbuild (pip install ziglang cargo-zigbuild), so that the binary
# runs on every distribution since 2014; without it, against the glibc of this machine, and the script says so.
set -euo pipefail
cd "$(dirname "$0")/.."

target="${1:?a target, such as x86_64-unknown-linux-gnu}"
kind="${2:?light or full}"
case "$kind" in
light)
    name="dynameter-$target" features=(--features mcp)
    export CARGO_PROFILE_DIST_OPT_LEVEL=s
    ;;
full) name="dynameter-full-$target" features=(--all-features) ;;
*)
    echo "release/build.sh: $kind is neither light nor full" >&2
    exit 2
    ;;
esac

# Reports with controls need the engine for pages.
if [ ! -f web/dist/engine.wasm.gz ]; then
    web/build.sh engine || echo "without the engine for pages: report --interactive will say so" >&2
fi

build=(build)
suffix=""
if [[ "$target" == *-linux-gnu ]]; then
    if command -v cargo-zigbuild >/dev/null; then
        build=(zigbuild)
        suffix=".2.17"
    else
        echo "linked against the glibc of this machine: cargo-zigbuild is not installed" >&2
    fi
fi
DYNAMETER_COMMIT="$(git rev-parse --short=12 HEAD)"
export DYNAMETER_COMMIT
cargo "${build[@]}" --locked --profile dist --target "$target$suffix" "${features[@]}" --bin dynameter

folder="$(cargo metadata --format-version 1 --no-deps --locked | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')"
binary="$folder/$target/dist/dynameter"
[ -f "$binary" ] || binary="$binary.exe"
staged="$(mktemp -d)"
trap 'rm -rf "$staged"' EXIT
mkdir -p dist "$staged/completions" "$staged/man"
cp "$binary" README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT "$staged"
# What the binary writes itself, if this machine can run it.
if "$binary" --version >/dev/null 2>&1; then
    for shell in bash elvish fish powershell zsh; do
        "$binary" completions "$shell" >"$staged/completions/dynameter.$shell"
    done
    "$binary" man -o "$staged/man"
fi

# The same files give the same bytes.
archive="$PWD/dist/$name.tar.gz"
stamp="$(git log -1 --format=%ct)"
if tar --version | grep -q GNU; then
    tar --create --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$stamp" --directory "$staged" . | gzip -9 -n >"$archive"
else
    tar -c -f - -C "$staged" . | gzip -9 -n >"$archive"
fi
cd dist
if command -v sha256sum >/dev/null; then
    sha256sum "$name.tar.gz" >"$name.tar.gz.sha256"
else
    shasum -a 256 "$name.tar.gz" >"$name.tar.gz.sha256"
fi
cat "$name.tar.gz.sha256"
