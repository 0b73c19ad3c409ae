"""make.py TALLY: makes the example files beside it, from the prices in data/ and the program itself. The texts are
committed; tests/e2e/portfolio.sh makes them again and finds the same bytes.

    signals.jsonl         twelve miners over three weeks of 2022, one of them late, one with a broken rule
    returns.csv           daily returns of an equal-weighted portfolio over half of 2021
    2022-Q1-W3.bundle     what `tally portfolio run` makes of the signals
    2022-Q1-W3.json       what `tally epoch export` says of the bundle
"""
import csv
import gzip
import hashlib
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..", "..")
PRICES = os.path.join(ROOT, "data", "us_stocks_daily_close.csv.gz")
EPOCHS = ["2022-Q1-W1", "2022-Q1-W2", "2022-Q1-W3"]
EPOCH_BLOCKS, REVEAL_AFTER = 50400, 5000
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
MINERS = 12


def ss58(key):
    """The text of a public key, network 42."""
    body = bytes([42]) + key
    number = int.from_bytes(body + hashlib.blake2b(b"SS58PRE" + body).digest()[:2], "big")
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return text


def hotkey(miner):
    return ss58(hashlib.sha256(f"tally/example/{miner}".encode()).digest())


def portfolio(tickers, miner, epoch):
    """Five to nine stocks, each miner and week others, about equally weighted."""
    count = 5 + miner % 5
    chosen = sorted(tickers[(miner * 3 + epoch + i * 7) % len(tickers)] for i in range(count))
    weights = [1000000 // count] * count
    weights[0] += 1000000 - sum(weights)
    return [{"ticker": t, "weight_millionths": w} for t, w in zip(chosen, weights)]


def signal(tickers, miner, epoch):
    commit = epoch * EPOCH_BLOCKS + 10 * miner
    line = {"hotkey": hotkey(miner), "epoch_id": EPOCHS[epoch], "ante_rao": (10 + miner) * 10**9,
            "positions": portfolio(tickers, miner, epoch), "commit_height": commit,
            "reveal_height": commit + REVEAL_AFTER}
    if (miner, epoch) == (4, 2):
        line["reveal_height"] = None
    if (miner, epoch) == (7, 2):
        line["positions"][0]["weight_millionths"] += 1000
    return line


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as f:
        f.write(text)


def main():
    tally, folder = os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else HERE
    with gzip.open(PRICES, "rt", encoding="utf-8") as f:
        rows = list(csv.reader(f))
    tickers = rows[0][1:]
    lines = [json.dumps(signal(tickers, m, e)) for e in range(len(EPOCHS)) for m in range(MINERS)]
    write(folder, "signals.jsonl", "\n".join(lines) + "\n")
    days = [r for r in rows[1:] if "2021-06-30" <= r[0] <= "2021-12-31"]
    returns = ["date,return"]
    for before, day in zip(days, days[1:]):
        mean = sum(float(b) / float(a) - 1 for a, b in zip(before[1:], day[1:])) / len(tickers)
        returns.append(f"{day[0]},{mean:.6f}")
    write(folder, "returns.csv", "\n".join(returns) + "\n")
    subprocess.run([tally, "portfolio", "run", "-q", "--prices", PRICES, "--signals",
                    os.path.join(folder, "signals.jsonl"), "--out", folder], check=True, stdout=subprocess.DEVNULL)
    bundle = os.path.join(folder, "2022-Q1-W3.bundle")
    text = subprocess.run([tally, "epoch", "export", bundle], check=True, capture_output=True, text=True).stdout
    write(folder, "2022-Q1-W3.json", text)


main()
