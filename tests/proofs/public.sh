#!/usr/bin/env bash
# public.sh BUILD: the library as a stranger gets it. Installed into a scratch folder and found by pkg-config, it builds
# both examples, shared and static, without a warning; the miner answers the validator on loopback; the shared library
# exports what include/tally declares and nothing else; the reference is made without a warning where doxygen is there.
set -u
cd "$(dirname "$0")/../.."
root=$PWD
build=$(cd "${1:-build/release}" && pwd)
scratch=$root/build/proof-public
rm -rf "$scratch" && mkdir -p "$scratch"
count=0 bad=0 miner=

finish() {
    [ -z "$miner" ] || kill "$miner" 2>/dev/null
    rm -rf "$scratch"
}
trap finish EXIT

verdict() { # NAME STATUS
    count=$((count + 1))
    if [ "$2" = 0 ]; then
        echo "ok $count - $1"
    else
        bad=$((bad + 1))
        echo "not ok $count - $1"
        tail -n 5 "$scratch/said" | sed 's/^/#   /'
    fi
}

meson install -C "$build" --no-rebuild --destdir "$scratch/dest" >"$scratch/said" 2>&1
verdict "the library installs" $?
prefix=$scratch/dest$(meson introspect "$build" --buildoptions |
    python3 -c 'import json, sys; print(next(o["value"] for o in json.load(sys.stdin) if o["name"] == "prefix"))')
pc=$(find "$prefix" -name tally.pc | head -n 1)
library=$(find "$prefix" -name libtally.so | head -n 1)
[ -n "$pc" ] && [ -n "$library" ] || { echo "not ok $((count + 1)) - tally.pc and libtally.so are there"; exit 1; }
export PKG_CONFIG_PATH LD_LIBRARY_PATH
PKG_CONFIG_PATH=$(dirname "$pc") LD_LIBRARY_PATH=$(dirname "$library")

flags() { # words for the compiler: pkg-config of the scratch folder
    pkg-config --define-variable=prefix="$prefix" "$@" tally
}

build_examples() { # SUFFIX FLAG…: each example is short and builds without a warning
    local suffix=$1 example
    shift
    for example in examples/*.c; do
        [ "$(wc -l <"$example")" -lt 80 ] || { echo "$example has 80 lines or more"; return 1; }
        cc -std=c17 -Wall -Wextra -Wpedantic -Werror "$example" -o "$scratch/$(basename "$example" .c)$suffix" "$@" || return 1
    done
}

# shellcheck disable=SC2046 # flags are meant to be split
build_examples "" $(flags --cflags --libs) >"$scratch/said" 2>&1
verdict "the examples build against the shared library" $?
# shellcheck disable=SC2046
build_examples -static $(flags --cflags) $(flags --static --libs | sed "s#-ltally#$LD_LIBRARY_PATH/libtally.a#") >"$scratch/said" 2>&1
verdict "the examples build against the archive" $?

converse() { # SUFFIX: a miner on a free port, and a validator that asks it and a place where nobody is
    local target weights
    mkfifo "$scratch/in$1"
    "$scratch/miner$1" //Alice 0 <"$scratch/in$1" >"$scratch/out$1" &
    miner=$!
    exec 9>"$scratch/in$1"
    for _ in $(seq 200); do
        [ -s "$scratch/out$1" ] && break
        sleep 0.05
    done
    target=$(cat "$scratch/out$1")
    weights=$("$scratch/validator$1" //Bob "$target" "127.0.0.1:1:${target##*:}")
    exec 9>&-
    wait "$miner" || return 1
    miner=
    [ "$weights" = "0 65535" ] || { echo "the weights are \"$weights\", not \"0 65535\""; return 1; }
}

for suffix in "" -static; do
    converse "$suffix" >"$scratch/said" 2>&1
    verdict "the miner answers the validator ($([ -n "$suffix" ] && echo archive || echo shared))" $?
done

declared_api() { grep -v '^#' "$1" | tr '\n' ' ' | grep -oE 'TALLY_API [^;(]*\(' | sed 's/.*[ *]\(tally_[a-z0-9_]*\)($/\1/'; }
for header in "$prefix"/include/tally/*.h; do declared_api "$header"; done | sort -u >"$scratch/declared"
nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u >"$scratch/exported"
diff "$scratch/declared" "$scratch/exported" >"$scratch/said" 2>&1
verdict "what is declared is exported, and nothing else" $?
symbols=$(wc -l <"$scratch/exported")

alone() { # each header, as the first thing in a file
    local header name
    for header in "$prefix"/include/tally/*.h; do
        name=$(basename "$header")
        printf '#include <tally/%s>\nint main(void) { return 0; }\n' "$name" >"$scratch/alone.c"
        cc -std=c17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$prefix/include" "$scratch/alone.c" &&
            c++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only -x c++ -I"$prefix/include" "$scratch/alone.c" || return 1
    done
}
alone >"$scratch/said" 2>&1
verdict "each header stands alone, as C17 and as C++17" $?

if command -v doxygen >/dev/null 2>&1; then
    scripts/docs >"$scratch/said" 2>&1
    verdict "the reference has no warning" $?
fi
echo "1..$count"
echo "# PROOF public symbols=$symbols examples=$(find examples -name '*.c' | wc -l) ways=2"
[ "$bad" = 0 ]
