# shellcheck shell=bash
# Start, recognise and stop servers. Sourced by stack.sh.

# started_at PID: the kernel's start time of a process. With the pid it names one process for ever: a pid alone is
# reused, command lines get rewritten (Redis), and /proc/PID/cwd is closed to root in most containers.
started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

remember() { printf '%s %s\n' "$2" "$(started_at "$2")" >"$DIR/run/$1.pid"; }

# alive NAME: sets PID. A zombie has ended: nobody may be there to reap it in a container.
alive() {
  local pid started
  read -r pid started 2>/dev/null <"$DIR/run/$1.pid" || return 1
  [ -n "$started" ] && [ "$(started_at "$pid")" = "$started" ] || return 1
  [ "$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -c1)" != Z ] || return 1
  PID=$pid
}

# spawn NAME CMD...: a server in a session of its own. The subshell only execs, so its pid becomes the server's.
spawn() {
  local name=$1; shift
  rm -f "$DIR/run/$name.pid"
  (
    cd "$DATA/home" || exit 73
    exec </dev/null >>"$DATA/log/$name.out" 2>&1
    remember "$name" "$BASHPID"
    exec "${AS_SERVER[@]}" setsid "$@"
  ) &
}

# wait_for NAME SECONDS CMD...: until CMD succeeds; gives up as soon as the server has ended.
wait_for() {
  local name=$1 seconds=$2 deadline; shift 2
  deadline=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do
    # The pid file is written by the child, so it may not be there in the first moment.
    if [ $SECONDS -ge "$deadline" ] || { [ -s "$DIR/run/$name.pid" ] && ! alive "$name"; }; then
      tail -n 25 "$DATA/log/$name.out" >&2 2>/dev/null || true
      die 1 "$name is not ready"
    fi
    sleep 0.1
  done
}

# stop_server NAME SIGNAL SECONDS
stop_server() {
  local deadline=$((SECONDS + $3))
  if alive "$1"; then
    kill "-$2" "$PID" 2>/dev/null || true
    while alive "$1" && [ $SECONDS -lt "$deadline" ]; do sleep 0.05; done
    if alive "$1"; then
      log "$1 does not stop, killing pid $PID"
      kill -KILL "$PID" 2>/dev/null || true
    fi
  fi
  rm -f "$DIR/run/$1.pid"
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
