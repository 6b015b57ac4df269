# The light command in an image of its own:
#
#     docker build -t dynameter .
#     docker run --rm -v "$PWD:/designs" dynameter estimate orders.toml
#
# FEATURES="--all-features" builds the full one, which takes many minutes.
FROM rust:1-slim-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
ARG FEATURES="--features mcp"
ARG DYNAMETER_COMMIT=""
RUN cargo build --locked --profile dist ${FEATURES} --bin dynameter

FROM debian:bookworm-slim
# Certificates, for accounts and s3:// in the full build.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /source/target/dist/dynameter /usr/local/bin/dynameter
WORKDIR /designs
USER 65534:65534
ENTRYPOINT ["dynameter"]
