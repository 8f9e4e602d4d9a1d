#!/usr/bin/env bash
# Our Resend client against Resend's OpenAPI file.
#   RESEND_OPENAPI  the file (default: ../shared/specs/resend.json)
set -euo pipefail
# shellcheck source=scripts/contract/shared.sh
. "$(dirname "${BASH_SOURCE[0]}")/shared.sh"

PROVIDER=resend
WHOSE=RESEND
SPEC=${RESEND_OPENAPI:-$ROOT/../shared/specs/resend.json}
SPEC_VARIABLE=RESEND_OPENAPI
SPEC_SOURCE="the OpenAPI file of Resend's repository github.com/resend/resend-openapi, as JSON"
check_contract
