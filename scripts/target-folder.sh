# shellcheck shell=bash
# Chooses CARGO_TARGET_DIR: outside the checkout, one for each checkout. Sourced by build-env.sh.
#
# Not one for all: cargo names what it builds without the path of the workspace, so of two checkouts that share a folder
# the one whose files are older silently runs the other's code. What a new checkout can share are the third-party
# crates, which are most of the work: they are copied from the folder that was used last.
#   SWITCHBOARD_TARGET_DIR  (or CARGO_TARGET_DIR) use this folder as it is

# our_packages: exclusions for tar: whatever was built from a package (or target) with a name of this workspace.
our_packages() {
  local name any16='????????????????'
  { sed -n 's/^name = "\(.*\)"/\1/p' crates/*/*/Cargo.toml tests/*/Cargo.toml; echo it; } | sort -u | while read -r name; do
    printf '%s\n' "debug/.fingerprint/$name-$any16" "debug/build/$name-$any16" \
      "debug/deps/${name//-/_}-$any16*" "debug/deps/lib${name//-/_}-$any16*"
  done
}

# Fingerprints first: cargo writes one when its crate is finished, so a build that runs meanwhile does no harm.
copy_third_party() {
  local from=$1 to=$2
  mkdir -p "$to.new"
  { tar -C "$from" -cf - --exclude-from=<(our_packages) debug/.fingerprint debug/build debug/deps 2>/dev/null || true; } |
    tar -C "$to.new" -xf -
  mv "$to.new" "$to"
}

# Folders of checkouts that are gone.
remove_orphans() {
  local marker checkout
  for marker in "$1"/target-*/checkout; do
    [ -f "$marker" ] || continue
    read -r checkout <"$marker"
    [ -d "$checkout" ] || rm -rf "$(dirname "$marker")"
  done
}

choose_target_folder() {
  local cache=$HOME/.cache/switchboard own last
  export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-${SWITCHBOARD_TARGET_DIR:-}}
  [ -z "$CARGO_TARGET_DIR" ] || return 0
  own=$cache/target-$(printf '%s' "$ROOT" | sha256sum | cut -c1-12)
  if [ ! -d "$own" ]; then
    mkdir -p "$cache"
    last=$(find "$cache" -mindepth 3 -maxdepth 3 -path '*/debug/.fingerprint' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2-)
    [ -z "$last" ] || copy_third_party "${last%/debug/.fingerprint}" "$own"
    mkdir -p "$own"
    printf '%s\n' "$ROOT" >"$own/checkout"
    remove_orphans "$cache"
  fi
  CARGO_TARGET_DIR=$own
}
