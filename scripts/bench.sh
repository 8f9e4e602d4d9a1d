#!/usr/bin/env bash
# The figures of docs/performance.md, each beside its budget: release build, and a stack of its own with the durability
# of production (fsync on), because a fast answer that a crash can take back is not the figure that was promised.
set -euo pipefail
# shellcheck source=scripts/build-env.sh
. "$(dirname "${BASH_SOURCE[0]}")/build-env.sh"

export RELEASE=1 STACK_DURABLE=1 STACK_DIR=${STACK_DIR:-$ROOT/.dev/bench-$$}
trap '"$ROOT/scripts/stack.sh" wipe >/dev/null' EXIT
build_switchboard
use_stack
"$SWITCHBOARD" bench --stack-env "$STACK_ENV" "$@"
