# shellcheck shell=bash
# PostgreSQL. Sourced by stack.sh.

# A data folder can only be opened by the version that made it.
postgres_bin_dir() {
  local made_by
  if [ -s "$DATA/postgres/PG_VERSION" ]; then
    made_by=$(cat "$DATA/postgres/PG_VERSION")
    [ -x "/usr/lib/postgresql/$made_by/bin/postgres" ] ||
      die 78 "the data is of PostgreSQL $made_by, which is gone: run 'stack.sh wipe' or install postgresql-$made_by"
    echo "/usr/lib/postgresql/$made_by/bin"
  else
    postgres_bin_dirs | tail -n 1
  fi
}

# Built aside and moved, so that an interrupted initdb is not taken for a database.
init_cluster() {
  local new=$DATA/postgres.new
  rm -rf "$new"
  mkdir -m 700 "$new"
  own_by_server "$new"
  server_file "$DATA/home/password" <<<"$PASSWORD"
  as_server "$PG_BIN/initdb" -D "$new" -U postgres --pwfile="$DATA/home/password" --auth=scram-sha-256 \
    -E UTF8 --locale=C.UTF-8 --no-sync >"$DATA/log/initdb.out" 2>&1 || { cat "$DATA/log/initdb.out" >&2; die 1 "initdb failed"; }
  rm -f "$DATA/home/password"
  echo "include 'stack.conf'" >>"$new/postgresql.conf"
  mv "$new" "$DATA/postgres"
}

postgres_conf() {
  local durable=off
  [ "${STACK_DURABLE:-0}" = 0 ] || durable=on
  # No socket file: its path may be no longer than 107 bytes, and a checkout may lie deep.
  cat <<CONF
listen_addresses = '127.0.0.1'
port = $PG_PORT
unix_socket_directories = ''
max_connections = 400
# DROP DATABASE waits for every backend, also for one whose client never says who it is.
authentication_timeout = 5s
shared_buffers = 256MB
fsync = $durable
synchronous_commit = $durable
full_page_writes = $durable
max_wal_size = 1GB
checkpoint_timeout = 30min
autovacuum_naptime = 10s
log_min_duration_statement = 500ms
log_lock_waits = on
log_timezone = 'UTC'
timezone = 'UTC'
CONF
}

postgres_ready() { "$PG_BIN/pg_isready" -q -h 127.0.0.1 -p "$PG_PORT" && alive postgres; }

# The password goes by the environment: arguments can be read by everyone on the machine.
admin_sql() { PGPASSWORD=$PASSWORD "$PG_BIN/psql" -qAtX -h 127.0.0.1 -p "$PG_PORT" -U postgres -d postgres -c "$1"; }

postgres_up() {
  PG_BIN=$(postgres_bin_dir)
  [ -d "$DATA/postgres" ] || init_cluster
  postgres_conf | server_file "$DATA/postgres/stack.conf"
  if alive postgres; then
    # STACK_DURABLE may have changed, and its three settings need no restart.
    kill -HUP "$PID"
    return 0
  fi
  spawn postgres "$PG_BIN/postgres" -D "$DATA/postgres"
  wait_for postgres 60 postgres_ready
  [ "$(admin_sql "select count(*) from pg_database where datname = 'switchboard'")" = 1 ] ||
    admin_sql 'create database switchboard'
}
