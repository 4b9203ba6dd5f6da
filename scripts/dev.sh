#!/usr/bin/env bash
# `make dev` runs everything on this machine. The scheduler and the example consumer of fired tasks
# share one session of the local runtime, because a local queue is only visible within its session.
# Storage stays in .wrangler/state, with another port in .wrangler/state-PORT, or in the folder STATE. Messages in a queue are lost when the
# session ends, and the scheduler sends them again.
set -euo pipefail
. "$(dirname "$0")/env.sh"
cd "$ROOT"
port=${PORT:-8787}

if ! [[ $port =~ ^[1-9][0-9]{0,4}$ && $port -le 65535 ]]; then
  echo "dev: PORT=$port is no port: give 1 to 65535" >&2
  exit 1
fi
if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
  echo "dev: something listens on port $port already. Stop it, or choose another port, which has tasks of its own:" \
    "make dev PORT=$((port < 65535 ? port + 1 : 9000))" >&2
  exit 1
fi
# Each instance has storage of its own, and a list of running Workers of its own. The default port has
# the folders without a number.
suffix=
options=()
if [ "$port" != 8787 ]; then
  suffix=-$port
  # wrangler looks for a free port for its inspector long before it takes it, so two that start at once
  # would take the same one. Port 0 is any free port.
  options=(--inspector-port 0)
fi
state=${STATE:-.wrangler/state$suffix}
export WRANGLER_REGISTRY_PATH=$WRANGLER_REGISTRY_PATH$suffix
# wrangler replaces this process, and keeps its number.
node scripts/claim.mjs "$state" $$ "$port"
if [ ! -f .dev.vars ]; then
  # The key is created for this checkout only, and git ignores it.
  (umask 077 && echo "API_KEYS=$(node -p 'crypto.randomBytes(24).toString("hex")')" >.dev.vars)
fi
key=$(sed -n 's/^API_KEYS=\([^,]*\).*/\1/p' .dev.vars | tr -d '"' | head -n 1)

WHEN_READY=$(
  cat <<TEXT

  Schedule a task to fire in two seconds, and see it fire here:

curl -s http://localhost:$port/v1/tasks -H 'Authorization: Bearer $key' -H 'Content-Type: application/json' -d '{"description":"hello","delayInSeconds":2,"callback":{"type":"queue","queue":"FIRED_TASKS"},"payload":{"hello":"world"}}'

  Cron triggers do not run by themselves here. This runs the watchdog's:

curl -s 'http://localhost:$port/cdn-cgi/local/scheduled'

  The API key, from .dev.vars:  $key

  Open the dashboard, signed in. It offers a first task, which fires after five seconds:

  http://localhost:$port/#key=$(node -p 'encodeURIComponent(process.argv[1])' "$key")

TEXT
)
export WHEN_READY

# This keeps wrangler's own files in the checkout, and stops it from requesting sample metadata from
# the network.
export TMPDIR=$ROOT/.wrangler/tmp XDG_CONFIG_HOME=$ROOT/.wrangler/config CLOUDFLARE_CF_FETCH_ENABLED=false
mkdir -p "$TMPDIR"

echo "Starting: the link to the dashboard follows."
node scripts/local-config.mjs
# wrangler writes to a filter, not to the terminal, so it would have no colors and no use for its
# key shortcuts.
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then export FORCE_COLOR=1; fi
exec wrangler dev -c wrangler.local.toml -c examples/consumer/wrangler.toml --ip 127.0.0.1 --port "$port" \
  --persist-to "$state" ${options[@]+"${options[@]}"} --show-interactive-dev-session=false > >(exec node scripts/dev-log.mjs) 2>&1
