#!/usr/bin/env bash
# Runs the kernels' tests with AddressSanitizer: the matrix products of `crates/kernels` are `unsafe` calls on raw pointers,
# and this sees a read or write outside of any block of memory, within the products' own code, too.
# rustc calls sanitizers unstable; RUSTC_BOOTSTRAP lets the stable compiler take the flag, for these builds alone.
set -euo pipefail
cd "$(dirname "$0")/.."
host="$(rustc -vV | sed -n 's/^host: //p')"
if ! ls "$(rustc --print sysroot)/lib/rustlib/$host/lib/"librustc*asan* >/dev/null 2>&1; then
  echo "note: this Rust brings no AddressSanitizer for $host; the kernels' memory accesses were not checked"
  exit 0
fi
export RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/sanitized"
exec cargo test -p kernels --target "$host" --lib --test ops --test invariance
