#!/usr/bin/env bash
# Plays the main job end to end and prints what happened: against `make run` if that runs, else on a platform of its own.
set -euo pipefail
# shellcheck source=scripts/build-env.sh
. "$(dirname "${BASH_SOURCE[0]}")/build-env.sh"

use_stack
build_switchboard
exec "$SWITCHBOARD" demo --stack-env "$STACK_ENV" "$@"
