#!/usr/bin/env bash
# `make dev` runs everything on this machine. The scheduler and the example consumer of fired tasks
# share one session of the local runtime, because a local queue is only visible within its session.
# Storage stays in .wrangler/state. Messages in a queue are lost when the session ends, and the
# scheduler sends them again.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
port=${PORT:-8787}

if [ ! -f .dev.vars ]; then
  # The key is created for this checkout only, and git ignores it.
  (umask 077 && echo "API_KEYS=$(node -p 'crypto.randomBytes(24).toString("hex")')" >.dev.vars)
fi
key=$(sed -n 's/^API_KEYS=\([^,]*\).*/\1/p' .dev.vars | tr -d '"' | head -n 1)

cat <<TEXT

  The dashboard, signed in:  http://localhost:$port/#key=$(node -p 'encodeURIComponent(process.argv[1])' "$key")
  The API key, from .dev.vars:  $key
  Schedule a task to fire in two seconds, and watch it here:

curl -s http://localhost:$port/v1/tasks -H 'Authorization: Bearer $key' -H 'Content-Type: application/json' -d '{"description":"hello","delayInSeconds":2,"callback":{"type":"queue","queue":"FIRED_TASKS"},"payload":{"hello":"world"}}'

  Cron triggers do not run by themselves here. The watchdog's:

curl -s 'http://localhost:$port/cdn-cgi/local/scheduled'

TEXT

# This keeps wrangler's own files in the checkout, and stops it from requesting sample metadata from
# the network.
export TMPDIR=$ROOT/.wrangler/tmp XDG_CONFIG_HOME=$ROOT/.wrangler/config CLOUDFLARE_CF_FETCH_ENABLED=false
mkdir -p "$TMPDIR"

# Without a terminal, wrangler's key shortcuts would read the input of the calling process.
interactive=true
[ -t 0 ] || interactive=false
node scripts/local-config.mjs
exec wrangler dev -c wrangler.local.toml -c examples/consumer/wrangler.toml --ip 127.0.0.1 --port "$port" \
  --persist-to .wrangler/state --show-interactive-dev-session="$interactive"
