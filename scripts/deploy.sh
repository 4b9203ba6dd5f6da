#!/usr/bin/env bash
# `make deploy` creates the queues of wrangler.toml that do not exist, and deploys the Worker. It
# needs `scripts/run wrangler login` or CLOUDFLARE_API_TOKEN, and a paid plan.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"

queues=$(sed -nE 's/^(queue|dead_letter_queue) = "(.*)"/\2/p' wrangler.toml | sort -u)
for queue in $queues; do
  wrangler queues info "$queue" >/dev/null 2>&1 || wrangler queues create "$queue"
done
wrangler deploy

if ! wrangler secret list | grep -q '"API_KEYS"'; then
  echo "No API key yet: the Worker refuses everything but /healthz. Set one: scripts/run wrangler secret put API_KEYS"
fi
