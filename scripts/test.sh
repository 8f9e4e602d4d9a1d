#!/usr/bin/env bash
# Everything a change must pass, with a private stack that is gone afterwards. The last lines are the runner's.
#   KEEP_STACK=1  leave the stack running (a failed test prints the address of its database)
set -euo pipefail
# shellcheck source=scripts/build-env.sh
. "$(dirname "${BASH_SOURCE[0]}")/build-env.sh"

# Runs that were killed could not stop their servers.
for left in .dev/test-*; do
  if [ -d "$left" ] && ! kill -0 "${left##*-}" 2>/dev/null; then
    STACK_DIR=$left scripts/stack.sh wipe >/dev/null
  fi
done

export STACK_DIR=$ROOT/.dev/test-$$
if [ "${KEEP_STACK:-0}" != 1 ]; then
  trap '"$ROOT/scripts/stack.sh" wipe >/dev/null' EXIT
fi

step "partners of the tests that are not ours"
scripts/stack.sh install tests
for partner in saml oidc; do
  found=$(scripts/partners/$partner.sh)
  export "${found?}"
done

use_stack
scripts/check.sh
scripts/sqlx.sh check clippy --workspace --all-targets -- -D warnings
step "generated documents"
cargo xtask gen --check

profile=default
[ -z "${CI:-}" ] || profile=ci
# The tests find their servers by these.
set -a
# shellcheck source=/dev/null
. "$STACK_ENV"
set +a

if cargo nextest --version >/dev/null 2>&1; then
  # nextest does not run these, and starting rustdoc for each package in vain takes a minute.
  if grep -rqE '^ *//[/!] ```(rust|no_run|should_panic)?$' --include='*.rs' crates; then
    step "examples in the documentation"
    cargo test --workspace --doc --quiet
  fi
  step "tests"
  cargo nextest run --workspace --profile "$profile"
else
  step "tests"
  RUST_TEST_THREADS=4 cargo test --workspace --no-fail-fast
fi
