#!/usr/bin/env python3
"""run.py [--peers] [NAME…]: each work in Tally and in its peer, one process each, one after the other.

Nothing here judges: a slow run is a slow line in a table. A peer that is missing is null, with the reason as its note.
"""
import json
import os
import re
import subprocess
import sys

import listings
import wire

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
TALLY = "build/release/bench/tally_bench"
FOLDER = "build/bench"
PYTHON = "/usr/bin/python3"  # Debian's: its packages are the peers
VENV = "build/venv/bin/python"
VENV_PACKAGES = ["numpy==2.4.6", "scipy==1.17.1", "pandas==3.1.1", "empyrical-reloaded==0.7.1", "quantstats==0.0.86",
                 "arch==8.0.0"]
LIMIT_S = 400
SERVICES = {**wire.WORKS, **listings.WORKS}  # works that run servers or programs of their own

# name, what is done, program of the peer and its further arguments, further peers, relative difference of figures
WORKS = [
    ("score", "1,000 miners x 252 days x 30 positions", ["score.py"], [["score.py", "in-place"]], 1e-6),
    ("correlation", "all pairs of 1,000 miners, 252 days", ["correlation.py"], [["correlation.py", "pandas"]], 1e-9),
    ("bootstrap", "1,000 series x 1,000 resamples", ["bootstrap.py"], [], 0.01),
    ("yuma_256", "chain spec 1.11, the slowest of three forms", ["yuma.py", "yuma_256"], [], 1e-3),
    ("yuma_4096", "chain spec 1.11, the slowest of three forms", ["yuma.py", "yuma_4096"], [], 1e-3),
    ("postings", "one million postings, checked and chained", ["postings.py"], [], 0.0),
    ("epoch_1000", "signals and prices to a verified bundle", ["epoch.py"], [], 1e-3),
    ("sr25519_verify", "512 signatures of 512 keys, from their bytes", ["schnorrkel", "sr25519_verify"], [], 0.0),
    ("sr25519_verify_seen", "the same, by prepared keys", ["schnorrkel", "sr25519_verify_seen"], [], 0.0),
    ("sr25519_batch", "the same, 64 at a time, from their bytes", ["schnorrkel", "sr25519_batch"], [], 0.0),
]

# The original program, natively in its release profile, one thread of a shared 2-core EPYC, best of its runs
# (chain spec 1.11). It cannot be built here, so it is told, not measured.
ORIGINAL = {
    "yuma_256": {"classic": 0.0018, "yuma3": 0.0015, "liquid": 0.019},
    "yuma_4096": {"classic": 0.079, "yuma3": 0.070, "liquid": 4.57},
}

# What only --peers measures.
LIBRARIES = {
    "score": [["series.py", "empyrical"], ["series.py", "quantstats"]],
    "bootstrap": [["series.py", "arch"]],
}


def run(*command):
    """The JSON that a program prints last, or (None, why there is none)."""
    try:
        # Hash seeds, threads of BLAS and the like are the same in each run.
        env = dict(os.environ, PYTHONHASHSEED="0", OPENBLAS_NUM_THREADS="2", OMP_NUM_THREADS="2")
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, env=env, check=False)
    except FileNotFoundError:
        return None, f"{command[0]} is not there"
    except subprocess.TimeoutExpired:
        return None, f"took more than {LIMIT_S} s"
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        said = done.stderr.strip().splitlines()
        return None, said[-1] if said else f"exit status {done.returncode}"
    return json.loads(lines[-1]), None


def run_tally(name, percent):
    return run(TALLY, name, str(percent))


