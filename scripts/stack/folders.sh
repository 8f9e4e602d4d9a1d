# shellcheck shell=bash disable=SC2034 # the other files read what is set here
# Where a stack keeps things, and as whom its servers run. Sourced by stack.sh.
#   DIR   ours: lock, ports, password, pid files, env
#   DATA  the servers': data, logs, configuration

# as_server CMD...: run CMD as the account of the servers, with nothing of our environment. setpriv and env only
# exec, so the pid stays (su and runuser would remain as a parent, and we would signal the wrong process).
as_server() { "${AS_SERVER[@]}" "$@"; }

reachable() { as_server test -x "$1" 2>/dev/null; }

# Root's checkout may lie under a folder that is closed to the servers' account (/root is). Their data then goes
# to a folder that is open, keyed by this stack's path.
data_folder_for_root() {
  local name parent
  if reachable "$DIR"; then
    printf '%s\n' "$DIR/data"
    return
  fi
  name=switchboard-stack-$(printf '%s' "$DIR" | sha256sum | cut -c1-12)
  for parent in "${XDG_CACHE_HOME:-/var/tmp}" /var/tmp; do
    if [ -d "$parent" ] && reachable "$parent"; then
      printf '%s\n' "$parent/$name"
      return
    fi
  done
  die 73 "no folder that the account $SERVER_USER can reach: tried $DIR, ${XDG_CACHE_HOME:-} and /var/tmp"
}

locate_folders() {
  if [ ! -d "$DIR" ]; then
    # Nothing to stop or to show, and asking must not create anything.
    [ "$COMMAND" = up ] || { DATA=$DIR/data; return 0; }
    # The folder itself must be open to the servers; the files with secrets in it are not.
    mkdir -p "$DIR"
    chmod 755 "$DIR"
  fi
  DIR=$(cd "$DIR" && pwd -P)
  local clean=(env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin LANG=C.UTF-8)
  if [ "$(id -u)" != 0 ]; then
    AS_SERVER=("${clean[@]}")
    DATA=$DIR/data
  elif ! getent passwd "$SERVER_USER" >/dev/null; then
    [ "$COMMAND" = up ] || { DATA=$DIR/data; return 0; }
    create_server_user
    locate_folders
    return
  else
    AS_SERVER=(setpriv "--reuid=$SERVER_USER" "--regid=$SERVER_USER" --clear-groups
      "${clean[@]}" "USER=$SERVER_USER" "LOGNAME=$SERVER_USER")
    DATA=$(data_folder_for_root)
  fi
  AS_SERVER+=("HOME=$DATA/home")
}

create_server_user() {
  useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$SERVER_USER"
}

take_lock() {
  exec 9>"$DIR/lock"
  flock 9
}

prepare_folders() {
  if [ ! -e "$DATA" ] && [ "$DATA" != "$DIR/data" ]; then log "$SERVER_USER cannot reach $DIR: the data goes to $DATA"; fi
  # A folder with a name that can be guessed, in a place where anyone may write: it must be one of ours.
  if [ -e "$DATA" ] && [ ! -O "$DATA" ]; then die 73 "$DATA belongs to someone else"; fi
  mkdir -p "$DIR/run" "$DATA"/{log/rabbitmq,home,redis,rabbitmq/{mnesia,config,schema}}
  if [ ! -s "$DIR/password" ]; then
    ( umask 077; od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$DIR/password" )
  fi
  PASSWORD=$(cat "$DIR/password")
  ( umask 077; touch "$DIR/env.new" )
  chmod 755 "$DATA"
  own_by_server "$DATA"/{log,home,redis,rabbitmq}
}

own_by_server() {
  [ "$(id -u)" != 0 ] || chown -R "$SERVER_USER:$SERVER_USER" "$@"
}

# server_file PATH: stdin becomes a file that only the servers' account can read (it may hold the password).
server_file() {
  ( umask 077; cat >"$1.new" )
  own_by_server "$1.new"
  mv "$1.new" "$1"
}
