# shellcheck shell=bash
# Which programs the stack needs, and how they get onto a Debian or Ubuntu machine. Sourced by stack.sh.

MIN_POSTGRES=15

# postgres_bin_dirs: folders with a server we can use, newest last.
postgres_bin_dirs() {
  local postgres major
  for postgres in /usr/lib/postgresql/*/bin/postgres; do
    [ -x "$postgres" ] || continue
    major=$(basename "$(dirname "$(dirname "$postgres")")")
    [ "$major" -ge "$MIN_POSTGRES" ] 2>/dev/null && printf '%s %s\n' "$major" "$(dirname "$postgres")"
  done | sort -n | cut -d' ' -f2
}

# has_libclang: the library that reads C headers for bindings.
has_libclang() {
  local library
  for library in /usr/lib/llvm-*/lib/libclang*.so* /usr/lib/*/libclang*.so* "${LIBCLANG_PATH:-/nonexistent}"/libclang*.so*; do
    [ ! -e "$library" ] || return 0
  done
  return 1
}

# missing_packages [build|tests]: of what builds the platform; unless only that is asked for, of the servers; for the
# tests, of what they run besides.
missing_packages() {
  # Not of the stack, but the same machine builds the platform, and one list is better than two.
  command -v cc >/dev/null || printf '%s\n' gcc libc6-dev
  # The build script of the validation library compiles its own proto files (docs/decisions/0007).
  command -v protoc >/dev/null || echo protobuf-compiler
  [ -e /usr/include/google/protobuf/descriptor.proto ] || [ -e /usr/local/include/google/protobuf/descriptor.proto ] ||
    echo libprotobuf-dev
  # SAML signatures are checked by xmlsec, whose bindings are made at build time (crates/providers/saml).
  command -v pkg-config >/dev/null || echo pkg-config
  pkg-config --exists xmlsec1-openssl 2>/dev/null || echo libxmlsec1-dev
  has_libclang || echo libclang-dev
  [ "${1:-}" != build ] || return 0
  if [ "${1:-}" = tests ]; then
    # Partners that are not ours run in them (scripts/partners).
    python3 -c 'import ensurepip, venv' 2>/dev/null || printf '%s\n' python3 python3-venv
  fi
  [ -n "$(postgres_bin_dirs)" ] || echo postgresql
  command -v redis-server >/dev/null || echo redis-server
  [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || echo rabbitmq-server
}

# The archive's newest server package; the plain `postgresql` may be older than we need (Ubuntu 22.04 has 14).
newest_postgres_package() {
  local newest
  newest=$(apt-cache pkgnames postgresql- | sed -n 's/^postgresql-\([0-9][0-9]*\)$/\1/p' | sort -n | tail -n 1)
  [ -n "$newest" ] && [ "$newest" -ge "$MIN_POSTGRES" ] || return 1
  echo "postgresql-$newest"
}

# apt_install PACKAGES...: as root; whatever the packages bring, no service of theirs is started and no default
# cluster is created.
apt_install() (
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  mkdir -p /etc/postgresql-common/createcluster.d
  echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/no-main.conf
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@" </dev/null
)

# install_packages [build|tests]: see missing_packages.
install_packages() {
  local missing index out
  mapfile -t missing < <(missing_packages "${1:-}")
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    log "these packages are missing: ${missing[*]}"
    [ "${1:-}" = build ] || log "(PostgreSQL $MIN_POSTGRES or newer, RabbitMQ 3.10 or newer, Redis 7)"
    die 69 "as root, run: apt-get install --no-install-recommends ${missing[*]}"
  fi
  log "installing ${missing[*]}"
  out=$(mktemp)
  apt-get -qq -o DPkg::Lock::Timeout=300 update >"$out" 2>&1 || log "apt-get update failed, trying with the lists at hand"
  for index in "${!missing[@]}"; do
    if [ "${missing[index]}" = postgresql ]; then
      missing[index]=$(newest_postgres_package) ||
        die 69 "this release has no PostgreSQL $MIN_POSTGRES or newer: add the PostgreSQL project's apt archive"
    fi
  done
  apt_install "${missing[@]}" >>"$out" 2>&1 || { tail -n 20 "$out" >&2; die 69 "apt could not install ${missing[*]}"; }
  rm -f "$out"
}
