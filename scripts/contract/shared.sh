# shellcheck shell=bash disable=SC2153 # set by the scripts that source this
# What the contract checks have in common; sourced by the scripts beside it after they have set
#   PROVIDER   the package and the name of the preparing script, WHOSE the third party's name for people
#   SPEC       its OpenAPI file, SPEC_VARIABLE the variable that names another, SPEC_SOURCE where the file comes from
# shellcheck source=scripts/build-env.sh
. "$(dirname "${BASH_SOURCE[0]}")/../build-env.sh"

PRISM_VERSION=5.14.2

# Loud, because nothing else tells a check that passed from one that did not happen.
skip_without_spec() {
  local line="##  CONTRACT CHECK SKIPPED: NOTHING WAS CHECKED AGAINST $WHOSE'S OPENAPI FILE.  ##"
  local rule=${line//?/#}
  printf '\n%s\n%s\n%s\n' "$rule" "$line" "$rule" >&2
  printf 'The file is not at %s\nIt is %s.\nPut it there, or name it with %s=<file>.\n\n' \
    "${SPEC#"$ROOT"/}" "$SPEC_SOURCE" "$SPEC_VARIABLE" >&2
}

# Sets PRISM to the folder of the mock server, installed once.
install_prism() {
  if ! command -v npm >/dev/null; then
    echo "npm is missing (apt-get install --no-install-recommends nodejs npm)" >&2
    exit 69
  fi
  PRISM=${XDG_CACHE_HOME:-$HOME/.cache}/switchboard/prism-$PRISM_VERSION
  if [ ! -x "$PRISM/node_modules/.bin/prism" ]; then
    step "installing prism $PRISM_VERSION"
    npm install --prefix "$PRISM" --no-audit --no-fund --loglevel=error "@stoplight/prism-cli@$PRISM_VERSION"
  fi
}

# Starts prism with the prepared file and sets BASE_URL once it answers.
start_prism() {
  local port tenths
  # Port 0 is not for prism (it prints what it was given), so a free one is asked from the kernel first.
  port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')
  # Not `--errors`: that would also judge the file's own examples of answers, some of which break its own schema.
  "$PRISM/node_modules/.bin/prism" mock --host 127.0.0.1 --port "$port" "$work/spec.json" >"$work/log" 2>&1 &
  mock=$!
  for ((tenths = 0; tenths < 600; tenths++)); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
    kill -0 "$mock" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
  done
  BASE_URL=http://127.0.0.1:$port
}

check_contract() {
  if [ ! -s "$SPEC" ]; then
    skip_without_spec
    return
  fi
  install_prism
  # The tests are built first: the mock server should not wait for a compiler.
  local tests=(--package "$PROVIDER" --test it contract::)
  step "$PROVIDER: building the tests"
  cargo test "${tests[@]}" --no-run

  step "$PROVIDER: prism with $(basename "$SPEC")"
  work=$(mktemp -d)
  mock=
  trap '[ -z "$mock" ] || kill "$mock" 2>/dev/null || true; rm -rf "$work"' EXIT
  # The files contradict themselves in places; the corrections and their reasons are in this script.
  node "scripts/contract/$PROVIDER.cjs" "$SPEC" "$PRISM/node_modules" "$work"
  start_prism

  step "$PROVIDER: contract"
  CONTRACT_BASE_URL=$BASE_URL CONTRACT_EXAMPLES=$work/examples.json cargo test "${tests[@]}" -- --include-ignored --nocapture || {
    tail -n 40 "$work/log" >&2
    exit 1
  }
}
