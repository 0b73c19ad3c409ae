"""portfolio.py TALLY: the portfolio road through the real binary. Attacks bad lines, broken rules, changed bundles and
lies, parameters, and the promises about order and errors. Each expectation about money is counted here again from the
spec's tables. Prints TAP."""
import copy
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

TALLY = os.path.abspath(sys.argv[1])
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "portfolio")
PRICES = os.path.join(HERE, "..", "..", "..", "data", "us_stocks_daily_close.csv.gz")
EXAMPLE = "2022-Q1-W3"
TAO = 10**9
count = bad = 0
rng = random.Random(20220103)


def verdict(name, fine, *details):
    global count, bad
    count += 1
    bad += not fine
    print(f"{'ok' if fine else 'not ok'} {count} - {name}", flush=True)
    for line in [] if fine else details[:8]:
        print(f"#   {str(line)[:300]}", flush=True)


def tally(*words):
    return subprocess.run([TALLY, *words], capture_output=True, text=True, errors="replace")


def put(name, text):
    with open(name, "w", encoding="utf-8", newline="\n") as f:
        f.write(text if isinstance(text, str) else json.dumps(text))
    return name


def get(path):
    with open(path, "rb") as f:
        return f.read()


with open(os.path.join(HERE, "signals.jsonl"), encoding="utf-8") as f:
    LINES = f.read().splitlines()
SIGNALS = [json.loads(line) for line in LINES]
LAST = [s for s in SIGNALS if s["epoch_id"] == EXAMPLE]
EARLIER = [s for s in SIGNALS if s["epoch_id"] != EXAMPLE]


def run(signals, params=None, *more):
    """tally portfolio run --json on these signals; the finished process."""
    lines = [s if isinstance(s, str) else json.dumps(s) for s in signals]
    words = ["--prices", PRICES, "--signals", put("signals.jsonl", "\n".join(lines) + "\n")]
    words += ["--params", put("params.json", params)] if params is not None else []
    return tally("portfolio", "run", "--json", *words, *more)


def settled(signals, params=None, *more):
    done = run(signals, params, *more)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def board(result):
    return {row["hotkey"]: row for row in result["scoreboard"]}


# --- the example files are what the program makes ---

def examples():
    os.mkdir("made")
    made = subprocess.run([sys.executable, os.path.join(HERE, "make.py"), TALLY, "made"], capture_output=True, text=True)
    verdict("the example files can be made", made.returncode == 0, made.stderr)
    for name in ["signals.jsonl", "returns.csv", f"{EXAMPLE}.bundle", f"{EXAMPLE}.json"]:
        path = os.path.join("made", name)
        verdict(f"{name} is made again, byte for byte",
                os.path.exists(path) and get(path) == get(os.path.join(HERE, name)))
    done = tally("epoch", "verify", "--json", os.path.join(HERE, f"{EXAMPLE}.bundle"))
    row = json.loads(done.stdout)
    verdict("its bundle verifies", done.returncode == 0 and row["ok"] is True and row["differs"] == [] and
            row["error"] is None and len(row["digest"]) == 64, row)


# --- order ---

def order():
    first = settled(SIGNALS, None, "--out", "one")
    wanted = get(f"one/{EXAMPLE}.bundle")
    equal = True
    for i in range(4):
        lines = LINES[:]
        rng.shuffle(lines)
        lines.insert(rng.randrange(len(lines)), "   ")
        settled(lines, None, "--out", f"order{i}")
        equal = equal and get(f"order{i}/{EXAMPLE}.bundle") == wanted
    verdict("the order of lines and empty ones change no byte of the bundle", equal)
    turned = [dict(reversed(list(s.items())), note="ignored") for s in SIGNALS]
    for s in turned:
        s["positions"] = s["positions"][::-1]
    settled(turned, None, "--out", "turned")
    verdict("nor does the order of fields and positions, or a field that nobody knows",
            get(f"turned/{EXAMPLE}.bundle") == wanted)
    verdict("the result names the bundle that was written", first["bundle"] == f"one/{EXAMPLE}.bundle" and
            json.loads(tally("epoch", "verify", "--json", first["bundle"]).stdout)["digest"] == first["digest"])
    s = first["settlement"]
    antes = sum(x["ante_rao"] for x in LAST)
    verdict("what goes in comes out", s["total_in_rao"] == s["total_out_rao"] == antes + s["emission_rao"] and
            s["emission_rao"] + s["validators_rao"] + s["owner_rao"] == 10**12 and
            sum(r["reward_rao"] for r in first["scoreboard"]) == s["rewarded_rao"], s)


