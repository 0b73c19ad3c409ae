#!/bin/sh
# s3.sh start FOLDER | stop FOLDER: a real S3 server for tests that are processes.
# start: versitygw on a free loopback port, its objects below FOLDER; prints lines to `eval`:
#     S3_URL=http://127.0.0.1:PORT AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… AWS_REGION=us-east-1
# Started again on a folder that has a port already, it takes that one. Ends with 77 where there is no versitygw
# (scripts/fetch-versitygw says why). stop ends it, KILL=1 by SIGKILL; the folder stays.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
program=$root/build/deps/versitygw
action=${1:-}
folder=${2:-}
[ -n "$folder" ] || { echo "usage: s3.sh start|stop FOLDER" >&2; exit 2; }

free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

is_up() { /usr/bin/python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)' "$1" 2>/dev/null; }

# Its notes on objects go into extended attributes, or, where the file system has none, into a folder beside.
has_attributes() { /usr/bin/python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.tally", b"1")' "$1" 2>/dev/null; }

is_alive() { # PID: and no zombie, which a container without an init keeps
    state=$(sed 's/^.*) \(.\).*/\1/' "/proc/$1/stat" 2>/dev/null) && [ "$state" != Z ]
}

start() {
    [ -x "$program" ] || { echo "s3.sh: no build/deps/versitygw" >&2; exit 77; }
    mkdir -p "$folder/data" "$folder/notes"
    port=$(cat "$folder/port" 2>/dev/null || free_port)
    echo "$port" >"$folder/port"
    [ -f "$folder/secret" ] || head -c 24 /dev/urandom | base64 >"$folder/secret"
    access=tallytest
    secret=$(cat "$folder/secret")
    set -- posix
    has_attributes "$folder/data" || set -- posix --sidecar "$folder/notes"
    ROOT_ACCESS_KEY=$access ROOT_SECRET_KEY=$secret setsid "$program" --port "127.0.0.1:$port" --quiet "$@" \
        "$folder/data" >"$folder/log" 2>&1 </dev/null &
    echo $! >"$folder/pid"
    tries=0
    until is_up "$port"; do
        tries=$((tries + 1))
        if [ "$tries" -gt 200 ] || ! kill -0 "$(cat "$folder/pid")" 2>/dev/null; then
            cat "$folder/log" >&2
            echo "s3.sh: versitygw did not start" >&2
            exit 1
        fi
        sleep 0.05
    done
    echo "S3_URL=http://127.0.0.1:$port AWS_ACCESS_KEY_ID=$access AWS_SECRET_ACCESS_KEY=$secret AWS_REGION=us-east-1"
    echo "export S3_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION"
}

stop() {
    pid=$(cat "$folder/pid" 2>/dev/null) || return 0
    signal=TERM
    [ -z "${KILL:-}" ] || signal=KILL
    kill -"$signal" "$pid" 2>/dev/null || true
    while is_alive "$pid"; do sleep 0.02; done
    rm -f "$folder/pid"
}

case $action in
    start) start ;;
    stop) stop ;;
    *) echo "usage: s3.sh start|stop FOLDER" >&2; exit 2 ;;
esac
