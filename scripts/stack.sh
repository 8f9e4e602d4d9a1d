#!/usr/bin/env bash
# A private PostgreSQL, RabbitMQ and Redis for development and tests: no systemd, no container engine, no
# standard port. Everything listens on 127.0.0.1 and each checkout has its own servers, so several can run at once.
#
#   stack.sh install      install what is missing (apt, as root), or list it and exit 69; `install build`: only
#                         what compiles the platform, no server; `install tests`: what tests run, too
#   stack.sh up           start what is not running, installed first if missing; safe to repeat; prints the addresses
#   stack.sh down         stop all servers, keep the data
#   stack.sh status       who runs; exit 3 if anything is down
#   stack.sh wipe         down, then remove the data
#   stack.sh env          print the addresses (the file `env` in the stack folder)
#   stack.sh mqctl ARGS   rabbitmqctl against this broker (a plain rabbitmqctl would start a foreign epmd)
#
#   STACK_DIR      folder of this stack                             (default .dev/stack in the checkout)
#   STACK_BASE     first of six consecutive ports                   (default: the first free block)
#   STACK_DURABLE  1 = survive a crash of the machine, as production does; needed for honest measurements
#                  (default 0: a killed process loses nothing, a crashed machine may; tests are far faster)
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
DIR=${STACK_DIR:-$ROOT/.dev/stack}
# The servers refuse to run as root; root hands them to this account.
SERVER_USER=switchboard-stack

log() { printf 'stack: %s\n' "$*" >&2; }
die() { local code=$1; shift; log "$*"; exit "$code"; }

# shellcheck source=scripts/stack/folders.sh
. "$ROOT/scripts/stack/folders.sh"
# shellcheck source=scripts/stack/packages.sh
. "$ROOT/scripts/stack/packages.sh"
# shellcheck source=scripts/stack/ports.sh
. "$ROOT/scripts/stack/ports.sh"
# shellcheck source=scripts/stack/processes.sh
. "$ROOT/scripts/stack/processes.sh"
# shellcheck source=scripts/stack/postgres.sh
. "$ROOT/scripts/stack/postgres.sh"
# shellcheck source=scripts/stack/redis.sh
. "$ROOT/scripts/stack/redis.sh"
# shellcheck source=scripts/stack/rabbitmq.sh
. "$ROOT/scripts/stack/rabbitmq.sh"

SERVERS=(postgres redis epmd rabbitmq)

write_env() {
  cat >"$DIR/env.new" <<URLS
DATABASE_ADMIN_URL=postgres://postgres:$PASSWORD@127.0.0.1:$PG_PORT/switchboard
REDIS_URL=redis://:$PASSWORD@127.0.0.1:$REDIS_PORT/0
AMQP_URL=amqp://switchboard:$PASSWORD@127.0.0.1:$MQ_PORT/switchboard
RABBITMQ_MANAGEMENT_URL=http://switchboard:$PASSWORD@127.0.0.1:$MQ_MGMT_PORT
URLS
  # Whole or not at all: readers do not take our lock.
  mv "$DIR/env.new" "$DIR/env"
}

any_alive() {
  local name
  for name in "${SERVERS[@]}"; do alive "$name" && return 0; done
  return 1
}

# start_all: the three in parallel, because RabbitMQ takes most of the time; sets STARTED. Children must not inherit
# the lock. Not to be called as a condition: that would switch `set -e` off in all of them.
start_all() {
  local jobs=() job
  STARTED=yes
  ( exec 9>&-; redis_up ) & jobs+=($!)
  ( exec 9>&-; postgres_up ) & jobs+=($!)
  ( exec 9>&-; rabbitmq_up ) & jobs+=($!)
  for job in "${jobs[@]}"; do wait "$job" || STARTED=no; done
}

stop_all() {
  ( exec 9>&-; stop_server rabbitmq TERM 30 ) &
  ( exec 9>&-; stop_server postgres INT 20 ) &
  ( exec 9>&-; stop_server redis TERM 10 ) &
  wait
  # Last, because the broker unregisters from it.
  stop_server epmd TERM 5
  stop_foreign_epmd
}

up() {
  local repair=no
  take_lock
  prepare_folders
  # What ran before us is in use: it keeps its ports, and our failure does not stop it.
  if any_alive; then repair=yes; fi
  choose_ports
  start_all
  if [ $STARTED = no ] && [ $repair = no ]; then
    stop_all
    if [ -z "${STACK_BASE:-}" ] && ! block_free "$BASE"; then
      log "a port from $BASE on was taken between our look and our start: trying another block"
      choose_ports
      start_all
    fi
  fi
  if [ $STARTED = no ]; then
    [ $repair = yes ] || stop_all
    die 1 "start failed, logs are in $DATA/log"
  fi
  write_env
  cat "$DIR/env"
}

down() {
  [ -d "$DIR" ] || return 0
  take_lock
  stop_all
}

status() {
  local name rc=0
  for name in "${SERVERS[@]}"; do
    if alive "$name"; then
      printf '%-9s up    pid %-8s rss %s MB\n' "$name" "$PID" "$(awk '/^VmRSS/{printf "%d", $2/1024}' "/proc/$PID/status")"
    else
      printf '%-9s down\n' "$name"
      rc=3
    fi
  done
  return "$rc"
}

wipe() {
  [ -d "$DIR" ] || return 0
  [ -e "$DIR/lock" ] || die 64 "$DIR is not a stack folder, nothing removed"
  down
  rm -rf -- "$DATA" "$DIR"
}

usage() { sed -n '5,12s/^#   //p' "${BASH_SOURCE[0]}" >&2; exit 64; }

[ $# -ge 1 ] || usage
COMMAND=$1; shift
case "$COMMAND" in
  install) install_packages "$@" ;;
  up) install_packages; locate_folders; up ;;
  down | status | wipe) locate_folders; "$COMMAND" ;;
  env) cat "$DIR/env" ;;
  mqctl) locate_folders; read_ports; rabbitmqctl_here "$@" ;;
  *) usage ;;
esac
