"""faults.py: ten epochs of a listings network while coordinators, workers, the database and the object store are killed.

Two coordinators on PostgreSQL, Redis and S3, three miners, two validators, two workers. At times drawn from a fixed seed one
of them is killed with SIGKILL: a coordinator and a worker are started again at once, a store after a second or so. At the
end every acknowledged submission must be there with its bytes, every epoch settled, and no two validators of one epoch may
hold different hashes: whoever is not answered asks again (PEER-2). Where there is no S3 server, the object store is a folder
that the coordinators share.
"""
import hashlib
import os
import random
import signal
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Network, Postgres, Redis, S3, Tap, ss58  # noqa: E402

EPOCHS, EPOCH_S, KILLS, SEED, WORKERS = 10, 18, 34, 20240601, 2
API = "/api/v1"
DOWN_S = (.4, 1.2)  # how long a store stays away


def plan(with_s3):
    """[(seconds from the start of the first epoch, who)]: each kind often, in random order, at random times."""
    dice = random.Random(SEED)
    kinds = ["coordinator", "worker", "database"] + (["objects"] if with_s3 else [])
    whom = [kinds[i % len(kinds)] for i in range(KILLS)]
    dice.shuffle(whom)
    length = EPOCHS * EPOCH_S - 8
    # One a slice, anywhere in its first three quarters: they never pile up, and fall on every stage of an epoch.
    each = length / KILLS
    return [(2 + i * each + dice.random() * each * .75, who) for i, who in enumerate(whom)], dice


class Faults:
    """Whom to kill, and how each comes back."""

    def __init__(self, net, postgres, s3, dice):
        self.net, self.postgres, self.s3, self.dice = net, postgres, s3, dice
        self.count = {}

    def kill(self, who):
        getattr(self, who)()
        self.count[who] = self.count.get(who, 0) + 1

    def coordinator(self):
        one = self.dice.choice(self.net.coordinators)
        one.kill()
        # It cannot start without its stores; they are never away for long.
        for _ in range(20):
            try:
                one.start()
                one.ready(10)
                return
            except RuntimeError:
                one.kill()
                time.sleep(.3)
        raise RuntimeError("a coordinator did not come back\n" + self.net.tail())

    def worker(self):
        self.dice.choice(self.net.workers).restart()

    def database(self):
        self.postgres.kill()
        time.sleep(self.dice.uniform(*DOWN_S))
        self.postgres.resume()

    def objects(self):
        self.s3.kill()
        time.sleep(self.dice.uniform(*DOWN_S))
        self.s3.resume()


def slot_id(at):
    return time.strftime("%Y-%m-%dT%H-%M-%S", time.gmtime(at))


def ask(net, path, sign=None):
    """Any coordinator's answer; one that is just starting is asked again."""
    for i in range(40):
        try:
            status, _, body = net.call(path, sign=sign, url=net.coordinators[i % len(net.coordinators)].url)
            if status < 500 and status != 429:
                return status, body
        except OSError:
            pass
        time.sleep(.25)
    return 0, None


def wait_settled(net, ids, limit_s):
    """{id: state} once none of them is under way, or the time is over."""
    end, states = time.monotonic() + limit_s, {}
    while time.monotonic() < end:
        for e in ids:
            if states.get(e) not in ("settled", "failed", "archived"):
                states[e] = (ask(net, f"{API}/epochs/{e}")[1] or {}).get("state")
        if all(s in ("settled", "failed", "archived") for s in states.values()):
            break
        time.sleep(.5)
    return states


def kept(net, epoch_id):
    """{hotkey: (content hash, objects)} as a validator is shown them."""
    found, cursor = {}, ""
    while True:
        status, page = ask(net, f"{API}/epochs/{epoch_id}/submissions?limit=200{cursor}", sign=net.validators[0])
        if status != 200:
            raise RuntimeError(f"submissions of {epoch_id}: {status} {page}")
        found.update({i["hotkey"]: (i["contentHash"], i["objects"]) for i in page["items"]})
        if not page.get("nextCursor"):
            return found
        cursor = "&cursor=" + page["nextCursor"]


def is_whole(net, one):
    url = one["url"] if one["url"].startswith("http") else net.url + one["url"]
    try:
        with urllib.request.urlopen(url, timeout=20) as r:
            return hashlib.sha256(r.read()).hexdigest() == one["sha256"]
    except OSError:
        return False


def count_lost(net, ids, miners):
    """(acknowledged, lost): by the receipts that miners printed; one of an epoch that still runs is not asked for."""
    shown, acknowledged, lost = {}, 0, []
    for uri, p in zip(net.miners, miners):
        for row in p.rows:
            if row.get("epoch_id") not in ids or not row["content_hash"] or row["error"]:
                continue
            acknowledged += 1
            e = row["epoch_id"]
            if e not in shown:
                shown[e] = kept(net, e)
            content, objects = shown[e].get(ss58(uri), (None, []))
            if content != row["content_hash"]:
                lost.append(f"{e} {uri}: {content} instead of {row['content_hash']}")
            elif len(objects) != row["zipcodes"] or not all(is_whole(net, o) for o in objects):
                lost.append(f"{e} {uri}: its objects are not all there")
    return acknowledged, lost


