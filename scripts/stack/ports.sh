# shellcheck shell=bash disable=SC2034 # the other files read what is set here
# One block of ports for each stack. Sourced by stack.sh.

# Below 32768, where the kernel's ports for outgoing connections begin.
FIRST_BLOCK=17400 BLOCKS=260 BLOCK_STEP=10 BLOCK_PORTS=6

# Asks the kernel's table rather than connecting, so that a listener on another address counts too.
block_free() {
  local first=$1 port wanted=''
  for ((port = first; port < first + BLOCK_PORTS; port++)); do wanted+=$(printf ' %04X' "$port"); done
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v wanted="$wanted" '
    BEGIN { split(wanted, list, " "); for (i in list) taken[list[i]] = 1 }
    $4 == "0A" { n = split($2, address, ":"); if (address[n] in taken) found = 1 }
    END { exit found }'
}

# Each folder begins to look at a place of its own, so that two that start together rarely want the same block.
free_block() {
  local start step base
  start=$((16#$(printf '%s' "$DIR" | sha256sum | cut -c1-7) % BLOCKS))
  for ((step = 0; step < BLOCKS; step++)); do
    base=$((FIRST_BLOCK + (start + step) % BLOCKS * BLOCK_STEP))
    if block_free "$base"; then
      echo "$base"
      return
    fi
  done
  die 75 "no free block of $BLOCK_PORTS ports between $FIRST_BLOCK and $((FIRST_BLOCK + BLOCKS * BLOCK_STEP))"
}

read_ports() {
  BASE=$(cat "$DIR/base" 2>/dev/null) || die 69 "this stack was never started"
  PG_PORT=$BASE REDIS_PORT=$((BASE + 1)) MQ_PORT=$((BASE + 2)) MQ_DIST_PORT=$((BASE + 3))
  EPMD_PORT=$((BASE + 4)) MQ_MGMT_PORT=$((BASE + 5))
}

# choose_ports: the block used before, unless somebody took it while all our servers were down.
choose_ports() {
  if ! any_alive; then
    if [ -n "${STACK_BASE:-}" ]; then
      echo "$STACK_BASE" >"$DIR/base"
    elif [ ! -s "$DIR/base" ] || ! block_free "$(cat "$DIR/base")"; then
      free_block >"$DIR/base"
    fi
  fi
  read_ports
}
