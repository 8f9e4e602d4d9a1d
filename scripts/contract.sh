#!/usr/bin/env bash
# Holds our WhatsApp client against Meta's own OpenAPI file: every request it makes must be accepted by a mock server
# that validates requests (prism), and every example of a response must parse. Needs node, npm and the file.
#   WHATSAPP_OPENAPI  the file (default: ../shared/specs/whatsapp-business-messaging-v23.yaml)
set -euo pipefail
# shellcheck source=scripts/build-env.sh
. "$(dirname "${BASH_SOURCE[0]}")/build-env.sh"

PRISM_VERSION=5.14.2
SPEC=${WHATSAPP_OPENAPI:-$ROOT/../shared/specs/whatsapp-business-messaging-v23.yaml}

if [ ! -s "$SPEC" ]; then
  cat >&2 <<SKIPPED

################################################################################
##  CONTRACT CHECK SKIPPED: NOTHING WAS CHECKED AGAINST META'S OPENAPI FILE.  ##
################################################################################
The file is not at ${SPEC#"$ROOT"/}
It is business-messaging-api_v23.0.yaml of Meta's repository github.com/facebook/openapi.
Put it there, or name it with WHATSAPP_OPENAPI=<file>.

SKIPPED
  exit 0
fi
if ! command -v npm >/dev/null; then
  echo "npm is missing (apt-get install --no-install-recommends nodejs npm)" >&2
  exit 69
fi

prism=${XDG_CACHE_HOME:-$HOME/.cache}/switchboard/prism-$PRISM_VERSION
if [ ! -x "$prism/node_modules/.bin/prism" ]; then
  step "installing prism $PRISM_VERSION"
  npm install --prefix "$prism" --no-audit --no-fund --loglevel=error "@stoplight/prism-cli@$PRISM_VERSION"
fi

# The tests are built first: the mock server should not wait for a compiler.
tests=(--package whatsapp --test it contract::)
step "building the tests"
cargo test "${tests[@]}" --no-run

step "prism with $(basename "$SPEC")"
work=$(mktemp -d)
mock=
trap '[ -z "$mock" ] || kill "$mock" 2>/dev/null || true; rm -rf "$work"' EXIT
# Meta's file contradicts itself in places; the corrections and their reasons are in this script.
node scripts/contract/whatsapp.cjs "$SPEC" "$prism/node_modules" "$work"
# Port 0 is not for prism (it prints what it was given), so a free one is asked from the kernel first.
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')
# Not `--errors`: that would also judge the file's own examples of answers, some of which break its own schema.
"$prism/node_modules/.bin/prism" mock --host 127.0.0.1 --port "$port" "$work/spec.json" >"$work/log" 2>&1 &
mock=$!
for ((tenths = 0; tenths < 600; tenths++)); do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  kill -0 "$mock" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
  sleep 0.1
done

step "contract"
CONTRACT_BASE_URL=http://127.0.0.1:$port CONTRACT_EXAMPLES=$work/examples.json cargo test "${tests[@]}" -- --include-ignored --nocapture || {
  tail -n 40 "$work/log" >&2
  exit 1
}
