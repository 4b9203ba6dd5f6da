#!/usr/bin/env bash
# Checks the spelling, and the dependencies: unused ones, licenses and sources. It first installs
# the linters into $TOOLS (see env.sh), once for each linters.txt. If that fails, for example
# without pip or a network, it prints a message and succeeds, unless LINTERS=required.
# `scripts/linters.sh advisories` instead fetches the list of known vulnerabilities and checks for
# them.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"

folder=$TOOLS/linters-$($SHA256 scripts/linters.txt | cut -c1-12)

install() {
  echo "setup: installing the linters into $folder (once; some seconds)"
  mkdir -p "$TOOLS"
  scratch=$(mktemp -d "$TOOLS/.install-XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --retries 1 --timeout 15 --no-deps --only-binary :all: --require-hashes \
    --target "$scratch/root" -r scripts/linters.txt || return 1
  # The folder gets its name last, so that a folder with this name is always complete.
  rm -rf "$folder"
  mv "$scratch/root" "$folder"
}

if [ ! -x "$folder/bin/cargo-deny" ] && ! install; then
  echo "lint: NOT CHECKED: spelling, unused dependencies, licenses. The linters could not be installed." >&2
  [ "${LINTERS:-}" != required ] || exit 1
  exit 0
fi
export PATH="$folder/bin:$PATH"

if [ "${1:-}" = advisories ]; then
  exec cargo deny check advisories
fi
typos
cargo shear
cargo deny --offline check --hide-inclusion-graph bans licenses sources
