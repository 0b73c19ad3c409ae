#!/usr/bin/env python3
"""evaluate.py TALLY: tally listings evaluate through the real binary: columns by their names and by --map, rows that cannot
be read, rates within what the project promises, the same rates from the same seed, and tables in which nothing is left.
Prints TAP."""
import gzip
import json
import os
import subprocess
import sys
import tempfile

tally = os.path.realpath(sys.argv[1])
cases = os.path.join(os.path.dirname(os.path.realpath(__file__)), "cases")
work = tempfile.mkdtemp(prefix="tally-e2e.")
env = {**os.environ, "HOME": work, "XDG_STATE_HOME": work, "NO_COLOR": "1"}
count = 0
bad = 0

CHEATS = {"impossible_prices", "wrong_geography", "impossible_dates", "duplicates", "duplicates_near", "copy_exact",
          "copy_near", "honeypot", "sybil", "fabricated"}
RULES = {"late", "quantity", "completeness", "values", "consistency", "duplicates", "spot_check", "price_anomaly",
         "geography", "time", "copy", "sybil", "honeypot", "any"}
HOMES = "price=Ask,address=Where,beds=Rooms,sqft=Interior,type=Kind,date=Listed"


def run(*args, want=0, **more):
    r = subprocess.run([tally, "listings", "evaluate", *args], capture_output=True, text=True, timeout=250,
                       env={**env, **more}, cwd=work)
    assert r.returncode == want, (args, r.returncode, r.stdout[:300], r.stderr[:300])
    return r


def rates(*args, **more):
    return json.loads(run(*args, "--json", **more).stdout)


def table(name, text):
    path = os.path.join(work, name)
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return path


def case(name):
    def wrap(fn):
        global count, bad
        count += 1
        try:
            fn()
            print(f"ok {count} - {name}", flush=True)
        except Exception as e:  # each failure is one line of TAP, with its reason
            bad += 1
            print(f"not ok {count} - {name}\n# {type(e).__name__}: {str(e)[:600]}", flush=True)
    return wrap


def holds(r):
    """What the issue promises of any table."""
    low = {c: r["detection_rate"][c] for c in CHEATS if r["detection_rate"][c] < .99}
    assert not low and r["false_alarm_rate"]["any"] <= .01, (low, r["false_alarm_rate"])
    assert set(r["detection_rate"]) == CHEATS and set(r["false_alarm_rate"]) == RULES
    assert r["honest"] >= 1000 and all(n >= 200 for n in r["played"].values()), (r["honest"], r["played"])


@case("a table whose columns are called as usual; bad rows are counted")
def _():
    r = rates("--data", f"{cases}/sales.csv")
    holds(r)
    assert (r["rows"], r["skipped"], r["zipcodes"], r["seed"]) == (90, 3, 2, 1), r
    assert r["made_up"] == ["address", "days_on_market", "listing_status", "mls_id", "property_type", "source_url"], r
    assert r["detected_by"]["fabricated"] == {"spot_check": 1.0} and r["places"]["known"] == 2, r
    table("first.json", json.dumps(r))


@case("the same seed gives the same rates on one thread, and from gzip; another seed does not")
def _():
    first = json.load(open(os.path.join(work, "first.json")))
    packed = table("sales.csv.gz", gzip.compress(open(f"{cases}/sales.csv", "rb").read()))
    assert rates("--data", packed, TALLY_POOL_THREADS="1") == first
    assert rates("--data", packed, "--seed", "2") != first


@case("a table whose columns must be named; semicolons, dollars, addresses that end with the zipcode")
def _():
    r = rates("--data", f"{cases}/homes.csv", "--map", HOMES, "--seed", "7")
    holds(r)
    assert (r["rows"], r["skipped"], r["zipcodes"]) == (80, 0, 2) and "address" not in r["made_up"], r


@case("text for people says what was played and who was accused")
def _():
    r = run("--data", f"{cases}/homes.csv", "--map", HOMES, "-q")
    assert "honest" in r.stdout and "fabricated" in r.stdout and "made up: bathrooms" in r.stdout and not r.stderr, r.stdout


def refused(text, want, word, *args):
    r = run("--data", table("bad.csv", text), *args, "--json", want=want)
    e = json.loads(r.stdout)["error"]
    assert word in e["message"] + str(e["field"]), e


@case("tables in which nothing is left, or nothing is named, are clear errors")
def _():
    refused("price,zipcode\n500000,98101\n", 3, "no zipcode has 30 houses")
    refused("price,zipcode\n", 3, "no zipcode has 30 houses")
    refused("", 3, "header")
    refused("cost,zipcode\n1,98101\n", 3, "price")
    refused("price,beds\n500000,3\n", 3, "zipcode")
    refused("price,zipcode\n500000,98101\n", 3, "no column \"Cost\"", "--map", "price=Cost")
    refused("price,zipcode\n500000,98101\n", 3, "no field \"colour\"", "--map", "colour=price")
    refused("price,zipcode\n500000,98101\n", 3, "field=column", "--map", "price")
    refused(b"\x00\xff\n", 3, "header")
    assert run("--data", os.path.join(work, "none.csv"), want=4)
    assert run(want=2)


@case("two columns are enough, and every kind of broken row is skipped")
def _():
    rows = [f"{300000 + 1000 * (i * 37 % 100)},{1001 if i % 2 else '01001'}" for i in range(90)]
    broken = ["1,2,3", "\"500000,98101", "abc,01001", "0,01001", "500000,", "9e99,01001", "500000,1100x", "5\x00,01001"]
    r = rates("--data", table("few.csv", "price,zip\r\n" + "\r\n".join(rows + broken) + "\r\n"))
    holds(r)
    assert (r["rows"], r["skipped"], r["zipcodes"]) == (90, len(broken), 1), r


print(f"1..{count}")
sys.exit(bad > 0)
