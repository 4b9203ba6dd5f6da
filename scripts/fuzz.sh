#!/usr/bin/env bash
# Fuzzes every target: scripts/fuzz.sh [SECONDS] [TARGET...]. It runs two at a time, with
# libFuzzer's coverage on the stable toolchain. It uses no sanitizer, because the core has no unsafe
# code.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh

seconds=${1:-600}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(sed -n 's/^name = "\([a-z]*\)"$/\1/p' fuzz/Cargo.toml)
out=${CARGO_TARGET_DIR:-$PWD/fuzz/target}
host=$(rustc -vV | sed -n 's/^host: //p')

export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Ccodegen-units=4"
# The build has an explicit target, so that the flags do not apply to build scripts and macros.
cargo build --release --manifest-path fuzz/Cargo.toml --target "$host" --target-dir "$out"

fuzz() {
  local target=$1
  local found=$out/corpus/$target
  mkdir -p "$found" "fuzz/artifacts/$target"
  if "$out/$host/release/$target" "$found" "fuzz/corpus/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="fuzz/artifacts/$target/" >"$out/$target.log" 2>&1; then
    echo "$target: $(grep -o 'Done .*' "$out/$target.log" | tail -1)"
  else
    echo "$target FAILED: see $out/$target.log and fuzz/artifacts/$target"
    return 1
  fi
}

export -f fuzz
export out host seconds
printf '%s\n' "${targets[@]}" | xargs -P 2 -I {} bash -c 'fuzz {}'
