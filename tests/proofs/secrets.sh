#!/bin/sh
# secrets.sh BUILD: no branch and no address depends on a secret byte: what handles secrets runs under valgrind with the
# secrets marked undefined. tests/proofs/secrets/probe.c does it and says how; what may show is in visible.supp.
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build/release}
if ! command -v valgrind >/dev/null 2>&1; then
    echo "ok 1 - secrets # SKIP there is no valgrind here"
    exit 0
fi
ninja -C "$build" tests/proofs/secrets/secrets_probe >"$build/secrets-build.log" || { cat "$build/secrets-build.log"; exit 1; }
valgrind -q --suppressions=tests/proofs/secrets/visible.supp --log-file="$build/secrets-valgrind.log" \
    "$build/tests/proofs/secrets/secrets_probe"
status=$?
[ "$status" = 0 ] || sed 's/^/#   /' "$build/secrets-valgrind.log"
exit "$status"
