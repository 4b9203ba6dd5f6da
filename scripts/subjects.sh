#!/usr/bin/env bash
# Refuses commits whose subject is longer than 72 characters. It reads the commits since $SINCE, or since the commit in its argument:
# some earlier ones are longer, and cannot be changed any more. Without the history of that commit, as in an exported or a shallow
# checkout, it prints a message and succeeds.
set -euo pipefail
cd "$(dirname "$0")/.."

SINCE=0b5b2ba641a8e2c649a9ad4f0179881c02a4ab77
MOST=72
since=${1:-$SINCE}

# A checkout inside of another repository is not a repository of its own.
top=$(git rev-parse --show-toplevel 2>/dev/null || true)
if [ -z "$top" ] || [ "$(cd "$top" && pwd -P)" != "$(pwd -P)" ] || ! git merge-base --is-ancestor "$since" HEAD 2>/dev/null; then
  echo "lint: NOT CHECKED: the subjects of commits. The history since ${since:0:12} is not here." >&2
  exit 0
fi

# Characters are counted, not bytes, in any locale.
git log --format='%h %s' "$since..HEAD" | python3 -c '
import sys

most = int(sys.argv[1])
text = sys.stdin.buffer.read().decode(errors="replace")
commits = [line.partition(" ") for line in text.split("\n") if line]
long = [f"{commit}: {len(subject)} characters: {subject}" for commit, _, subject in commits if len(subject) > most]
if long:
    sys.exit(f"lint: the subject of a commit has at most {most} characters:\n" + "\n".join(long))
' "$MOST"
