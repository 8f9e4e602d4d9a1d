#!/usr/bin/env bash
# The figures of docs/performance.md, each beside its budget: release build, and a stack of its own with the durability
# of production (fsync on), because a fast answer that a crash can take back is not the figure that was promised.
#
#   bench.sh [--only PART] [--quick] [--markdown]     PART: accept, pipeline, live, sends, reads, inbox, logins, processes
set -euo pipefail
# shellcheck source=scripts/build-env.sh
. "$(dirname "${BASH_SOURCE[0]}")/build-env.sh"

export STACK_DURABLE=1 STACK_DIR=${STACK_DIR:-$ROOT/.dev/bench-$$}
trap '"$ROOT/scripts/stack.sh" wipe >/dev/null' EXIT

# The services' own programs are what memory and start are measured with. One command, so that all are built alike.
packages=(switchboard gateway edge identity messaging billing ai crm-sync)
step "building ${packages[*]} (release)"
cargo build --release --bins "${packages[@]/#/--package=}"
use_stack
"$CARGO_TARGET_DIR/release/switchboard" bench --stack-env "$STACK_ENV" "$@"
