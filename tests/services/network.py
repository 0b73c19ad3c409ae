"""network.py [--services]: a whole listings network end to end, as processes, through the real binary.

Embedded stores by default; --services: PostgreSQL, Redis and S3 that are started here, and two coordinators on one database,
one of which is killed while an epoch runs. Prints ok and not ok.
"""
import glob
import hashlib
import json
import os
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Network, Postgres, Redis, S3, Tap, last_json, run, ss58  # noqa: E402

EPOCH_S = 24
API = "/api/v1"


def rows_of(processes):
    return [{r["epoch_id"]: r for r in p.rows if "epoch_id" in r} for p in processes]


def check_agreement(tap, net, miners, validators):
    mined, judged = rows_of(miners), rows_of(validators)
    both = sorted(set.intersection(*[set(r) for r in judged]))
    full = [e for e in both if all(m.get(e, {}).get("status") == "COMPLETED" for m in mined)]
    tap.check("there is an epoch in which all took part", full, f"{mined}\n{judged}\n{net.tail()}")
    for e in both:
        same = {json.dumps([r[e][k] for k in ("hash", "evidence_root", "score_root", "weight_root", "uids", "weights", "status")])
                for r in judged}
        tap.check(f"{e}: validators say the same", len(same) == 1 and judged[0][e]["hash"], same)
    for e in full:
        row = judged[0][e]
        tap.check(f"{e}: perfect, paid, with a bundle", row["status"] == "PERFECT_CONSENSUS" and sum(row["weights"]) > 0
                  and row["rate"] == 1 and not row["outliers"] and row["submissions"] == len(miners) and row["bundle"], row)
        tap.check(f"{e}: its bundle runs again to the same bytes", run("epoch", "verify", row["bundle"]).returncode == 0,
                  run("epoch", "verify", row["bundle"]).stderr)
    return full


def check_epoch(tap, net, e, miners):
    status, _, shown = net.call(f"{API}/epochs/{e}")
    tap.check(f"{e}: the nonce opens its commitment", status == 200 and shown["nonce"]
              and hashlib.sha256(shown["nonce"].encode()).hexdigest() == shown["nonceCommit"], shown)
    secrets = sorted((c["hotkey"], c["secret"]) for c in shown["contributions"] if c["secret"])
    tap.check(f"{e}: every validator's secret opens its commitment", len(secrets) == len(net.validators) and all(
        hashlib.sha256(c["secret"].encode()).hexdigest() == c["commit"] for c in shown["contributions"]), shown["contributions"])
    tap.check(f"{e}: honeypot zipcodes are told afterwards", shown["honeypotZipcodes"] and set(shown["honeypotZipcodes"])
              <= {z["zipcode"] for z in shown["zipcodes"]}, shown.get("honeypotZipcodes"))
    kept = net.submissions(e)
    told = {ss58(u): m[e]["content_hash"] for u, m in zip(net.miners, rows_of(miners)) if e in m}
    tap.check(f"{e}: what was acknowledged is kept", told and all(kept.get(h) == c for h, c in told.items()), f"{told}\n{kept}")
    status, _, page = net.call(f"{API}/epochs/{e}/submissions?limit=1", sign=net.miners[0])
    tap.check(f"{e}: a miner sees its own alone", status == 200 and [i["hotkey"] for i in page["items"]] == [ss58(net.miners[0])],
              page)
    one = page["items"][0]["objects"][0]
    status, _, page = net.call(f"{API}/epochs/{e}/submissions?limit=1", sign=net.validators[0])
    one = page["items"][0]["objects"][0]
    url = one["url"] if one["url"].startswith("http") else net.url + one["url"]
    with urllib.request.urlopen(url, timeout=20) as r:
        data = r.read()
    tap.check(f"{e}: an object's URL gives the bytes that its hash names", hashlib.sha256(data).hexdigest() == one["sha256"]
              and len(data) == one["bytes"] and len(json.loads(data)["listings"]) == one["rows"], one)
    status, headers, results = net.call(f"{API}/epochs/{e}/results")
    tap.check(f"{e}: results are public", status == 200 and results["status"] == "PERFECT_CONSENSUS", results)


def check_secrets(tap, net):
    """While an epoch is open nobody is told what would help a miner (COORD-1)."""
    status, _, given = net.call(f"{API}/zipcode-assignments/current", sign=net.miners[0])
    e = given["epochId"]
    _, _, shown = net.call(f"{API}/epochs/{e}")
    _, _, before = net.call(f"{API}/zipcode-assignments/epoch/{e}", sign=net.validators[0])
    tap.check("COORD-1: no nonce, beacon or honeypot before the end", status == 200 and "nonce" not in given
              and "honeypot" not in json.dumps(given).lower() and shown["nonce"] is None and shown["beacon"] is None
              and shown["honeypotZipcodes"] is None and shown["drawSecret"] is None and not before.get("nonce"), f"{shown}\n{before}")


def check_receipts(tap, net, e):
    status, _, page = net.call(f"{API}/epochs/{e}/submissions?limit=200", sign=net.validators[0])
    times = [i["receivedMs"] for i in page["items"]]
    tap.check(f"{e}: COORD-2: receipts stand before the deadline, none in the future",
              status == 200 and times and max(times) <= time.time() * 1000, times)


