"""What the field's libraries take when each series is one call: a loop over miners, as their documents show it.

usage: series.py PERCENT FOLDER empyrical|quantstats|arch. The loops run on a tenth of the miners and are counted times
ten: a series does not know of the others.
  empyrical, quantstats   the score: the record day by day in NumPy, then the library's figures of three windows, turned
                          into our definitions where theirs differ (population deviation, number of losing days)
  arch                    the bootstrap: StationaryBootstrap.apply with mean and Sharpe ratio
"""
import math
import sys
import time
import warnings

import numpy as np

import common

common.PERCENT //= 10
import score  # noqa: E402 (it reads the size when it is imported)

warnings.filterwarnings("ignore")
TIMES = 10
YEAR = 252


def clamp01(x):
    return min(max(x, 0.0), 1.0)


def ratio(top, bottom):
    if bottom < 1e-4:
        return math.copysign(10.0, top) if top else 0.0
    return min(max(top / bottom, -10.0), 10.0)


def empyrical_figures():
    import empyrical

    def figures(r):
        return (empyrical.annual_return(r), empyrical.annual_volatility(r),
                empyrical.downside_risk(r, required_return=score.RISK_FREE / YEAR), -empyrical.max_drawdown(r))

    return figures, empyrical.__version__


def quantstats_figures():
    import pandas
    import quantstats

    days = pandas.bdate_range("2023-01-02", periods=common.DAYS)

    def figures(r):
        series = pandas.Series(r, index=days[:len(r)])
        below = np.minimum(r - score.RISK_FREE / YEAR, 0.0)
        total = float(quantstats.stats.comp(series))
        return ((1.0 + total) ** (YEAR / len(r)) - 1.0, float(quantstats.stats.volatility(series, periods=YEAR)),
                math.sqrt((below * below).mean() * YEAR), -float(quantstats.stats.max_drawdown(series)))

    return figures, quantstats.__version__


def score_one(figures, growth, tickers, targets):
    earned, turnovers = score.records(growth, tickers[None], targets[:, None])
    r, turnovers = earned[:, 0], turnovers[:, 0]
    recent = [k for k in range(len(turnovers)) if (k + 1) * score.WEEK >= common.DAYS - 90]
    turnover = score.WEEK * turnovers[recent].sum() / 90
    whole = 0.0
    for days, weight, sortino, sharpe, calmar in score.HORIZONS:
        window = r[-days:]
        annual, volatility, downside, deepest = figures(window)
        losing = max(int((window < score.RISK_FREE / YEAR).sum()), 1)
        volatility *= math.sqrt((days - 1) / days)
        downside *= math.sqrt(days / losing)
        excess = annual - score.RISK_FREE

        def part(x, bounds):
            return clamp01((x - bounds[0]) / (bounds[1] - bounds[0]))

        whole += weight * (0.40 * part(ratio(excess, volatility), sharpe) + 0.20 * clamp01(1.0 - deepest / 0.10)
                           + 0.15 * part(ratio(excess, downside), sortino)
                           + 0.15 * part(ratio(annual, deepest), calmar) + 0.10 * clamp01(1.0 - turnover))
    return 0 if deepest > 0.35 else math.floor(clamp01(whole) * 1e6 + 0.5)


def run_score(library):
    figures, version = {"empyrical": empyrical_figures, "quantstats": quantstats_figures}[library]()
    growth, tickers, targets = score.make()
    score_one(figures, growth, tickers[0], targets[:, 0])
    start = time.perf_counter()
    total = sum(score_one(figures, growth, tickers[m], targets[:, m]) for m in range(score.MINERS))
    seconds = time.perf_counter() - start
    common.report("score", seconds * TIMES, 1, [], peer=f"{library}, series by series", version=version,
                  tenth=[float(total)])


def run_arch():
    import arch
    from arch.bootstrap import StationaryBootstrap

    count = common.PERCENT
    table = common.returns(10 * count * TIMES * common.DAYS, 5).reshape(-1, common.DAYS)[:count]

    def statistics(r):
        mean = r.mean()
        return np.array([mean, mean / r.std(ddof=1) * math.sqrt(YEAR)])

    start = time.perf_counter()
    spreads = []
    for i, row in enumerate(table):
        values = StationaryBootstrap(10, row, seed=i).apply(statistics, 1000)
        np.quantile(values, (0.025, 0.975), axis=0)
        spreads.append(values.std(axis=0, ddof=1))
    seconds = (time.perf_counter() - start) * (10 * common.PERCENT * TIMES / count)
    common.report("bootstrap", seconds, 1, [], peer="arch", version=arch.__version__,
                  tenth=[float(x) for x in np.mean(spreads, axis=0)])


if __name__ == "__main__":
    if sys.argv[3] == "arch":
        run_arch()
    else:
        run_score(sys.argv[3])
