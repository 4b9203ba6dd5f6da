#!/usr/bin/env bash
# `make deploy` creates the queues that a configuration names and that do not exist, and deploys its Worker. It needs
# `scripts/run wrangler login` or CLOUDFLARE_API_TOKEN. CONFIG is the configuration, by default the scheduler's. STAGE is
# one of its environments, such as staging; without it, the top level is deployed.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
config=${CONFIG:-wrangler.toml}
stage=${STAGE:-}

# An empty environment is the top level. Without the option, wrangler warns that there are several.
options=(--config "$config" --env "$stage")
queues=$(node scripts/queues.mjs "$config" "$stage")
for queue in $queues; do
  wrangler queues info "$queue" >/dev/null 2>&1 || wrangler queues create "$queue"
done
wrangler deploy "${options[@]}"

if [ "$config" = wrangler.toml ] && ! wrangler secret list "${options[@]}" | grep -q '"API_KEYS"'; then
  echo "No API key yet: the Worker refuses everything but /healthz. Set one: scripts/run wrangler secret put API_KEYS --env '$stage'"
fi
