# Every script sources this file (bash). It sets the paths and versions of the build tools, and the
# PATH. Because there is one such file, `make dev`, `make test`, a deploy and CI use the same tools.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TOOLS=${XDG_CACHE_HOME:-$HOME/.cache}/durable-scheduler

# locked_version CRATE prints the version of a crate in Cargo.lock.
locked_version() {
  awk -v name="name = \"$1\"" '$0 == name { found = 1; next }
    found && /^version/ { gsub(/"/, "", $3); print $3; exit }' "$ROOT/Cargo.lock"
}

# The helpers must match the libraries that they post-process, so both versions follow Cargo.lock.
# wasm-bindgen refuses any other version, and worker-build is released together with the crate
# `worker`.
WORKER_BUILD=$TOOLS/worker-build-$(locked_version worker)
WASM_BINDGEN=$TOOLS/wasm-bindgen-cli-$(locked_version wasm-bindgen)

# Schemathesis sends generated requests to the API. The folder's name contains the version and a
# hash of the list of packages, and the version of Python, which compiled packages depend on.
SCHEMATHESIS=$TOOLS/schemathesis-$(sed -n 's/^schemathesis==//p' "$ROOT/e2e/schemathesis/requirements.txt")-$(
  python3 -c 'import sys; print("py%d.%d" % sys.version_info[:2])' 2>/dev/null
)
export SCHEMATHESIS

# worker-build downloads any helper whose path is not set. With all three paths set, it downloads
# nothing.
export WASM_BINDGEN_BIN=$WASM_BINDGEN/bin/wasm-bindgen
export ESBUILD_BIN=$ROOT/node_modules/.bin/esbuild
export WASM_OPT_BIN=$ROOT/node_modules/.bin/wasm-opt

# Wrangler needs a newer Node than many systems have. The npm package `node` installs one here.
case ":$PATH:" in
  *":$ROOT/node_modules/.bin:"*) ;;
  *) export PATH="$ROOT/node_modules/.bin:$PATH" ;;
esac

# Without these, wrangler writes its logs and its list of running workers below the user's home.
export WRANGLER_LOG_PATH=$ROOT/.wrangler/logs
export WRANGLER_REGISTRY_PATH=$ROOT/.wrangler/registry
export WRANGLER_SEND_METRICS=false

# The linter of the API's document must send nothing either.
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true

# rust-toolchain.toml pins an exact version. If rustup does not have it under that name, but the
# default toolchain has the same minor version (such as "stable"), that toolchain is used and no
# second one is fetched.
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
