#!/usr/bin/env bash
# Builds the dashboard into dashboard/dist: generates types from the API's document, type-checks,
# and bundles. It does nothing if no source has changed.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"

out=dashboard/dist
stamp=dashboard/generated/.built-from

fingerprint() {
  {
    find dashboard -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/generated/*' -print0 |
      LC_ALL=C sort -z | xargs -0 $SHA256
    $SHA256 coordinator/openapi.json scripts/dashboard.sh
  } | $SHA256
}

want=$(fingerprint)
if [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && [ -f "$out/index.html" ]; then
  exit 0
fi
mkdir -p dashboard/generated
rm -f "$stamp"
cd dashboard
bin=node_modules/.bin
"$bin/openapi-typescript" ../coordinator/openapi.json -o generated/api.d.ts >/dev/null
node generate.mjs
"$bin/tsc" --noEmit
"$bin/vite" build --logLevel warn
cd ..
echo "$want" >"$stamp"
