#!/usr/bin/env bash
# examples.sh BUILD: what --help promises is true. Every command's help has an example; every example runs, in the
# order of the help, in a scratch folder with a fresh state; the completion scripts parse in their shells; and wrong
# usage ends with the exit code and a message that name it. Attacks the help: a renamed option or a moved file fails.
set -u
cd "$(dirname "$0")/../.."
root=$PWD
build=$(cd "${1:-build/release}" && pwd)
scratch=$root/build/proof-examples
rm -rf "$scratch" && mkdir -p "$scratch/bin" "$scratch/state" "$scratch/build"
trap 'for s in ${servers:-}; do kill "$s" 2>/dev/null; done; rm -rf "$scratch"' EXIT
ln -s "$build/tally" "$scratch/bin/tally"
ln -s "$root/data" "$root/src" "$root/tests" "$scratch"/
export PATH="$scratch/bin:$PATH" XDG_STATE_HOME="$scratch/state" NO_COLOR=1
cd "$scratch" || exit 1
count=0 bad=0

verdict() { # NAME STATUS
    count=$((count + 1))
    if [ "$2" = 0 ]; then
        echo "ok $count - $1"
    else
        bad=$((bad + 1))
        echo "not ok $count - $1"
        tail -n 5 said | sed 's/^/#   /'
    fi
}

# The commands, in the order of the help.
mapfile -t leaves < <(tally help --json |
    python3 -c 'import json, sys; [print(c["name"]) for c in json.load(sys.stdin)["commands"]]')

# Who the examples of the listings network talk about.
address() { tally wallet show --uri "$1" --json | sed 's/.*"ss58":"\([^"]*\)".*/\1/'; }
cat >metagraph.json <<EOF
[{"uid":0,"hotkey":"$(address //Miner)","coldkey":"$(address //Miner/cold)","stake_rao":0,"validator_permit":false},
 {"uid":1,"hotkey":"$(address //Validator)","coldkey":"$(address //Validator/cold)","stake_rao":1,"validator_permit":true}]
EOF

servers=
serve() { # LINE: a command that serves goes on behind the examples that follow, which may ask it
    bash -c "exec $1" >ready 2>>said </dev/null &
    servers="$servers $!"
    for _ in $(seq 200); do
        grep -q '"ready":true' ready && return 0
        sleep 0.1
    done
    return 1
}

stop_all() { # each drains and ends with 0
    local s status=0
    for s in $servers; do
        { kill "$s" && wait "$s"; } 2>>said || status=1
    done
    servers=
    return $status
}

for_ever() { # LINE: as serve, but ended at once: an epoch of its own would take four hours
    local others=$servers last
    serve "$1" || return 1
    last=${servers##* }
    servers=$others
    { kill "$last" && wait "$last"; } 2>>said
}

run_examples() { # COMMAND: runs each line of its help's example that starts with tally
    local line ran=0
    tally $1 --help >help 2>&1 || return 1
    sed -n '/^Examples\{0,1\}:/,$s/^  *\(tally .*\)$/\1/p' help >lines
    while IFS= read -r line; do
        ran=$((ran + 1))
        echo "$ $line" >>said
        case $line in
        "tally axon run "* | "tally market serve "*) serve "$line" || return 1 ;;
        "tally coordinator run "*)
            serve "$line" || return 1
            epoch=$(sed 's/.*"epoch_id":"\([^"]*\)".*/\1/' ready)
            ;;
        "tally coordinator extend "*) # of the epoch that runs
            timeout 300 bash -c "${line/2025-10-03T12-00-00/${epoch:-none}}" >>said 2>&1 </dev/null || return 1
            ;;
        "tally miner run "* | "tally validator run "* | "tally worker run "*) for_ever "$line" || return 1 ;;
        *) timeout 300 bash -c "$line" >>said 2>&1 </dev/null || return 1 ;;
        esac
    done <lines
    [ "$ran" -gt 0 ] || { echo "no example in the help of tally $1" >>said; return 1; }
}

: >said
verdict "the help lists commands" $([ ${#leaves[@]} -gt 1 ]; echo $?)
for command in "" "${leaves[@]}"; do
    : >said
    case $command in # one state folder, one server
    "market serve" | "db migrate")
        stop_all
        verdict "what serves drains and ends with 0, before $command" $?
        ;;
    esac
    run_examples "$command"
    verdict "the example of tally${command:+ $command} runs" $?
done


for shell in bash zsh fish; do
    command -v $shell >/dev/null || continue
    : >said
    tally completion $shell >script 2>said && $shell -n script 2>>said
    verdict "the completion for $shell parses" $?
done

refused() { # NAME EXIT WORD ARGUMENT…: ends with EXIT, and the message has WORD
    local name=$1 want=$2 word=$3 got
    shift 3
    tally "$@" >out 2>said
    got=$?
    [ $got = "$want" ] && grep -q -- "$word" said
    verdict "$name" $?
}

refused "an unknown command is wrong usage" 2 no-such-command no-such-command
refused "an unknown option is wrong usage" 2 no-such-option version --no-such-option
refused "a bundle that is not there is named" 4 nonexistent epoch verify /nonexistent
tally --json metrics /nonexistent >out 2>said
python3 -c 'import json; json.load(open("out"))["error"]["code"].index("TL_ERR_")' 2>>said
verdict "with --json an error is one object with a code" $?

echo "1..$count"
[ $bad = 0 ]