def cargo_peer(folder):
    """The program of a peer in Rust, built into build/peers; (None, why) where that cannot be done."""
    command = ["cargo", "build", "--release", "--quiet", "--manifest-path",
               f"bench/peers/{folder}/Cargo.toml", "--target-dir", "build/peers"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    except FileNotFoundError:
        return None, "cargo is not there, so the Rust peer was not built"
    except subprocess.TimeoutExpired:
        return None, f"cargo took more than {LIMIT_S} s"
    if done.returncode != 0:
        said = [l for l in done.stderr.splitlines() if l.startswith("error")] or done.stderr.strip().splitlines()
        return None, f"cargo: {said[0] if said else done.returncode}"
    return "build/peers/release/peer", None


def run_peer(program, percent=100, python=PYTHON):
    if not program[0].endswith(".py"):
        path, why = cargo_peer(program[0])
        return run(path, program[1], str(percent), f"{FOLDER}/{percent}") if path else (None, why)
    path = os.path.join("bench/peers", program[0])
    return run(python, path, str(percent), f"{FOLDER}/{percent}", *program[1:])


def differs(ours, theirs, tolerance):
    """What the two sides do not agree upon, or nothing."""
    for mine, other in zip(ours, theirs):
        if abs(mine - other) > tolerance * max(abs(mine), abs(other)):
            return f"figures differ: {mine:.9g} and {other:.9g}"
    return None


def beside(ours, theirs):
    """The ratio: of the forms, where there are some, the lowest."""
    if "forms" in ours and "forms" in theirs:
        return min(theirs["forms"][f] / ours["forms"][f] for f in ours["forms"])
    return theirs["seconds"] / ours["seconds"]


def as_peer(ours, theirs):
    return {"peer": theirs["peer"], "peer_version": theirs["version"], "peer_threads": theirs["threads"],
            "peer_s": theirs["seconds"], "ratio": round(beside(ours, theirs), 3), "peer_rss_mb": theirs["rss_mb"]}


def slowest_form(ours, theirs):
    """Tally's and the peer's seconds of the form whose ratio is lowest."""
    if theirs is None or "forms" not in ours:
        return ours["seconds"], theirs["seconds"] if theirs else None
    form = min(ours["forms"], key=lambda f: theirs["forms"][f] / ours["forms"][f])
    return ours["forms"][form], theirs["forms"][form]


def measure(name, peer, others, tolerance, libraries):
    tenth, _ = run_tally(name, 10)
    ours, why = run_tally(name, 100)
    if ours is None:
        return {"name": name, "tally_s": None, "ratio": None, "note": why}
    theirs, missing = run_peer(peer)
    tally_s, peer_s = slowest_form(ours, theirs)
    row = {"name": name, "threads": ours["threads"], "tally_s": tally_s, "peer": None, "peer_version": None,
           "peer_threads": None, "peer_s": peer_s, "ratio": None, "tally_rss_mb": ours["rss_mb"], "peer_rss_mb": None,
           "scale10_ratio": round(ours["seconds"] / tenth["seconds"], 2) if tenth else None, "runs": ours["runs"]}
    notes = [missing] if theirs is None else [differs(ours["figures"], theirs["figures"], tolerance)]
    if theirs is not None:
        row.update(as_peer(ours, theirs), peer_s=peer_s)
    row["more"] = []
    for program, python in [(p, PYTHON) for p in others] + [(p, VENV) for p in libraries]:
        also, missing = run_peer(program, python=python)
        if also is None:
            row["more"].append({"peer": program[-1], "peer_s": None, "ratio": None, "note": missing})
        else:
            row["more"].append(as_peer(ours, also))
            wrong = differs(ours["figures"], also["figures"], tolerance)
            if wrong:
                row["more"][-1]["note"] = wrong
    for key in ("forms", "bundle_mb", "prepare_us", "key_bytes"):
        if key in ours:
            row[key] = ours[key]
        if theirs is not None and key in theirs:
            row["peer_" + key] = theirs[key]
    if name in ORIGINAL:
        row["original_forms"] = ORIGINAL[name]
        notes.append("the original Rust took " + ", ".join(f"{duration(t)} {f}" for f, t in ORIGINAL[name].items())
                     + "; Tally here " + ", ".join(f"{duration(t)} {f}" for f, t in ours["forms"].items()))
    notes = [n for n in notes if n]
    if notes:
        row["note"] = "; ".join(notes)
    return row


def duration(seconds):
    if seconds is None:
        return "-"
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f} us"


