#!/usr/bin/env bash
# Downloads a release of dynameter, checks its checksum, and puts it on the path of later steps.
# VERSION: a release such as v1.2.3; empty for the version of the action; "installed" for the dynameter
# that is on the path. ACTION_PATH: the folder of the action. REPOSITORY: owner/name.
set -euo pipefail

if [ "${VERSION:-}" = installed ]; then
  dynameter --version
  exit 0
fi

case "$RUNNER_OS-$RUNNER_ARCH" in
  Linux-X64) target=x86_64-unknown-linux-gnu ;;
  Linux-ARM64) target=aarch64-unknown-linux-gnu ;;
  macOS-ARM64) target=aarch64-apple-darwin ;;
  *)
    echo "::error::dynameter has no release for $RUNNER_OS $RUNNER_ARCH; build it with cargo install, and set version: installed"
    exit 2
    ;;
esac

# The action's own version, also if it is pinned by the hash of a commit.
own=$(sed -n 's/^version *= *"\(.*\)"/v\1/p' "$ACTION_PATH/Cargo.toml" | head -n 1)
version=${VERSION:-$own}

folder="$RUNNER_TEMP/dynameter"
archive="dynameter-$target.tar.gz"
url="https://github.com/$REPOSITORY/releases/download/$version"
mkdir -p "$folder"
cd "$folder"
for file in "$archive" "$archive.sha256"; do
  curl --fail --silent --show-error --location --retry 3 --output "$file" "$url/$file"
done
if command -v sha256sum > /dev/null; then
  sha256sum --check --status "$archive.sha256" || wrong=true
else
  shasum --algorithm 256 --check --status "$archive.sha256" || wrong=true
fi
if [ "${wrong:-}" = true ]; then
  echo "::error::the checksum of $url/$archive is wrong"
  exit 2
fi
tar --extract --gzip --file "$archive"
echo "$folder" >> "$GITHUB_PATH"
"$folder/dynameter" --version
