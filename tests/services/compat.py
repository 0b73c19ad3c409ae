"""compat.py: a network in the profile compat: validators come to the original's hash, and the miners' nonce is the epoch's."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Network, Tap  # noqa: E402

EPOCH_S = 20


def main():
    tap = Tap()
    with Network(epoch_seconds=EPOCH_S, more=["--profile", "compat"]) as net:
        net.wait_for_slot(.3)
        status, _, shown = net.call("/api/v1/zipcode-assignments/current", sign=net.miners[0])
        tap.check("miners are given the nonce during the epoch, as by the original", status == 200 and shown.get("nonce"), shown)
        status, _, body = net.call("/api/v1/zipcode-assignments/current")
        tap.check("errors have the original's shape", status == 401 and body["statusCode"] == 401 and body["message"], body)
        miners = [net.role("miner", u, 1, more=["--profile", "compat"]) for u in net.miners]
        validators = [net.role("validator", u, 1, more=["--profile", "compat"]) for u in net.validators]
        codes = [p.wait(4 * EPOCH_S) for p in miners + validators]
        rows = [[r for r in v.rows if "epoch_id" in r] for v in validators]
        tap.check("miners and validators end with 0", all(c == 0 for c in codes), f"{codes}\n{rows}\n{net.tail()}")
        rows = [r[0] for r in rows if r]
        tap.check("validators say the same", len(rows) == 2 and rows[0]["hash"] and len({json.dumps([r["hash"], r["weights"],
                  r["uids"]]) for r in rows}) == 1, rows)
        tap.check("perfect, and somebody is paid", rows and rows[0]["status"] == "PERFECT_CONSENSUS" and sum(rows[0]["weights"]) > 0
                  and rows[0]["score_root"] is None, rows)
        refused = net.role("miner", net.miners[0], 1, more=["--profile", "tally"])
        tap.check("a miner that wants the other profile is told", refused.wait(20) == 5, net.tail(3))
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
