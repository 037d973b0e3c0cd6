#!/bin/sh
# Starts a local network and leaves it running until Ctrl-C; arguments as for `quorate-testnet up`.
exec cargo run --release --manifest-path "$(dirname "$0")/Cargo.toml" -- up "$@"
