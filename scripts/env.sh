# Sourced (bash) by every script: where the build tools are, which versions, and the PATH to run with.
# One place, so that `make dev`, `make test`, a deploy and CI cannot differ.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TOOLS=${XDG_CACHE_HOME:-$HOME/.cache}/durable-scheduler

# locked_version CRATE: the version of a crate in Cargo.lock.
locked_version() {
  awk -v name="name = \"$1\"" '$0 == name { found = 1; next }
    found && /^version/ { gsub(/"/, "", $3); print $3; exit }' "$ROOT/Cargo.lock"
}

# The helpers must match the libraries they post-process: wasm-bindgen refuses any other version,
# and worker-build is released in step with the `worker` crate. So both follow Cargo.lock.
WORKER_BUILD=$TOOLS/worker-build-$(locked_version worker)
WASM_BINDGEN=$TOOLS/wasm-bindgen-cli-$(locked_version wasm-bindgen)

# Schemathesis sends generated requests to the API. The folder's name follows the list of packages
# and the version of Python, which compiled packages depend on.
SCHEMATHESIS=$TOOLS/schemathesis-$(sed -n 's/^schemathesis==//p' "$ROOT/e2e/schemathesis/requirements.txt")-$(
  python3 -c 'import sys; print("py%d.%d" % sys.version_info[:2])' 2>/dev/null
)
export SCHEMATHESIS

# worker-build downloads any helper it is not told about; told of all three, it downloads nothing.
export WASM_BINDGEN_BIN=$WASM_BINDGEN/bin/wasm-bindgen
export ESBUILD_BIN=$ROOT/node_modules/.bin/esbuild
export WASM_OPT_BIN=$ROOT/node_modules/.bin/wasm-opt

# Wrangler needs a newer Node than many systems have; the npm package `node` puts one here.
case ":$PATH:" in
  *":$ROOT/node_modules/.bin:"*) ;;
  *) export PATH="$ROOT/node_modules/.bin:$PATH" ;;
esac

# Wrangler would otherwise write its logs and its list of running workers below the user's home.
export WRANGLER_LOG_PATH=$ROOT/.wrangler/logs
export WRANGLER_REGISTRY_PATH=$ROOT/.wrangler/registry
export WRANGLER_SEND_METRICS=false

# Nor does the linter of the API's document send anything.
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true

# rust-toolchain.toml pins an exact version. Where rustup does not know it by that name but the
# default toolchain is the same minor version (installed as "stable", say), use that one rather
# than fetch a second copy.
RUST_PIN=$(sed -n 's/^channel = "\(.*\)"/\1/p' "$ROOT/rust-toolchain.toml")
if [ -z "${RUSTUP_TOOLCHAIN:-}" ] && command -v rustup >/dev/null &&
  ! rustup toolchain list | grep -q "^$RUST_PIN\b"; then
  default_toolchain=$(rustup default 2>/dev/null | cut -d' ' -f1)
  case "$(RUSTUP_TOOLCHAIN=$default_toolchain rustc --version 2>/dev/null)" in
    "rustc ${RUST_PIN%.*}."*) export RUSTUP_TOOLCHAIN=$default_toolchain ;;
  esac
fi

# macOS before 15 has no sha256sum.
SHA256=sha256sum
command -v sha256sum >/dev/null || SHA256="shasum -a 256"
