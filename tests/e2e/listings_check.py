#!/usr/bin/env python3
"""listings_check.py TALLY: 'tally listings check' through the real binary. Attacks each tier, several files at once, both
profiles, a table as the world, and files that are no objects. Prints TAP."""
import copy
import json
import os
import subprocess
import sys
import tempfile

TALLY = os.path.realpath(sys.argv[1])
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
HONEST = json.load(open(os.path.join(ROOT, "tests/e2e/listings/98103.json"), encoding="utf-8"))
count = bad = 0


def verdict(name, ok, detail=""):
    global count, bad
    count += 1
    bad += not ok
    print(f"{'ok' if ok else 'not ok'} {count} - {name}")
    if not ok:
        print("# " + str(detail)[:800].replace("\n", "\n# "))


def write(name, value):
    with open(name, "w", encoding="utf-8") as file:
        file.write(value if isinstance(value, str) else json.dumps(value))
    return name


def check(*words, expected=12):
    done = subprocess.run([TALLY, "--json", "listings", "check", *words, "--zipcode", "98103", "--expected", str(expected)],
                          capture_output=True, text=True, timeout=60, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, lines, done.stderr


def rules(line):
    return [f["rule"] for f in line["findings"]]


def changed(change, rows=12):
    """The honest object with the first rows changed."""
    value = copy.deepcopy(HONEST)
    for listing in value["listings"][:rows]:
        change(listing)
    return value


def one_file():
    code, lines, err = check(write("honest.json", HONEST))
    ok = code == 0 and len(lines) == 1 and lines[0]["passes"] and lines[0]["tier"] is None and lines[0]["findings"] == []
    parts = lines[0]["quality_parts"]
    ok = ok and parts["accuracy"] is None and parts["data_quality"] == 1 and 0.5 < lines[0]["quality"] <= 1
    verdict("an_honest_file_passes", ok, (code, lines, err))

    code, lines, err = check("honest.json", expected=20)
    verdict("too_few_fail_tier_1", code == 1 and lines[0]["tier"] == 1 and rules(lines[0]) == ["quantity"], (code, lines, err))

    code, lines, err = check(write("cheap.json", changed(lambda x: x.update(price=5), 2)))
    verdict("wrong_values_fail_tier_2", code == 1 and lines[0]["tier"] == 2 and "values" in rules(lines[0])
            and lines[0]["findings"][0]["indices"] == [0, 1], (code, lines, err))

    moved = write("moved.json", changed(lambda x: x.update(latitude=45.0, days_on_market=-3)))
    code, lines, err = check(moved)
    verdict("two_patterns_are_synthetic", code == 1 and lines[0]["synthetic"] and lines[0]["confidence"] == 0.7
            and lines[0]["tier"] is None and not lines[0]["passes"] and rules(lines[0]) == ["geography", "time"],
            (code, lines, err))

    code, lines, err = check("honest.json", "--epoch-start", "2025-10-03T04-00-00")
    verdict("another_epoch_s_rows_are_inconsistent", code == 1 and "consistency" in rules(lines[0]), (code, lines, err))
    code, lines, err = check("honest.json", "--epoch-start", "1759449600", "--deadline", "2025-10-03T04:00:00Z")
    verdict("times_may_be_given", code == 0 and lines[0]["passes"], (code, lines, err))


def several_files():
    files = [write("first.json", HONEST), write("text.json", "{\"listings\":[{]}"), write("again.json", HONEST)]
    code, lines, err = check(*files)
    verdict("a_copy_names_its_original", code == 1 and [x["file"] for x in lines] == files and lines[0]["passes"]
            and "copy" in rules(lines[2]) and lines[2]["findings"][0]["peer"] == "first.json", (code, lines, err))
    verdict("what_is_no_json_fails_with_its_place", lines[1]["tier"] == 1 and "key" in lines[1]["error"], lines)


def the_original():
    code, lines, err = check("honest.json", "--profile", "compat")
    verdict("compat_passes_it_too", code == 0 and lines[0]["passes"], (code, lines, err))
    verdict("and_has_its_bounds", check("honest.json", "--profile", "compat", expected=20)[0] == 1
            and check("honest.json", "--profile", "compat", "--code", "2025-10-29", expected=5)[0] == 0
            and check("honest.json", "--profile", "compat", "--code", "2025-10-03", expected=5)[0] == 1)
    late = write("late.json", changed(lambda x: x.update(scraped_timestamp="2099-01-01T00:00:00Z")))
    verdict("and_its_defects", check(late, "--profile", "compat", "--deadline", "2025-10-03T04:00:00Z")[0] == 0
            and check(late, "--deadline", "2025-10-03T04:00:00Z")[0] == 1)


def a_world():
    rows = ["id,price,zipcode,bedrooms,bathrooms,sqft"]
    rows += [f"{x['zpid']},{x['price']},98103,{x['bedrooms']},{x['bathrooms']},{x['sqft']}" for x in HONEST["listings"]]
    world = write("world.csv", "\n".join(rows) + "\n")
    code, lines, err = check("honest.json", "--reference", world)
    verdict("what_the_table_has_is_accurate", code == 0 and lines[0]["quality_parts"]["accuracy"] == 1, (code, lines, err))
    invented = write("invented.json", changed(lambda x: x.update(zpid="9" + x["zpid"], address="9" + x["address"]), 3))
    code, lines, err = check(invented, "--reference", world)
    verdict("what_it_has_not_fails_tier_3", code == 1 and lines[0]["tier"] == 3 and rules(lines[0]) == ["spot_check"]
            and lines[0]["findings"][0]["indices"] == [0, 1, 2] and lines[0]["quality_parts"]["accuracy"] == 0.75,
            (code, lines, err))
    dear = write("dear.json", changed(lambda x: x.update(price=int(x["price"] * 1.04)), 12))
    verdict("five_percent_are_allowed", check(dear, "--reference", world)[0] == 0)


def wrong_calls():
    verdict("a_missing_file_is_not_found", check("nowhere.json")[0] == 4)
    verdict("a_zipcode_has_five_digits", check("honest.json", "--zipcode", "981")[0] == 2)
    verdict("a_time_is_a_time", check("honest.json", "--deadline", "noon")[0] == 2)
    verdict("only_compat_has_versions", check("honest.json", "--code", "2025-10-03")[0] == 2)
    verdict("unknown_versions_are_refused", check("honest.json", "--profile", "compat", "--code", "2024")[0] == 2)
    verdict("the_same_file_twice_is_refused", check("honest.json", "honest.json")[0] == 3)


with tempfile.TemporaryDirectory(prefix="tally-check.") as folder:
    os.chdir(folder)
    os.environ["XDG_STATE_HOME"] = folder
    one_file()
    several_files()
    the_original()
    a_world()
    wrong_calls()
print(f"1..{count}")
sys.exit(1 if bad else 0)
