#!/bin/sh
# crash.sh BUILD: the program is killed at many points of a run and started again: nothing acknowledged is lost,
# nothing is paid twice, and the end is the same as without. tests/proofs/crash/crash.py does it and says how.
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build/release}
ninja -C "$build" tally tests/proofs/crash/crash_driver tests/proofs/crash/libcrash_killer.so >"$build/crash-build.log" || { cat "$build/crash-build.log"; exit 1; }
exec python3 tests/proofs/crash/crash.py "$build"