def line(name, threads, tally_s, rss, scale, peer, peer_threads, peer_s, peer_rss, ratio):
    return (f"{name:<20}{threads:>3}{tally_s:>11}{rss:>8}{scale:>8}  {peer:<32}{peer_threads:>3}{peer_s:>11}"
            f"{peer_rss:>8}{ratio:>9}")


def show(row):
    def number(key, of, form):
        return form.format(of[key]) if of.get(key) is not None else "-"

    def peer_cells(of):
        name = f"{of['peer']} {of.get('peer_version') or ''}".strip() if of.get("peer") else "-"
        return (name, number("peer_threads", of, "{}"), duration(of.get("peer_s")), number("peer_rss_mb", of, "{:.0f}"),
                number("ratio", of, "{:.1f}x"))

    print(line(row["name"], row.get("threads", "-"), duration(row["tally_s"]), number("tally_rss_mb", row, "{:.0f}"),
               number("scale10_ratio", row, "{:.1f}"), *peer_cells(row)), flush=True)
    for more in row.get("more", []):
        print(line("", "", "", "", "", *peer_cells(more)))
    for of in [row] + row.get("more", []):
        if of.get("note"):
            print(f"                    {of['note']}" if of is row else f"                {of['peer']}: {of['note']}")


def install_libraries():
    """A virtual environment with the libraries of the field; says why not, or nothing."""
    if subprocess.run([VENV, "-c", "import empyrical, quantstats, arch"], capture_output=True,
                      check=False).returncode == 0 if os.path.exists(VENV) else False:
        return
    print("bench: installing empyrical-reloaded, quantstats and arch into build/venv", flush=True)
    subprocess.run([PYTHON, "-m", "venv", "build/venv"], capture_output=True, check=False)
    # One by one: what cannot be had must not take the others along.
    for package in VENV_PACKAGES:
        done = subprocess.run([VENV, "-m", "pip", "install", "-q", package], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = [l for l in done.stderr.splitlines() if re.search("error", l, re.I)]
            print(f"bench: {package}: {said[-1] if said else 'pip failed'}", flush=True)


def main():
    os.chdir(ROOT)
    with_libraries = "--peers" in sys.argv[1:]
    wanted = [a for a in sys.argv[1:] if not a.startswith("--")]
    unknown = [w for w in wanted if w not in [work[0] for work in WORKS] + list(SERVICES)]
    if unknown:
        print(f"bench: no work \"{unknown[0]}\"; there are {', '.join([w[0] for w in WORKS] + list(SERVICES))}", file=sys.stderr)
        return 2
    if with_libraries:
        install_libraries()
        wanted = wanted or list(LIBRARIES)
    for percent in (10, 100):
        os.makedirs(f"{FOLDER}/{percent}", exist_ok=True)
        subprocess.run([TALLY, "inputs", str(percent), f"{FOLDER}/{percent}"], check=True)
    print(line("work", "thr", "Tally", "MB", "x10", "peer", "thr", "peer's", "MB", "ratio"))
    rows = []
    for name, _, peer, others, tolerance in WORKS:
        if not wanted or name in wanted:
            rows.append(measure(name, peer, others, tolerance, LIBRARIES.get(name, []) if with_libraries else []))
            show(rows[-1])
    for name, measure_service in SERVICES.items():
        if name in wanted or not (wanted or with_libraries):
            rows.append(measure_service())
            show(rows[-1])
    target = "build/bench-peers.json" if with_libraries else "build/bench.json"
    with open(target, "w", encoding="utf-8") as file:
        json.dump(rows, file, indent=1)
        file.write("\n")
    print(f"written: {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
