"""epoch: signals and prices to a verified bundle, in pandas (the table), json and hashlib (the texts), NumPy (the rest).

The steps are those of `tally portfolio run` and of its verification: decode, admit, record, flags, score, bootstrap,
five validators' rows through Yuma, ranks, settlement, bundle; then the bundle is parsed and everything is run again.
Simpler than ours: Yuma in doubles, SHA3-256 in place of Keccak, no missing prices, no parameters but the defaults.
"""
import hashlib
import io
import json
import math
import re

import numpy as np
import pandas

import score
import yuma
from common import FOLDER, PERCENT, best, blas_threads, report

ALPHABET = {c: i for i, c in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")}
ANTE_MIN, LAGS, RESAMPLES, EMISSION = 10 * 10**9, 5, 1000, 10**12
STAKES = [0.40, 0.25, 0.15, 0.12, 0.08]
TICKER, EPOCH = re.compile("[A-Z]{1,5}"), re.compile(r"\d{4}-M(0[1-9]|1[0-2])")


def ss58(text, known={}):
    """The key of an address, its checksum tested; each address once."""
    if text not in known:
        number = 0
        for c in text:
            number = number * 58 + ALPHABET[c]
        data = number.to_bytes(35, "big")
        if len(text) != 48 or hashlib.blake2b(b"SS58PRE" + data[:33]).digest()[:2] != data[33:]:
            raise ValueError(f"no hotkey: {text}")
        known[text] = data[1:33]
    return known[text]


def decode(signal, universe):
    """(key, epoch, height, columns, weights, commitment) of a signal; ValueError where a rule is broken."""
    key, epoch, height = ss58(signal["hotkey"]), signal["epoch_id"], signal["commit_height"]
    if not EPOCH.fullmatch(epoch) or signal["ante_rao"] < ANTE_MIN:
        raise ValueError("E005 or E007")
    if not 4200 <= signal["reveal_height"] - height <= 14400:
        raise ValueError("E007")
    positions = sorted((p["ticker"], p["weight_millionths"]) for p in signal["positions"])
    if not 5 <= len(positions) <= 30:
        raise ValueError("E004")
    columns = np.array([universe[t] for t, _ in positions])
    weights = np.array([w for _, w in positions])
    if len({t for t, _ in positions}) < len(positions) or not all(TICKER.fullmatch(t) for t, _ in positions):
        raise ValueError("E001")
    if weights.min() <= 0 or weights.max() > 200_000 or abs(int(weights.sum()) - 1_000_000) > 100:
        raise ValueError("E002 or E003")
    body = hashlib.sha256("|".join(f"{t}:{w}" for t, w in positions).encode()).digest()
    parts = (b"tally/portfolio/commit/1", b"tally", b"\1\0", epoch.encode(), key, body, bytes(32))
    commitment = hashlib.sha3_256(b"".join(len(p).to_bytes(4, "little") + p for p in parts)).digest()
    return key, epoch, height, columns, weights, commitment


def records(price, days, epochs, holdings):
    """Returns (days x miners), turnovers (epochs x miners), the first row of each epoch."""
    change = price[1:] / price[:-1] - 1.0
    month = np.array([d[:7] for d in days])
    count, columns = len(holdings[0]), price.shape[1]
    earned, turnovers, first = [], np.zeros((len(epochs), count)), []
    before = cash_before = None
    for k, epoch in enumerate(epochs):
        index = np.array([h[0] for h in holdings[k]])
        held = np.array([h[1] for h in holdings[k]]) / 1e6
        cash = 1.0 - held.sum(axis=1)
        dense = np.zeros((count, columns))
        np.put_along_axis(dense, index, held, axis=1)
        if before is not None:
            turnovers[k] = 0.5 * (np.abs(dense - before).sum(axis=1) + np.abs(cash - cash_before))
        first.append(len(earned))
        for day in np.flatnonzero(month == epoch.replace("M", "")):
            asset = change[day - 1][index]
            whole = np.einsum("ij,ij->i", held, asset)
            asset += 1.0
            held *= asset
            held /= (1.0 + whole)[:, None]
            cash = cash / (1.0 + whole)
            earned.append(whole)
        earned[first[-1]] = earned[first[-1]] - turnovers[k] * score.COST
        before = np.zeros((count, columns))
        np.put_along_axis(before, index, held, axis=1)
        cash_before = cash
    rows = np.flatnonzero(np.isin(month, [e.replace("M", "") for e in epochs]))
    universe = np.array([change[d - 1].mean() for d in rows])
    return np.array(earned), turnovers, first, universe


def unit(x):
    x = x - x.mean(axis=0)
    length = np.sqrt((x * x).sum(axis=0))
    return x / np.where(length > 0, length, 1.0)


def likeness(active, holdings):
    """The strongest correlation, lagged correlation and overlap with a miner of a lower height; miners by height."""
    n, count = active.shape
    later = np.tril(np.ones((count, count), dtype=bool), -1)
    tail = unit(active)
    correlation = np.where(later, tail.T @ tail, -1.0).max(axis=1)
    lagged = np.full(count, -1.0)
    for lag in range(1, LAGS + 1):
        both = unit(active[lag:]).T @ unit(active[:n - lag])
        np.maximum(lagged, np.where(later, both, -1.0).max(axis=1), out=lagged)
    dense = np.zeros((count, 1 + max(int(h[0].max()) for h in holdings)), dtype=np.int32)
    for i, (index, weights) in enumerate(holdings):
        dense[i, index] = weights
    columns = np.ascontiguousarray(dense.T)
    overlap = np.zeros(count)
    for i, (index, weights) in enumerate(holdings[1:], 1):
        overlap[i] = np.minimum(columns[index, :i], weights[:, None].astype(np.int32)).sum(axis=0).max() / 1e6
    return correlation, lagged, overlap


def run_lengths(returns):
    longest, run = np.zeros(returns.shape[1], dtype=int), np.zeros(returns.shape[1], dtype=int)
    for row in returns > 0:
        run = (run + 1) * row
        np.maximum(longest, run, out=longest)
    return longest


def run_probability(n, length, p):
    if length == 0:
        return 1.0
    ended = np.zeros(n + 1)
    ended[length] = p**length
    begins = (1.0 - p) * p**length
    for t in range(length + 1, n + 1):
        ended[t] = ended[t - 1] + (1.0 - ended[t - length - 1]) * begins
    return ended[n]


def flags(returns, turnovers, active, holdings):
    """The factor of each miner, and what each rule measured."""
    n = len(returns)
    deviation = returns.std(axis=0, ddof=1)
    volatility = deviation * math.sqrt(252)
    sharpe = returns.mean(axis=0) / deviation * math.sqrt(252)
    top = np.array([np.sort(w)[-3:].sum() / 1e6 for _, w in holdings])
    churn = turnovers.sum(axis=0) * 252 / n
    streak = run_lengths(returns)
    probability = [run_probability(n, int(length), float(p)) for length, p in zip(streak, (returns > 0).mean(axis=0))]
    correlation, lagged, overlap = likeness(active, holdings)
    factor = np.where((volatility > 1.0) & (sharpe < 0.5), 0.5, 1.0)
    factor = factor * np.where(correlation > 0.70, np.clip((1.0 - correlation) / 0.30, 0.0, 1.0), 1.0)
    factor = factor * np.where(lagged > 0.85, 0.5, 1.0)
    factor = factor * np.where((top >= 0.55) & (volatility > 0.60), 0.8, 1.0)
    factor = factor * np.where(churn > 20, 1.0 - np.clip((churn - 20) / 40, 0.0, 0.5), 1.0)
    factor = np.where(overlap > 0.95, 0.0, factor)
    measured = np.column_stack([volatility, correlation, lagged, overlap, top, churn, streak, probability])
    return factor, measured


def quantised(returns, turnover, factor):
    composite, deepest = score.score_windows(returns, turnover)
    return np.where(deepest > 0.35, 0, np.floor(np.clip(composite * factor, 0, 1) * 1e6 + 0.5)), deepest


def bootstrap(returns, turnover, factor, seed):
    last = returns[-90:]
    drawn = last[np.random.Generator(np.random.SFC64(seed)).integers(0, len(last), size=(len(last), RESAMPLES))]
    sample, _ = quantised(drawn, turnover, factor)
    sample = np.sort(sample / 1e6)
    mean = sample.mean()
    return [sample[24], sample[974], 1.0 - sample.std() / mean if mean > 0 else 0.0]


def consensus(qs, deepest, stakes):
    """Incentives and dividends of validators that wrote the same row; agreement by the hash of what they wrote."""
    validators, miners = len(stakes), len(qs)
    row = np.floor(qs * 65535 / max(qs.max(), 1) + 0.5).astype(np.uint16)
    stored = np.zeros((validators, validators + miners), dtype=np.uint16)
    stored[:, validators:] = row
    has = np.zeros(stored.shape, dtype=bool)
    has[:, validators:] = True
    said = np.column_stack([qs, np.floor(deepest * 1e6 + 0.5)]).astype("<u8").tobytes()
    hashes = {hashlib.sha256(said).digest() for _ in range(validators)}
    stake = np.zeros(validators + miners)
    stake[:validators] = stakes
    out = yuma.epoch("classic", stake, stored, has, np.zeros_like(stored))
    return out["incentive"][validators:], out["dividends"], len(hashes) == 1


def settle(incentive, deepest, heights, antes):
    """Rank (or None), reward and ante back of each miner, in rao; integers only."""
    order = sorted(range(len(incentive)), key=lambda i: (-incentive[i], deepest[i], heights[i]))
    ranked = [i for i in order if incentive[i] > 0]
    n, emission = len(ranked), EMISSION * 41 // 100
    back, reward, rank = [0] * len(order), [0] * len(order), [None] * len(order)
    burned = forfeited = winners_antes = even_antes = 0
    for i in order[n:]:
        burned += antes[i] // 2
        forfeited += antes[i]
    total = emission + sum(antes[i] for i in ranked) + forfeited - burned
    total += burned
    winners = []
    for place, i in enumerate(ranked, 1):
        rank[i] = place
        share = 100 * (n - place + 1)
        if share >= 50 * n:
            winners.append(i)
            winners_antes += antes[i]
            back[i] = antes[i]
        elif share >= 30 * n:
            even_antes += antes[i]
            back[i] = antes[i]
        else:
            burned += antes[i] // 2
    rake = (total - sum(antes[i] // 2 for i in order[n:])) * 800 // 10**4
    pool = total - rake - burned - even_antes - winners_antes
    parts = [math.floor(1.0 / (k * math.sqrt(k)) * 2.0**48) for k in range(1, len(winners) + 1)]
    whole = sum(parts)
    left = pool
    for i, part in zip(winners, parts):
        reward[i] = pool * part // whole
        left -= reward[i]
    for i in winners[:left]:
        reward[i] += 1
    if sum(reward) + sum(back) + rake + burned != emission + sum(antes):
        raise ValueError("money came or went")
    return rank, reward, back


def results_of(price, days, submissions, carried):
    """The results of an epoch as canonical JSON; submissions of the last epoch, carried: epochs before it."""
    epochs = sorted(carried) + [submissions[0][1]]
    submissions = sorted(submissions, key=lambda s: (s[2], s[0]))
    by_key = {epoch: {s[0]: (s[3], s[4]) for s in carried[epoch]} for epoch in carried}
    holdings = [[by_key[epoch][s[0]] for s in submissions] for epoch in epochs[:-1]]
    holdings.append([(s[3], s[4]) for s in submissions])
    earned, turnovers, first, universe = records(price, days, epochs, holdings)
    factor, measured = flags(earned, turnovers, earned - universe[:, None], holdings[-1])
    recent = [k for k, row in enumerate(first) if row >= len(earned) - 90]
    turnover = 5.0 * turnovers[recent].sum(axis=0) / min(len(earned), 90)
    qs, deepest = quantised(earned, turnover, factor)
    shown = [bootstrap(earned[:, i], turnover[i], factor[i], int.from_bytes(
        hashlib.sha256(b"tally/portfolio/boot" + epochs[-1].encode() + s[0]).digest()[:8], "little"))
        for i, s in enumerate(submissions)]
    incentive, dividends, agreed = consensus(qs, deepest, STAKES)
    rank, reward, back = settle(incentive, deepest, [s[2] for s in submissions], [ANTE_MIN] * len(submissions))
    board = [{"hotkey": s[0].hex(), "commitment": s[5].hex(), "rank": rank[i], "reward_rao": reward[i],
              "ante_back_rao": back[i], "qs_millionths": int(qs[i]), "days": len(earned), "factor": float(factor[i]),
              "max_drawdown_millionths": int(deepest[i] * 1e6 + 0.5), "turnover_per_week": float(turnover[i]),
              "bootstrap": [float(x) for x in shown[i]], "measured": [float(x) for x in measured[i]]}
             for i, s in enumerate(submissions)]
    return {"epoch_id": epochs[-1], "agreed": agreed, "dividends": [float(d) for d in dividends], "scoreboard": board}


def canonical(tree):
    return json.dumps(tree, sort_keys=True, separators=(",", ":"))


def run_epoch(days, price, tickers, last, before):
    """last and before: decoded JSON of the signals."""
    universe = {t: k for k, t in enumerate(tickers)}
    carried = {}
    for signal in before:
        decoded = decode(signal, universe)
        carried.setdefault(decoded[1], []).append(decoded)
    return results_of(price, days, [decode(s, universe) for s in last], carried)


def publish(prices, signals):
    table = pandas.read_csv(io.StringIO(prices), index_col=0)
    lines = [json.loads(line) for line in signals.splitlines()]
    latest = max(line["epoch_id"] for line in lines)
    last = [line for line in lines if line["epoch_id"] == latest]
    before = [line for line in lines if line["epoch_id"] != latest]
    sections = {"evidence": {"days": list(table.index), "tickers": list(table.columns),
                             "price": table.to_numpy().tolist()},
                "inputs": {"submissions": last, "records": before}}
    sections["results"] = run_epoch(list(table.index), table.to_numpy(), list(table.columns), last, before)
    texts = {name: canonical(tree) for name, tree in sections.items()}
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    body = ",".join(f'"{name}":{texts[name]}' for name in sorted(texts))
    return f'{{"digests":{canonical(digests)},{body}}}', sections["results"]


def verify(bundle):
    tree = json.loads(bundle)
    for name, digest in tree["digests"].items():
        if hashlib.sha256(canonical(tree[name]).encode()).hexdigest() != digest:
            raise ValueError(f"the digest of {name} differs")
    seen = tree["evidence"]
    again = run_epoch(seen["days"], np.array(seen["price"]), seen["tickers"], tree["inputs"]["submissions"],
                      tree["inputs"]["records"])
    if canonical(again) != canonical(tree["results"]):
        raise ValueError("the replay differs")


def main():
    with open(f"{FOLDER}/prices.csv", encoding="utf-8") as file:
        prices = file.read()
    with open(f"{FOLDER}/signals.jsonl", encoding="utf-8") as file:
        signals = file.read()

    def work():
        bundle, results = publish(prices, signals)
        verify(bundle)
        return bundle, results

    seconds, runs, (bundle, results) = best(work, least_runs=1 if PERCENT == 100 else 2)
    board = results["scoreboard"]
    report("epoch_1000", seconds, runs, [sum(row["qs_millionths"] for row in board),
                                         max(row["reward_rao"] for row in board) / 1e9],
           threads=blas_threads()[0], peer="NumPy, pandas, json", bundle_mb=round(len(bundle) / 1e6, 1))


if __name__ == "__main__":
    main()
