#!/usr/bin/env bash
# Builds the wheels (or only the one that is named: full or light), installs each into a fresh environment and tests it
# there. The wheels are not optimised: this tests what they do, not how fast they are.
set -euo pipefail
cd "$(dirname "$0")"

target="$(cd .. && pwd)/target"
rm -rf "$target/wheels" "$target/python-light" "$target/python-full"
python3 -m venv "$target/maturin"
"$target/maturin/bin/pip" install --quiet 'maturin>=1.9,<2'

build() { # build light|full OPTIONS…: the wheel, in an environment of its own
    local name="$1"
    shift
    "$target/maturin/bin/maturin" build --quiet --profile dev --out "$target/wheels/$name" "$@"
    python3 -m venv "$target/python-$name"
    "$target/python-$name/bin/pip" install --quiet pytest "$target/wheels/$name"/*.whl
}

tests() { # tests light|full OPTIONS…: in the folder of the tests, from where the sources of the package are not seen
    local name="$1"
    shift
    (cd tests && "$target/python-$name/bin/python" -m pytest --quiet -p no:cacheprovider -W ignore::FutureWarning "$@")
}

if [ "${1:-full}" = full ]; then
    build full
    needed=(pyarrow pandas polars nbclient nbformat ipykernel matplotlib)
    if command -v java >/dev/null; then
        needed+=(pyspark)
    else
        echo "SKIPPED the test of Spark: Java is not installed"
    fi
    "$target/python-full/bin/pip" install --quiet "${needed[@]}"
    tests full -rs
fi

if [ "${1:-light}" = light ]; then
    build light --no-default-features
    tests light test_package.py
fi