# --- bad input: exit 3, and the message names the line ---

def bad_lines():
    good = LAST[0]
    broken = {"no JSON": "{", "a list": "[]", "two objects": json.dumps(good) * 2,
              "a field twice": json.dumps(good)[:-1] + ',"ante_rao":1}'}
    for field in ["hotkey", "epoch_id", "ante_rao", "positions", "commit_height", "reveal_height"]:
        broken[f"no {field}"] = {k: v for k, v in good.items() if k != field}
    for field, value in [("hotkey", 5), ("epoch_id", None), ("ante_rao", "1"), ("ante_rao", 1.5), ("ante_rao", 2**63),
                         ("positions", {}), ("positions", [5]), ("positions", [{"ticker": "KO"}]),
                         ("positions", [{"ticker": 1, "weight_millionths": 1}]),
                         ("positions", [{"ticker": "KO", "weight_millionths": 0.5}]), ("commit_height", -1),
                         ("reveal_height", "soon"), ("salt", "00"), ("salt", "zz" * 32), ("commitment", 7),
                         ("registered", 1), ("signature_valid", "yes")]:
        broken[f"{field} is {json.dumps(value)}"] = dict(good, **{field: value})
    for name, line in broken.items():
        done = run(LINES[:4] + [line] + LINES[5:])
        error = json.loads(done.stdout).get("error", {})
        verdict(f"a line with {name} is bad input, line 5",
                done.returncode == 3 and "line 5" in error.get("message", "") and
                error.get("code", "").startswith("TL_ERR_") and
                set(error) == {"code", "message", "field", "hint"}, done.returncode, done.stdout)
    done = tally("portfolio", "run", "--prices", PRICES, "--signals", put("bad.jsonl", LINES[0] + "\n{\n"))
    verdict("without --json the message goes to standard error",
            done.returncode == 3 and done.stdout == "" and "line 2" in done.stderr, done.stderr)


def bad_files():
    signals = os.path.join(HERE, "signals.jsonl")
    cases = [("signals that are not there", 4, "none.jsonl", PRICES, "none.jsonl", None),
             ("prices that are not there", 4, "none.csv", "none.csv", signals, None),
             ("parameters that are not there", 4, "none.json", PRICES, signals, "none.json"),
             ("an empty file of signals", 3, "signal", PRICES, put("empty", ""), None),
             ("prices that end before the epoch", 3, EXAMPLE, put("short.csv", "Date,AAPL\n2021-01-04,1.5\n"), signals, None),
             ("a price of zero", 3, "prices", put("zero.csv", "Date,AAPL\n2022-01-03,1.5\n2022-01-04,0\n"), signals, None),
             ("a date that goes back", 3, "prices", put("back.csv", "Date,AAPL\n2022-01-04,1\n2022-01-03,1\n"), signals, None),
             ("an unknown parameter", 3, "emision_rao", PRICES, signals, put("p1", {"emision_rao": 1})),
             ("a parameter of another type", 3, "emission_rao", PRICES, signals, put("p2", {"emission_rao": "1"})),
             ("a profile that is none", 3, "profile", PRICES, signals, put("p3", {"profile": "Q"})),
             ("parameters that are no JSON", 3, "parameters", PRICES, signals, put("p4", "{")),
             ("a validator without stake", 3, "stake_rao", PRICES, signals,
              put("p5", {"validators": [{"hotkey": LAST[0]["hotkey"]}]})),
             ("a validator twice", 3, "validators", PRICES, signals,
              put("p6", {"validators": [{"hotkey": LAST[0]["hotkey"], "stake_rao": 1}] * 2})),
             ("a hotkey with a wrong checksum", 3, "hotkey", PRICES, signals,
              put("p7", {"validators": [{"hotkey": "5" + "C" * 47, "stake_rao": 1}]})),
             ("a negative balance", 3, "balances_rao", PRICES, signals,
              put("p8", {"balances_rao": {LAST[0]["hotkey"]: -1}})),
             ("stakes whose sum is too large", 3, "validators[1]", PRICES, signals,
              put("p9", {"validators": [{"hotkey": s["hotkey"], "stake_rao": 2**62} for s in LAST[:2]]}))]
    named = {"an empty file of signals": "empty", "prices that end before the epoch": "short.csv", "a validator twice": "p6",
             "a negative balance": "p8", "stakes whose sum is too large": "p9"}
    for name, code, word, prices, lines, params in cases:
        words = ["--prices", prices, "--signals", lines] + (["--params", params] if params else [])
        done = tally("portfolio", "run", *words)
        verdict(f"{name}: exit {code}, and it is named",
                done.returncode == code and word in done.stderr and done.stdout == "" and
                f"tally: {named.get(name, '')}" in done.stderr, done.returncode, done.stderr)
    marked = run([*LINES], None)
    with_mark = run(["\ufeff" + LINES[0], *LINES[1:]], None)
    verdict("a byte order mark is no part of the signals", with_mark.stdout == marked.stdout and marked.returncode == 0,
            with_mark.stderr, with_mark.stdout[:200])
    verdict("the keys of the result are sorted", list(json.loads(marked.stdout)) == sorted(json.loads(marked.stdout)))


