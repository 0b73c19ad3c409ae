"""score: all miners at once, day after day.

usage: score.py PERCENT FOLDER [in-place]. The first form is the formulas, one array operation each: R = sum w r,
w <- w (1 + r) / (1 + R). "in-place" is the same for who knows NumPy's insides: positions before miners, so that sums
add long rows; w (1 + r) first, whose sum is 1 + R; no array is made in the loop.
"""
import sys

import numpy as np

from common import DAYS, PERCENT, best, report, returns, units

MINERS = 10 * PERCENT
UNIVERSE, POSITIONS, WEEK = 480, 30, 5
STRIDE = UNIVERSE // POSITIONS
TARGETS = (DAYS + WEEK - 1) // WEEK
COST, RISK_FREE, YEAR = 0.00055, 0.05, 252
HORIZONS = (  # days, weight, bounds of Sortino, Sharpe, Calmar
    (7, 0.30, (-2.0, 5.0), (-1.6, 4.0), (-5.0, 10.0)),
    (30, 0.45, (-1.5, 4.0), (-1.2, 3.2), (-3.0, 8.0)),
    (90, 0.25, (-1.0, 3.5), (-0.8, 2.8), (-2.0, 6.0)),
)


def make():
    growth = 1.0 + returns(DAYS * UNIVERSE, 1).reshape(DAYS, UNIVERSE)
    tickers = np.arange(POSITIONS) * STRIDE + (units(MINERS * POSITIONS, 2).reshape(MINERS, POSITIONS)
                                               * STRIDE).astype(np.int64)
    targets = 0.5 + units(MINERS * TARGETS * POSITIONS, 3).reshape(MINERS, TARGETS, POSITIONS)
    targets /= targets.sum(axis=2, keepdims=True)
    return growth, tickers, np.ascontiguousarray(targets.transpose(1, 0, 2))


def records(growth, tickers, targets):
    """Returns (DAYS x MINERS) and turnovers (rebalances x MINERS)."""
    change = growth - 1.0
    earned, turnovers = np.empty((DAYS, MINERS)), np.empty((TARGETS - 1, MINERS))
    held = targets[0]
    for day in range(DAYS):
        if day > 0 and day % WEEK == 0:
            target = targets[day // WEEK]
            turnovers[day // WEEK - 1] = 0.5 * np.abs(target - held).sum(axis=1)
            held = target
        asset = change[day][tickers]
        earned[day] = (held * asset).sum(axis=1)
        held = held * (1.0 + asset) / (1.0 + earned[day])[:, None]
    earned[WEEK::WEEK] -= turnovers[: len(range(WEEK, DAYS, WEEK))] * COST
    return earned, turnovers


def records_in_place(growth, tickers, targets):
    """The same; tickers and targets with positions before miners."""
    earned, turnovers = np.empty((DAYS, MINERS)), np.empty((TARGETS - 1, MINERS))
    grown = np.empty((POSITIONS, MINERS))
    held = targets[0].copy()
    for day in range(DAYS):
        if day > 0 and day % WEEK == 0:
            week = day // WEEK
            np.subtract(targets[week], held, out=grown)
            np.abs(grown, out=grown)
            np.add.reduce(grown, axis=0, out=turnovers[week - 1])
            held[:] = targets[week]
        np.take(growth[day], tickers, out=grown, mode="clip")
        held *= grown
        whole = np.add.reduce(held, axis=0)
        held /= whole
        np.subtract(whole, 1.0, out=earned[day])
    turnovers *= 0.5
    earned[WEEK::WEEK] -= turnovers[: len(range(WEEK, DAYS, WEEK))] * COST
    return earned, turnovers


def by_sign(x):
    return np.sign(x) * 10.0


def normalised(x, bounds):
    return np.clip((x - bounds[0]) / (bounds[1] - bounds[0]), 0.0, 1.0)


def drawdown(window):
    value = np.cumprod(1.0 + window, axis=0)
    peak = np.maximum(np.maximum.accumulate(value, axis=0), 1.0)
    return value[-1], np.maximum((1.0 - value / peak).max(axis=0), 0.0)


def ratio(top, bottom, low):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(bottom < low, by_sign(top), np.clip(top / bottom, -10.0, 10.0))


def score_windows(earned, turnover_week, horizons=HORIZONS):
    """Composite of the horizons, and the deepest loss of the longest window."""
    whole, weights = 0.0, 0.0
    deepest = None
    part_turnover = np.clip(1.0 - turnover_week, 0.0, 1.0)
    for days, weight, sortino, sharpe, calmar in horizons:
        if earned.shape[0] < days:
            break
        window = np.maximum(earned[-days:], -1.0)
        value, deepest = drawdown(window)
        with np.errstate(divide="ignore"):
            annual = np.minimum(np.where(value > 0, value ** (YEAR / days) - 1.0, -1.0), 1e6)
        excess = annual - RISK_FREE
        yearly = window.std(axis=0) * np.sqrt(YEAR)
        short = np.minimum(window - RISK_FREE / YEAR, 0.0)
        count = (short < 0.0).sum(axis=0)
        downside = np.sqrt((short * short).sum(axis=0) / np.maximum(count, 1)) * np.sqrt(YEAR)
        composite = (0.40 * normalised(ratio(excess, yearly, 1e-4), sharpe)
                     + 0.20 * np.clip(1.0 - deepest / 0.10, 0.0, 1.0)
                     + 0.15 * normalised(ratio(excess, downside, 1e-4), sortino)
                     + 0.15 * normalised(ratio(annual, deepest, 1e-4), calmar)
                     + 0.10 * part_turnover)
        whole = whole + weight * composite
        weights += weight
    return whole / weights, deepest


def score(growth, tickers, targets, follow=records):
    earned, turnovers = follow(growth, tickers, targets)
    recent = turnovers[[k for k in range(TARGETS - 1) if (k + 1) * WEEK >= DAYS - 90]]
    composite, deepest = score_windows(earned, WEEK * recent.sum(axis=0) / 90)
    ramp = 1.0 if DAYS >= 90 else 0.5
    return np.where(deepest > 0.35, 0, np.floor(np.clip(composite * ramp, 0.0, 1.0) * 1e6 + 0.5))


def main():
    growth, tickers, targets = make()
    if sys.argv[3:] == ["in-place"]:
        follow, peer = records_in_place, "NumPy, in place"
        tickers, targets = np.ascontiguousarray(tickers.T), np.ascontiguousarray(targets.transpose(0, 2, 1))
    else:
        follow, peer = records, "NumPy"
    seconds, runs, scores = best(lambda: score(growth, tickers, targets, follow))
    report("score", seconds, runs, [scores.sum()], peer=peer)


if __name__ == "__main__":
    main()
