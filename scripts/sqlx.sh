#!/usr/bin/env bash
# Checks every query macro against a database with all migrations applied.
#
#   sqlx.sh write             renew .sqlx, what builds without a database are checked against
#   sqlx.sh check CARGO_ARGS  run that cargo command with the live database, then fail if .sqlx is not what it saw
set -euo pipefail
# shellcheck source=scripts/build-env.sh
. "$(dirname "${BASH_SOURCE[0]}")/build-env.sh"

mode=${1:-}
[ "$mode" = write ] || [ "$mode" = check ] || { sed -n '4,5s/^#   //p' "${BASH_SOURCE[0]}" >&2; exit 64; }
shift
[ $# -gt 0 ] || set -- check --workspace --all-targets

use_stack
seen=$(mktemp -d)
trap 'rm -rf "$seen"' EXIT

step "a database with all migrations"
set -a
# shellcheck source=/dev/null
. "$STACK_ENV"
set +a
DATABASE_URL=$(cargo xtask prepare-db --name sqlx_check)
export DATABASE_URL

# cargo does not know that the macros read a database, and would not compile what did not change.
grep -rlE '\bquery(_as|_scalar|_file|_file_as|_file_scalar)?(_unchecked)?!' --include='*.rs' crates tests | xargs -r touch

step "cargo $* (queries against the database)"
SQLX_OFFLINE=false SQLX_OFFLINE_DIR=$seen cargo "$@"

if [ "$mode" = write ]; then
  mkdir -p .sqlx
  find .sqlx -name 'query-*.json' -delete
  find "$seen" -name 'query-*.json' -exec cp {} .sqlx/ \;
  step "$(find .sqlx -name 'query-*.json' | wc -l) queries in .sqlx"
elif ! diff -rq "$seen" .sqlx >&2; then
  printf '%s\n' ".sqlx is not what the migrations and the queries say: run 'make sqlx' and commit the result" >&2
  exit 1
fi