def run_epochs(net, postgres, s3, tap):
    """(ids, kills, miners, validators): what happened; everybody has ended, but the coordinators."""
    times, dice = plan(s3 is not None)
    faults = Faults(net, postgres, s3, dice)
    # Everybody is there when the first of the ten begins.
    urls = [c.url for c in net.coordinators]
    miners = [net.role("miner", u, 0, urls[i % 2]) for i, u in enumerate(net.miners)]
    validators = [net.role("validator", u, 0, urls[i % 2], more=net.shards) for i, u in enumerate(net.validators)]
    net.workers = [net.process("worker", "run", "--json", "--dir", os.path.join(net.folder, f"w{i}"), *net.shards)
                   for i in range(WORKERS)]
    for p in [*miners, *validators, *net.workers]:
        p.ready()
    begin = (int(time.time()) // EPOCH_S + 1) * EPOCH_S
    ids = [slot_id(begin + i * EPOCH_S) for i in range(EPOCHS)]
    for at, who in times:
        time.sleep(max(0, begin + at - time.time()))
        faults.kill(who)
    time.sleep(max(0, begin + EPOCHS * EPOCH_S - time.time()))
    states = wait_settled(net, ids, 2 * EPOCH_S)
    # Those who vote on the last epoch say so before they are asked to end.
    end = time.monotonic() + 8
    while time.monotonic() < end and not all(any(r.get("epoch_id") == ids[-1] for r in v.rows) for v in validators):
        time.sleep(.2)
    for p in miners + validators + net.workers:
        if p.is_alive():
            p.popen.send_signal(signal.SIGTERM)
    codes = [p.wait(30) for p in miners + validators + net.workers]
    tap.check("miners, validators and workers lived through it and end with 0", all(c == 0 for c in codes),
              f"{net.tail()}\n{codes}")
    return ids, states, faults, miners, validators


def judge(tap, net, ids, states, faults, miners, validators):
    acknowledged, lost = count_lost(net, ids, miners)
    said = {e: [r for v in validators for r in v.rows if r.get("epoch_id") == e and r.get("hash")] for e in ids}
    apart = [e for e in ids if len({r["hash"] for r in said[e]}) > 1]
    settled = [e for e in ids if states.get(e) in ("settled", "archived")]
    heard = sum(len(rows) for rows in said.values())
    tap.check("no acknowledged submission is lost", not lost and acknowledged > 0, "\n".join(lost))
    tap.check("validators' hashes agree in each epoch", not apart, {e: said[e] for e in apart})
    tap.check("every epoch settled", len(settled) == EPOCHS, "\n".join(
        f"{e} {states.get(e)} {[(r['status'], r['error']) for v in validators for r in v.rows if r.get('epoch_id') == e]} "
        f"{(ask(net, API + '/epochs/' + e + '/results')[1] or {}).get('status')}" for e in ids if e not in settled))
    tap.check("most of the work was done all the same", acknowledged >= EPOCHS and heard >= EPOCHS,
              f"{acknowledged} acknowledged, {heard} hashes\n" + "\n".join(
                  f"{r}" for p in miners + validators for r in p.rows if r.get("error")))
    each = " ".join(f"{who}={n}" for who, n in sorted(faults.count.items()))
    store = "s3" if faults.s3 else "folder"
    print(f"PROOF faults epochs={len(ids)} kills={sum(faults.count.values())} lost={len(lost)} disagreements={len(apart)} "
          f"settled={len(settled)} acknowledged={acknowledged} hashes={heard} {each} store={store}", flush=True)


def share_folder(net):
    """Without an S3 server: what one of them keeps, all of them see."""
    shared = os.path.join(net.folder, "objects")
    os.mkdir(shared, 0o700)
    for name in ("c0", "c1", *(f"w{i}" for i in range(WORKERS))):
        os.mkdir(os.path.join(net.folder, name), 0o700)
        os.symlink(shared, os.path.join(net.folder, name, "objects"))


def main():
    tap = Tap()
    folder = tempfile.mkdtemp(prefix="tally-faults-")
    os.chmod(folder, 0o755)
    services = []
    try:
        for make in (Postgres, Redis, *([S3] if S3.is_there() else [])):
            services.append(make(os.path.join(folder, make.__name__)))
        postgres, redis = services[:2]
        s3 = services[2] if len(services) > 2 else None
        objects = ["--s3", s3.url + "/faults"] if s3 else []
        stores = ["--postgres", postgres.url, "--redis", f"redis://127.0.0.1:{redis.port}", *objects]
        net = Network(miners=3, validators=2, epoch_seconds=EPOCH_S, stores=stores, env=s3.env if s3 else {}, coordinators=2)
        net.shards = ["--postgres", postgres.url, *objects]
        if s3 is None:
            share_folder(net)
        with net:
            judge(tap, net, *run_epochs(net, postgres, s3, tap))
    finally:
        for s in reversed(services):
            s.stop()
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
