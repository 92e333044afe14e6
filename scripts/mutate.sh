#!/bin/sh
# Reads N mutants (10,000 if left out) of every kind of file that comes from outside, from seed FROM on; KIND picks one kind.
set -eu
cd "$(dirname "$0")/.."
export LETHE_MUTANTS="${1:-10000}" LETHE_MUTANTS_FROM="${FROM:-0}"
[ -z "${KIND:-}" ] || export LETHE_MUTANTS_KIND="$KIND"
exec cargo test --workspace --test mutations -- --nocapture
