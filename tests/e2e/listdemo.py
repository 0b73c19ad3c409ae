#!/usr/bin/env python3
"""listdemo: the demo of the listings network from outside: its report, its folder, its refusals, its end by a signal."""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TALLY = os.path.abspath(sys.argv[1])
HOME = tempfile.mkdtemp(prefix="tally-listdemo-")
CHEATS = {"late", "short", "duplicating", "synthetic", "copying", "honeypot", "sybil"}
results = []


def tally(*words):
    return subprocess.run([TALLY, *words], capture_output=True, text=True, timeout=250, check=False)


def check(name, fine, why=""):
    results.append(bool(fine))
    print(f"{'ok' if fine else 'not ok'} {len(results)} - {name}", flush=True)
    for line in [] if fine else str(why).splitlines()[-10:]:
        print(f"# {line}", flush=True)


def one_epoch():
    folder = os.path.join(HOME, "lived")
    done = tally("demo", "--subnet", "listings", "--epochs", "1", "--json", "-q", "--dir", folder)
    check("one epoch is played", done.returncode == 0, done.stderr)
    report = json.loads(done.stdout.strip().splitlines()[-1])
    roles = {}
    for row in report["leaderboard"]:
        roles.setdefault(row["role"], []).append(row)
    flagged = {flag["hotkey"] for flag in report["flags"]}
    check("24 miners and 3 validators stand in the leaderboard",
          sum(len(v) for k, v in roles.items() if k != "validator") == 24 and len(roles["validator"]) == 3, roles.keys())
    check("every kind of cheat is flagged", all(any(r["hotkey"] in flagged for r in roles[k]) for k in CHEATS), report["flags"])
    check("nobody honest is", not any(r["hotkey"] in flagged for r in roles["honest"]), report["flags"])
    check("the honest are paid", sum(r["reward_rao"] for r in roles["honest"]) > 0)
    check("cheats are not", not any(r["reward_rao"] for k in CHEATS - {"copying", "sybil"} for r in roles[k]), report["leaderboard"])
    agreement = report["agreement"][0]
    check("three validators, one hash", len(agreement["hashes"]) == 3 and len(set(agreement["hashes"].values())) == 1
          and agreement["status"] == "PERFECT_CONSENSUS", agreement)
    check("the ledger balances", report["ledger"]["balanced"] is True and report["ledger"]["issuance_rao"] == 10**12, report["ledger"])
    bundles = glob.glob(folder + "/**/*.bundle", recursive=True)
    check("each validator's bundle runs again", len(bundles) == 3 and all(tally("epoch", "verify", b).returncode == 0 for b in bundles))
    again = tally("ledger", "verify", "--dir", folder)
    check("the folder's ledger verifies", again.returncode == 0, again.stderr)
    again = tally("demo", "--subnet", "listings", "--json", "--dir", folder)
    check("a folder that is in use is refused", again.returncode != 0 and "not empty" in again.stdout + again.stderr, again.stderr)


def refusals():
    for words in (["--subnet", "listings", "--prices", "x.csv"], ["--subnet", "listings", "--epochs", "0"],
                  ["--subnet", "portfolio", "--s3", "http://127.0.0.1:1/x"], ["--subnet", "weather"]):
        done = tally("demo", *words, "--dir", os.path.join(HOME, "none"))
        check(f"{' '.join(words)} is a mistake of usage", done.returncode == 2, f"{done.returncode} {done.stderr}")


def interruption():
    p = subprocess.Popen([TALLY, "demo", "--subnet", "listings", "-q", "--dir", os.path.join(HOME, "stopped")],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(600):
        if glob.glob(os.path.join(HOME, "stopped/miners/*/miner/*/*.json")) or p.poll() is not None:
            break
        time.sleep(.05)
    p.send_signal(signal.SIGINT)
    try:
        _, err = p.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        p.kill()
        _, err = p.communicate()
    check("an interrupt in the middle ends it cleanly", p.returncode == 130, f"{p.returncode} {err}")


try:
    one_epoch()
    refusals()
    interruption()
finally:
    shutil.rmtree(HOME, ignore_errors=True)
print(f"1..{len(results)}")
sys.exit(0 if all(results) else 1)
