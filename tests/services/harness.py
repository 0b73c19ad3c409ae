"""harness: a listings network as processes on loopback: market, coordinators, miners, validators, and their stores.

Used by the end-to-end test (network.py), by the proofs of faults and of builds. Everything that is started here is stopped
here, whatever happens; ports are free ones; each network has a folder of its own.
"""
import http.client
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
TALLY = os.environ.get("TALLY", os.path.join(ROOT, "build/release/tally"))
COORDINATOR = "//Coord"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(*words, env=None, limit_s=120, tally=TALLY):
    return subprocess.run([tally, *words], capture_output=True, text=True, timeout=limit_s, check=False,
                          env=dict(os.environ, **(env or {})))


def last_json(done):
    if not done.stdout.strip():
        raise RuntimeError(f"nothing was printed, exit {done.returncode}: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


_addresses = {}


def ss58(uri):
    if uri not in _addresses:
        _addresses[uri] = last_json(run("wallet", "show", "--uri", uri, "--json"))["ss58"]
    return _addresses[uri]


class Process:
    """A program that prints lines of JSON: the first when it is ready, then whatever it has to say."""

    def __init__(self, words, log, env=None, tally=TALLY):
        self.words, self.log, self.env, self.tally = words, log, env, tally
        self.lines = queue.Queue()
        self.rows = []
        self.start()

    def start(self):
        self.popen = subprocess.Popen([self.tally, *self.words], stdout=subprocess.PIPE, stderr=self.log, text=True,
                                      env=dict(os.environ, **(self.env or {})))
        self.reader = threading.Thread(target=self._read, args=(self.popen.stdout,), daemon=True)
        self.reader.start()

    def _read(self, stream):
        for line in stream:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            self.rows.append(row)
            self.lines.put(row)

    def ready(self, limit_s=60):
        while True:
            try:
                row = self.lines.get(timeout=limit_s)
            except queue.Empty:
                raise RuntimeError(f"{' '.join(self.words[:2])} did not become ready") from None
            if row.get("ready"):
                return row

    def is_alive(self):
        return self.popen.poll() is None

    def kill(self, number=signal.SIGKILL):
        if self.is_alive():
            self.popen.send_signal(number)
        return self.wait(30)

    def wait(self, limit_s):
        try:
            code = self.popen.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            code = None
        self.reader.join(5)
        return code

    def restart(self):
        self.kill()
        self.start()
        return self.ready()


def script(name, *words, env=None):
    done = subprocess.run([os.path.join(ROOT, "tests/services", name), *words], capture_output=True, text=True, timeout=180,
                          check=False, env=dict(os.environ, **(env or {})))
    if done.returncode != 0:
        raise RuntimeError(f"{name} {words[0]}: exit {done.returncode}: {done.stderr.strip()[-400:]}")
    return done.stdout.strip()


class Postgres:
    def __init__(self, folder):
        self.folder = folder
        self.url = script("postgres.sh", "start", folder).splitlines()[-1]

    def kill(self):
        script("postgres.sh", "kill", self.folder)

    def resume(self):
        script("postgres.sh", "resume", self.folder)

    def stop(self):
        script("postgres.sh", "stop", self.folder)


class S3:
    """versitygw; is_there tells whether this machine has one."""

    def __init__(self, folder):
        self.folder = folder
        self.start()

    @staticmethod
    def is_there():
        return os.access(os.path.join(ROOT, "build/deps/versitygw"), os.X_OK)

    def start(self):
        said = dict(pair.split("=", 1) for pair in script("s3.sh", "start", self.folder).split() if "=" in pair)
        self.url = said.pop("S3_URL").strip("'\"")
        self.env = {k: v.strip("'\"") for k, v in said.items()}

    def kill(self):
        script("s3.sh", "stop", self.folder, env={"KILL": "1"})

    def resume(self):
        self.start()

    def stop(self):
        script("s3.sh", "stop", self.folder)


class Redis:
    def __init__(self, folder):
        self.port = free_port()
        os.makedirs(folder, exist_ok=True)
        self.command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                        "--dir", folder]
        self.start()

    def start(self):
        self.popen = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(.05)
        raise RuntimeError("redis-server did not start")

    def stop(self):
        self.popen.kill()
        self.popen.wait()


