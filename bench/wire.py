"""The works of the wire: a server's processor time for each verified request, beside its peers'.

tally_load signs every request, keeps 64 and 512 connections busy, and reads the server's processor time from the
scheduler's books. tally_s and peer_s are seconds of processor time a request at 64 connections; the same figures and
the latencies (p50, p99) at 512 stand under "more". All servers answer on one thread and are loaded alike:
64 hotkeys, a text or body of 256 bytes.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

TALLY = "build/release/tally"
LOAD = "build/release/bench/tally_load"
ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
CONNECTIONS = (64, 512)
SENDERS, BODY = 64, 256
ROUNDS = 3  # of which the one with the least processor time counts, as for the other works


class Server:
    """A server for the length of a block; its first line says on which port."""

    def __init__(self, command, env=None):
        self.folder = tempfile.mkdtemp()
        command = [c.replace("DIR", self.folder) for c in command]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        env=dict(os.environ, **(env or {})))
        line = self.process.stdout.readline()
        if not line.startswith("{"):
            self.__exit__()
            raise RuntimeError(f"{command[0]} did not start")
        self.port = json.loads(line)["port"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def rss_mb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024


def axon(*options):
    return [TALLY, "axon", "run", "--listen", "127.0.0.1:0", "--uri", "//Alice", "--echo", "--dir", "DIR", *options]


def load(server, protocol, connections, requests):
    """The figures of the best round, or (None, why)."""
    best = None
    for _ in range(ROUNDS):
        done = subprocess.run([LOAD, protocol, str(server.port), ALICE, str(connections), str(requests), str(SENDERS),
                               str(BODY), str(server.process.pid)], capture_output=True, text=True, check=False, timeout=120)
        if done.returncode != 0:
            return None, done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "the load failed"
        got = json.loads(done.stdout)
        if got["good"] != got["requests"]:
            return None, f"{got['requests'] - got['good']} of {got['requests']} requests were refused"
        if best is None or got["cpu_s"] < best["cpu_s"]:
            best = got
    return best, None


def measure(command, protocol, requests, env=None):
    """{connections: figures}, peak memory, and why something is missing."""
    try:
        with Server(command, env) as server:
            load(server, protocol, 64, 640)  # warm: keys seen, code paged in
            rows = {}
            for connections in CONNECTIONS:
                rows[connections], why = load(server, protocol, connections, max(requests, 2 * connections))
                if why is not None:
                    return None, None, why
            return rows, server.rss_mb(), None
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        return None, None, str(error)


def environment(name):
    """The Python of a virtual environment of `make interop`, made if it is missing; None and why if it cannot be."""
    done = subprocess.run([sys.executable, "scripts/interop", "--install", name], capture_output=True, text=True, check=False)
    python = f"build/interop/{name}/bin/python"
    return (python, None) if done.returncode == 0 else (None, (done.stdout + done.stderr).strip().splitlines()[-1])


def rust(name, program):
    """The program of a peer in Rust, built if it is missing; None and why if it cannot be."""
    if shutil.which("cargo") is None:
        return None, "there is no cargo"
    done = subprocess.run(["cargo", "build", "--release", "--quiet", "--manifest-path", f"bench/peers/{name}/Cargo.toml",
                           "--target-dir", "build/cargo"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None, (done.stderr.strip().splitlines() or ["cargo failed"])[-1]
    return f"build/cargo/release/{program}", None


def as_row(rows, rss):
    return {"s": rows[64]["cpu_us_each"] * 1e-6, "rss_mb": round(rss, 1),
            "latency": {str(c): {"p50_ms": rows[c]["p50_ms"], "p99_ms": rows[c]["p99_ms"],
                                 "cpu_us_each": rows[c]["cpu_us_each"]} for c in rows}}


def beside(name, tally, peers):
    """A row of the table: Tally, then each peer (its name, version, figures or why not)."""
    rows, rss, why = tally
    if rows is None:
        return {"name": name, "threads": 1, "tally_s": None, "peer": None, "peer_s": None, "ratio": None, "note": why}
    ours = as_row(rows, rss)
    row = {"name": name, "threads": 1, "tally_s": ours["s"], "tally_rss_mb": ours["rss_mb"], "latency": ours["latency"],
           "scale10_ratio": None, "more": []}
    for index, (peer, version, (their_rows, their_rss, their_why)) in enumerate(peers):
        cell = {"peer": peer, "peer_version": version, "peer_threads": 1, "peer_s": None, "ratio": None, "peer_rss_mb": None}
        if their_rows is None:
            cell["note"] = their_why
        else:
            theirs = as_row(their_rows, their_rss)
            cell.update(peer_s=theirs["s"], ratio=round(theirs["s"] / ours["s"], 3), peer_rss_mb=theirs["rss_mb"],
                        peer_latency=theirs["latency"])
            cell["ratio_512"] = round(their_rows[512]["cpu_us_each"] / rows[512]["cpu_us_each"], 3)
        if index == 0:
            row.update(cell)
        else:
            row["more"].append(cell)
    return row


def python_peer(name, program, protocol, requests):
    python, why = environment(name)
    if python is None:
        return None, None, why
    return measure([python, f"tests/interop/{program}"], protocol, requests, {"HOME": os.path.abspath("build/interop")})


def rust_peer():
    program, why = rust("axum", "btauth-axum")
    return (None, None, why) if program is None else measure([program, ALICE], "btauth", 40000)


def axon_verified():
    return beside("axon_verified", measure(axon(), "v10", 30000),
                  [("bittensor axon", "10.5.0", python_peer("sdk10", "axon_py.py", "v10", 1024))])


def btauth_verified():
    return beside("btauth_verified", measure(axon(), "btauth", 60000),
                  [("FastAPI, http_auth.verify", "11.3.0", python_peer("sdk11", "btauth_server.py", "btauth", 6000)),
                   ("axum, schnorrkel", "0.8, 0.11", rust_peer())])


def axon_bare():
    """How much of a request is verification: the peer is the same server that does not look at signatures."""
    return beside("axon_bare", measure(axon(), "btauth", 60000),
                  [("tally --no-verify, btauth", "", measure(axon("--no-verify"), "btauth", 60000))])


FANOUT = "build/release/bench/tally_fanout"
AXONS = 256


def last_line(command, env=None):
    """The JSON that a program prints last, or (None, why there is none)."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300,
                              env=dict(os.environ, **(env or {})))
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, str(error)
    if done.returncode != 0:
        return None, (done.stderr.strip().splitlines() or [f"{command[0]} failed"])[-1]
    return json.loads(done.stdout.strip().splitlines()[-1]), None


