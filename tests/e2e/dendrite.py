"""dendrite.py TALLY: `tally dendrite query` through the real binary, against `tally axon run --echo`: three protocols, many
targets, what a line says, exit codes, aggregation, and what is refused before anything is sent. Prints TAP."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TALLY = os.path.abspath(sys.argv[1])
ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
BOB = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"
KEYS = {"axon", "ok", "status_code", "status_message", "process_time_s", "output", "error", "attempts"}
count = bad = 0


def verdict(name, fine, *details):
    global count, bad
    count += 1
    bad += not fine
    print(f"{'ok' if fine else 'not ok'} {count} - {name}", flush=True)
    for line in [] if fine else details[:8]:
        print(f"#   {str(line)[:300]}", flush=True)


class Axon:
    """An axon of //Alice on a port of its own; target is what asks it."""

    def __init__(self, *more, host="127.0.0.1"):
        self.process = subprocess.Popen(
            [TALLY, "axon", "run", "--listen", f"{host}:0", "--uri", "//Alice", "--echo", "--dir", tempfile.mkdtemp(dir="."),
             *more], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = json.loads(self.process.stdout.readline())["port"]
        self.target = f"{host}:{self.port}:{ALICE}"

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()


def query(*words, key="//Bob"):
    return subprocess.run([TALLY, "dendrite", "query", "--uri", key, *words], capture_output=True, text=True, errors="replace")


def ask(*words, **more):
    """(exit code, the lines) of a query with --json."""
    done = query("--json", *words, **more)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def put(name, data):
    with open(name, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    return name


def dead_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# --- v10 ---

def v10(axon):
    code, [row] = ask("--axon", axon.target, "--synapse", "Echo", "--input", '{"a": 3, "text": "a\\u0000é"}')
    verdict("an echo comes back", code == 0 and row["ok"] and row["status_code"] == 200 and set(row) == KEYS and
            row["status_message"] == "Success" and row["error"] is None and row["axon"] == axon.target and
            0 < row["process_time_s"] < 10 and row["attempts"] == 1 and row["output"]["out"] == "a\0é" * 3, row)
    code, [row] = ask("--axon", axon.target, "--synapse", "Synapse")
    verdict("the ping needs no input", code == 0 and row["ok"] and row["output"]["name"] == "Synapse", row)
    code, [row] = ask("--axon", axon.target, "--synapse", "Echo", "--input", "@" + put("in.json", '{"a": 0}'))
    verdict("input comes from a file", code == 0 and row["output"]["out"] == "", row)
    code, [row] = ask("--axon", axon.target, "--synapse", "Stream", "--input", '{"a": 5, "text": "ab"}')
    verdict("a stream is collected", code == 0 and row["stream"] == "ababababab", row)
    code, [row] = ask("--axon", axon.target, "--synapse", "Boom")
    verdict("a handler that fails is 500", code == 6 and not row["ok"] and row["status_code"] == 500 and
            row["error"].startswith("Internal Server Error #") and row["output"] is None, row)
    code, [row] = ask("--axon", axon.target, "--synapse", "Slow", "--input", '{"seconds": 5}', "--timeout", "0.2")
    verdict("who does not wait is told so", code == 6 and row["status_code"] == 408 and
            row["status_message"] == "Request timeout after 0.2 seconds" and row["process_time_s"] is None, row)
    code, [row] = ask("--axon", axon.target.replace(ALICE, BOB), "--synapse", "Synapse")
    verdict("signed for another hotkey: 401", code == 6 and row["status_code"] == 401 and
            row["error"].startswith("Not Verified with error: Signature mismatch"), row)
    definition = put("def.json", '{"synapses": [{"name": "Unheard", "fields": [{"name": "a", "type": "int", "default": 1}]}]}')
    code, [row] = ask("--axon", axon.target, "--synapse", "Unheard", "--synapse-file", definition)
    verdict("a definition from a file; nobody knows it", code == 6 and row["status_code"] == 404 and
            "Synapse name 'Unheard' not found" in row["error"], row)
    port = dead_port()
    code, [row] = ask("--axon", f"127.0.0.1:{port}:{ALICE}", "--synapse", "Echo", "--input", '{"a": 1}')
    verdict("nobody listens: 503", code == 6 and row["status_code"] == 503 and
            row["error"] == f"Service unavailable at 127.0.0.1:{port}/Echo", row)


def blacklisted():
    axon = Axon("--blacklist", BOB)
    code, [row] = ask("--axon", axon.target, "--synapse", "Synapse")
    verdict("blacklisted: 403", code == 6 and row["status_code"] == 403 and row["error"].startswith("Forbidden."), row)
    code, [row] = ask("--axon", axon.target, "--synapse", "Synapse", key="//Charlie")
    verdict("another key is let in", code == 0 and row["ok"], row)
    axon.stop()


# --- btauth and Epistula ---

def signed(axon):
    for protocol in ("btauth", "epistula"):
        words = ["--axon", axon.target, "--protocol", protocol]
        code, [row] = ask(*words, "--target", "/echo?x=%7e&y=/../z&b", "--input", "hällo")
        verdict(f"{protocol}: a body is echoed", code == 0 and row["ok"] and row["output"] == "hällo" and set(row) == KEYS, row)
        code, [row] = ask(*words, "--target", "/echo", "--input", "@" + put("raw", b"\0\xff"))
        verdict(f"{protocol}: bytes that are no text", code == 0 and row["output"] == "base64:AP8=", row)
        code, [row] = ask(*words, "--target", "/echo", "--input", "@" + put("empty", b""))
        verdict(f"{protocol}: an empty file is no body", code == 0 and row["output"] == "", row)
        code, [row] = ask(*words, "--target", "/whoami", "--method", "GET")
        verdict(f"{protocol}: the axon knows who asks",
                code == 0 and json.loads(row["output"]) == {"hotkey": BOB, "protocol": protocol}, row)
        code, [row] = ask(*words[:1], axon.target.replace(ALICE, BOB), *words[2:], "--target", "/whoami", "--method", "GET")
        verdict(f"{protocol}: for another receiver", code == 6 and row["status_code"] == 403 and
                row["error"].startswith("WrongReceiver: "), row)
    code, [row] = ask("--axon", axon.target, "--protocol", "btauth", "--target", "/whoami", "--method", "GET",
                      "--crypto-type", "ed25519")
    verdict("btauth: an ed25519 key", code == 0 and json.loads(row["output"])["protocol"] == "btauth", row)


# --- many ---

def many(axon):
    other = Axon(host="[::1]")
    port = dead_port()
    listed = put("axons", f"# remarks\n\n  {other.target}  # the other one\n127.0.0.1:{port}:{BOB}\n")
    words = ["--axon", axon.target, "--axons", listed, "--synapse", "Echo", "--input", '{"a": 1, "text": "y"}']
    code, rows = ask(*words)
    verdict("a line a target, in order", code == 6 and [r["axon"] for r in rows] ==
            [axon.target, other.target, f"127.0.0.1:{port}:{BOB}"] and [r["ok"] for r in rows] == [True, True, False], *rows)
    code, rows = ask(*words, "--aggregate", "majority")
    verdict("majority holds, and the chosen one is marked", code == 0 and
            [r["chosen"] for r in rows].count(True) == 1 and not rows[2]["chosen"], *rows)
    code, rows = ask(*words, "--aggregate", "quorum")
    verdict("two of three are a quorum", code == 0 and rows[0]["chosen"] != rows[1]["chosen"], *rows)
    code, rows = ask(*words, "--aggregate", "all")
    verdict("one failed: not all", code == 6 and len(rows) == 3, *rows)
    began = time.monotonic()
    code, rows = ask("--axon", axon.target, "--axon", other.target, "--synapse", "Slow", "--input", '{"seconds": 0.2}',
                     "--aggregate", "first", "--parallel", "1")
    verdict("the first answer is enough", code == 0 and sum(r["ok"] for r in rows) == 1 and
            [r["error"] for r in rows].count("cancelled") == 1 and time.monotonic() - began < 10, *rows)
    done = query(*words)
    verdict("for people: the message's fields, and what failed", done.returncode == 6 and len(done.stdout.splitlines()) == 3 and
            '"out": "y"' in done.stdout and "Service unavailable" in done.stdout and done.stderr == "", done.stdout, done.stderr)
    other.stop()


# --- what is refused before anything is sent ---

def refused(axon):
    good = ["--axon", axon.target, "--synapse", "Echo", "--input", '{"a": 1}']
    cases = [
        ("nobody to ask", [], 2, "axon"),
        ("a target without a port", ["--axon", "127.0.0.1", *good[2:]], 3, "axon"),
        ("a target with a port that is none", ["--axon", f"a:70000:{ALICE}", *good[2:]], 3, "axon"),
        ("a hotkey with a wrong letter", ["--axon", axon.target[:-1] + "Z", *good[2:]], 3, "axon"),
        ("a list that is not there", ["--axons", "nowhere", *good[2:]], 4, "axons"),
        ("a list with a bad line", ["--axons", put("bad", f"{axon.target}\nnonsense\n"), *good[2:]], 3, "axons"),
        ("no synapse", good[:2], 2, "synapse"),
        ("an unknown synapse", [*good[:3], "Nope"], 3, "synapse"),
        ("a definition file that is none", [*good, "--synapse-file", put("none", "{")], 3, None),
        ("input that is no JSON", [*good[:-1], "{"], 3, "input"),
        ("a field of another type", [*good[:-1], '{"a": "x"}'], 3, "input.a"),
        ("a field that there is not", [*good[:-1], '{"a": 1, "b": 2}'], 3, "input.b"),
        ("a required field that is missing", good[:4], 3, "input.a"),
        ("an input file that is not there", [*good[:-1], "@nowhere"], 4, "input"),
        ("a target of another protocol", [*good, "--target", "/x"], 2, "target"),
        ("a synapse of another protocol", [*good, "--protocol", "btauth", "--target", "/x"], 2, "synapse"),
        ("no target", ["--axon", axon.target, "--protocol", "btauth"], 2, "target"),
        ("a target without a slash", ["--axon", axon.target, "--protocol", "btauth", "--target", "x"], 3, "target"),
        ("a target with a line end", ["--axon", axon.target, "--protocol", "btauth", "--target", "/x\r\nX: y"], 3, "target"),
        ("a method with a space", ["--axon", axon.target, "--protocol", "btauth", "--target", "/x", "--method", "A B"], 3,
         "method"),
        ("no time at all", [*good, "--timeout", "0"], 2, "timeout"),
        ("too many retries", [*good, "--retries", "17"], 2, "retries"),
        ("nothing in parallel", [*good, "--parallel", "0"], 2, "parallel"),
        ("an unknown rule", [*good, "--aggregate", "average"], 2, None),
        ("v10 by ed25519", [*good, "--crypto-type", "ed25519"], 5, "key"),
    ]
    for name, words, code, field in cases:
        done = query("--json", *words)
        lines = done.stdout.splitlines()
        error = json.loads(lines[0]).get("error") if lines else None
        fine = (done.returncode == code and len(lines) == 1 and error["code"].startswith("TL_ERR_") and
                field in (None, error["field"]))
        verdict(f"{name}: exit {code}", fine, done.returncode, done.stdout, done.stderr)
    done = query("--json", "--axons", "bad", *good[2:])
    verdict("the line of a list is named", "line 2" in json.loads(done.stdout)["error"]["message"], done.stdout)


def interrupted(axon):
    process = subprocess.Popen([TALLY, "dendrite", "query", "--uri", "//Bob", "--axon", axon.target, "--synapse", "Slow",
                                "--input", '{"seconds": 30}', "--timeout", "60"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    deadline, connected = time.monotonic() + 20, False
    while not connected and time.monotonic() < deadline:  # 01: established
        with open("/proc/net/tcp", encoding="utf-8") as sockets:
            connected = any(line.split()[2].endswith(f":{axon.port:04X}") and line.split()[3] == "01" for line in sockets)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    verdict("an interrupt ends it: 130", process.returncode == 130 and out == "", process.returncode, out, err)


def main():
    folder = tempfile.mkdtemp(prefix="tally-dendrite-")
    os.chdir(folder)
    axon = Axon()
    try:
        v10(axon)
        blacklisted()
        signed(axon)
        many(axon)
        refused(axon)
        interrupted(axon)
    finally:
        axon.stop()
        os.chdir("/")
        shutil.rmtree(folder, ignore_errors=True)
    print(f"1..{count}")
    return 1 if bad else 0


sys.exit(main())
