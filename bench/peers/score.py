"""score: all miners at once, day after day. What is held is kept as values that grow, not as weights that are
divided by their sum each day: the same returns with one pass less. Weights are taken at rebalances only."""
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
    # Positions first: sums over positions then add long rows.
    return growth, np.ascontiguousarray(tickers.T), np.ascontiguousarray(targets.transpose(1, 2, 0))


def records(growth, tickers, targets):
    """Returns (DAYS x MINERS) and turnovers (rebalances x MINERS)."""
    earned = np.empty((DAYS, MINERS))
    turnovers = np.empty((TARGETS - 1, MINERS))
    grown = np.empty((POSITIONS, MINERS))
    held = np.empty((POSITIONS, MINERS))
    value = before = None
    for day in range(DAYS):
        if day % WEEK == 0:
            week = day // WEEK
            if week > 0:
                held /= value
                np.subtract(targets[week], held, out=grown)
                np.abs(grown, out=grown)
                np.add.reduce(grown, axis=0, out=turnovers[week - 1])
            held[:] = targets[week]
            before = 1.0
        np.take(growth[day], tickers, out=grown, mode="clip")
        held *= grown
        value = np.add.reduce(held, axis=0)
        np.divide(value, before, out=earned[day])
        before = value
    earned -= 1.0
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


def score(growth, tickers, targets):
    earned, turnovers = records(growth, tickers, targets)
    recent = turnovers[[k for k in range(TARGETS - 1) if (k + 1) * WEEK >= DAYS - 90]]
    composite, deepest = score_windows(earned, WEEK * recent.sum(axis=0) / 90)
    ramp = 1.0 if DAYS >= 90 else 0.5
    return np.where(deepest > 0.35, 0, np.floor(np.clip(composite * ramp, 0.0, 1.0) * 1e6 + 0.5))


def main():
    inputs = make()
    seconds, runs, scores = best(lambda: score(*inputs))
    report("score", seconds, runs, [scores.sum()])


if __name__ == "__main__":
    main()
