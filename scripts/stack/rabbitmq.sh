# shellcheck shell=bash
# RabbitMQ, with an epmd (Erlang's port mapper) of its own. Sourced by stack.sh.

# Debian's /usr/sbin wrappers insist on the account `rabbitmq`; these are the programs behind them.
RABBITMQ_BIN=/usr/lib/rabbitmq/bin

# Every path and port is set, or the machine-wide defaults apply: an empty CONF_ENV_FILE keeps
# /etc/rabbitmq/rabbitmq-env.conf out, and without the kernel argument the node's own port is open to the network.
rabbitmq_env() {
  local mq=$DATA/rabbitmq
  MQ_ENV=(RABBITMQ_NODENAME="stack$MQ_PORT@localhost" RABBITMQ_USE_LONGNAME=false
    RABBITMQ_BASE="$mq" RABBITMQ_MNESIA_BASE="$mq/mnesia" RABBITMQ_LOG_BASE="$DATA/log/rabbitmq"
    RABBITMQ_CONFIG_FILE="$mq/rabbitmq.conf" RABBITMQ_ADVANCED_CONFIG_FILE="$mq/advanced.config"
    RABBITMQ_CONF_ENV_FILE="$mq/none" RABBITMQ_ENABLED_PLUGINS_FILE="$mq/enabled_plugins"
    RABBITMQ_GENERATED_CONFIG_DIR="$mq/config" RABBITMQ_SCHEMA_DIR="$mq/schema" RABBITMQ_PID_FILE="$mq/script.pid"
    RABBITMQ_DIST_PORT="$MQ_DIST_PORT" ERL_EPMD_PORT="$EPMD_PORT" ERL_EPMD_ADDRESS=127.0.0.1 ERL_MAX_PORTS=16384
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none"
    RABBITMQ_CTL_DIST_PORT_MIN=$((MQ_DIST_PORT + 30000)) RABBITMQ_CTL_DIST_PORT_MAX=$((MQ_DIST_PORT + 30005)))
}

# The broker starts an epmd of its own when ours has died, and that one would outlive it and hold the port.
stop_foreign_epmd() {
  local port
  port=$(( $(cat "$DIR/base" 2>/dev/null || echo 0) + 4 ))
  if listening "$port"; then as_server epmd -port "$port" -kill >/dev/null || true; fi
}

rabbitmqctl_here() {
  rabbitmq_env
  alive rabbitmq || die 69 "the broker is down"
  # The cookie is in the servers' home folder, which root's own shell may not share.
  cd "$DATA/home" || exit 73
  as_server env "${MQ_ENV[@]}" "$RABBITMQ_BIN/rabbitmqctl" "$@"
}

# The node opens its port before it can serve: only the answer to an AMQP 0-9-1 greeting (a method frame) counts.
amqp_answers() {
  local first
  exec 3<>"/dev/tcp/127.0.0.1/$MQ_PORT" || return 1
  printf 'AMQP\0\0\11\1' >&3
  first=$(timeout 2 dd bs=1 count=1 <&3 2>/dev/null | od -An -tx1 | tr -d ' ')
  exec 3>&-
  [ "$first" = 01 ]
}

# The management plugin starts after the AMQP listener, and tests make their vhosts through it.
rabbitmq_ready() { amqp_answers && listening "$MQ_MGMT_PORT" && alive rabbitmq; }

write_rabbitmq_config() {
  local mq=$DATA/rabbitmq
  # User and vhost by configuration: each call of rabbitmqctl would cost seconds.
  server_file "$mq/rabbitmq.conf" <<CONF
listeners.tcp.1 = 127.0.0.1:$MQ_PORT
default_user = switchboard
default_pass = $PASSWORD
default_vhost = switchboard
loopback_users = none
management.tcp.ip = 127.0.0.1
management.tcp.port = $MQ_MGMT_PORT
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 100MB
heartbeat = 30
log.file.level = info
log.console = false
CONF
  server_file "$mq/advanced.config" <<<'[].'
  server_file "$mq/enabled_plugins" <<<'[rabbitmq_management].'
  server_file "$mq/none" </dev/null
}

rabbitmq_up() {
  rabbitmq_env
  if alive rabbitmq; then return 0; fi
  if ! alive epmd; then
    spawn epmd epmd -port "$EPMD_PORT" -address 127.0.0.1
    wait_for epmd 10 listening "$EPMD_PORT"
  fi
  write_rabbitmq_config
  spawn rabbitmq env "${MQ_ENV[@]}" "$RABBITMQ_BIN/rabbitmq-server"
  wait_for rabbitmq 120 rabbitmq_ready
  remember_beam
}

# The start script stays as the parent of the Erlang VM. Signals, and tests that kill the broker, mean the VM.
remember_beam() {
  local beam
  alive rabbitmq
  beam=$(cut -d' ' -f1 "/proc/$PID/task/$PID/children" 2>/dev/null)
  [ -z "$beam" ] || remember rabbitmq "$beam"
}
