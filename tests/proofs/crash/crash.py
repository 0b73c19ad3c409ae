"""crash.py BUILD: kills a small network at hundreds of points, starts it again, and compares.

crash_driver plays three epochs through the engine; libcrash_killer.so, preloaded, counts each call that changes
the state folder, and ends the process at the one that it was told: before it, after it, in the middle of a
write (torn), or together with everything (powerloss) or some of what (mixed) was not synced. First an undisturbed
run says how the end must be, and a counted one which points there are. Then each trial, in a folder of its own:

    run until killed [killed again during the recovery] → run to the end → compare

Lost is a receipt or a settled epoch that was printed before the death and is not found after it, and each entry of
the undisturbed journal that is missing; doubled is each entry or kept signal too many. Besides, journal, bundles,
database and the names in the folder must equal the undisturbed run's, byte for byte. Points are chosen so that
every site (killer.h) dies in every way, and evenly over all of the run for the rest.
"""
import collections
import concurrent.futures
import glob
import os
import shutil
import sqlite3
import subprocess
import sys

BUILD = os.path.abspath(sys.argv[1])
DRIVER = f"{BUILD}/tests/proofs/crash/crash_driver"
KILLER = f"{BUILD}/tests/proofs/crash/libcrash_killer.so"
SCRATCH = os.path.abspath("build/proof-crash")
MODES = ["before", "after", "torn", "powerloss", "mixed"]
SPREAD = 330  # points spread evenly, beside those of the sites
AGAIN_EVERY = 5  # each fifth trial is killed once more while it recovers
DEMO_EPOCHS, DEMO_POINTS = 2, 40
LIMIT_S = 60
# Calls that change files and that the killer does not see: the program must not use them.
UNSEEN = ("writev pwritev pwritev64 pwritev2 truncate truncate64 renameat renameat2 unlinkat linkat link symlink "
          "mkdirat openat openat64 creat creat64 mkstemp mkstemp64 posix_fallocate posix_fallocate64 sendfile "
          "copy_file_range splice sync_file_range syncfs sync msync fopen fopen64 remove chmod").split()
# Rooms that the portfolio's road does not pass. What they keep is killed by tests of their own: the replay store, the
# service's rows and objects (io/records, app/coordinator/intake, tests/e2e/coordinator.py, proof faults), backups.
WIRE = ("src_sdk_", "src_io_net_", "src_io_redis_", "src_io_objects_", "src_app_backup_", "src_app_cli_cmd_doctor")

Point = collections.namedtuple("Point", "number call kind length site")
Trial = collections.namedtuple("Trial", "number mode seed again deaf")
count = bad = 0


def verdict(name, fine, *details):
    global count, bad
    count += 1
    bad += not fine
    print(f"{'ok' if fine else 'not ok'} {count} - {name}", flush=True)
    for line in [] if fine else details[:12]:
        print(f"#   {line}", flush=True)


def start(command, state, at=0, mode="before", seed=0, log=None, deaf=False):
    """Runs the command under the killer; gives (exit status, the lines that it printed whole, errors)."""
    env = dict(os.environ, LD_PRELOAD=KILLER, KILLER_DIR=state, KILLER_AT=str(at), KILLER_MODE=mode,
               KILLER_SEED=str(seed), KILLER_UNDO=state + ".undo")
    if log:
        env["KILLER_LOG"] = log
    if deaf:
        env["KILLER_DEAF"] = "1"
    os.makedirs(state + ".undo", exist_ok=True)
    done = subprocess.run(command, env=env, capture_output=True, timeout=LIMIT_S)
    out = done.stdout.decode().splitlines(keepends=True)
    return done.returncode, [line.rstrip("\n") for line in out if line.endswith("\n")], done.stderr.decode()


def tables(state):
    """Every row of the database, but when the migrations were applied."""
    db = sqlite3.connect(f"file:{state}/tally.db?mode=ro", uri=True)
    rows = {}
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'migrations'"):
        rows[name] = [tuple(c.replace(state, "DIR") if isinstance(c, str) else c for c in row)
                      for row in db.execute(f"SELECT * FROM {name}")]
    db.close()
    return rows


def files(state):
    """Names and bytes in the folder; the database and the lock by name only."""
    found = {}
    for folder, _, names in os.walk(state):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as f:
                found[os.path.relpath(path, state)] = f.read() if name.endswith(".bundle") else b""
    return found


