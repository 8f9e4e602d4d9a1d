#!/usr/bin/env bash
# What needs no database: format, shell scripts, who may import whom, licences. Seconds once built.
# With --clippy also the lints of all packages (`make check`); `make test` runs those against a live database instead.
set -euo pipefail
# shellcheck source=scripts/build-env.sh
. "$(dirname "${BASH_SOURCE[0]}")/build-env.sh"

step "format"
cargo fmt --all --check

if command -v shellcheck >/dev/null; then
  step "shell scripts"
  shellcheck --external-sources scripts/*.sh scripts/stack/*.sh .ci/run
fi

step "imports, manifests, file lengths"
cargo xtask check-deps

if cargo deny --version >/dev/null 2>&1; then
  step "licences, bans, sources"
  cargo deny --offline --log-level error check bans licenses sources
fi

if [ "${1:-}" = --clippy ]; then
  step "lints"
  cargo clippy --workspace --all-targets -- -D warnings
fi
