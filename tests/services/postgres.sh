#!/bin/sh
# postgres.sh start DIR | stop DIR | kill DIR | resume DIR: a PostgreSQL server of the tests' own.
#   start   makes a cluster in DIR, which must not be there yet, runs it on a free port of 127.0.0.1, and prints the URL
#           of its database "tally"
#   stop    ends it and removes DIR; fine when it is gone already
#   kill    SIGKILL to the whole server, as a crash would; DIR stays
#   resume  starts what was killed again, on the same port; prints the URL
# The server refuses root, so root hands DIR to the user postgres, else nobody. Its programs are not on PATH in Debian.
# TALLY_POSTGRES_OPTIONS: more options of the server ("-c max_connections=200").
set -eu
usage="usage: postgres.sh start|stop|kill|resume DIR"
verb=${1:?$usage} dir=${2:?$usage}

bin=
for at in "$(dirname "$(command -v pg_isready 2>/dev/null || echo /)")" /usr/lib/postgresql/*/bin; do
    if [ -x "$at/initdb" ] && [ -x "$at/postgres" ] && [ -x "$at/pg_isready" ]; then bin=$at; fi
done
[ -n "$bin" ] || { echo "postgres.sh: no initdb: install postgresql (scripts/deps)" >&2; exit 1; }

owner=
if [ "$(id -u)" = 0 ]; then
    owner=nobody
    if id postgres >/dev/null 2>&1; then owner=postgres; fi
fi

as_owner() { # the command line, as a user that the server takes
    if [ -n "$owner" ]; then
        setpriv "--reuid=$owner" "--regid=$(id -g "$owner")" --clear-groups env HOME="$dir" "$@"
    else
        "$@"
    fi
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

is_alive() { # PID: and no zombie, which a container without an init keeps
    state=$(sed 's/^.*) \(.\).*/\1/' "/proc/$1/stat" 2>/dev/null) && [ "$state" != Z ]
}

end() { # SIGNAL: to the server that DIR names, until it is gone
    [ -f "$dir/data/postmaster.pid" ] || return 0
    pid=$(head -n 1 "$dir/data/postmaster.pid")
    case $pid in '' | *[!0-9]*) return 0 ;; esac
    [ "$(readlink "/proc/$pid/cwd" 2>/dev/null || true)" = "$(readlink -f "$dir/data")" ] || return 0
    if [ "$1" = KILL ]; then # each of its children is of a session of its own
        children=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null || true)
        # shellcheck disable=SC2086 # one a word
        kill -KILL "$pid" $children 2>/dev/null || true
    else
        kill "-$1" "$pid" 2>/dev/null || true
    fi
    tries=0
    while is_alive "$pid" && [ "$tries" -lt 300 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
}

launch() { # starts it on the port in DIR/port, waits until it answers
    port=$(cat "$dir/port")
    # shellcheck disable=SC2086 # options are meant to be split
    ( # nothing of the caller's stays open, so whoever reads the URL from a pipe sees its end
        exec >>"$dir/log" 2>&1 </dev/null
        as_owner setsid "$bin/postgres" -D "$dir/data" -p "$port" -c listen_addresses=127.0.0.1 \
            -c unix_socket_directories= -c max_connections=200 -c shared_buffers=32MB \
            -c log_min_messages=fatal ${TALLY_POSTGRES_OPTIONS:-}
    ) &
    tries=0
    until as_owner "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" -d postgres; do
        tries=$((tries + 1))
        if [ "$tries" -gt 300 ] || ! is_alive $!; then
            cat "$dir/log" >&2
            end KILL
            return 1
        fi
        sleep 0.1
    done
}

print_url() { echo "postgresql://tally@127.0.0.1:$(cat "$dir/port")/tally"; }

case $verb in
    start)
        [ ! -e "$dir" ] || { echo "postgres.sh: $dir is there already" >&2; exit 1; }
        mkdir -p "$dir"
        dir=$(cd "$dir" && pwd)
        if [ -n "$owner" ]; then chown "$owner" "$dir"; fi
        as_owner "$bin/initdb" -D "$dir/data" -U tally --auth=trust --no-sync --no-instructions \
            --encoding=UTF8 --locale=C.UTF-8 >"$dir/log" 2>&1 || { cat "$dir/log" >&2; rm -rf "$dir"; exit 1; }
        started=
        for attempt in 1 2 3; do # another may take the port first
            free_port >"$dir/port"
            if launch; then started=$attempt; break; fi
        done
        [ -n "$started" ] || { rm -rf "$dir"; exit 1; }
        as_owner "$bin/createdb" -h 127.0.0.1 -p "$(cat "$dir/port")" -U tally tally
        print_url
        ;;
    resume)
        [ -d "$dir/data" ] || { echo "postgres.sh: no cluster in $dir" >&2; exit 1; }
        dir=$(cd "$dir" && pwd)
        launch
        print_url
        ;;
    stop)
        [ -d "$dir" ] || exit 0
        dir=$(cd "$dir" && pwd)
        end QUIT
        end KILL
        rm -rf "$dir"
        ;;
    kill)
        dir=$(cd "$dir" && pwd)
        end KILL
        ;;
    *)
        echo "$usage" >&2
        exit 2
        ;;
esac