def check_operations(tap, net, where):
    """Tokens, keys, the audit log, doctor."""
    token = last_json(run("coordinator", "token", "--role", "viewer", "--json", *where, env=net.env))
    status, _, body = net.call(f"{API}/admin/audit", headers={"Authorization": "Bearer " + token["token"]})
    tap.check("a viewer's token reads the audit log", status == 200, body)
    status, _, body = net.call(f"{API}/admin/audit", headers={"Authorization": "Bearer " + token["token"][:-3] + "abc"})
    tap.check("a changed token does not", status == 401 and body["error"]["code"] == "BadCredentials", body)
    key = last_json(run("coordinator", "key", "create", "--scope", "read", "--json", *where, env=net.env))
    status, _, body = net.call(f"{API}/admin/audit", headers={"X-API-Key": key["key"]})
    tap.check("an API key reads it too", status == 200, body)
    run("coordinator", "key", "revoke", key["id"], *where, env=net.env)
    status, _, body = net.call(f"{API}/admin/audit", headers={"X-API-Key": key["key"]})
    tap.check("a revoked key does not", status == 401, body)
    done = run("coordinator", "audit", "--json", *where, env=net.env)
    tap.check("COORD-3: every act stands in the audit log", done.returncode == 0 and "key" in done.stdout, done.stdout + done.stderr)
    done = run("doctor", "--coordinator", net.url, "--role", "miner", "--uri", net.miners[0], "--dir",
               os.path.join(net.folder, "doctor"), "--json")
    tap.check("doctor finds nothing", done.returncode == 0 and last_json(done)["ok"], done.stdout + done.stderr)


def check_backup(tap, net, where):
    """A drill: back up, verify, restore into empty stores, and back up again to the same rows."""
    path, other = os.path.join(net.folder, "backup"), os.path.join(net.folder, "restored")
    made = run("backup", "create", "--to", path, "--json", *where, env=net.env)
    tap.check("a backup is made", made.returncode == 0 and last_json(made)["objects"] > 0, made.stderr)
    tap.check("it verifies", run("backup", "verify", path, "--json").returncode == 0)
    done = run("backup", "restore", path, "--dir", other, "--json")
    tap.check("it is restored into a folder", done.returncode == 0, done.stderr)
    tap.check("not into stores that hold something", run("backup", "restore", path, "--dir", other).returncode == 5)
    again = run("backup", "create", "--to", path + "2", "--dir", other, "--json")
    want, got = last_json(made), last_json(again)
    tap.check("what was restored is all of it", all(want[k] == got[k] for k in ("rows", "objects")), f"{want}\n{got}")


def scenario(tap, net, where, objects=()):
    net.wait_for_slot()
    check_secrets(tap, net)
    urls = [net.coordinators[i % len(net.coordinators)].url for i in range(len(net.miners))]
    miners = [net.role("miner", u, 2, url) for u, url in zip(net.miners, urls)]
    weights = os.path.join(net.folder, "weights.jsonl")
    validators = [net.role("validator", u, 2, urls[i], more=["--weights-out", weights] if i == 0 else [])
                  for i, u in enumerate(net.validators)]
    if len(net.coordinators) > 1:
        # In the second epoch, after its miners have begun: the one that leads, or the other: both must do.
        time.sleep(EPOCH_S - time.time() % EPOCH_S + 4)
        net.coordinators[1].restart()
        tap.check("a coordinator that was killed serves again", net.call("/readyz", url=net.coordinators[1].url)[0] == 200)
    codes = [p.wait(5 * EPOCH_S) for p in miners + validators]
    tap.check("miners and validators end with 0", all(c == 0 for c in codes), f"{codes}\n{net.tail()}")
    full = check_agreement(tap, net, miners, validators)
    for e in full[:1]:
        check_epoch(tap, net, e, miners)
        check_receipts(tap, net, e)
    with open(weights, encoding="utf-8") as f:
        lines = [json.loads(line) for line in f]
    tap.check("weights were set once an epoch", lines and len({w["epoch_id"] for w in lines}) == len(lines), lines)
    check_operations(tap, net, where)
    for c in net.coordinators:
        c.kill(15)
    tap.check("coordinators end with 0 after SIGTERM", all(c.popen.returncode == 0 for c in net.coordinators),
              [c.popen.returncode for c in net.coordinators])
    check_backup(tap, net, [*where, *objects])


def main():
    tap = Tap()
    if "--services" not in sys.argv:
        with Network(epoch_seconds=EPOCH_S) as net:
            scenario(tap, net, ["--dir", os.path.join(net.folder, "c0")])
        return 1 if tap.failed else 0
    if not S3.is_there():
        print("ok - the network on real services # SKIP no S3 server on this machine (scripts/fetch-versitygw)")
        return 0
    folder = tempfile.mkdtemp(prefix="tally-services-")
    os.chmod(folder, 0o755)
    services = []
    try:
        for make in (Postgres, Redis, S3):
            services.append(make(os.path.join(folder, make.__name__)))
        postgres, redis, s3 = services
        rows, objects = ["--postgres", postgres.url], ["--s3", s3.url + "/network"]
        stores = [*rows, "--redis", f"redis://127.0.0.1:{redis.port}", *objects]
        with Network(epoch_seconds=EPOCH_S, stores=stores, env=s3.env, coordinators=2) as net:
            scenario(tap, net, ["--dir", os.path.join(net.folder, "c0"), *rows], objects)
    finally:
        for s in reversed(services):
            s.stop()
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