class Run:
    """What a run printed, and what it left."""

    def __init__(self, lines, state=None):
        words = [line.split() for line in lines]
        self.acks = [tuple(w[1:4]) for w in words if w[0] == "ack"]
        self.known = {tuple(w[1:4]) for w in words if w[0] == "ack" and w[4] == "old"}
        self.settled = [tuple(w[1:]) for w in words if w[0] == "settled"]
        self.kept = [tuple(w[2:]) for w in words if w[0] == "kept"]
        self.entries = collections.Counter(w[2] for w in words if w[0] == "entry")
        self.end = [line for line in lines if line.startswith(("entry", "done"))]
        if state:
            self.tables, self.files = tables(state), files(state)


def compare(before, after, wanted):
    """(lost, doubled, what else differs) after a death: before is what had been printed until then."""
    kept = {epoch for epoch, _ in after.kept}
    lost = [f"receipt {a}" for a in before.acks if a not in after.known and a[0] not in kept]
    lost += [f"settled {s}" for s in before.settled if s not in after.kept]
    lost += [f"entry {e}" for e in wanted.entries - after.entries]
    doubled = [f"entry {e}" for e in after.entries - wanted.entries]
    keys = collections.Counter(row[1] for row in after.tables.get("submissions", []))
    doubled += [f"signal {k.hex()}" for k, n in keys.items() if n > 1]
    differs = [] if after.end == wanted.end else ["the journal"]
    differs += [f"table {t}" for t in wanted.tables if after.tables.get(t) != wanted.tables[t]]
    differs += [f"file {f}" for f in sorted(set(after.files) | set(wanted.files))
                if after.files.get(f) != wanted.files.get(f)]
    return lost, doubled, differs


def try_one(trial, wanted):
    """One trial; (where it died, lost, doubled, what else is wrong)."""
    name = f"{trial.number}-{trial.mode}-{trial.seed}{'-deaf' if trial.deaf else ''}"
    state, log = f"{SCRATCH}/{name}", f"{SCRATCH}/{name}.log"
    command = [DRIVER, state]
    try:
        status, lines, _ = start(command, state, trial.number, trial.mode, trial.seed, log, trial.deaf)
        if status != -9:
            return None, [], [], [f"{name}: not killed, exit status {status}"]
        if trial.again:
            status, more, said = start(command, state, trial.again, MODES[trial.again % 4], trial.seed, log, trial.deaf)
            lines += more
            if status not in (-9, 0):
                return None, [], [], [f"{name}, second start: {said}"]
        status, last, said = start(command, state)
        with open(log, encoding="ascii") as f:
            died = [line.split() for line in f]
        if status != 0:
            return died, [], [], [f"{name}: after {died[0][2:]}: exit status {status}: {said.strip()}"]
        lost, doubled, differs = compare(Run(lines), Run(last, state), wanted)
        at = f"{name}: after {' '.join(died[0][2:4])}: "
        return died, [at + x for x in lost], [at + x for x in doubled], [at + x for x in differs]
    except subprocess.TimeoutExpired:
        return None, [], [], [f"{name}: still running after {LIMIT_S} s"]
    finally:
        for path in (state, state + ".undo"):
            shutil.rmtree(path, ignore_errors=True)
        if os.path.exists(log):
            os.remove(log)


