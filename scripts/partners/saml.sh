#!/usr/bin/env bash
# An XML signer that is not ours, for the tests of `saml`: python's signxml in a virtual environment of its own.
# Made once; prints SAML_SIGNER=<its python>, which scripts/partners/saml_signer.py runs with.
set -euo pipefail

# All three have wheels for Python 3.9 and newer, so nothing is compiled.
PINS=(signxml==5.2.0 lxml==6.1.3 cryptography==50.0.2)
PYTHON=${PYTHON:-python3}

cache=${XDG_CACHE_HOME:-$HOME/.cache}/switchboard
signer=$cache/saml-signer-5.2.0-1

die() { printf '%s\n' "$*" >&2; exit 69; }

make_signer() {
  command -v "$PYTHON" >/dev/null || die "python3 is missing (apt-get install --no-install-recommends python3 python3-venv)"
  "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 9, 2))' || die "$PYTHON is older than 3.9.2: name a newer one with PYTHON=<python>"
  # Debian and Ubuntu ship the module without what it needs.
  "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || die "python's venv is missing (apt-get install --no-install-recommends python3-venv)"

  # Made aside and moved into place whole, so that a run that is killed leaves nothing half made under the final name.
  making=$(mktemp -d "$cache/saml-signer.XXXXXX")
  trap 'rm -rf "$making"' EXIT
  "$PYTHON" -m venv "$making/venv"
  "$making/venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: "${PINS[@]}" >&2 ||
    die "pip could not install ${PINS[*]}"
  "$making/venv/bin/python" -c 'import signxml'
  rm -rf "$signer"
  mv "$making/venv" "$signer"
}

works() { [ -x "$signer/bin/python" ] && "$signer/bin/python" -c 'import signxml' 2>/dev/null; }

if ! works; then
  mkdir -p "$cache"
  # Of two runs at once the second waits, and finds it made.
  exec 9>"$cache/saml-signer.lock"
  flock 9
  works || make_signer
fi
printf 'SAML_SIGNER=%s\n' "$signer/bin/python"
