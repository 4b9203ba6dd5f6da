#!/usr/bin/env bash
# Installs what is missing, and nothing else: the Rust target, npm's packages, and the two build
# tools. With the argument `tests`, it also installs what only tests and linters need, including a
# browser. With the argument `rust`, it installs the Rust target only. If nothing is missing, it
# takes about a second. It writes to the checkout and to $TOOLS (see env.sh).
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"

for tool in cargo rustup npm node python3; do
  command -v "$tool" >/dev/null || {
    echo "setup: '$tool' is not installed. Needed: Rust $RUST_PIN through rustup, Node 20 or newer with npm, python3." >&2
    exit 1
  }
done

# The toolchain is installed explicitly, because rustup may be configured not to install the one in
# rust-toolchain.toml automatically.
setup_rust() {
  if [ -z "${RUSTUP_TOOLCHAIN:-}" ] && ! rustup toolchain list | grep -q "^$RUST_PIN\b"; then
    rustup toolchain install "$RUST_PIN" --profile minimal
  fi
  rustup target list --installed | grep -qx wasm32-unknown-unknown || rustup target add wasm32-unknown-unknown
  local components
  components=$(rustup component list --installed)
  for component in rustfmt clippy; do
    grep -q "^$component" <<<"$components" || rustup component add "$component"
  done
}

# setup_npm [FOLDER] installs the packages of a lock file.
setup_npm() {
  local folder=${1:-.} want
  local stamp=$folder/node_modules/.installed-from
  want=$($SHA256 "$folder/package.json" "$folder/package-lock.json")
  if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ]; then
    # This uses the system's Node, because the one in node_modules is about to be deleted. npm would
    # warn that it is older than wrangler requires, but it only installs and does not run wrangler.
    PATH=${PATH//"$ROOT/node_modules/.bin:"/} npm --prefix "$folder" ci --no-audit --no-fund --loglevel=error
    echo "$want" >"$stamp"
  fi
}

# install_tool CRATE FOLDER BINARY OPT_LEVEL [FLAG...] builds a tool in a temporary folder and
# renames it, so that a folder with the version's name is always complete. A tool runs for seconds
# and is compiled once, so the compile time matters most: it is built without optimisation across
# crates and without debug symbols.
install_tool() {
  local crate=$1 folder=$2 binary=$3 level=$4 version=${2##*-}
  shift 4
  if [ -x "$folder/bin/$binary" ]; then return; fi
  echo "setup: installing $crate $version into $folder (once; some minutes)"
  mkdir -p "$TOOLS"
  scratch=$(mktemp -d "$TOOLS/.install-XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  CARGO_PROFILE_RELEASE_OPT_LEVEL=$level CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
    CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_TARGET_DIR=$scratch/target cargo install "$crate" --version "=$version" --root "$scratch/root" --quiet "$@"
  rm -rf "$folder"
  mv "$scratch/root" "$folder"
  rm -rf "$scratch"
}

# setup_python FOLDER PACKAGES installs a list of Python packages with versions into a folder.
# Debian has venv and pip in separate packages; one of them is enough.
setup_python() {
  local folder=$1 packages=$2
  if [ -d "$folder" ]; then return; fi
  echo "setup: installing $(sed -n '1s/==/ /p' "$packages") into $folder (once)"
  mkdir -p "$TOOLS"
  scratch=$(mktemp -d "$TOOLS/.install-XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  local pip=(python3 -m pip)
  if ! "${pip[@]}" --version >/dev/null 2>&1; then
    python3 -m venv "$scratch/venv" >/dev/null 2>&1 || {
      echo "setup: python3 has neither pip nor venv, so what needs its packages is left out: install python3-pip or python3-venv" >&2
      rm -rf "$scratch"
      return 0
    }
    pip=("$scratch/venv/bin/python" -m pip)
  fi
  "${pip[@]}" install --quiet --disable-pip-version-check --root-user-action=ignore --no-compile \
    --only-binary :all: --target "$scratch/root" --requirement "$packages"
  mv "$scratch/root" "$folder"
  rm -rf "$scratch"
}

setup_rust
if [ "${1:-}" = rust ]; then exit 0; fi
setup_npm
setup_npm dashboard
# worker-build mostly starts other programs, so it is not optimised.
install_tool worker-build "$WORKER_BUILD" worker-build 0 --locked
# This is not --locked, because the dependencies in the release's own lock file do not build. It is
# optimised, because it reads the whole wasm at every build.
install_tool wasm-bindgen-cli "$WASM_BINDGEN" wasm-bindgen 1
# Only tests and the linters of the API's document need these.
if [ "${1:-}" = tests ]; then
  setup_npm e2e/clients
  setup_npm e2e/mcp
  setup_npm e2e/browser
  node e2e/browser/unpack.mjs
  setup_npm clients/typescript
  setup_npm clients/typescript/test/agents
  setup_npm clients/typescript/test/runtimes
  setup_python "$SCHEMATHESIS" e2e/schemathesis/requirements.txt
fi