def fan_out(targets):
    """Tally's figures and the peer's, of the same axons; each a pair with why there are none."""
    rounds = [last_line([FANOUT, "ask", targets]) for _ in range(ROUNDS)]
    good = [ours for ours, _ in rounds if ours is not None]
    python, why = environment("sdk10")
    theirs = (None, why) if python is None else last_line(
        [python, "bench/peers/dendrite.py", targets], {"HOME": os.path.abspath("build/interop")})
    return (min(good, key=lambda r: r["seconds"]), None) if good else rounds[0], theirs


def dendrite_256():
    """Wall time of one query to 256 axons, each with a port and a hotkey of its own: sent, answered, checked."""
    row = {"name": "dendrite_256", "threads": 1, "tally_s": None, "peer": "bittensor dendrite", "peer_version": "10.5.0",
           "peer_threads": 1, "peer_s": None, "ratio": None, "peer_rss_mb": None, "scale10_ratio": None}
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as targets, \
            subprocess.Popen([FANOUT, "serve", str(AXONS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True) as axons:
        line = axons.stdout.readline()
        if not line.startswith("{"):
            return dict(row, peer=None, note="the axons did not start")
        targets.write("\n".join(json.loads(line)["axons"]) + "\n")
        targets.flush()
        (ours, why), (theirs, their_why) = fan_out(targets.name)
        axons.stdin.close()
    if ours is None:
        return dict(row, peer=None, note=why)
    row.update(tally_s=ours["seconds"], tally_rss_mb=ours["rss_mb"], runs=ours["runs"], tally_first_s=ours["first_s"],
               tally_cpu_s=ours["cpu_s"])
    if theirs is None:
        return dict(row, peer=None, note=their_why)
    row.update(peer_s=theirs["seconds"], ratio=round(theirs["seconds"] / ours["seconds"], 3), peer_rss_mb=theirs["rss_mb"],
               peer_first_s=theirs["first_s"])
    return row


WORKS = {"axon_verified": axon_verified, "btauth_verified": btauth_verified, "axon_bare": axon_bare, "dendrite_256": dendrite_256}
