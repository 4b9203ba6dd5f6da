#!/usr/bin/env bash
# Builds the Worker into coordinator/build (index.js and index_bg.wasm). It does nothing if no
# source has changed, because worker-build itself would run the slow passes of the linker and of
# wasm-opt every time.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
scripts/setup.sh

out=coordinator/build
stamp=$out/.built-from

# The inputs of the wasm: the Worker's crates, the manifests, and the tools.
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

# The names of functions are a fifth of the upload, and the deployment does not need them. The file
# with the names stays beside it, for the function numbers of a stack trace. It comes from the same
# code, and nothing imports it, so it is not uploaded.
mv "$out/index_bg.wasm" "$out/with-names.wasm"
# The compiler optimises for size and inlines little across crates. Here -O3 makes the result
# smaller and, at bulk creates, a few percent faster. The pass of worker-build is -O.
"$WASM_OPT_BIN" -O3 --converge --strip-debug --strip-producers "$out/with-names.wasm" -o "$out/index_bg.wasm"

# Cargo may have completed Cargo.lock meanwhile, so the stamp is of the current sources.
fingerprint >"$stamp"
