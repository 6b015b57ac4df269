# The things one does here. `just` lists them; each recipe is a line that can be typed as well.

# List the recipes.
default:
    @just --list

# Everything that must hold before a change is handed in.
check: lint test

# Format and lints, in the order in which they fail fastest.
lint:
    cargo fmt --all --check
    cargo clippy --no-default-features --lib -- -D warnings
    cargo clippy --all-targets --all-features -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --all-features

# All tests, or those of one module: `just test golden`.
test *filter:
    cargo test --all-features -- {{ filter }}

# Write golden files and generated docs again; read the difference afterwards.
bless *filter:
    DYNAMETER_BLESS=1 cargo test --all-features --test all -- {{ filter }}
    git diff --stat

# Run the benchmarks.
bench:
    cargo bench --all-features

# Open the documentation of the library.
docs:
    cargo doc --no-deps --all-features --open

# Licences, sources and duplicate versions of the dependencies (needs cargo-deny).
deny:
    cargo deny check licenses bans sources

# Builds the wheels of the Python package and tests them in fresh environments.
python:
    python/check.sh

# Builds the playground, one page with the engine in it, and tests it.
web:
    web/check.sh

# The pictures of the documentation.
pictures:
    cargo build --all-features
    cd web && ./build.sh && node pictures.mjs
