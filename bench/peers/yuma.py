"""yuma: the steps of chain spec 1.4 to 1.6 in NumPy doubles on dense rows of the validators, the third epoch timed.

usage: yuma.py PERCENT FOLDER NAME. The load is that of 1.11. Only validators have rows, so matrices are V x n.
The weighted median sorts each column once: the bits of the weight above, the row below, in one integer.
"""
import sys

import numpy as np

from common import PERCENT, best, report

SHAPES = {"yuma_256": (256, 64, 205, 256), "yuma_4096": (4096, 256, 16, 256)}
EMISSION = 10**9
KAPPA = 32767 / 65535
ALPHA = 1.0 - 900_000 / 1_000_000
LOW, HIGH, SLOPE = 45_875 / 65535, 58_982 / 65535, 1000 / 100


def draw(count, state):
    with np.errstate(over="ignore"):
        z = np.uint64(state) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def load(n, validators, low, high):
    numbers = draw(validators + validators * (n + 1), 1)
    stake = np.zeros(n)
    stake[:validators] = 10**9 + (numbers[:validators] % np.uint64(10**15)).astype(float)
    rows = numbers[validators:].reshape(validators, n + 1)
    density = low + rows[:, :1] % np.uint64(high - low + 1)
    has = (rows[:, 1:] & np.uint64(255)) < density
    return stake, np.where(has, rows[:, 1:] >> np.uint64(48), 0).astype(np.uint16), has


def over_sum(x, axis=None):
    total = x.sum(axis=axis)
    return np.divide(x, total, out=np.zeros_like(x), where=total != 0)


def median(weights, stake):
    """The least weight whose stake of all weights <= it exceeds the minority, column by column."""
    count, n = weights.shape
    keys = (weights.T * 2.0**44).astype(np.uint64)
    keys <<= np.uint64(8)
    keys |= np.arange(count, dtype=np.uint64)
    keys.sort(axis=1)
    order = (keys & np.uint64(255)).astype(np.intp)
    reached = np.cumsum(stake[order], axis=1) > stake.sum() - KAPPA
    at = np.where(reached.any(axis=1), reached.argmax(axis=1), count - 1)
    return weights[order[np.arange(n), at], np.arange(n)]


def epoch(form, stake, stored, has, bonds):
    """One epoch; bonds as stored, V x n of u16. Gives what is stored after it."""
    validators, n = stored.shape
    share = over_sum(stake)
    active = over_sum(share[:validators])
    weights = stored.astype(float)
    own = np.arange(validators)
    weights[own, own] = 0.0
    totals = weights.sum(axis=1, keepdims=True)
    weights /= np.where(totals > 0, totals, 1.0)
    consensus = median(weights, active)
    clipped = np.minimum(weights, consensus)
    trust = clipped.sum(axis=1)
    incentive = over_sum(active @ clipped)
    old = bonds.astype(float)
    if form == "classic":
        delta = clipped * active[:, None]
        delta /= np.where((total := delta.sum(axis=0)) > 0, total, 1.0)
        old /= np.where((total := old.sum(axis=0)) > 0, total, 1.0)
        new = ALPHA * delta + (1.0 - ALPHA) * old
        new /= np.where((total := new.sum(axis=0)) > 0, total, 1.0)
        dividends = over_sum(new @ incentive)
        kept = new / np.where((top := new.max(axis=0)) > 0, top, 1.0)
    else:
        old /= 65535
        if form == "yuma3":
            new = ALPHA * clipped + (1.0 - ALPHA) * old
        else:
            buy = np.clip(clipped - consensus, 0.0, 1.0)
            sell = np.clip(old - clipped, 0.0, 1.0)
            apart = np.where(clipped >= old, buy, sell)
            alpha = np.clip(LOW + (HIGH - LOW) / (1.0 + np.exp(-SLOPE * (apart - 0.5))), LOW, HIGH)
            new = np.minimum((1.0 - alpha) * old + alpha * clipped, 1.0)
            new *= has
        total = new.sum(axis=0)
        dividends = over_sum((new @ (incentive / np.where(total > 0, total, 1.0))) * active)
        kept = new
    combined = incentive.copy()
    combined[:validators] += dividends
    whole = combined.sum()
    emission = np.floor(combined / whole * EMISSION).astype(np.uint64) if whole > 0 else None
    return {
        "bonds": (kept * 65535).astype(np.uint16),
        "stored": [(x * 65535).astype(np.uint16) for x in (consensus, incentive, dividends, trust, share)],
        "emission": emission, "incentive": incentive, "dividends": dividends,
    }


def main():
    name = sys.argv[3]
    n, validators, low, high = SHAPES[name]
    if PERCENT == 10:
        n, validators = int(n * 0.1**0.5), int(validators * 0.1**0.5)
    stake, stored, has = load(n, validators, low, high)
    forms, figures = {}, []
    for form in ("classic", "yuma3", "liquid"):
        bonds = np.zeros_like(stored)
        for _ in range(2):
            bonds = epoch(form, stake, stored, has, bonds)["bonds"]
        forms[form], runs, last = best(lambda: epoch(form, stake, stored, has, bonds))
        figures.append((last["incentive"] * (np.arange(n) % 97)).sum()
                       + (last["dividends"] * (np.arange(validators) % 89)).sum())
    report(name, max(forms.values()), runs, figures, forms=forms)


if __name__ == "__main__":
    main()
