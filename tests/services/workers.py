"""workers.py: shards of an epoch scored by three worker processes, of which some are killed.

On PostgreSQL and S3. One validator takes the workers' documents, another one does the work itself: both must come to one
hash in every epoch, whoever died meanwhile (WORK-1); asked to end, a worker gives its leases back (WORK-2). Prints ok and
not ok.
"""
import os
import random
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Network, Postgres, S3, Tap  # noqa: E402

EPOCHS, EPOCH_S, SEED = 3, 20, 11


def shards_of(workers):
    """{epoch: {zipcode: attempts that were told done}}"""
    found = {}
    for w in workers:
        for r in w.rows:
            if "shard" in r and r["error"] is None:
                at = found.setdefault(r["epoch_id"], {})
                at[r["zipcode"]] = at.get(r["zipcode"], 0) + 1
    return found


def kill_some(net, workers, end):
    """Now and then one of the first two; the third is left alone. Killed ones come back."""
    dice, kills = random.Random(SEED), 0
    while time.time() < end:
        time.sleep(dice.uniform(.3, 1.5))
        one = workers[dice.randrange(2)]
        one.restart()
        kills += 1
    return kills


def scenario(tap, net, shared):
    net.wait_for_slot(.2)
    workers = [net.process("worker", "run", "--slots", "2", "--json", "--dir", os.path.join(net.folder, f"w{i}"), *shared)
               for i in range(3)]
    ready = [w.ready() for w in workers]
    tap.check("workers are ready", all(r["worker"] and r["pid"] for r in ready)
              and len({r["worker"] for r in ready}) == 3, ready)
    miners = [net.role("miner", u, EPOCHS) for u in net.miners]
    validators = [net.role("validator", u, EPOCHS, more=shared if i == 0 else []) for i, u in enumerate(net.validators)]
    # Throughout: a shard is being scored at some of these moments, and none at others.
    kills = kill_some(net, workers, (time.time() // EPOCH_S + EPOCHS) * EPOCH_S + 3)
    codes = [p.wait(4 * EPOCH_S) for p in miners + validators]
    tap.check(f"miners and validators end with 0 ({kills} workers were killed)", all(c == 0 for c in codes),
              f"{net.tail()}\n{codes}")
    rows = [{r["epoch_id"]: r for r in v.rows if "epoch_id" in r} for v in validators]
    done, both = shards_of(workers), sorted(set(rows[0]) & set(rows[1]))
    tap.check("both validators have all epochs", len(both) == EPOCHS, rows)
    for e in both:
        tap.check(f"{e}: one hash, with workers and without", rows[0][e]["hash"] == rows[1][e]["hash"] is not None
                  and rows[0][e]["status"] == "PERFECT_CONSENSUS", f"{rows[0][e]}\n{rows[1][e]}")
        status, _, shown = net.call(f"/api/v1/epochs/{e}")
        asked = {z["zipcode"] for z in shown["zipcodes"]} if status == 200 else set()
        tap.check(f"{e}: workers scored its zipcodes", asked and len(asked & set(done.get(e, {}))) >= len(asked) // 2,
                  f"{len(done.get(e, {}))} of {len(asked)}")
    tap.check("no shard failed", not [r for w in workers for r in w.rows if r.get("error")],
              [r for w in workers for r in w.rows if r.get("error")])
    for w in workers:
        w.popen.send_signal(signal.SIGTERM)
    codes = [w.wait(20) for w in workers]
    tap.check("workers end with 0 after SIGTERM", all(c == 0 for c in codes), f"{net.tail()}\n{codes}")


def main():
    tap = Tap()
    if not S3.is_there():
        print("ok - workers # SKIP no S3 server on this machine (scripts/fetch-versitygw)")
        return 0
    folder = tempfile.mkdtemp(prefix="tally-workers-")
    os.chmod(folder, 0o755)
    services = []
    try:
        for make in (Postgres, S3):
            services.append(make(os.path.join(folder, make.__name__)))
        postgres, s3 = services
        shared = ["--postgres", postgres.url, "--s3", s3.url + "/workers"]
        with Network(miners=4, validators=2, epoch_seconds=EPOCH_S, stores=shared, env=s3.env) as net:
            scenario(tap, net, shared)
    finally:
        for s in reversed(services):
            s.stop()
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
