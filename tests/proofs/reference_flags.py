"""A second independent reading of the portfolio spec, beside the program: codes and outcomes (sections 1 and 2), records
with missing prices (4), all flags (8), ranks (9) and the money of every miner (7), on made-up worlds with copies, lags,
gamblers, churners, gaps, bans and broken signals. Slow and obvious on purpose; it shares no code with the program. Only
Yuma's incentive is taken from the program itself: Yuma has vectors of its own.

usage: reference_flags.py BINARY FOLDER
"""
import datetime
import json
import math
import random
import subprocess
import sys

from reference import BASE58, address, clip, composite, epoch_of

TAO = 10**9
START = datetime.date(2021, 1, 4)
EXPIRY, DELAY, EARLY = 14400, 4200, 1800


def key_bytes(text):
    number = 0
    for c in text:
        number = number * 58 + BASE58.index(c)
    return number.to_bytes(35, "big")[1:33]


def week_of(day):
    return epoch_of(day - datetime.timedelta(day.weekday()))


# --- worlds ---

def make_prices(rng, weeks):
    """T quiet, the first six of one mood; L what T did two days ago; G gamblers of one fate; S only rise; N the rest."""
    days = [START - datetime.timedelta(3)]
    for n in range(7 * weeks):
        day = START + datetime.timedelta(n)
        if day.weekday() < 5 and rng.random() > 0.03 and n // 7 != 6:  # the seventh week has no trading day
            days.append(day)
    moves = {}
    mood = [rng.gauss(0.0003, 0.03) for _ in days]
    for k in range(14):
        moves[f"T{chr(65 + k)}"] = [rng.gauss(x, 0.01) for x in (mood if k < 6 else [0.0003] * len(days))]
    for k in range(26):
        moves[f"N{chr(65 + k)}"] = [rng.gauss(0.0003, 0.01) for _ in days]
    fate = [rng.gauss(-0.004, 0.08) for _ in days]
    for k in range(6):
        moves[f"G{chr(65 + k)}"] = [clip(x + rng.gauss(0, 0.02), -0.5, 0.5) for x in fate]
    for k in range(6):
        moves[f"S{chr(65 + k)}"] = [abs(rng.gauss(0.002, 0.001)) for _ in days]
    for k in range(6):
        source = moves[f"T{chr(65 + k)}"]
        moves[f"L{chr(65 + k)}"] = [0.0, 0.0] + source[:-2]
    price = {}
    for ticker, steps in moves.items():
        value, column = 100.0, []
        for step in steps:
            value *= 1.0 + step
            column.append(round(value, 4))
        price[ticker] = column
    for ticker in ("TG", "TH", "TM", "TN", "SA", "GA"):  # holes, of one day and of a week
        for _ in range(weeks // 3):
            at, long = rng.randrange(1, len(days)), rng.choice((1, 2, 3, 4, 7))
            for i in range(at, min(at + long, len(days))):
                price[ticker][i] = None
    return days, price


def even(tickers):
    share = 10**6 // len(tickers)
    weights = {t: share for t in tickers}
    weights[tickers[0]] += 10**6 - share * len(tickers)
    return weights


def draw(rng, tickers, count):
    chosen = rng.sample(tickers, count)
    while True:
        shares = [rng.randint(40, 100) for _ in chosen]
        weights = [10**6 * s // sum(shares) for s in shares]
        weights[0] += 10**6 - sum(weights) - rng.choice((0, 0, 100, -100, 37))
        if max(weights) <= 200000:
            return dict(zip(chosen, weights))


def choose(rng, kind, week, own, first):
    """The weights of one miner in one week. own: its last ones; first: those of miner 0 this week."""
    quiet = [f"T{chr(65 + k)}" for k in range(14)]
    if kind == "leader":
        return even([f"T{c}" for c in "ABCDEF"])
    if kind == "lagger":
        return even([f"L{c}" for c in "ABCDEF"])
    if kind == "copy":
        return dict(first)
    if kind == "near":
        names = sorted(first)
        near = dict(first)
        near[names[0]] -= 30000
        near[names[-1]] += 30000
        return near
    if kind == "gambler":
        return even([f"G{c}" for c in "ABCDE"])
    if kind == "riser":
        return even([f"S{c}" for c in "ABCDEF"])
    if kind == "churner":
        return even(quiet[:6] if week % 2 else quiet[6:12])
    if kind == "half":
        return even(quiet[:4] + (quiet[4:8] if week % 2 else quiet[8:12]))
    if kind == "holder" and own:
        return own
    return draw(rng, quiet + ["GA", "SA"], rng.randint(6, 12))


KINDS = ("leader", "lagger", "copy", "near", "gambler", "riser", "churner", "half", "holder", "holder", "free", "free",
         "twin", "late")


def odd_reveal(rng, commit):
    """A reveal height at and around every border of the window."""
    return rng.choice((None, commit - 1, commit, commit + EARLY - 1, commit + EARLY, commit + DELAY - 1,
                       commit + EXPIRY + 1))


def break_rules(rng, s):
    """One broken rule."""
    p = s["positions"]
    which = rng.randrange(14)
    if which == 0:
        s["positions"] = p[:4]
    elif which == 1:
        p[-1]["ticker"] = rng.choice(("ZZ", "tb", "TOOLONG", p[0]["ticker"]))
    elif which == 2:
        p[0]["weight_millionths"] = rng.choice((0, -5, 200001))
    elif which == 3:
        p[0]["weight_millionths"] -= 20101 if p[0]["weight_millionths"] > 30000 else -101
    elif which == 4:
        s["ante_rao"] = 10 * TAO - 1
    elif which == 5:
        s["epoch_id"] = "2021-Q1-W15"
    elif which == 6:
        s["registered"] = False
    elif which == 7:
        s["signature_valid"] = False
    elif which in (8, 9):
        s["commitment"] = "ab" * 32
    else:
        s["reveal_height"] = odd_reveal(rng, s["commit_height"])


def make_signals(rng, weeks, clean, miners):
    lines, last = [], {}
    for week in range(weeks):
        epoch = epoch_of(START + datetime.timedelta(7 * week))
        first = None
        for number, kind in enumerate(KINDS[:miners]):
            if kind == "late" and week < weeks - 2 or rng.random() < 0.04 and number or number == 12 and week == 4:
                continue
            weights = choose(rng, kind if kind != "twin" else "copy", week, last.get(number), first)
            first = first if first else weights
            last[number] = weights
            commit = 50400 * week + 10 + 10 * (number if kind != "twin" else 0)
            s = {"hotkey": address(f"flags/{number}"), "epoch_id": epoch, "ante_rao": rng.randint(10 * TAO, 30 * TAO),
                 "positions": [{"ticker": t, "weight_millionths": w} for t, w in weights.items()],
                 "commit_height": commit, "reveal_height": commit + rng.choice((DELAY, EXPIRY, 7000)), "note": week}
            if number == 11 and week % 7 in (1, 2, 3):
                s["reveal_height"] = None  # three times in 90 days: banned
            elif number > 1 and rng.random() > clean:
                break_rules(rng, s)
            lines.append(s)
            if rng.random() < (0.6 if "commitment" in s else 0.1):
                other = ("aa" if "commitment" in s else "ff") * 32
                lines.append(dict(s, commit_height=commit + rng.choice((0, 1, 20000)), commitment=other))
    rng.shuffle(lines)
    return lines


# --- sections 1 and 2: codes ---

def check_body(s, universe):
    positions = s["positions"]
    names = [p["ticker"] for p in positions]
    weights = [p["weight_millionths"] for p in positions]
    if not 5 <= len(positions) <= 30:
        return "E004"
    if any(n not in universe for n in names) or len(set(names)) < len(names):
        return "E001"
    if any(not 0 < w <= 200000 for w in weights):
        return "E002"
    return "E003" if abs(sum(weights) - 10**6) > 100 else None


def judge(s, epoch, banned, live, universe, balance):
    """(outcome before scoring or None, code)."""
    commit, reveal = s["commit_height"], s["reveal_height"]
    if s["ante_rao"] < 10 * TAO or balance is not None and s["ante_rao"] > balance:
        return None, "E005"
    if s["epoch_id"] != epoch:
        return None, "E007"
    if not s.get("registered", True) or not s.get("signature_valid", True):
        return None, "E008"
    if any(low <= commit < high for low, high in banned):
        return None, "E008"
    if live:
        return None, "E009"
    if reveal is None:
        return "not_revealed", None
    after = reveal - commit
    if 0 <= after < EARLY:
        return "revealed_early", None
    if not DELAY <= after <= EXPIRY:
        return "not_revealed", "E007"
    if "commitment" in s:
        return "hash_differs", "E006"
    code = check_body(s, universe)
    return ("invalid", code) if code else ("valid", None)


def live_epoch(epoch, lines, past, universe, balances):
    """What becomes of each signal of one epoch; past is carried on."""
    results, lived, bans = [], set(), {}
    for s in sorted(lines, key=lambda s: (s["commit_height"], s.get("commitment", "b"))):
        hotkey = s["hotkey"]
        m = past.setdefault(hotkey, {"bans": [], "missed": [], "history": [], "held": []})
        balance = balances.get(hotkey, 0) if balances is not None else None
        outcome, code = judge(s, epoch, m["bans"] + bans.get(hotkey, []), hotkey in lived, universe, balance)
        results.append((s, outcome, code))
        if outcome is None:
            continue
        lived.add(hotkey)
        if outcome == "hash_differs":
            bans[hotkey] = [(s["reveal_height"], math.inf)]
        if outcome == "not_revealed":
            height = s["commit_height"] + EXPIRY
            m["missed"].append(height)
            if sum(height - h <= 648000 for h in m["missed"]) >= 3:
                m["bans"].append((height, height + 216000))
    return results


# --- section 4: records ---

class Record:
    """Returns by day of a miner that held these weights in these epochs."""

    def __init__(self, held, days, price):
        self.day, self.returns, self.turnover, self.blind = [], [], [], []
        before = None
        for epoch, weights in held:
            rows = [i for i, d in enumerate(days) if i > 0 and week_of(d) == epoch]
            if not rows:
                continue
            now = {t: w / 1e6 for t, w in weights.items()}
            cash = 1.0 - math.fsum(now.values())
            turnover = 0.0
            if before is not None:
                names = set(now) | set(before[0])
                turnover = 0.5 * (math.fsum(abs(now.get(t, 0) - before[0].get(t, 0)) for t in names)
                                  + abs(cash - before[1]))
            before = (now, self.live(now, cash, rows, turnover, price))

    def live(self, now, cash, rows, turnover, price):
        gone = set()  # cash until the next rebalance
        for n, i in enumerate(rows):
            moves, unseen = {}, 0.0
            for t in now:
                moves[t] = 0.0
                known = [k for k in range(i - 1, max(-1, i - 4), -1) if price[t][k] is not None]
                if n == 0 and not known or n > 0 and not known:
                    gone.add(t)
                if t in gone or price[t][i] is None:
                    unseen += now[t]
                else:
                    moves[t] = price[t][i] / price[t][known[0]] - 1.0
                if price[t][i] is None and all(price[t][k] is None for k in range(max(0, i - 2), i)):
                    gone.add(t)
            whole = math.fsum(now[t] * moves[t] for t in now)
            self.day.append(i)
            self.blind.append(unseen > 0.10 * math.fsum(now.values()) + 1e-12)
            self.returns.append(whole - (0.00055 * turnover if n == 0 else 0.0))
            self.turnover.append(turnover if n == 0 else 0.0)
            for t in now:
                now[t] *= (1.0 + moves[t]) / (1.0 + whole)
            cash /= 1.0 + whole
        return cash


def universe_move(price, i):
    both = [c[i] / c[i - 1] - 1.0 for c in price.values() if c[i] is not None and c[i - 1] is not None]
    return math.fsum(both) / len(both) if both else 0.0


# --- section 8: flags ---

def deviation(x):
    mean = math.fsum(x) / len(x)
    return math.sqrt(math.fsum((v - mean) ** 2 for v in x) / (len(x) - 1))


def pearson(pairs):
    if len(pairs) < 2:
        return 0.0
    a, b = zip(*pairs)
    ma, mb = math.fsum(a) / len(a), math.fsum(b) / len(b)
    va, vb = math.fsum((x - ma) ** 2 for x in a), math.fsum((y - mb) ** 2 for y in b)
    return math.fsum((x - ma) * (y - mb) for x, y in pairs) / math.sqrt(va * vb) if va and vb else 0.0


def flag(rule, factor, value, limit, peer=None, days=None, span=(None, None)):
    return {"rule": rule, "factor": factor, "evidence": {"value": value, "limit": limit, "peer": peer, "days": days,
                                                         "from": span[0], "to": span[1]}}


def likeness(own, other, low, lags):
    """The largest correlation of two active records over at least `low` days: (value, rows of the suspect)."""
    found = []
    for lag in lags:
        common = [i for i in own["active"] if i - lag in other["active"]]
        if len(common) >= low:
            found.append((pearson([(own["active"][i], other["active"][i - lag]) for i in common]), common))
    return max(found, key=lambda x: x[0], default=None)


def overlap(own, other):
    return sum(min(w, other["weights"].get(t, 0)) for t, w in own["weights"].items()) / 1e6, None


def worst(found):
    """The closest peer; ties: the lowest hotkey."""
    return min((f for f in found if f[1]), key=lambda f: (-f[1][0], key_bytes(f[0]["hotkey"])), default=None)


def copies(own, peers, days):
    rules = (("correlation", 0.70, lambda o: likeness(own, o, 30, (0,)), lambda v: clip((1 - v) / 0.30, 0.0, 1.0)),
             ("plagiarism", 0.95, lambda o: overlap(own, o), lambda v: 0.0),
             ("lag_copy", 0.85, lambda o: likeness(own, o, 60, (1, 2, 3, 4, 5)), lambda v: 0.5))
    for rule, limit, compare, factor in rules:
        for is_earlier in (True, False):
            among = [p for p in peers if p is not own and (p["height"] < own["height"] if is_earlier
                                                           else p["height"] == own["height"])]
            found = worst([(p, compare(p)) for p in among])
            if found and found[1][0] > limit:
                peer, (value, rows) = found
                span = (str(days[rows[0]]), str(days[rows[-1]])) if rows else (None, None)
                yield flag(rule, factor(value) if is_earlier else 1.0, value, limit, peer["hotkey"],
                           len(rows) if rows else None, span)
                break


def own_flags(own, days):
    r = own["record"].returns
    span = (str(days[own["record"].day[0]]), str(days[own["record"].day[-1]]))
    sigma = deviation(r) * math.sqrt(252) if len(r) > 1 else 0.0
    sharpe = math.fsum(r) / len(r) / deviation(r) * math.sqrt(252) if sigma else 0.0
    if sigma > 1.0 and sharpe < 0.5:
        yield flag("variance", 0.5, sigma, 1.0, days=len(r), span=span)
    top = sum(sorted(own["weights"].values())[-3:])
    if top >= 550000 and sigma > 0.6:
        yield flag("fence_swinging", 0.8, top / 1e6, 0.55, days=len(r), span=span)
    churn = math.fsum(own["record"].turnover) * 252 / len(r)
    if churn > 20:
        yield flag("churn", 1.0 - clip((churn - 20) / 40, 0.0, 0.5), churn, 20.0)
    runs, run, at = 0, 0, 0
    for i, x in enumerate(r):
        run = run + 1 if x > 0 else 0
        if run > runs:
            runs, at = run, i
    if runs > 8:
        yield flag("streak", 1.0, runs, 8.0, days=len(r),
                   span=(str(days[own["record"].day[at - runs + 1]]), str(days[own["record"].day[at]])))
    blind = [i for i, b in zip(own["record"].day, own["record"].blind) if b]
    blind = [i for i in blind if i in own["record"].day[-252:]]
    if blind:
        yield flag("data_quality", max(0.5, 1 - 0.005 * len(blind)), len(blind), 0.0, days=len(blind),
                   span=(str(days[blind[0]]), str(days[blind[-1]])))


def sybil(own, peers, stakes):
    if stakes is None:
        return
    ordered = sorted(stakes.get(p["hotkey"], 0) for p in peers)
    median = ordered[(len(ordered) - 1) // 2]
    stake = min(stakes.get(own["hotkey"], 0) / median, 1.0) if median else 1.0
    last = own["history"][-12:]
    value = (0.5 * stake + 0.3 * min(len(own["record"].returns) / 90, 1.0)
             + 0.2 * (sum(last) / len(last) if last else 0.0))
    if value < 0.5:
        yield flag("sybil", 0.5, value, 0.5)


def drawdown(returns):
    value, peak, fall = 1.0, 1.0, 0.0
    for x in returns[-90:]:
        value *= 1.0 + x
        peak = max(peak, value)
        fall = max(fall, 1.0 - value / peak)
    return fall


# --- section 7: money ---

TIERS = (("top", 85), ("profitable", 50), ("break_even", 30))


def settle(rows, emission, external):
    """rows: [hotkey, outcome, ante, rank]; the money of each, by its index, and the totals."""
    n = sum(r[3] is not None for r in rows)
    order = sorted((r[3], k) for k, r in enumerate(rows) if r[3] is not None)
    out = [dict(tier="none", reward=0, back=0, burned=0, to_pool=0, deficit=0) for _ in rows]
    for k, (_, outcome, ante, rank) in enumerate(rows):
        o = out[k]
        if rank is not None:
            p = 100 * (n - rank + 1)
            reached = [name for name, least in TIERS if p >= least * n]
            o["tier"] = reached[0] if reached else "penalty"
        if o["tier"] == "penalty" or outcome in ("eliminated", "no_incentive", "hash_differs", "not_revealed",
                                                 "disqualified"):
            o["burned"], o["to_pool"] = ante // 2, ante - ante // 2
        elif outcome == "revealed_early":
            h = ante // 2
            o["back"], o["burned"], o["to_pool"] = ante - h, h // 2, h - h // 2
        else:
            o["back"] = ante
    taken = sum(o["burned"] + o["to_pool"] for o in out)
    burned = sum(o["burned"] for o in out)
    ranked = sum(rows[k][2] for _, k in order)
    from_others = sum(out[k]["burned"] + out[k]["to_pool"] for k, r in enumerate(rows) if r[3] is None)
    pool = emission + external + ranked + from_others
    rake = pool * 800 // 10000
    winners = [k for _, k in order if out[k]["tier"] in ("top", "profitable")]
    even_ones = [k for _, k in order if out[k]["tier"] == "break_even"]
    left = pool - rake - burned - sum(rows[k][2] for k in winners + even_ones)
    assert left == emission + external - rake + taken - burned
    deficit = max(0, -left)
    for group in (winners, even_ones):
        whole = sum(rows[k][2] for k in group)
        g = min(deficit, whole)
        deficit -= g
        if g:
            for k in group:
                out[k]["back"] = rows[k][2] * (whole - g) // whole
            for k in group[:whole - g - sum(out[k]["back"] for k in group)]:
                out[k]["back"] += 1
            for k in group:
                out[k]["deficit"] = rows[k][2] - out[k]["back"]
    left = max(0, left)
    weights = [int(1.0 / (i * math.sqrt(i)) * 2**48) for i in range(1, len(winners) + 1)]
    for k, w in zip(winners, weights):
        out[k]["reward"] = left * w // sum(weights)
    for k in winners[:left - sum(o["reward"] for o in out)]:
        out[k]["reward"] += 1
    return out, {"rake": rake, "burned": burned, "winner_pool": left, "pool": pool, "carry": 0 if winners else left}


# --- all of it beside the program ---

def near(a, b):
    if isinstance(a, float) or isinstance(b, float):
        return a is not None and b is not None and abs(a - b) < 1e-9
    return a == b


def same_flags(told, own):
    order = ("variance", "correlation", "plagiarism", "lag_copy", "fence_swinging", "churn", "streak", "sybil",
             "data_quality")
    own.sort(key=lambda f: order.index(f["rule"]))
    return [f["rule"] for f in told] == [f["rule"] for f in own] and all(
        near(t["factor"], float(o["factor"])) and t["evidence"].keys() == o["evidence"].keys()
        and all(near(t["evidence"][k], o["evidence"][k]) for k in o["evidence"]) for t, o in zip(told, own))


def score_all(results, past, days, price, epoch, stakes):
    """The peers of the settled epoch with their flags and QS."""
    peers = []
    for s, outcome, _ in results:
        if outcome == "valid":
            m = past[s["hotkey"]]
            weights = {p["ticker"]: p["weight_millionths"] for p in s["positions"]}
            record = Record(m["held"] + [(epoch, weights)], days, price)
            active = {i: x - universe_move(price, i) for i, x in zip(record.day, record.returns)}
            peers.append({"hotkey": s["hotkey"], "height": s["commit_height"], "weights": weights, "record": record,
                          "active": active, "history": m["history"]})
    for p in peers:
        p["flags"] = list(copies(p, peers, days)) + list(own_flags(p, days)) + list(sybil(p, peers, stakes))
        r, d = p["record"].returns, len(p["record"].returns)
        p["fall"] = drawdown(r)
        p["disqualified"] = any(f["rule"] == "plagiarism" and f["factor"] == 0 for f in p["flags"])
        p["qs"] = 0.0
        if d >= 7 and not p["disqualified"] and p["fall"] <= 0.35:
            turnover = 5 * math.fsum(p["record"].turnover[-90:]) / min(d, 90)
            p["qs"] = composite(r, turnover) * (0.2 if d < 30 else 0.5 if d < 90 else 1.0) * math.prod(
                f["factor"] for f in p["flags"]) * 1e6
    return {p["hotkey"]: p for p in peers}


def agreed_outcome(peer, line):
    if peer["disqualified"]:
        return "disqualified"
    if line["yuma_incentive_raw"] > 0:
        return "ranked"
    if len(peer["record"].returns) < 7:
        return "not_ranked"
    return "eliminated" if line["max_drawdown_millionths"] > 350000 else "no_incentive"


def compare(told, results, peers, emission, external):
    """The names of everything in which the program and this file differ."""
    off = []
    board = told["scoreboard"]
    if len(board) != len(results):
        return ["number of lines"]
    by_signal = {(s["hotkey"], s["commit_height"], code): (s, outcome) for s, outcome, code in results}
    rows = []
    for line in board:
        key = (line["hotkey"], line["commit_height"], line["code"])
        if key not in by_signal:
            off.append(f"code of {key}")
            return off
        s, outcome = by_signal[key]
        if outcome == "valid":
            p = peers[s["hotkey"]]
            outcome = agreed_outcome(p, line)
            days, fall = len(p["record"].returns), p["fall"] * 1e6
            for key, own, fine in (
                    ("days", days, line["days"] == days),
                    ("qs_millionths", p["qs"], abs(line["qs_millionths"] - p["qs"]) <= 0.501),
                    ("max_drawdown_millionths", fall, abs(line["max_drawdown_millionths"] - fall) <= 0.501),
                    ("flags", p["flags"], same_flags(line["flags"], p["flags"]))):
                if not fine:
                    off.append(f"{key} of {s['hotkey']}: {line[key]} and {own}")
        if line["outcome"] != outcome:
            off.append(f"outcome of {s['hotkey']}: {line['outcome']} and {outcome}")
        rows.append([line["hotkey"], line["outcome"], s["ante_rao"], line["rank"]])
    ranked = [x for x in board if x["outcome"] == "ranked"]
    ranked.sort(key=lambda x: (-x["yuma_incentive_raw"], x["max_drawdown_millionths"], x["commit_height"],
                               key_bytes(x["hotkey"])))
    rest = [x for x in board if x["outcome"] != "ranked"]
    rest.sort(key=lambda x: (key_bytes(x["hotkey"]), x["commit_height"]))
    if [(x["hotkey"], x["rank"]) for x in board] != [(x["hotkey"], i + 1) for i, x in enumerate(ranked)] + [
            (x["hotkey"], None) for x in rest]:
        off.append("the order of the scoreboard")
    locked = [k for k, r in enumerate(rows) if r[1] is not None]
    money, totals = settle([rows[k] for k in locked], emission, external)
    names = (("tier", "tier"), ("reward_rao", "reward"), ("ante_back_rao", "back"), ("burned_rao", "burned"),
             ("redistributed_rao", "to_pool"), ("deficit_rao", "deficit"))
    for k, own in zip(locked, money):
        off += [f"{key} of {rows[k][0]}: {board[k][key]} and {own[name]}" for key, name in names
                if board[k][key] != own[name]]
    off += [f"settlement {k}" for k, v in totals.items() if told["settlement"][f"{k}_rao"] != v]
    off += [f"money of the refused {rows[k][0]}" for k in range(len(rows)) if k not in locked
            and any(board[k][key] != ("none" if key == "tier" else 0) for key, _ in names)]
    return off


def run_world(binary, folder, number, weeks, miners, clean, params):
    rng = random.Random(number)
    days, price = make_prices(rng, weeks)
    lines = make_signals(rng, weeks, clean, miners)
    if number % 3 == 0 and weeks > 3:  # the table begins within the second week: what was before it adds no days
        days, price = days[7:], {t: c[7:] for t, c in price.items()}
    if "stakes_rao" in params:
        params = dict(params, stakes_rao={address(f"flags/{k}"): rng.randint(0, 50) * TAO for k in range(11)})
    if "balances_rao" in params:
        params = dict(params, balances_rao={address(f"flags/{k}"): rng.choice((12, 99)) * TAO for k in range(0, 13)})
    names = [f"{folder}/{number}.{end}" for end in ("csv", "jsonl", "json")]
    with open(names[0], "w", newline="\r\n" if number % 2 else "\n") as f:
        f.write("".join(",".join(row) + "\n" for row in [["day", *price]] + [
            [str(d)] + [str(c[i]) if c[i] is not None else "" for c in price.values()] for i, d in enumerate(days)]))
    with open(names[1], "w") as f:
        f.write("\n".join(json.dumps(x) for x in lines) + "\n")
    with open(names[2], "w") as f:
        json.dump(params, f)
    run = subprocess.run([binary, "portfolio", "run", "--prices", names[0], "--signals", names[1], "--params", names[2],
                          "--json"], capture_output=True, text=True)
    if run.returncode:
        return [run.stdout.strip() + run.stderr.strip()], 0
    told = json.loads(run.stdout)
    epochs = {epoch_of(START + datetime.timedelta(7 * w)): w for w in range(weeks)}
    past, universe = {}, set(price)
    ordered = sorted({s["epoch_id"] for s in lines} & set(epochs), key=epochs.get)
    for epoch in ordered:
        own = [s for s in lines if s["epoch_id"] == epoch or epoch == ordered[-1] and s["epoch_id"] not in epochs]
        results = live_epoch(epoch, own, past, universe, params.get("balances_rao") if epoch == ordered[-1] else None)
        if epoch == ordered[-1]:
            break
        for s, outcome, _ in results:
            if outcome is not None:
                past[s["hotkey"]]["history"].append(outcome == "valid")
            if outcome == "valid":
                past[s["hotkey"]]["held"].append((epoch, {p["ticker"]: p["weight_millionths"] for p in s["positions"]}))
    peers = score_all(results, past, days, price, ordered[-1], params.get("stakes_rao"))
    emission = params.get("emission_rao", 10**12) * 41 // 100
    if told["epoch_id"] != ordered[-1]:
        return ["epoch"], 0
    raised = sum(len(p["flags"]) for p in peers.values())
    return compare(told, results, peers, emission, params.get("external_rao", 0)), raised


WORLDS = (  # weeks, miners, share of signals without a fault, parameters
    (26, 14, 0.97, {"stakes_rao": {}}), (20, 14, 0.7, {"emission_rao": 0, "stakes_rao": {}}), (1, 14, 0.9, {}),
    (3, 14, 0.6, {"balances_rao": {}}), (14, 14, 0.9, {"emission_rao": 10**11, "external_rao": 12345}),
    (55, 14, 0.95, {"stakes_rao": {}, "balances_rao": {}}), (16, 14, 0.5, {"emission_rao": 3}), (9, 14, 0.8, {}),
    (5, 3, 1.0, {"emission_rao": 0}), (6, 5, 1.0, {"emission_rao": 7}), (4, 1, 1.0, {"emission_rao": 0}),
    (40, 14, 0.9, {"stakes_rao": {}}),
)


def main():
    binary, folder = sys.argv[1:3]
    failed, seed = 0, int(sys.argv[3]) if len(sys.argv) > 3 else 1
    print(f"1..{len(WORLDS)}")
    for k, (weeks, miners, clean, params) in enumerate(WORLDS):
        off, raised = run_world(binary, folder, seed + k, weeks, miners, clean, params)
        failed += bool(off)
        print(f"{'not ok' if off else 'ok'} {k + 1} - codes, flags ({raised}), ranks and money of {miners} miners "
              f"after {weeks} weeks")
        for text in off[:8]:
            print(f"#   {text}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
