"""bootstrap: the indices of all resamples of a series at once, then one gather and two reductions."""
import numpy as np

from common import DAYS, PERCENT, best, report, returns

SERIES = 10 * PERCENT
RESAMPLES, MEAN_BLOCK = 1000, 10.0
AT = np.arange(DAYS, dtype=np.int32)


def resample(series, rng):
    """RESAMPLES rows: each day begins a block with probability 1/L, else it follows the day before."""
    begins = rng.random((RESAMPLES, DAYS), dtype=np.float32) < 1.0 / MEAN_BLOCK
    begins[:, 0] = True
    first = np.maximum.accumulate(np.where(begins, AT, 0), axis=1)  # where the block of each day began
    start = rng.integers(0, DAYS, size=(RESAMPLES, DAYS), dtype=np.int32)
    start -= AT
    index = np.take_along_axis(start, first, axis=1)
    index += AT
    return np.concatenate((series, series))[index]


def statistics(series, rng):
    drawn = resample(series, rng)
    mean = drawn.mean(axis=1)
    drawn -= mean[:, None]
    spread = np.sqrt(np.einsum("ij,ij->i", drawn, drawn) / (DAYS - 1))
    sharpe = mean / spread * np.sqrt(252.0)
    out = []
    for values in (mean, sharpe):
        values.sort()
        low, high = np.quantile(values, (0.025, 0.975))
        out += [low, high, values.std(ddof=1)]
    return out


def run(table):
    rng = np.random.Generator(np.random.SFC64(5))
    return np.array([statistics(row, rng) for row in table])


def main():
    table = returns(SERIES * DAYS, 5).reshape(SERIES, DAYS)
    # A run takes seconds and is the mean of a thousand equal pieces: two of them tell.
    seconds, runs, rows = best(lambda: run(table), least_runs=2)
    report("bootstrap", seconds, runs, [rows[:, 2].mean(), rows[:, 5].mean()])


if __name__ == "__main__":
    main()
