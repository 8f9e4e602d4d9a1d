#!/usr/bin/env bash
# The whole platform with the provider sandbox, in the foreground, until Ctrl-C. RELEASE=1 for an optimised build.
# The servers below it stay up, so that the next start is fast: `make down` stops them.
set -euo pipefail
# shellcheck source=scripts/build-env.sh
. "$(dirname "${BASH_SOURCE[0]}")/build-env.sh"

use_stack
build_switchboard
exec "$SWITCHBOARD" up --stack-env "$STACK_ENV" "$@"
