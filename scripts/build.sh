#!/usr/bin/env bash
# Builds the Worker into coordinator/build (index.js and index_bg.wasm). Does nothing when no source has
# changed: worker-build itself would run the linker's and wasm-opt's slow passes every time.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
scripts/setup.sh

out=coordinator/build
stamp=$out/.built-from

# All that goes into the wasm: the crates the Worker is made of, the manifests, the tools.
fingerprint() {
  {
    find core macros platform registry limiter shard dispatcher coordinator -type f \
      -not -path '*/build/*' -not -path '*/target/*' -not -path '*/tests/*' -not -path '*/fuzz/*' -print0 |
      LC_ALL=C sort -z | xargs -0 $SHA256
    $SHA256 Cargo.toml Cargo.lock rust-toolchain.toml package-lock.json scripts/build.sh
    echo "$WORKER_BUILD $WASM_BINDGEN"
  } | $SHA256
}

want=$(fingerprint)
if [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && [ -f "$out/index.js" ] && [ -f "$out/index_bg.wasm" ]; then
  exit 0
fi
rm -f "$stamp"
"$WORKER_BUILD/bin/worker-build" --release coordinator

# The names of functions, a fifth of what is uploaded, are of use to nobody there. What has them stays beside it, for reading
# the function numbers in a stack trace: it is built from the same code, and nothing imports it, so it is not uploaded.
mv "$out/index_bg.wasm" "$out/with-names.wasm"
# The compiler builds for size and inlines little across crates; -O3 here makes the result both smaller and, at bulk creates, a few
# percent faster (worker-build's own pass is -O).
"$WASM_OPT_BIN" -O3 --converge --strip-debug --strip-producers "$out/with-names.wasm" -o "$out/index_bg.wasm"

# Cargo may have completed Cargo.lock meanwhile: stamp what is there now.
fingerprint >"$stamp"