class Network:
    """with Network(...) as n: market and coordinators run; miners and validators are started when they are asked for."""

    def __init__(self, miners=3, validators=2, epoch_seconds=30, stores=(), env=None, coordinators=1, seed=7, more=()):
        self.miners = [f"//M{i}" for i in range(1, miners + 1)]
        self.validators = [f"//V{i}" for i in range(1, validators + 1)]
        self.epoch_seconds, self.stores, self.env, self.more = epoch_seconds, list(stores), env or {}, list(more)
        self.count, self.seed = coordinators, seed
        self.folder = tempfile.mkdtemp(prefix="tally-network-")
        self.log = open(os.path.join(self.folder, "stderr.log"), "a", encoding="utf-8")
        self.processes, self.coordinators = [], []

    def __enter__(self):
        self.metagraph = os.path.join(self.folder, "metagraph.json")
        with open(self.metagraph, "w", encoding="utf-8") as f:
            json.dump([{"uid": i, "hotkey": ss58(u), "coldkey": ss58(u + "/cold"),
                        "stake_rao": 10**14 if u in self.validators else 0, "validator_permit": u in self.validators}
                       for i, u in enumerate(self.miners + self.validators)], f)
        self.receiver = ss58(COORDINATOR)
        self.market = self.process("market", "serve", "--listen", "127.0.0.1:0", "--seed", str(self.seed), "--json")
        self.source = self.market.ready()["url"]
        for i in range(self.count):
            self.coordinators.append(self.start_coordinator(i))
        return self

    def __exit__(self, *_):
        for p in reversed(self.processes):
            if p.is_alive():
                p.popen.kill()
                p.popen.wait()
        self.log.close()
        if not os.environ.get("TALLY_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def process(self, *words, tally=TALLY):
        p = Process(list(words), self.log, self.env, tally)
        self.processes.append(p)
        return p

    def start_coordinator(self, index, port=0):
        p = self.process("coordinator", "run", "--subnet", "listings", "--listen", f"127.0.0.1:{port}", "--uri", COORDINATOR,
                         "--metagraph", self.metagraph, "--epoch-seconds", str(self.epoch_seconds), "--dir",
                         os.path.join(self.folder, f"c{index}"), "--json", *self.stores, *self.more)
        p.url = p.ready()["url"]
        p.index = index
        # A restart takes the port that its clients know.
        p.words[p.words.index("--listen") + 1] = urllib.parse.urlsplit(p.url).netloc
        return p

    @property
    def url(self):
        return self.coordinators[0].url

    def role(self, kind, uri, epochs, url=None, tally=TALLY, more=()):
        return self.process(kind, "run", "--subnet", "listings", "--coordinator", url or self.url, "--receiver", self.receiver,
                            "--source", self.source, "--uri", uri, "--epochs", str(epochs), "--dir",
                            os.path.join(self.folder, uri.replace("/", "_")), "--json", *more, tally=tally)

    def wait_for_slot(self, room=.4):
        """Until less than that share of the slot has passed, so that all take part in the one that runs."""
        while time.time() % self.epoch_seconds > self.epoch_seconds * room:
            time.sleep(.1)

    def call(self, path, method="GET", sign=None, body=None, headers=None, url=None):
        """(status, headers, JSON or bytes)"""
        given = dict(headers or {})
        if body is not None and "Content-Type" not in given:
            given["Content-Type"] = "application/json"
        if sign:
            with tempfile.NamedTemporaryFile(dir=self.folder) as f:
                f.write(body or b"")
                f.flush()
                given.update(last_json(run("http", "sign", "--method", method, "--target", path, "--body-file", f.name,
                                           "--receiver", self.receiver, "--uri", sign, "--json")))
        u = urllib.parse.urlsplit(url or self.url)
        c = http.client.HTTPConnection(u.hostname, u.port, timeout=30)
        try:
            c.request(method, path, body=body, headers=given)
            r = c.getresponse()
            data = r.read()
        finally:
            c.close()
        if data and "json" in r.headers.get("Content-Type", ""):
            return r.status, r.headers, json.loads(data)
        return r.status, r.headers, data

    def submissions(self, epoch_id, url=None):
        """{hotkey: content hash} as a validator is shown them."""
        found, cursor = {}, ""
        while True:
            status, _, page = self.call(f"/api/v1/epochs/{epoch_id}/submissions?limit=200{cursor}", sign=self.validators[0], url=url)
            if status != 200:
                raise RuntimeError(f"submissions of {epoch_id}: {status} {page}")
            found.update({i["hotkey"]: i["contentHash"] for i in page["items"]})
            if not page.get("nextCursor"):
                return found
            cursor = "&cursor=" + page["nextCursor"]

    def tail(self, lines=20):
        self.log.flush()
        with open(self.log.name, encoding="utf-8", errors="replace") as f:
            return "".join(f.readlines()[-lines:])


class Tap:
    """ok and not ok, one line each."""

    def __init__(self):
        self.failed = 0

    def check(self, name, fine, why=""):
        print(f"{'ok' if fine else 'not ok'} - {name}", flush=True)
        if not fine:
            self.failed += 1
            for line in str(why).splitlines()[-15:]:
                print(f"# {line}", flush=True)
        return fine
