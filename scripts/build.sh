#!/usr/bin/env bash
# Builds the Worker into coordinator/build (index.js and index_bg.wasm). It does nothing if no
# source has changed, because worker-build itself would run the slow passes of the linker every
# time. With the argument `quick`, it leaves out the passes of wasm-opt, which take a minute or more
# and change only size and speed: `make dev` needs neither.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
kind=${1:-small}

# On a fresh machine, the Worker compiles while the build tools do. Each takes minutes, and neither
# needs the other.
compiling=
if [ ! -x "$WORKER_BUILD/bin/worker-build" ] || [ ! -x "$WASM_BINDGEN_BIN" ]; then
  scripts/setup.sh rust
  cargo build --quiet --release --lib --target wasm32-unknown-unknown -p coordinator &
  compiling=$!
fi
scripts/setup.sh || { wait; exit 1; }
[ -z "$compiling" ] || wait "$compiling"

out=coordinator/build
stamp=$out/.built-from

# The inputs of the wasm but Cargo.lock: the Worker's crates, the manifests, and the tools.
sources() {
  {
    find core macros platform registry limiter shard dispatcher coordinator -type f \
      -not -path '*/build/*' -not -path '*/target/*' -not -path '*/tests/*' -not -path '*/fuzz/*' -print0 |
      LC_ALL=C sort -z | xargs -0 $SHA256
    $SHA256 Cargo.toml rust-toolchain.toml package-lock.json scripts/build.sh
    echo "$WORKER_BUILD $WASM_BINDGEN"
  } | $SHA256
}

fingerprint() {
  { sources && $SHA256 Cargo.lock; } | $SHA256
}

# Notes what was built, unless a source has changed meanwhile. Cargo may have completed Cargo.lock.
note() {
  if [ "$(sources)" = "$built" ]; then echo "$(fingerprint) $1" >"$stamp"; fi
}

want=$(fingerprint)
built=$(sources)
if [ -f "$out/index.js" ] && [ -f "$out/index_bg.wasm" ]; then
  case "$(cat "$stamp" 2>/dev/null)" in
    "$want small" | "$want $kind") exit 0 ;;
  esac
fi
rm -f "$stamp"
if [ "$kind" = quick ]; then
  "$WORKER_BUILD/bin/worker-build" --release --no-opt coordinator
  rm -f "$out/with-names.wasm"
  note quick
  exit 0
fi
"$WORKER_BUILD/bin/worker-build" --release coordinator

# The names of functions are a fifth of the upload, and the deployment does not need them. The file
# with the names stays beside it, for the function numbers of a stack trace. It comes from the same
# code, and nothing imports it, so it is not uploaded.
mv "$out/index_bg.wasm" "$out/with-names.wasm"
# The compiler optimises for size and inlines little across crates. Here -O3 makes the result
# smaller and, at bulk creates, a few percent faster. The pass of worker-build is -O. In the order of
# their names, the instances of a generic function are side by side, where gzip finds what they have
# in common: 55 kB.
"$WASM_OPT_BIN" -O3 --converge --reorder-functions-by-name --strip-debug --strip-producers "$out/with-names.wasm" -o "$out/index_bg.wasm"

note small
