#!/usr/bin/env bash
# cli.sh TALLY: the command line through the real binary. Attacks exit codes, what stands on which stream, settings,
# the state folder, and files and disks that fail. Prints TAP.
set -u
tally=$(realpath "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/tally-e2e.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export HOME="$work/home" XDG_STATE_HOME="$work/state" NO_COLOR=1
unset XDG_CONFIG_HOME TALLY_LOG_LEVEL TALLY_LOG_FORMAT TALLY_POOL_THREADS TALLY_STATE_DIR
cases=$root/tests/e2e/cases
count=0 bad=0

verdict() { # NAME STATUS
    count=$((count + 1))
    if [ "$2" = 0 ]; then
        echo "ok $count - $1"
    else
        bad=$((bad + 1))
        echo "not ok $count - $1"
        for f in out err; do [ ! -s $f ] || head -n 5 $f | sed "s/^/#   $f: /"; done
    fi
}

run() { # EXIT ARGUMENT…: the program's answers lie in out and err
    local want=$1 got=0
    shift
    "$tally" "$@" >out 2>err </dev/null || got=$?
    [ $got = "$want" ] || { echo "exit $got, not $want: $*" >>err; return 1; }
}

json() { # EXPRESSION: holds for d, the one JSON value on standard output
    python3 -c 'import json, sys; d = json.load(open("out")); sys.exit(0 if eval(sys.argv[1]) else 1)' "$1"
}

# --- exit codes follow the error (CLI-2), and the message names what is wrong ---

refuses() { # NAME EXIT WORD ARGUMENT…
    local name=$1 want=$2 word=$3
    shift 3
    run "$want" "$@" && grep -q -- "$word" err && [ ! -s out ]
    verdict "$name" $?
}

echo '{"schema":"tally-vectors/1","kind":"no-such-kind","cases":[{"id":"x","input":{},"expect":{}}]}' >unknown.json
echo '{"input":' >cut.json
echo '{"schema":"tally-vectors/1","kind":"quant-prng","cases":[{"id":"a","input":{"seed":1},"expect":{"u64_hex":["0"]}}]}' >wrong.json
refuses "no command is wrong usage" 2 "no command"
refuses "a mistyped command is met with a suggestion" 2 'did you mean "conformance"' conformnce x
refuses "a mistyped option is met with a suggestion" 2 '"--json"' version --jsn
refuses "a missing argument is wrong usage" 2 "FILE is missing" conformance
refuses "an unknown kind is bad input" 3 "no-such-kind" conformance unknown.json
refuses "bad JSON is bad input, with its place" 3 "cut.json.*line" metrics cut.json
refuses "a folder is no file" 3 "Is a directory" metrics .
refuses "a missing file is not found" 4 "none.json" conformance none.json
refuses "a store that is not there is not found" 4 "tally.db" db status

run 1 conformance wrong.json && grep -q '^  u64_hex' out && grep -q 'expected "0"' out &&
    [ "$(tail -n 1 out)" = "0 passed, 1 failed" ]
verdict "a failing case is shown with both sides and exit 1" $?
run 1 conformance --json wrong.json "$cases/prng.json" &&
    json 'd["passed"] == 3 and d["failed"] == 1 and len(d["cases"]) == 4 and d["cases"][0]["differs"][0]["path"]'
verdict "the same as JSON" $?
run 0 conformance "$cases/prng.json" && [ "$(cat out)" = "3 passed, 0 failed" ]
verdict "cases that pass are only counted" $?

# --- with --json standard output is one JSON value, errors too (CLI-1) ---

run 4 --json conformance none.json && [ ! -s err ] &&
    json 'list(d) == ["error"] and d["error"]["code"] == "TL_ERR_NOT_FOUND" and set(d["error"]) == {"code", "message", "field", "hint"}'
verdict "an error is one object on standard output" $?
run 2 version --jsn --json && [ ! -s err ] && json '"--json" in d["error"]["hint"]'
verdict "wrong usage too" $?
run 0 version --json && json 'set(d) >= {"version", "commit", "compiler", "features"} and d["features"]'
verdict "version tells what was built" $?
run 0 metrics --json --data "$root/data" "$cases/metrics.json" &&
    json 'd["n"] == 501 and d["drawdown_recovery"] is None and -1 < d["max_drawdown"] < 0'
verdict "metrics of a slice of the table that ships" $?
run 0 yuma run "$cases/yuma.json" --json &&
    json 'sum(d["steps"][0]["stored"]["emission"]) <= 10**9 and d["steps"][0]["stored"]["incentive"][3] > d["steps"][0]["stored"]["incentive"][4]'
verdict "yuma pays the miner with the weight" $?
run 0 help --json && json 'all(c["examples"] and c["summary"] for c in d["commands"]) and len(d["commands"]) > 10'
verdict "the table of commands as JSON" $?

# --- help, manual page, completion ---

"$tally" help --json 2>/dev/null | python3 -c 'import json, sys; [print(c["name"]) for c in json.load(sys.stdin)["commands"]]' >names
fits=0
while read -r name; do
    # shellcheck disable=SC2086 # a name of two words is two words
    run 0 $name --help && grep -qi '^examples\{0,1\}:' out && [ "$(sed '/^Example/,$d' out | wc -L)" -le 80 ] && [ ! -s err ] || fits=1
done <names
verdict "each help has an example and fits 80 columns" $fits
run 0 man && grep -q '^\.TH TALLY 1' out && ! grep -nP '[^\x00-\x7F]' out
status=$?
if [ $status = 0 ] && command -v groff >/dev/null; then
    groff -man -Tascii -ww out >page 2>err && [ ! -s err ] && grep -q CONFIG page || grep -qi "config show" page
    status=$?
fi
verdict "the manual page renders without a warning" $status

complete_at() { # WORD…: what bash offers for the last word
    (
        # shellcheck disable=SC1090
        source ./script
        COMP_WORDS=(tally "$@") COMP_CWORD=$# COMPREPLY=()
        _tally
        echo " ${COMPREPLY[*]} "
    )
}
run 0 completion bash && cp out script && bash -n script
verdict "the bash completion parses" $?
[[ $(complete_at conf) == *" config "* && $(complete_at conf) == *" conformance "* ]]
verdict "it completes groups" $?
[[ $(complete_at db st) == " status " ]]
verdict "it completes verbs" $?
[[ $(complete_at --dir x completion f) == " fish " ]]
verdict "it completes choices, past an option with a value" $?
[[ $(complete_at conformance --da) == *" --data "* ]]
verdict "it completes options" $?

# --- settings ---

printf '[log]\nlevel = shout\n' >bad.ini
printf '[pool]\nthreads = 3\n[state]\ndir = "%s/other"\n' "$work" >good.ini
refuses "a bad setting stops every command, with file and line" 3 "bad.ini:2" --config bad.ini db status
run 0 --config bad.ini version
verdict "but not those that need no settings" $?
run 0 config check --config good.ini --json && json 'd["ok"] and d["set"] == 2'
verdict "config check" $?
TALLY_POOL_THREADS=5 run 0 config show --config good.ini --json &&
    json '{s["name"]: (s["value"], s["origin"]) for s in d["settings"] if not s["name"].startswith("stores.")} == {"log.format": ("text", "default"), "log.level": ("warn", "default"), "pool.threads": ("5", "env"), "state.dir": ("'"$work"'/other", "file")}'
verdict "config show tells value and origin" $?
mkdir -p home/.config/tally && cp good.ini home/.config/tally/tally.ini
run 0 config show && grep -q 'tally.ini:2' out
verdict "the user's own file is found" $?
run 0 db migrate -q && [ -f other/tally.db ] && rm -r home/.config other
verdict "the setting state.dir is where the state goes" $?

TALLY_LOG_FORMAT=json run 0 -v config check && python3 -c 'import json; d = json.loads(open("err").read().splitlines()[-1]); assert d["command"] == "config check" and d["level"] == "debug"'
verdict "-v tells more, as JSON where that is wanted" $?
run 0 config check && [ ! -s err ]
verdict "without it standard error is quiet" $?

# --- the state folder ---

run 0 db migrate -q && [ ! -s err ] && run 0 db status --json && json 'd["version"] >= 4 and all(m["state"] == "applied" for m in d["migrations"])'
verdict "migrate makes the database" $?
run 0 db verify --json && json 'd["ok"] and d["findings"] == []'
verdict "verify finds nothing" $?
got=0
flock "$XDG_STATE_HOME/tally/lock" "$tally" db migrate >out 2>err || got=$?
[ $got = 5 ] && grep -q "held by process" err
verdict "a second writer is refused" $?
python3 -c 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute("UPDATE migrations SET checksum = 1 WHERE number = 1"); c.commit()' "$XDG_STATE_HOME/tally/tally.db"
run 1 db verify && grep -q "migration 1 (epochs) is changed" out
verdict "verify finds a changed migration: exit 1" $?
refuses "and migrate leaves it alone" 3 "checksum" db migrate
head -c 100 /dev/zero >"$XDG_STATE_HOME/tally/tally.db"
rm -f "$XDG_STATE_HOME"/tally/tally.db-*
refuses "a file of zeros is no database" 3 "tally.db" db verify
refuses "a file stands where the folder should" 3 "no folder\|Not a directory" db migrate --dir /dev/null

# --- faults ---

got=0
"$tally" help --json >/dev/full 2>err || got=$?
[ $got = 6 ] && grep -q "standard output" err
verdict "a full disk under standard output is exit 6" $?
head -c 2000 "$root/data/us_stocks_daily_close.csv.gz" >us_stocks_daily_close.csv.gz
refuses "a table that is cut is damage, named" 3 "us_stocks_daily_close.csv.gz.*ends early" metrics --data . "$cases/metrics.json"
refuses "a table that is not there is not found" 4 "us_stocks_daily_close.csv.gz" metrics --data "$work/state" "$cases/metrics.json"
refuses "a slice without a folder asks for one" 3 "data" metrics "$cases/metrics.json"
mkfifo pipe
"$tally" metrics pipe >out 2>err &
pid=$!
exec 3>pipe # returns when the program has opened the other end: its handlers stand by then
kill -TERM $pid
exec 3>&-
got=0
wait $pid || got=$?
[ $got = 130 ] && grep -q interrupted err && [ ! -s out ]
verdict "a signal ends it with 130 and nothing on standard output" $?

echo "1..$count"
[ $bad = 0 ]