# --- every code, its outcome and its money (portfolio spec, sections 1, 2 and 7) ---

def changed(signal, **fields):
    new = copy.deepcopy(signal)
    new.update(fields)
    return new


def reweighted(signal, weights):
    tickers = ["AAPL", "AMD", "BAC", "BBY", "CVX", "GE", "HD", "JNJ"]
    return changed(signal, positions=[{"ticker": t, "weight_millionths": w} for t, w in zip(tickers, weights)])


def money(row):
    return [row[k] for k in ("ante_back_rao", "burned_rao", "redistributed_rao", "reward_rao")]


def check_code(name, signal, code, outcome, parts, params=None):
    """parts: of the ante: what comes back, is burned, goes to the pool; None: nothing was locked."""
    others = EARLIER + [s for s in LAST if s["hotkey"] != LAST[0]["hotkey"]]
    row = [r for r in settled(others + [signal], params)["scoreboard"] if r["commit_height"] == signal["commit_height"]][0]
    wanted = [0, 0, 0, 0] if parts is None else [*parts, 0]
    verdict(f"{name}: {code or outcome}", row["code"] == code and row["outcome"] == outcome and money(row) == wanted and
            row["rank"] is None, row["code"], row["outcome"], money(row), wanted)


def codes():
    one = changed(LAST[0], commit_height=100805, reveal_height=105805, ante_rao=10 * TAO + 7)
    ante, half = one["ante_rao"], one["ante_rao"] // 2
    back, lost = (ante, 0, 0), (0, half, ante - half)
    fifth = [200000] * 5
    lower = reweighted(one, fifth)
    lower["positions"][0]["ticker"] = "aapl"
    check_code("a ticker in small letters", lower, "E001", "invalid", back)
    check_code("a ticker without prices", changed(reweighted(one, fifth), positions=[
        {"ticker": t, "weight_millionths": 200000} for t in ("AAPL", "AMD", "BAC", "BBY", "ZZZZ")]), "E001", "invalid", back)
    check_code("a ticker twice", changed(one, positions=reweighted(one, fifth)["positions"][:4] * 2), "E001", "invalid", back)
    check_code("a weight above 20 %", reweighted(one, [200001, 199999, 200000, 200000, 200000]), "E002", "invalid", back)
    check_code("a weight of nothing", reweighted(one, fifth + [0]), "E002", "invalid", back)
    check_code("a short position", reweighted(one, fifth + [-1000]), "E002", "invalid", back)
    check_code("weights that sum to 0.999899", reweighted(one, [199899] + [200000] * 4), "E003", "invalid", back)
    check_code("four positions", reweighted(one, [200000] * 4), "E004", "invalid", back)
    check_code("an ante of one rao less than ten TAO", changed(one, ante_rao=10 * TAO - 1), "E005", None, None)
    check_code("an ante above the free balance", one, "E005", None, None,
               {"balances_rao": {s["hotkey"]: (ante - 1 if s is LAST[0] else 100 * TAO) for s in LAST}})
    check_code("another commitment", changed(one, commitment="ab" * 32), "E006", "hash_differs", lost)
    check_code("never revealed", changed(one, reveal_height=None), None, "not_revealed", lost)
    check_code("revealed a block too late", changed(one, reveal_height=100805 + 14401), "E007", "not_revealed", lost)
    check_code("revealed a block too soon", changed(one, reveal_height=100805 + 4199), "E007", "not_revealed", lost)
    check_code("revealed at once", changed(one, reveal_height=100805 + 1799), None, "revealed_early",
               (ante - half, half // 2, half - half // 2))
    check_code("a week that is none", changed(one, epoch_id="2022-Q1-W15"), "E007", None, None)
    check_code("a hotkey that is none", changed(one, hotkey="5" + "C" * 47), "E008", None, None)
    check_code("not registered", changed(one, registered=False), "E008", None, None)
    check_code("a bad signature", changed(one, signature_valid=False), "E008", None, None)
    for name, weights in [("exactly 1.0001", [200000] * 4 + [190100, 10000]), ("exactly 0.9999", [199900] + [200000] * 4),
                          ("weights of exactly 20 %", fifth)]:
        row = board(settled(EARLIER + LAST[1:] + [reweighted(one, weights)]))[one["hotkey"]]
        verdict(f"{name} passes", row["code"] is None and row["outcome"] == "ranked", row)
    for height in (4200, 14400):
        row = board(settled(EARLIER + LAST[1:] + [changed(one, reveal_height=100805 + height)]))[one["hotkey"]]
        verdict(f"a reveal {height} blocks after the commit counts", row["code"] is None, row)
    twice = changed(LAST[0], commit_height=100900, reveal_height=105900, ante_rao=20 * TAO)
    rows = [r for r in settled(SIGNALS + [twice])["scoreboard"] if r["hotkey"] == twice["hotkey"]]
    verdict("a second signal is E009, locks nothing and leaves the first alone: E009",
            [(r["code"], r["outcome"]) for r in rows if r["commit_height"] == 100900] == [("E009", None)] and
            [r["code"] for r in rows if r["commit_height"] != 100900] == [None] and
            [money(r) for r in rows if r["commit_height"] == 100900] == [[0, 0, 0, 0]], rows)


# --- parameters ---

def parameters():
    plain = settled(SIGNALS)
    three = [{"hotkey": SIGNALS[i]["hotkey"], "stake_rao": stake} for i, stake in enumerate([5, 4, 1])]
    result = settled(SIGNALS, {"validators": three})
    verdict("validators: as many as are named, with their stakes",
            sorted(v["stake_rao"] for v in result["validators"]) == [1, 4, 5] and result["agreement"]["status"] == "PERFECT")
    money = settled(SIGNALS, {"emission_rao": 999, "external_rao": 13})
    s = money["settlement"]
    verdict("emission_rao is split 41, 41 and the rest; external_rao comes on top",
            (s["emission_rao"], s["validators_rao"], s["owner_rao"], s["external_rao"]) == (409, 409, 181, 13) and
            s["total_in_rao"] == s["total_out_rao"], s)
    valid = [x for x in SIGNALS if board(plain).get(x["hotkey"], {}).get("rank") is not None]
    result = settled(valid, {"emission_rao": 0})
    s = result["settlement"]
    verdict("without emission the rake is taken from antes, to the last rao", s["deficit_rao"] > 0 and
            s["winner_pool_rao"] == 0 and s["total_in_rao"] == s["total_out_rao"] and
            all(r["ante_rao"] == r["ante_back_rao"] + r["burned_rao"] + r["redistributed_rao"] + r["deficit_rao"]
                for r in result["scoreboard"]), s)
    stakes = {x["hotkey"]: 1000 if i else 1 for i, x in enumerate(LAST)}
    flagged = {r["hotkey"] for r in settled(SIGNALS, {"stakes_rao": stakes})["scoreboard"]
               for f in r["flags"] if f["rule"] == "sybil" and f["factor"] == 0.5}
    verdict("stakes_rao: who has next to none is flagged as sybil, at half", LAST[0]["hotkey"] in flagged and
            not any(f["rule"] == "sybil" for r in plain["scoreboard"] for f in r["flags"]), flagged)
    qs = {p: [r["qs_millionths"] for r in settled(SIGNALS, {"profile": p})["scoreboard"]] for p in "APD"}
    verdict("each profile scores otherwise; A is the default",
            qs["A"] == [r["qs_millionths"] for r in plain["scoreboard"]] and len({tuple(v) for v in qs.values()}) == 3)
    enough = settled(SIGNALS, {"balances_rao": {s["hotkey"]: 100 * TAO for s in LAST}})
    verdict("balances that suffice change no score and no payout", enough["scoreboard"] == plain["scoreboard"])


# --- bundles: changed ones are refused, and replay finds lies ---

def numbers(tree, path=()):
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from numbers(value, path + (key,))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from numbers(value, path + (index,))
    elif isinstance(tree, int) and not isinstance(tree, bool):
        yield path


def told_otherwise(document, section, path, change):
    new = copy.deepcopy(document)
    at = new[section]
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = change(at[path[-1]])
    return new


def bundles():
    raw = get(os.path.join(HERE, f"{EXAMPLE}.bundle"))
    codes, others = [], []
    for i in range(80):
        new = bytearray(raw)
        new[rng.randrange(len(new))] ^= 1 << rng.randrange(8)
        if i % 8 == 0:
            new = new[:rng.randrange(len(new))]
        with open("changed.bundle", "wb") as f:
            f.write(new)
        codes.append(tally("epoch", "verify", "changed.bundle").returncode)
    verdict("80 changed or cut bundles: exit 1 or 3, each", set(codes) <= {1, 3}, codes)
    for text in ("", "{}", "[]", "TALLY", "null\n", "{" * 100000):
        others.append(tally("epoch", "verify", put("none.bundle", text)).returncode)
    verdict("what is no bundle at all: exit 3", set(others) == {3}, others)
    document = json.loads(tally("epoch", "export", os.path.join(HERE, f"{EXAMPLE}.bundle")).stdout)
    verdict("export has exactly five sections", set(document) == {"inputs", "evidence", "parameters", "results", "digests"})
    packed = tally("epoch", "pack", put("honest.json", document), "-o", "honest.bundle")
    verdict("an honest pack is the bundle, byte for byte", packed.returncode == 0 and get("honest.bundle") == raw)
    found = []
    paths = list(numbers(document["results"]))
    for path in rng.sample(paths, 40):
        put("lie.json", told_otherwise(document, "results", path, lambda n: n + 1))
        if tally("epoch", "pack", "lie.json", "-o", "lie.bundle").returncode == 0:
            done = tally("epoch", "verify", "--json", "lie.bundle")
            found.append(done.returncode == 1 and json.loads(done.stdout)["differs"] != [])
        else:
            found.append(True)
    verdict("40 false results: found by replay, each", all(found) and len(found) == 40)
    found = 0
    for path in rng.sample(list(numbers(document["evidence"])), 30):
        put("lie.json", told_otherwise(document, "evidence", path, lambda n: n + 1 + abs(n) // 10))
        packed = tally("epoch", "pack", "lie.json", "-o", "lie.bundle")
        found += packed.returncode != 0 or tally("epoch", "verify", "lie.bundle").returncode == 1
    verdict(f"false prices: {found} of 30 change a result, and are found", found >= 10)
    done = tally("epoch", "verify", "--json", "honest.bundle", "lie.bundle", "none.bundle", "absent.bundle")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    verdict("several bundles: a line each, the worst exit code", [r["bundle"] for r in rows] ==
            ["honest.bundle", "lie.bundle", "none.bundle", "absent.bundle"] and rows[0]["ok"] and not rows[2]["ok"] and
            rows[2]["error"] and done.returncode in (3, 4), done.returncode, rows)
    done = tally("epoch", "verify", "--json", "honest.bundle", "lie.bundle")
    verdict("one that differs: exit 1", done.returncode == 1, done.returncode)


# --- the state folder ---

def submit(signal, folder="state"):
    done = tally("portfolio", "submit", "--json", "--dir", folder, "--signal", put("signal.json", signal))
    return done, json.loads(done.stdout)


def state_folder():
    first = SIGNALS[0]
    done, receipt = submit(first)
    verdict("a signal is accepted", done.returncode == 0 and receipt["accepted"] is True and receipt["code"] is None and
            receipt["hotkey"] == first["hotkey"] and receipt["epoch_id"] == first["epoch_id"], receipt)
    again, same = submit(first)
    verdict("sent again, it gets the same receipt", again.returncode == 0 and same == receipt)
    done, other = submit(changed(first, commit_height=50, ante_rao=12 * TAO))
    verdict("a second one of that hotkey is refused: exit 1, E009", done.returncode == 1 and other["code"] == "E009" and
            other["accepted"] is False, other)
    done, other = submit(changed(SIGNALS[1], commit_height=60, ante_rao=1))
    verdict("an ante too small is refused: exit 1, E005", done.returncode == 1 and other["code"] == "E005", other)
    done, other = submit(changed(first, ante_rao=13 * TAO))
    verdict("a second one at the height of the first too", done.returncode == 1 and other["code"] == "E009", other)
    done, other = submit(changed(first, ante_rao=1))
    verdict("a rule that it breaks itself comes first", done.returncode == 1 and other["code"] == "E005", other)
    done, other = submit(changed(SIGNALS[2], commit_height=40))
    verdict("of different hotkeys, any may come first", done.returncode == 0 and other["accepted"] is True, other)
    books = json.loads(tally("ledger", "verify", "--json", "--dir", "state").stdout)
    verdict("each ante is locked, once", books["balanced"] is True and books["entries"] == 4, books)
    row = json.loads(tally("epoch", "list", "--json", "--dir", "state").stdout)
    verdict("the epoch is open", row["epoch_id"] == first["epoch_id"] and row["state"] == "open" and row["bundle"] is None, row)
    done = tally("epoch", "replay", first["epoch_id"], "--dir", "state")
    verdict("an epoch without bundle cannot be replayed", done.returncode in (3, 5) and "bundle" in done.stderr, done.stderr)
    done = tally("epoch", "show", "2030-Q1-W1", "--dir", "state")
    verdict("an epoch that is not there: exit 4", done.returncode == 4 and "2030-Q1-W1" in done.stderr, done.stderr)
    missing = tally("ledger", "verify", "--dir", "nowhere")
    verdict("a folder that is not there: exit 4, and none is made", missing.returncode == 4 and not os.path.exists("nowhere"))


def moved():
    """A folder of the demo, looked at from elsewhere and moved: its bundles are still found."""
    tally("demo", "--epochs", "1", "-q", "--json", "--prices", PRICES, "--dir", "lived")
    row = json.loads(tally("epoch", "list", "--json", "--dir", "lived").stdout)
    there = row["bundle"].startswith("lived/") and os.path.exists(row["bundle"])
    verdict("the list names bundles by paths that can be opened", there, row)
    os.mkdir("elsewhere")
    os.rename("lived", "elsewhere/moved")
    os.chdir("elsewhere")
    done = tally("epoch", "replay", row["epoch_id"], "--dir", "moved")
    shown = tally("epoch", "show", row["epoch_id"], "--trace", "--dir", os.path.abspath("moved"), "--json")
    os.chdir("..")
    verdict("a folder that was moved is replayed", done.returncode == 0, done.stderr)
    verdict("and shown", shown.returncode == 0 and os.path.isfile(json.loads(shown.stdout)["bundle"]), shown.stderr)


def score():
    done = tally("portfolio", "score", "--json", "--returns", os.path.join(HERE, "returns.csv"))
    plain = json.loads(done.stdout)
    verdict("a record is scored", done.returncode == 0 and plain["status"] == "ranked" and
            0 < plain["qs_millionths"] <= 10**6 and plain["days"] == 128, plain)
    busy = json.loads(tally("portfolio", "score", "--json", "--turnover", "1", "--returns",
                            os.path.join(HERE, "returns.csv")).stdout)
    verdict("turnover costs a tenth of the score", plain["qs_millionths"] - busy["qs_millionths"] == 100000,
            plain["qs_millionths"], busy["qs_millionths"])
    for name, text, word in [("a date twice", "date,return\n2021-01-04,0.1\n2021-01-04,0.1\n", "line 3"),
                             ("a word", "date,return\n2021-01-04,much\n", "line 2"),
                             ("no column return", "date,gain\n2021-01-04,0.1\n", "return")]:
        done = tally("portfolio", "score", "--returns", put("returns.csv", text))
        verdict(f"returns with {name}: exit 3, named", done.returncode == 3 and word in done.stderr, done.stderr)
    few = json.loads(tally("portfolio", "score", "--json", "--returns",
                           put("returns.csv", "date,return\n" + "".join(f"2021-01-0{d},0.01\n" for d in range(1, 7)))).stdout)
    verdict("six days are too few", few["status"] == "too_new" and few["qs_millionths"] == 0, few)


def main():
    folder = tempfile.mkdtemp(prefix="tally-portfolio-")
    os.chdir(folder)
    try:
        for part in (examples, order, bad_lines, bad_files, codes, parameters, bundles, state_folder, moved, score):
            part()
    finally:
        os.chdir("/")
        shutil.rmtree(folder, ignore_errors=True)
    print(f"1..{count}")
    return 1 if bad else 0


sys.exit(main())