def choose(points):
    """Every site in every way, at its first and last point; the rest evenly over the run."""
    trials = {}

    def add(point, mode):
        if mode != "torn" or point.length >= 2:
            again = 1 + (len(trials) * 7) % 90 if len(trials) % AGAIN_EVERY == 0 else 0
            trials.setdefault((point.number, mode), Trial(point.number, mode, len(trials) + 1, again, False))

    sites = {}
    for point in points:
        sites.setdefault(point.site, []).append(point)
    for at_site in sites.values():
        for mode in MODES:
            add(at_site[0], mode)
        add(at_site[-1], "powerloss")
    for i in range(SPREAD):
        add(points[i * len(points) // SPREAD], MODES[(i * 3) % len(MODES)])
    return list(trials.values())


def undisturbed(name, log=None):
    state = f"{SCRATCH}/{name}"
    status, lines, said = start([DRIVER, state], state, log=log)
    run = Run(lines, state) if status == 0 else None
    verdict(f"the {name} run ends well", status == 0, said)
    return run


def unseen_calls():
    found = []
    names = subprocess.run(["ldd", DRIVER], capture_output=True, text=True, check=True).stdout.split()
    sqlite = [w for w in names if w.startswith("/") and "sqlite" in w]
    objects = [o for o in glob.glob(f"{BUILD}/libtally-*.a.p/*.o") if not os.path.basename(o).startswith(WIRE)]
    if not objects:
        return ["no objects to look at"]
    for binary in [DRIVER] + objects + sqlite:
        dynamic = [] if binary.endswith(".o") else ["-D"]
        text = subprocess.run(["nm", *dynamic, "--undefined-only", binary], capture_output=True, text=True, check=True).stdout
        used = {line.split()[-1].split("@")[0] for line in text.splitlines()}
        found += [f"{binary}: {name}" for name in UNSEEN if name in used]
    return found


def demo(state):
    return [f"{BUILD}/tally", "demo", "--epochs", str(DEMO_EPOCHS), "--json", "-q", "--dir", state]


def try_demo(trial, wanted):
    """The demo killed once; what differs in its report, its database and its files."""
    state, log = f"{SCRATCH}/demo-{trial.number}-{trial.mode}", f"{SCRATCH}/demo-{trial.number}-{trial.mode}.log"
    try:
        status, lines, said = start(demo(state), state, trial.number, trial.mode, trial.seed, log)
        if status != -9 or lines:
            return [f"demo at {trial.number}: not killed: {said}"]
        status, lines, said = start(demo(state), state)
        if status != 0:
            return [f"demo at {trial.number}, {trial.mode}: exit status {status}: {said.strip()}"]
        found = report(lines, state)
        return [f"demo at {trial.number}, {trial.mode}: {name}" for name in wanted if found[name] != wanted[name]]
    except subprocess.TimeoutExpired:
        return [f"demo at {trial.number}: still running after {LIMIT_S} s"]
    finally:
        for path in (state, state + ".undo"):
            shutil.rmtree(path, ignore_errors=True)
        if os.path.exists(log):
            os.remove(log)


def report(lines, state):
    """What the demo said and left."""
    return {"the report": [line.replace(state, "DIR") for line in lines], "the files": files(state),
            **{f"table {name}": rows for name, rows in tables(state).items()}}


def check_demo():
    """The whole program, killed over all of its run; how many deaths."""
    state = f"{SCRATCH}/demo"
    status, lines, said = start(demo(state), state, log=f"{SCRATCH}/demo-points")
    verdict("the demo runs to its end", status == 0 and len(lines) == 1, said)
    if status != 0:
        return 0
    wanted = report(lines, state)
    with open(f"{SCRATCH}/demo-points", encoding="ascii") as f:
        total = sum(1 for _ in f)
    trials = [Trial(1 + (i * total) // DEMO_POINTS, MODES[i % 5 if i % 5 != 2 else 4], i, 0, False)
              for i in range(DEMO_POINTS)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        wrong = [x for r in pool.map(lambda t: try_demo(t, wanted), trials) for x in r]
    verdict(f"the demo, killed at {DEMO_POINTS} of its {total} points: its digest, books and files are the same",
            not wrong, *wrong)
    return DEMO_POINTS


def judge(trials, wanted):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(lambda t: try_one(t, wanted), trials))


def main():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    os.makedirs(SCRATCH)
    unseen = unseen_calls()
    verdict("the killer sees every call that the program has for changing files", not unseen, *unseen)
    wanted = undisturbed("undisturbed")
    counted = undisturbed("counted", f"{SCRATCH}/points")
    if bad:
        return 1
    with open(f"{SCRATCH}/points", encoding="ascii") as f:
        words = [line.split() for line in f]
    points = [Point(int(w[1]), w[2], w[3], int(w[4]), w[5]) for w in words]
    _, _, differs = compare(Run([]), counted, wanted)
    verdict("two undisturbed runs are the same, byte for byte", not differs, *differs)

    trials = choose(points)
    results = judge(trials, wanted)
    sites = {died[0][5] for died, *_ in results if died}
    lost = [x for r in results for x in r[1]]
    doubled = [x for r in results for x in r[2]]
    twice = sum(1 for died, *_ in results if died and len(died) > 1)
    for mode in MODES:
        own = [r for t, r in zip(trials, results) if t.mode == mode]
        wrong = [x for r in own for x in r[1] + r[2] + r[3]]
        verdict(f"{mode}: after {len(own)} deaths everything is as if there had been none", own and not wrong, *wrong)
    verdict(f"{twice} of them died again while they recovered", twice >= 20)
    verdict(f"the {len(points)} points of the run have at least 20 sites, and each of the {len(sites)} was died at",
            len(sites) >= 20 and sites == {p.site for p in points})

    deaf = [t._replace(deaf=True, again=0) for t in trials if t.mode == "powerloss"][::8]
    found = judge(deaf, wanted)
    verdict(f"without syncs the same proof finds losses, in {sum(1 for r in found if r[1])} of {len(deaf)} deaths",
            any(r[1] for r in found))

    points_died = sum(1 for died, *_ in results if died) + check_demo()
    print(f"# PROOF crash points={points_died} distinct_sites={len(sites)} "
          f"lost={len(lost)} doubled={len(doubled)}", flush=True)
    print(f"1..{count}")
    shutil.rmtree(SCRATCH, ignore_errors=True)
    return 1 if bad else 0


sys.exit(main())
