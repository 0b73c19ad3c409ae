"""An independent reading of the portfolio spec, sections 4 to 6, beside the program: signals to records, records to
scores. Slow and obvious on purpose; it shares no code with the program.

usage: reference.py BINARY PRICES FOLDER
"""
import csv
import datetime
import gzip
import hashlib
import json
import math
import random
import subprocess
import sys

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
HORIZONS = (  # days, weight, bounds of Sortino, Sharpe, Calmar
    (7, 0.30, (-2.0, 5.0), (-1.6, 4.0), (-5.0, 10.0)),
    (30, 0.45, (-1.5, 4.0), (-1.2, 3.2), (-3.0, 8.0)),
    (90, 0.25, (-1.0, 3.5), (-0.8, 2.8), (-2.0, 6.0)),
)


def address(name):
    body = bytes([42]) + hashlib.sha256(name.encode()).digest()
    number = int.from_bytes(body + hashlib.blake2b(b"SS58PRE" + body, digest_size=64).digest()[:2], "big")
    text = ""
    while number:
        number, rest = divmod(number, 58)
        text = BASE58[rest] + text
    return text


def epoch_of(monday):
    quarter = (monday.month + 2) // 3
    start = datetime.date(monday.year, 3 * quarter - 2, 1)
    first = start + datetime.timedelta((7 - start.weekday()) % 7)
    return f"{monday.year}-Q{quarter}-W{(monday - first).days // 7 + 1}"


def clip(x, low, high):
    return max(low, min(high, x))


def part(x, bounds):
    return clip((x - bounds[0]) / (bounds[1] - bounds[0]), 0.0, 1.0)


def composite(returns, turnover):
    total, weights = 0.0, 0.0
    for days, weight, sortino_b, sharpe_b, calmar_b in HORIZONS:
        if len(returns) < days:
            continue
        window = returns[-days:]
        value, peak, fall = 1.0, 1.0, 0.0
        for r in window:
            value *= 1.0 + r
            peak = max(peak, value)
            fall = max(fall, 1.0 - value / peak)
        annualised = value ** (252.0 / days) - 1.0
        mean = math.fsum(window) / days
        sigma = math.sqrt(math.fsum((r - mean) ** 2 for r in window) / days) * math.sqrt(252)
        short = [(r - 0.05 / 252) ** 2 for r in window if r < 0.05 / 252]
        down = math.sqrt(math.fsum(short) / len(short)) * math.sqrt(252) if short else 0.0
        ten = math.copysign(10.0, annualised - 0.05)
        sharpe = clip((annualised - 0.05) / sigma, -10, 10) if sigma >= 1e-4 else ten
        sortino = clip((annualised - 0.05) / down, -10, 10) if down >= 1e-4 else ten
        calmar = clip(annualised / fall, -10, 10) if fall >= 1e-4 else math.copysign(10.0, annualised)
        total += weight * (0.40 * part(sharpe, sharpe_b) + 0.20 * clip(1.0 - fall / 0.10, 0.0, 1.0)
                           + 0.15 * part(sortino, sortino_b) + 0.15 * part(calmar, calmar_b)
                           + 0.10 * clip(1.0 - turnover, 0.0, 1.0))
        weights += weight
    return total / weights


def record(signals, days, price):
    """Daily returns and turnovers of a miner that held each signal for its week."""
    returns, turnovers, held = [], [], None
    for monday, weights in signals:
        weights = dict(weights)
        cash = 1.0 - sum(weights.values())
        turnover = 0.0
        if held is not None:
            names = set(weights) | set(held[0])
            turnover = 0.5 * (sum(abs(weights.get(k, 0.0) - held[0].get(k, 0.0)) for k in names)
                              + abs(cash - held[1]))
        rows = [i for i, d in enumerate(days) if monday <= d <= monday + datetime.timedelta(6)]
        for n, i in enumerate(rows):
            asset = {k: price[k][i] / price[k][i - 1] - 1.0 for k in weights}
            whole = sum(weights[k] * asset[k] for k in weights)
            returns.append(whole - (turnover * 0.00055 if n == 0 else 0.0))
            turnovers.append(turnover if n == 0 else 0.0)
            weights = {k: weights[k] * (1.0 + asset[k]) / (1.0 + whole) for k in weights}
            cash /= 1.0 + whole
        held = (weights, cash)
    return returns, turnovers


def make_signals(tickers, rng, miners, weeks):
    lines, past = [], {}
    for week in range(weeks):
        monday = datetime.date(2021, 6, 7) + datetime.timedelta(7 * week)
        for miner in range(miners):
            chosen = sorted(rng.sample(tickers, rng.randint(5, 12)))
            shares = [rng.randint(50, 100) for _ in chosen]
            weights = [min(200000, 1000000 * s // sum(shares)) for s in shares]
            while sum(weights) < 1000000:
                k = min(range(len(weights)), key=weights.__getitem__)
                weights[k] += min(200000 - weights[k], 1000000 - sum(weights))
            hotkey = address(f"reference/{miner}")
            past.setdefault(hotkey, []).append((monday, {t: w / 1e6 for t, w in zip(chosen, weights)}))
            commit = 50400 * week + miner
            lines.append({"hotkey": hotkey, "epoch_id": epoch_of(monday), "ante_rao": 10**10,
                          "positions": [{"ticker": t, "weight_millionths": w} for t, w in zip(chosen, weights)],
                          "commit_height": commit, "reveal_height": commit + 4200})
    rng.shuffle(lines)
    return lines, past


def main():
    binary, prices, folder = sys.argv[1:4]
    with gzip.open(prices, "rt") as f:
        rows = list(csv.reader(f))
    days = [datetime.date.fromisoformat(r[0]) for r in rows[1:]]
    price = {t: [float(r[k + 1]) for r in rows[1:]] for k, t in enumerate(rows[0][1:])}
    failed = 0
    for number, (miners, weeks) in enumerate(((9, 1), (12, 2), (10, 7), (14, 20)), 1):
        lines, past = make_signals(sorted(price), random.Random(number), miners, weeks)
        path = f"{folder}/signals-{number}.jsonl"
        with open(path, "w") as f:
            f.write("\n".join(json.dumps(x) for x in lines) + "\n")
        run = subprocess.run([binary, "portfolio", "run", "--prices", prices, "--signals", path, "--json"],
                             capture_output=True, text=True, check=True)
        off = []
        for line in json.loads(run.stdout)["scoreboard"]:
            told = line["explanation"]
            returns, turnovers = record(past[line["hotkey"]], days, price)
            window = min(len(returns), 90)
            turnover = 5.0 * sum(turnovers[-window:]) / window
            ramp = 0.0 if len(returns) < 7 else 0.2 if len(returns) < 30 else 0.5 if len(returns) < 90 else 1.0
            same = told["days"] == len(returns) and abs(told["turnover_per_week"] - turnover) < 1e-9
            if len(returns) >= 7:
                own = composite(returns, turnover)
                score = 0 if told["status"] != "ranked" else own * ramp * told["factor"] * 1e6
                same = same and abs(told["composite"] - own) < 1e-9
                same = same and abs(line["qs_millionths"] - score) <= 0.501
            if not same:
                off.append(line["hotkey"])
        failed += bool(off)
        print(f"{'not ok' if off else 'ok'} {number} - reference scores of {miners} miners after {weeks} weeks"
              f"{' differ: ' + ', '.join(off) if off else ''}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
