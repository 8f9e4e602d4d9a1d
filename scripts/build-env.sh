# shellcheck shell=bash
# What every script that builds needs; sourced. Changes into the checkout.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$ROOT" || exit 66

# rustup's folder is not on the path of every non-interactive shell.
command -v cargo >/dev/null || PATH=$HOME/.cargo/bin:$PATH
if ! command -v cargo >/dev/null; then
  printf '%s\n' "Rust is missing. Install rustup (rustup.rs); the version is in rust-toolchain.toml." >&2
  exit 69
fi

# A C compiler and protoc; at once when nothing is missing. Who needs the servers starts them with use_stack.
scripts/stack.sh install build
# Scripts name binaries in it. Cargo's own choice unless somebody chose before.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$ROOT/target}
# A DATABASE_URL that lies around (or a .env above us) must not decide what the queries are checked against.
export SQLX_OFFLINE=true
if [ -n "${CI:-}" ]; then
  export CARGO_INCREMENTAL=0 CARGO_TERM_COLOR=never CARGO_TERM_PROGRESS_WHEN=never
fi

# step WORDS...: a heading with the time since the script began.
step() { printf '\n== %s (%d s)\n' "$*" "$SECONDS" >&2; }

# build_switchboard: sets SWITCHBOARD to the binary that runs all services in one process. RELEASE=1 optimises.
build_switchboard() {
  local profile=debug arguments=(--package switchboard --bin switchboard)
  if [ "${RELEASE:-0}" = 1 ]; then
    profile=release
    arguments+=(--release)
  fi
  step "building switchboard ($profile)"
  cargo build "${arguments[@]}"
  export SWITCHBOARD=$CARGO_TARGET_DIR/$profile/switchboard
}

# use_stack: the stack of this script's STACK_DIR runs, and STACK_ENV names the file with its addresses.
use_stack() {
  export STACK_DIR=${STACK_DIR:-$ROOT/.dev/stack}
  step "PostgreSQL, RabbitMQ and Redis in ${STACK_DIR#"$ROOT"/}"
  "$ROOT/scripts/stack.sh" up >/dev/null
  export STACK_ENV=$STACK_DIR/env
}
