#!/usr/bin/env bash
# Holds our clients against the third parties' own OpenAPI files: every request they make must be accepted by a mock
# server that validates requests (prism), and every example of an answer or event must parse. Needs node, npm and the
# files. Arguments: the providers to check (default: all).
set -euo pipefail
folder=$(dirname "${BASH_SOURCE[0]}")/contract

if [ $# = 0 ]; then
  set -- whatsapp resend
fi
for provider in "$@"; do
  "$folder/$provider.sh"
done
