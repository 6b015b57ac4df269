#!/usr/bin/env bash
# Writes the Homebrew formula of a release to standard output, from the checksums in dist/:
#
#     release/formula.sh v0.1.0 OWNER/REPOSITORY
set -euo pipefail
cd "$(dirname "$0")/../dist"

version="${1:?a version, such as v0.1.0}"
repository="${2:?owner/repository}"
url="https://github.com/$repository/releases/download/$version"

archive() { # archive TARGET INDENT: its address and its checksum
    local file="dynameter-$1.tar.gz"
    local sum
    [ -f "$file.sha256" ] || {
        echo "dist/$file.sha256 is missing" >&2
        exit 1
    }
    sum="$(cut -d' ' -f1 "$file.sha256")"
    printf '%surl "%s/%s"\n%ssha256 "%s"\n' "$2" "$url" "$file" "$2" "$sum"
}

mac_arm="$(archive aarch64-apple-darwin "      ")"
mac_intel="$(archive x86_64-apple-darwin "      ")"
linux_arm="$(archive aarch64-unknown-linux-gnu "      ")"
linux_intel="$(archive x86_64-unknown-linux-gnu "      ")"

cat <<FORMULA
class Dynameter < Formula
  desc "Calculates exactly what an Amazon DynamoDB design costs"
  homepage "https://github.com/$repository"
  version "${version#v}"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
$mac_arm
    end
    on_intel do
$mac_intel
    end
  end

  on_linux do
    on_arm do
$linux_arm
    end
    on_intel do
$linux_intel
    end
  end

  def install
    bin.install "dynameter"
    bash_completion.install "completions/dynameter.bash" => "dynameter"
    fish_completion.install "completions/dynameter.fish"
    zsh_completion.install "completions/dynameter.zsh" => "_dynameter"
    man1.install Dir["man/*.1"]
  end

  test do
    system bin/"dynameter", "init", "design.toml"
    assert_match "a month", shell_output("#{bin}/dynameter estimate design.toml")
  end
end
FORMULA
