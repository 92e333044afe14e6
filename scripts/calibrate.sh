#!/usr/bin/env bash
# How often comparisons of methods err and find, over simulated sweeps; fails where a promise is broken.
#   scripts/calibrate.sh            2,000 sweeps of the usual world (a minute)
#   scripts/calibrate.sh 2000 all   of every world
#   scripts/calibrate.sh 6000 all   shares to half a percent (half an hour)
set -euo pipefail
cd "$(dirname "$0")/.."
export SWEEPS="${1:-2000}" WORLD="${2:-usual}"
[ "$WORLD" != all ] || unset WORLD
cargo test --workspace --test sweeps -- --ignored --nocapture
