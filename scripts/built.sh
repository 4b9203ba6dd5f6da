#!/usr/bin/env bash
# Builds a commit in a folder of its own below `target`, and prints the folder: `scripts/built.sh
# HEAD~100`. It does nothing if the folder exists.
set -euo pipefail
cd "$(dirname "$0")/.."
commit=$(git rev-parse --verify "${1:?give a commit}^{commit}")
folder=$PWD/target/built/$commit
if [ ! -d "$folder" ]; then
  scratch=$(mktemp -d "$PWD/target/.built-XXXXXX")
  git archive "$commit" | tar x -C "$scratch"
  # The same packages are not fetched again.
  if cmp -s package-lock.json "$scratch/package-lock.json" && [ -d node_modules ]; then cp -a node_modules "$scratch/node_modules"; fi
  mkdir -p target/built
  mv -T "$scratch" "$folder"
fi
CARGO_TARGET_DIR=$folder/target make -C "$folder" build >&2
echo "$folder"
