#!/usr/bin/env bash
# Puts a real OpenID Connect provider (the npm package oidc-provider) where the tests of crates/providers/oidc find it,
# once for all checkouts, and prints the line that tells them: OIDC_PROVIDER=<folder>
set -euo pipefail

# Together with what the server in oidc_provider.mjs beside this file configures.
VERSION=9.13.3

say() { printf '%s\n' "$*" >&2; }

cache=${XDG_CACHE_HOME:-$HOME/.cache}/switchboard
mkdir -p "$cache"
# oidc-provider needs node 20.
# shellcheck source=scripts/partners/node.sh
. "$(dirname "${BASH_SOURCE[0]}")/node.sh"
find_node "$cache"
folder=$cache/oidc-provider-$VERSION
if [ ! -e "$folder" ]; then
  mkdir -p "$cache"
  # What a run that was killed has left.
  for left in "$folder".part-*; do
    if [ -d "$left" ] && ! kill -0 "${left##*-}" 2>/dev/null; then rm -rf "$left"; fi
  done
  # A folder under its final name is complete: it is filled under another and renamed.
  part=$folder.part-$$
  trap 'rm -rf "$part"' EXIT
  mkdir "$part"
  say "installing oidc-provider $VERSION"
  npm install --prefix "$part" --no-audit --no-fund --ignore-scripts --loglevel=error "oidc-provider@$VERSION" >&2
  # Another run may have been faster; then its folder is as good.
  mv -T "$part" "$folder" 2>/dev/null || [ -e "$folder" ]
fi
printf 'OIDC_PROVIDER=%s\n' "$folder"
