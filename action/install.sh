#!/usr/bin/env bash
# Downloads a release of dynameter, checks its checksum, and puts it on the path of later steps.
# VERSION: v1.2.3, or empty for the version of the action, else the latest. REPOSITORY: owner/name.
set -euo pipefail

if command -v dynameter > /dev/null && [ -z "${VERSION:-}" ] && [ "${REINSTALL:-}" != true ]; then
  dynameter --version
  exit 0
fi

case "$RUNNER_OS-$RUNNER_ARCH" in
  Linux-X64) target=x86_64-unknown-linux-gnu ;;
  Linux-ARM64) target=aarch64-unknown-linux-gnu ;;
  macOS-ARM64) target=aarch64-apple-darwin ;;
  *)
    echo "::error::dynameter has no release for $RUNNER_OS $RUNNER_ARCH; build it with cargo install"
    exit 2
    ;;
esac

version=${VERSION:-}
case "${version:-${ACTION_REF:-}}" in
  v[0-9]*) path="download/${version:-$ACTION_REF}" ;;
  *) path=latest/download ;;
esac

folder="$RUNNER_TEMP/dynameter"
archive="dynameter-$target.tar.gz"
url="https://github.com/$REPOSITORY/releases/$path"
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
