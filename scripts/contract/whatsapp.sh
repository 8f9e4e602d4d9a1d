#!/usr/bin/env bash
# Our WhatsApp client against Meta's OpenAPI file.
#   WHATSAPP_OPENAPI  the file (default: ../shared/specs/whatsapp-business-messaging-v23.yaml)
set -euo pipefail
# shellcheck source=scripts/contract/shared.sh
. "$(dirname "${BASH_SOURCE[0]}")/shared.sh"

PROVIDER=whatsapp
WHOSE=META
SPEC=${WHATSAPP_OPENAPI:-$ROOT/../shared/specs/whatsapp-business-messaging-v23.yaml}
SPEC_VARIABLE=WHATSAPP_OPENAPI
SPEC_SOURCE="business-messaging-api_v23.0.yaml of Meta's repository github.com/facebook/openapi"
check_contract
