#!/usr/bin/env bash
# What needs no database: format, shell scripts, who may import whom, licences. Seconds once built.
# With --clippy also the lints of all packages (`make check`); `make test` runs those against a live database instead.
set -euo pipefail
# shellcheck source=scripts/build-env.sh
. "$(dirname "${BASH_SOURCE[0]}")/build-env.sh"

step "format"
cargo fmt --all --check

step "shell scripts"
if command -v shellcheck >/dev/null; then
  shellcheck --external-sources scripts/*.sh scripts/contract/*.sh scripts/partners/*.sh scripts/stack/*.sh .ci/run
else
  echo "SKIPPED: shell scripts were not checked, shellcheck is missing (apt-get install shellcheck)" >&2
fi

step "imports, manifests, file lengths"
cargo xtask check-deps

step "licences, bans, sources"
if cargo deny --version >/dev/null 2>&1; then
  cargo deny --offline --log-level error check bans licenses sources
else
  echo "SKIPPED: licences, bans and sources were not checked, cargo-deny is missing (cargo install cargo-deny)" >&2
fi

if [ "${1:-}" = --clippy ]; then
  step "lints"
  cargo clippy --workspace --all-targets -- -D warnings
fi
