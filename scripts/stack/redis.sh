# shellcheck shell=bash
# Redis. Sourced by stack.sh.

redis_ready() {
  [ "$(REDISCLI_AUTH=$PASSWORD redis-cli -h 127.0.0.1 -p "$REDIS_PORT" ping 2>/dev/null)" = PONG ] && alive redis
}

redis_up() {
  if alive redis; then return 0; fi
  server_file "$DATA/redis.conf" <<CONF
bind 127.0.0.1
port $REDIS_PORT
requirepass $PASSWORD
dir "$DATA/redis"
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy noeviction
daemonize no
CONF
  spawn redis redis-server "$DATA/redis.conf"
  wait_for redis 15 redis_ready
}
