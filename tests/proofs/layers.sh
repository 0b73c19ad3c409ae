#!/usr/bin/env bash
# layers.sh BUILD: a clock read in core is caught by name. Attacks scripts/check-layers in a copy of the
# tree: time() declared by hand, time() by its header, a variable that changes, an include of a floor and
# of a room above. The copy without any of them passes, so the check does not merely refuse.
set -eu
cd "$(dirname "$0")/../.."
copy=$PWD/build/proof-layers
trap 'rm -rf "$copy"' EXIT
rm -rf "$copy" && mkdir -p "$copy"
cp -r src include tests bench scripts meson.build meson_options.txt "$copy"/
cd "$copy"
victim=src/core/crypto/hash/sha256.c
cp "$victim" keep.c
count=0 bad=0

verdict() { # NAME STATUS
    count=$((count + 1))
    if [ "$2" = 0 ]; then
        echo "ok $count - $1"
    else
        bad=$((bad + 1))
        echo "not ok $count - $1"
        sed 's/^/#   /' said
    fi
}

build() { # base and core alone
    [ -d build/release ] || CC=gcc meson setup -Ddigest_only=true build/release || return 1
    scripts/build release libtally-core.a libtally-base.a
}

caught() { # NAME WORD: with what was appended, core still builds, and the check refuses it by that word
    status=0
    build >said 2>&1 || status=1
    if [ $status = 0 ]; then
        if scripts/check-layers >said 2>&1; then status=1; else grep -qw "$2" said || status=1; fi
    fi
    verdict "$1" $status
    cp keep.c "$victim"
}

status=0
{ build && scripts/check-layers; } >said 2>&1 || status=1
verdict "the_tree_as_it_is_passes" $status

printf '\nlong time(long *);\nlong tl_leak(void);\nlong tl_leak(void)\n{\n    return time(0);\n}\n' >>"$victim"
caught "time_declared_by_hand_is_caught_by_name" time

printf '\n#include <time.h>\nlong tl_leak(void);\nlong tl_leak(void)\n{\n    return (long)time(0);\n}\n' >>"$victim"
caught "time_by_its_header_is_caught_by_name" time

printf '\nint tl_leak(void);\nint tl_leak(void)\n{\n    static int calls;\n    return ++calls;\n}\n' >>"$victim"
caught "a_static_that_changes_is_caught_by_name" calls

printf '\n#include "app/conformance/conformance.h"\n' >>"$victim"
caught "an_include_of_a_floor_above_is_caught" conformance

printf '\n#include "core/ledger/ledger.h"\n' >>"$victim"
caught "an_include_of_a_room_above_is_caught" ledger

echo "1..$count"
[ $bad = 0 ]
