#!/bin/sh
# attacks.sh BUILD: an axon is started and attacked in every way of the list below, while an honest client goes on: nothing gets
# through, and the client is served. tests/proofs/attacks/attacks.py does it and says how.
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build/release}
ninja -C "$build" tally tests/proofs/attacks/attack_signer >"$build/attacks-build.log" || { cat "$build/attacks-build.log"; exit 1; }
exec python3 tests/proofs/attacks/attacks.py "$build"
