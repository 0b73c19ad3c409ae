"""builds.py: each epoch of a network is validated by processes of gcc -O0, gcc -O3 and clang; as many hashes as epochs."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Network, ROOT, Tap  # noqa: E402

EPOCHS, EPOCH_S = 3, 16
# Flavour of scripts/build → how it is built; clang is that of ./check.
BUILDS = ["gcc-O0", "gcc-O3", "clang"]


def build(flavour):
    done = subprocess.run([os.path.join(ROOT, "scripts/build"), flavour, "tally"], capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stderr[-600:]


def main():
    tap = Tap()
    for flavour in BUILDS:
        fine, why = build(flavour)
        if not tap.check(f"the {flavour} build is there", fine, why):
            return 1
    with Network(miners=3, validators=len(BUILDS), epoch_seconds=EPOCH_S) as net:
        net.wait_for_slot(.2)
        miners = [net.role("miner", u, EPOCHS) for u in net.miners]
        validators = [net.role("validator", u, EPOCHS, tally=os.path.join(ROOT, "build", flavour, "tally"))
                      for u, flavour in zip(net.validators, BUILDS)]
        codes = [p.wait(EPOCH_S * (EPOCHS + 3)) for p in miners + validators]
        rows = [{r["epoch_id"]: r for r in v.rows if "epoch_id" in r} for v in validators]
        tap.check("miners and validators end well", all(c == 0 for c in codes), f"{codes}\n{rows}\n{net.tail()}")
        epochs = sorted(set.intersection(*[set(r) for r in rows]))
        hashes = {e: {r[e]["hash"] for r in rows} for e in epochs}
        for e in epochs:
            tap.check(f"{e}: one hash of three builds", len(hashes[e]) == 1 and None not in hashes[e]
                      and len({str(r[e]["weights"]) for r in rows}) == 1, hashes[e])
        distinct = set().union(*hashes.values()) if hashes else set()
        print(f"PROOF builds validators={len(BUILDS)} epochs={len(epochs)} hashes={len(distinct)}", flush=True)
    return 1 if tap.failed or len(epochs) < EPOCHS or len(distinct) != len(epochs) else 0


if __name__ == "__main__":
    sys.exit(main())
