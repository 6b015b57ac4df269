#!/usr/bin/env bash
# Writes the notes of a release to standard output: its section of CHANGELOG.md.
#
#     release/notes.sh v0.1.0
#
# The release stops here unless the version is that of Cargo.toml and of the Python package, and has a section.
set -euo pipefail
cd "$(dirname "$0")/.."

version="${1:?a version, such as v0.1.0}"
for file in Cargo.toml python/Cargo.toml python/pyproject.toml; do
    own="$(sed -n 's/^version *= *"\(.*\)"/\1/p' "$file" | head -n 1)"
    if [ "v$own" != "$version" ]; then
        echo "$file has version $own, but the release is $version" >&2
        exit 1
    fi
done
notes="$(awk -v heading="## ${version#v}" '$0 == heading || index($0, heading " ") == 1 { inside = 1; next } /^## / { inside = 0 } inside' CHANGELOG.md)"
if [ -z "${notes//[[:space:]]/}" ]; then
    echo "CHANGELOG.md has no section \"## ${version#v}\"" >&2
    exit 1
fi
printf '%s\n' "$notes"
